#include "commands_internal.h"
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

Json ToJson(const EnrolResult& result) {
  return Json::Object({{"name", result.name},
                       {"kind", IdentityKindName(result.kind)},
                       {"fingerprint", result.fingerprint},
                       {"vault", result.vault.Hex()},
                       {"address", result.address},
                       {"approved", result.approved}});
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
               context.Client());
}

Status RunEnrollCommand(Context& context) {
  const std::int64_t wait = GRANTFS_TRY(Wait(context));
  const EnrolResult result = GRANTFS_TRY(Ask(context, wait));
  if (context.json())
    context.terminal.OutJson(ToJson(result));
  else if (result.approved)
    context.terminal.OutLine("this is " + result.name + ", of the vault at " + result.address);
  const bool machine = result.kind == IdentityKind::kMachine;
  if (result.approved) {
    context.terminal.Note(machine ? "next: grantfs mount, or systemctl enable --now grantfs-mount"
                                  : "next: grantfs env list shows where you were given a role");
    return {};
  }
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
again, it goes on waiting with the same keys.)",
    .options =
        {{"file", "FILE", "read the invitation from FILE in place of standard input"},
         {"wait", "TIME",
          R"(how long to wait for the approval (default: 10m where standard input is a terminal, else not at all);
exit code 6 if it has not come by then)"}},
    .examples = {{"sudo grantfs enroll",
                  R"(invitation (not shown):
web-1 asks to be let in; its fingerprint: k3vq-7m2a-x4pd-ce6w-hn5t
an owner compares it and runs: grantfs approve web-1
this is web-1, of the vault at vault.lan:7843)"},
                 {"grantfs invite web-1 | ssh web-1 sudo grantfs enroll",
                  "web-1 asks to be let in; its fingerprint: k3vq-7m2a-x4pd-ce6w-hn5t"},
                 {"sudo grantfs enroll --file /root/invitation --wait 1h && sudo grantfs mount",
                  "(for a setup script)"}},
    .next = "grantfs mount",
    .failure = "not let in",
    .run = RunEnrollCommand,
    .stray_argument =
        "an invitation is not given as an argument, where others can see it; give it on standard input",
};

}  // namespace grantfs
