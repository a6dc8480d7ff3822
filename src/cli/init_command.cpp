#include "commands_internal.h"
#include "grantfs/client/home.h"
#include "grantfs/client/join.h"
#include "grantfs/util/file.h"
#include "owner_internal.h"
#include "recovery_internal.h"
#include "secret_io_internal.h"

namespace grantfs {
namespace {

// True if it is in the file that was asked for; else it has to be shown.
bool InRecoveryFile(Context& context, const InitResult& result) {
  const std::string path = context.arguments.Text("recovery-file");
  if (path.empty() || result.recovery_code.size() == 0) return false;
  const Status written = WriteSecretFile(path.c_str(), result.recovery_code);
  if (written)
    context.terminal.Note("the recovery code is in " + path + ": take it off this computer, and keep it");
  else
    context.terminal.Note("the recovery code could not be written, so it is shown: " +
                          Describe(written.error()));
  return static_cast<bool>(written);
}

// Nothing makes the code again: where it could not be shown it is kept.
void KeepUnshownCode(Context& context, const InitResult& result) {
  const std::string path = context.home + "/recovery-code";
  const Status kept = WriteSecretFile(path.c_str(), result.recovery_code);
  context.terminal.Note(kept ? "the recovery code could not be shown and is in " + path +
                                   ": take it off this computer, and keep it"
                             : "the recovery code could not be shown and is lost: " + Describe(kept.error()));
}

Status OutJsonResult(Context& context, const InitResult& result, bool show_code) {
  const Json json = Json::Object({{"vault", result.vault.Hex()},
                                  {"address", result.address},
                                  {"name", result.name},
                                  {"fingerprint", result.fingerprint}});
  if (show_code) return OutJsonWithLine(context.terminal, json, "recovery_code", result.recovery_code);
  context.terminal.OutJson(json);
  return {};
}

Status OutResult(Context& context, const InitResult& result) {
  Terminal& terminal = context.terminal;
  const bool lost = result.recovery_code.size() == 0;
  terminal.Note("made the vault " + result.vault.Hex() + " at " + result.address + "; its owner is " +
                result.name + ", fingerprint " + result.fingerprint);
  if (lost)
    terminal.Note("an init that was interrupted is finished now; the recovery code that it made is lost");
  const bool show_code = !lost && !InRecoveryFile(context, result);
  if (context.json()) {
    GRANTFS_CHECK(OutJsonResult(context, result, show_code));
  } else if (show_code) {
    terminal.Note("the recovery code, shown this once and kept nowhere; write it down and keep it offline:");
    OutSecretLine(terminal, result.recovery_code);
  }
  if (const auto home = Home::OpenAny(context.home); home && !lost)
    terminal.Note("beside it keep the command that uses it: " + RecoverLine(home->profile()));
  if (show_code && !terminal.OutStatus()) KeepUnshownCode(context, result);
  if (!context.json()) terminal.Note("next: grantfs env create PROJECT/ENVIRONMENT");
  return {};
}

Status RunInitCommand(Context& context) {
  const std::string name = GRANTFS_TRY(OwnerName(context.arguments));
  GRANTFS_CHECK(CheckRecoveryFile(context.arguments.Text("recovery-file")));
  GRANTFS_CHECK(CheckHomeIsFree(context.home));
  const SecretMemory claim = GRANTFS_TRY(ReadSecretInput(
      context.terminal,
      {.file = context.arguments.Text("file"), .prompt = "claim", .max_bytes = kMaxLineBytes}));
  if (claim.size() == 0)
    return Error{Code::kInvalid,
                 "there is no claim to read; grantfs serve makes one at its first start, DIR/claim"};
  const InitResult result = GRANTFS_TRY(InitVault(context.home, claim, name, context.Client()));
  return OutResult(context, result);
}

}  // namespace

const Command kInitCommand = {
    .name = "init",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "make the vault of an empty server, and be its owner",
    .about =
        R"(On your own computer: takes the claim that grantfs serve made at its first start, makes your keys, and
signs the new vault into being with you as its owner. It prints a recovery code once: the vault lets it
replace owners who have lost their keys (grantfs recover). Keep it offline.)",
    .options = {{"name", "NAME", "the owner's name in the vault (default: your login name)"},
                {"file", "FILE", "read the claim from FILE in place of standard input"},
                {"recovery-file", "FILE",
                 "write the recovery code to a new FILE (0600) in place of standard output"}},
    .examples = {{"grantfs init",
                  R"(claim (not shown):
made the vault 6f1d... at vault.lan:7843; its owner is ada, fingerprint p2ma-...
the recovery code, shown this once and kept nowhere; write it down and keep it offline:
k7qd-m2xa-...)"},
                 {"ssh vault.lan sudo cat /var/lib/grantfs/claim | grantfs init --name ada",
                  "made the vault 6f1d... ..."},
                 {"grantfs init --file claim --recovery-file /media/usb/recovery",
                  "(the code goes to the file alone)"}},
    .next = "grantfs env create shop/prod",
    .failure = "the vault was not made",
    .run = RunInitCommand,
    .stray_argument =
        "a claim is not given as an argument, where others can see it; give it on standard input",
};

}  // namespace grantfs
