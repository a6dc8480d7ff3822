#include "commands_internal.h"
#include "enroll_request_internal.h"
#include "fleet_input_internal.h"
#include "grantfs/client/home.h"
#include "grantfs/client/join.h"
#include "owner_internal.h"
#include "secret_io_internal.h"

namespace grantfs {
namespace {

constexpr std::int64_t kTerminalWait = 600;

bool Waits(const std::string& home) {
  const auto found = Home::OpenAny(home);
  return found && found->profile().state == HomeProfile::State::kEnrolling;
}

// How long to wait for the approval, in seconds; 0: not at all, and then waiting is no failure.
Result<std::int64_t> Wait(const Context& context) {
  return context.arguments.Seconds("wait", context.terminal.InIsTerminal() ? kTerminalWait : 0);
}

void OutWaiting(Terminal& terminal, const EnrolResult& result) {
  terminal.Note(result.name + " asks to be let in; its fingerprint: " + result.fingerprint);
  terminal.Note("an owner compares it and runs: grantfs approve " + result.name);
}

// The invitation; empty where an enrolment that waits here is to be gone on with.
Result<SecretMemory> Invitation(Context& context) {
  const std::string file = context.arguments.Text("file");
  const bool waits = Waits(context.home);
  if (waits && file.empty() && context.terminal.InIsTerminal()) return SecretMemory();
  GRANTFS_CHECK(CheckHomeIsFree(context.home));
  SecretMemory line = GRANTFS_TRY(
      ReadSecretInput(context.terminal, {.file = file, .prompt = "invitation", .max_bytes = kMaxLineBytes}));
  if (line.size() > 0 || waits) return line;
  return Error{Code::kInvalid,
               "there is no invitation on standard input; an owner makes one with grantfs invite"};
}

Result<EnrolResult> Ask(Context& context, std::int64_t wait) {
  Terminal& terminal = context.terminal;
  const SecretMemory line = GRANTFS_TRY(Invitation(context));
  if (line.size() == 0) terminal.Note("going on with the enrolment that waits in " + context.home);
  const auto waiting = [&terminal](const EnrolResult& result) { OutWaiting(terminal, result); };
  return Enrol(context.home, line.size() == 0 ? nullptr : &line, std::chrono::seconds(wait), waiting,
               context.Client(), {context.arguments.Text("name"), NameOfHost()});
}

Status CheckMode(const Arguments& given) {
  const bool request = given.Flag("request");
  const bool accept = given.Flag("accept");
  if (request && accept) return Error{Code::kInvalid, "a request is made, or its answer accepted: not both"};
  if (given.IsTyped("ttl") && !request)
    return Error{Code::kInvalid, "is of a request; an invitation has its own", 0, "--ttl"};
  if ((request || accept) && given.IsTyped("wait"))
    return Error{Code::kInvalid, "nothing is waited for here", 0, "--wait"};
  if (request && given.IsTyped("file")) return Error{Code::kInvalid, "a request reads nothing", 0, "--file"};
  if (accept && given.IsTyped("name")) return Error{Code::kInvalid, "the request has the name", 0, "--name"};
  return {};
}

Status RunEnrollCommand(Context& context) {
  GRANTFS_CHECK(CheckMode(context.arguments));
  if (context.arguments.Flag("request")) return RunEnrollRequest(context);
  if (context.arguments.Flag("accept")) return RunEnrollAccept(context);
  const std::int64_t wait = GRANTFS_TRY(Wait(context));
  const EnrolResult result = GRANTFS_TRY(Ask(context, wait));
  if (result.approved) {
    OutEnrolled(context, result);
    return {};
  }
  if (context.json()) context.terminal.OutJson(EnrolJson(result));
  const bool machine = result.kind == IdentityKind::kMachine;
  if (wait == 0) {
    context.terminal.Note("next: grantfs approve " + result.name + " on an owner's computer, then " +
                          (machine ? "grantfs mount here" : "grantfs enroll again here"));
    return {};
  }
  return Error{Code::kConflict, "not approved yet; run grantfs enroll again once it is", 0, result.name};
}

}  // namespace

const Command kEnrollCommand = {
    .name = "enroll",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "make keys here and ask to be let in",
    .about =
        R"(On the machine, or where the invited person or agent works: takes the line that grantfs invite printed,
makes keys that never leave this machine, and asks to be let in. It shows the fingerprint of the new key and waits for an owner's approval; called
again, it goes on waiting with the same keys. By a standing invitation a machine is in at once, under its host's name
or the one of --name.

Without an invitation, --request makes keys and prints a request, one line that holds no secret; an owner gives it, with
those of many machines, to grantfs approve -, and what that prints for this machine goes to --accept here: only then
does the machine know, and trust, its vault.)",
    .options =
        {{"file", "FILE",
          "read the invitation, or the line of --accept, from FILE in place of standard input"},
         {"name", "NAME",
          "what this machine is called, with a standing invitation or --request (default: the host's name)"},
         {"request", "", "ask without an invitation: print a request for grantfs approve -"},
         {"accept", "", "take the line that grantfs approve - printed, and trust the vault that it names"},
         {"ttl", "TIME", "with --request: until when it can be approved, 1s to 30d (default: 24h)"},
         {"wait", "TIME",
          R"(how long to wait for the approval (default: 10m where standard input is a terminal, else not at all);
exit code 6 if it has not come by then)"}},
    .examples = {{"sudo grantfs enroll",
                  R"(invitation (not shown):
web-1 asks to be let in; its fingerprint: k3vq-7m2a-x4pd-ce6w-hn5t
an owner compares it and runs: grantfs approve web-1
this is web-1, of the vault at vault.lan:7843)"},
                 {"sudo grantfs enroll --file /root/invitation --wait 1h && sudo grantfs mount",
                  "(for a setup script)"},
                 {"grantfs enroll --request --name web-7", "grantfs-request-1.eyJp..."},
                 {"ssh web-7 sudo grantfs enroll --accept < web-7.line",
                  "this is web-7, of the vault at vault.lan:7843"}},
    .next = "grantfs mount",
    .failure = "not let in",
    .run = RunEnrollCommand,
    .stray_argument =
        "an invitation is not given as an argument, where others can see it; give it on standard input",
};

}  // namespace grantfs
