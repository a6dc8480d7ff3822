#include "commands_internal.h"
#include "enroll_request_internal.h"
#include "grantfs/client/home.h"
#include "grantfs/client/join.h"
#include "owner_internal.h"
#include "secret_io_internal.h"

namespace grantfs {
namespace {

constexpr std::int64_t kRekeyWait = 600;

bool NewKeyWaits(const std::string& home) { return Home::Exists(home + kNextHome); }

// The invitation; empty where a new key that waits here is to be gone on with.
Result<SecretMemory> RekeyInvitation(Context& context) {
  const std::string file = context.arguments.Text("file");
  const bool waits = NewKeyWaits(context.home);
  if (waits && file.empty() && context.terminal.InIsTerminal()) return SecretMemory();
  SecretMemory line = GRANTFS_TRY(
      ReadSecretInput(context.terminal, {.file = file, .prompt = "invitation", .max_bytes = kMaxLineBytes}));
  if (line.size() > 0 || waits) return line;
  return Error{Code::kInvalid,
               "there is no invitation on standard input; an owner makes one with grantfs invite --rekey"};
}

Status RunIdentityRekeyCommand(Context& context) {
  Terminal& terminal = context.terminal;
  const std::int64_t wait =
      GRANTFS_TRY(context.arguments.Seconds("wait", terminal.InIsTerminal() ? kRekeyWait : 0));
  GRANTFS_TRY(Home::Open(context.home));
  const SecretMemory line = GRANTFS_TRY(RekeyInvitation(context));
  if (line.size() == 0) terminal.Note("going on with the new key that waits in " + context.home);
  const auto waiting = [&terminal](const EnrolResult& result) {
    terminal.Note("the new key of " + result.name + ", fingerprint " + result.fingerprint +
                  ", waits; the one before is good until then");
    terminal.Note("an owner compares it and runs: grantfs approve --rekey " + result.name);
  };
  const EnrolResult result = GRANTFS_TRY(RekeyHome(context.home, line.size() == 0 ? nullptr : &line,
                                                   std::chrono::seconds(wait), waiting, context.Client()));
  if (context.json()) terminal.OutJson(EnrolJson(result));
  if (result.approved) {
    if (!context.json())
      terminal.OutLine(result.name + " has the new key, fingerprint " + result.fingerprint);
    terminal.Note(
        "next: grantfs env list shows where it has a role by now; elsewhere an owner gives it that");
    return {};
  }
  if (wait == 0) {
    terminal.Note("next: grantfs approve --rekey " + result.name +
                  " on an owner's computer, then grantfs identity rekey again here");
    return {};
  }
  return Error{Code::kConflict, "not approved yet; run grantfs identity rekey again once it is", 0,
               result.name};
}

}  // namespace

const Command kIdentityRekeyCommand = {
    .name = "identity rekey",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "make a new key here, in place of this home's",
    .about =
        R"(For a user or agent whose key may be known to others, or is to be another for any reason: takes the line
that an owner's grantfs invite --rekey printed, makes a new key in this home and asks to be let in with it. Once
an owner has approved it (grantfs approve --rekey) it takes the place of the one before, under the same passphrase
if that was under one, and with the same name; the one before is refused everywhere from then on. The roles in
environments are given to the new key by their owners. Called again, it goes on waiting.

Where the home is lost, the same line goes to grantfs enroll on another computer. The key before takes no part in
it: whoever has stolen it can neither do this nor keep it from being done. Nobody approves it for himself. A machine
gets a new key by being removed and enrolled anew (grantfs identity remove, grantfs invite).)",
    .options =
        {{"file", "FILE", "read the invitation from FILE in place of standard input"},
         {"wait", "TIME",
          R"(how long to wait for the approval (default: 10m where standard input is a terminal, else not at all);
exit code 6 if it has not come by then)"}},
    .examples = {{"grantfs identity rekey",
                  R"(invitation (not shown):
the new key of bea, fingerprint k3vq-7m2a-x4pd-ce6w-hn5t, waits; the one before is good until then
an owner compares it and runs: grantfs approve --rekey bea
bea has the new key, fingerprint k3vq-7m2a-x4pd-ce6w-hn5t)"},
                 {"grantfs identity rekey --file line --wait 1h --json",
                  R"({"name": "bea", "fingerprint": "k3vq-7m2a-x4pd-ce6w-hn5t", "approved": true, ...})"}},
    .next = "grantfs whoami, and grantfs env list.",
    .failure = "this home has no new key",
    .run = RunIdentityRekeyCommand,
    .stray_argument =
        "an invitation is not given as an argument, where others can see it; give it on standard input",
};

}  // namespace grantfs
