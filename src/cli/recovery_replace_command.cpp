#include "commands_internal.h"
#include "owner_internal.h"
#include "recovery_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

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

}  // namespace

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

}  // namespace grantfs
