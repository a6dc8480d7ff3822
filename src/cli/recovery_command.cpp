// recovery show, replace, follow

#include "commands_internal.h"
#include "owner_internal.h"
#include "recovery_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Json TextsJson(const std::vector<std::string>& all) { return Json::Array({all.begin(), all.end()}); }

Status RunRecoveryShow(Context& context) {
  const Home home = GRANTFS_TRY(Home::Open(context.home));
  const std::string line = RecoverLine(home.profile());
  if (context.json())
    context.terminal.OutJson(Json::Object({{"command", line}}));
  else
    context.terminal.OutLine(line);
  return {};
}

Status RunRecoveryReplace(Context& context) {
  GRANTFS_CHECK(CheckRecoveryFile(context.arguments.Text("recovery-file")));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const ReplacedRecovery replaced = GRANTFS_TRY(session->ReplaceRecovery(context.arguments.Text("reason")));
  const Status shown = OutRecoveryCode(
      context, replaced.code,
      Json::Object({{"followed", TextsJson(replaced.followed)}, {"others", TextsJson(replaced.others)}}),
      "the new recovery code, shown this once and kept nowhere; the one before is good for nothing any more:");
  if (!replaced.followed.empty()) context.terminal.Note("new keys, sealed to it too: " + JoinWords(replaced.followed));
  if (!replaced.others.empty())
    context.terminal.Note("their owners have yet to run grantfs recovery follow: " + JoinWords(replaced.others));
  if (shown) return {};
  return Error{Code::kIo, "the new code could not be shown: run grantfs recovery replace again", 0, "recovery code"};
}

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

const Command kRecoveryShowCommand = {
    .name = "recovery show",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "print the command that uses the recovery code",
    .about =
        R"(Prints grantfs recover with the address, id and pin of this home's vault, to be kept beside the recovery code.
Nothing of it is secret. Any home of the vault knows it.)",
    .options = {},
    .examples = {{"grantfs recovery show", "grantfs recover vault.lan:7843 --vault 6f1d... --pin 9a0c..."},
                 {"grantfs recovery show --json", R"({"command": "grantfs recover ..."})"}},
    .next = "grantfs doctor --recovery-code FILE, to see whether the code is good.",
    .failure = "the command is not known",
    .run = RunRecoveryShow,
};

const Command kRecoveryReplaceCommand = {
    .name = "recovery replace",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "make a new recovery code, end the old one",
    .about =
        R"(For a code that was lost, seen by others or used: puts a new recovery identity in the place of the one before,
and starts a new key in each environment that you own, sealed to it too. The code is shown once. The owners of
other environments follow with grantfs recovery follow. For owners of the vault.)",
    .options = {{"recovery-file", "FILE", "write the code to a new FILE (0600) in place of standard output"},
                {"reason", "TEXT", "why; it stands in the signed statements"}},
    .examples = {{"grantfs recovery replace",
                  R"(the new recovery code, shown this once and kept nowhere; the one before is good for nothing any more:
k7qd-m2xa-...
new keys, sealed to it too: shop/prod)"},
                 {"grantfs recovery replace --recovery-file /media/usb/recovery --reason 'used'",
                  "(the code goes to the file alone)"}},
    .next = "grantfs doctor --recovery-code FILE",
    .failure = "the recovery code was not replaced",
    .run = RunRecoveryReplace,
};

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
