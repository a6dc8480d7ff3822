#include "commands_internal.h"
#include "grantfs/util/clock.h"
#include "identity_internal.h"
#include "owner_internal.h"
#include "table_internal.h"

namespace grantfs {

Json IdentityJson(const IdentityInfo& info) {
  return Json::Object({{"name", info.name},
                       {"kind", IdentityKindName(info.kind)},
                       {"id", info.id},
                       {"fingerprint", info.fingerprint},
                       {"number", info.number},
                       {"approved", info.approved},
                       {"not_after", info.not_after},
                       {"standing", info.standing},
                       {"removed", info.removed},
                       {"vault_owner", info.vault_owner},
                       {"recovery", info.recovery}});
}

std::string IdentityStanding(const IdentityInfo& info) {
  if (info.removed) return "removed";
  if (info.recovery) return "recovery key, kept offline";
  if (info.vault_owner) return "owner of the vault";
  if (info.not_after == 0) return "in";
  const bool over = info.not_after <= SystemClock().WallSeconds();
  return (over ? "its life ended " : "in, until ") + FormatTime(info.not_after);
}

namespace {

Status RunIdentityListCommand(Context& context) {
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const auto identities = GRANTFS_TRY(session->ListIdentities());
  if (context.json()) {
    Json list = Json::Array();
    for (const IdentityInfo& info : identities) list.Append(IdentityJson(info));
    context.terminal.OutJson(Json::Object({{"identities", std::move(list)}}));
    return {};
  }
  Table table({"NAME", "KIND", "FINGERPRINT", "APPROVED", "STANDING"});
  for (const IdentityInfo& info : identities)
    table.Add({info.name, IdentityKindName(info.kind), info.fingerprint, TimeCell(info.approved),
               IdentityStanding(info)});
  context.terminal.Out(table.Text());
  return {};
}

}  // namespace

const Command kIdentityListCommand = {
    .name = "identity list",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "list the people and machines of the vault",
    .about =
        R"(Lists the vault's owners, its recovery key, the users and agents that were let in, and its machines,
removed ones too. For owners of the vault or of an environment.)",
    .options = {},
    .examples = {{"grantfs identity list",
                  R"(NAME      KIND     FINGERPRINT               APPROVED              STANDING
ada       user     p2ma-...                  -                     owner of the vault
recovery  user     7d4q-...                  -                     recovery key, kept offline
web-1     machine  k3vq-7m2a-x4pd-ce6w-hn5t  2026-01-02T09:10:00Z  in)"},
                 {"grantfs identity list --json",
                  "{\"identities\": [{\"name\": \"ada\", \"kind\": \"user\", ...}]}"}},
    .next = "grantfs identity show web-1",
    .failure = "the identities are not known",
    .run = RunIdentityListCommand,
};

}  // namespace grantfs
