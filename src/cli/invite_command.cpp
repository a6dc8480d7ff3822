#include "commands_internal.h"
#include "owner_internal.h"
#include "secret_io_internal.h"

namespace grantfs {
namespace {

constexpr std::int64_t kDefaultTtl = 3600;

// A machine has one computer; a person may sit at any.
std::string WhereOf(const InviteOptions& options) {
  return options.kind == IdentityKind::kMachine ? "on " + options.name
                                                : "on the computer where " + options.name + " works";
}

Status RunInviteCommand(Context& context) {
  InviteOptions options;
  options.name = context.arguments.At(0);
  GRANTFS_CHECK(CheckIdentityName(options.name));
  options.kind = GRANTFS_TRY(ParseIdentityKind(context.arguments.Text("kind", "machine")));
  options.ttl = GRANTFS_TRY(context.arguments.Seconds("ttl", kDefaultTtl));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const InviteResult result = GRANTFS_TRY(session->Invite(options));
  if (context.json())
    return OutJsonWithLine(context.terminal,
                           Json::Object({{"name", options.name},
                                         {"kind", IdentityKindName(options.kind)},
                                         {"id", result.id},
                                         {"expires", result.expires}}),
                           "line", result.line);
  OutSecretLine(context.terminal, result.line);
  context.terminal.Note(std::string("this line lets one ") + IdentityKindName(options.kind) + " in as " +
                        options.name + ", once, until " + FormatTime(result.expires) +
                        "; whoever has it can ask, so show it to nobody else");
  context.terminal.Note("next: run grantfs enroll " + WhereOf(options) +
                        " and paste it there; then grantfs approve " + options.name + " here");
  return {};
}

}  // namespace

const Command kInviteCommand = {
    .name = "invite",
    .arguments = "NAME",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "make an invitation for a machine, user or agent",
    .about =
        R"(Makes a one-use invitation and prints it as one line, alone on standard output. Who is given it makes
keys of his own and asks to be let in; nothing is granted to him before you approve that. A machine reads
what it is granted; a user (a person) or an agent (a program that manages, and never reads) is given a role
in an environment with grantfs member add.)",
    .options = {{"kind", "KIND", "machine, user or agent (default: machine)"},
                {"ttl", "TIME", "for how long it can be used: 1s to 30d (default: 1h)"}},
    .examples =
        {{"grantfs invite web-1",
          R"(grantfs-invite-1.AAAD...
(on standard error: what to do with it))"},
         {"grantfs invite web-1 | ssh web-1 grantfs enroll",
          "web-1 asks to be let in; its fingerprint: k3vq-7m2a-x4pd-ce6w-hn5t"},
         {"grantfs invite --kind user bea", R"(grantfs-invite-1.AAAD...
(then grantfs member add shop/prod bea --role writer, once she is approved))"},
         {"grantfs invite --ttl 10m --json web-1",
          R"({"name": "web-1", "kind": "machine", "id": "5c...", "expires": 1769860800, "line": "grantfs-invite-1.AAAD..."})"}},
    .next = "grantfs enroll there, then grantfs approve web-1 here.",
    .failure = "there is no invitation",
    .run = RunInviteCommand,
};

}  // namespace grantfs
