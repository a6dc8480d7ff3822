#include "commands_internal.h"
#include "owner_internal.h"
#include "recovery_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Status RunRecoveryFollow(Context& context) {
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const auto followed = GRANTFS_TRY(session->FollowRecovery(context.arguments.Text("reason")));
  if (context.json())
    context.terminal.OutJson(Json::Object({{"followed", TextsJson(followed)}}));
  else if (followed.empty())
    context.terminal.Note("the keys of your environments are sealed to the recovery identity as it is");
  else
    context.terminal.OutLine("new keys, sealed to the recovery identity too: " + JoinWords(followed));
  return {};
}

}  // namespace

const Command kRecoveryFollowCommand = {
    .name = "recovery follow",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "seal your environments to a new recovery code",
    .about =
        R"(After an owner of the vault has replaced the recovery code: starts a new key in each environment that you own
and that has none sealed to it yet. grantfs status tells when it is due.)",
    .options = {{"reason", "TEXT", "why; it stands in the signed statements"}},
    .examples = {{"grantfs recovery follow", "new keys, sealed to the recovery identity too: shop/prod"},
                 {"grantfs recovery follow --json", R"({"followed": ["shop/prod"]})"}},
    .next = "grantfs status",
    .failure = "not every environment follows",
    .run = RunRecoveryFollow,
};

}  // namespace grantfs
