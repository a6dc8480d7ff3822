#include "commands_internal.h"
#include "owner_internal.h"
#include "secret_io_internal.h"

namespace grantfs {
namespace {

constexpr std::int64_t kDefaultTtl = 3600;

Status RunInviteCommand(Context& context) {
  InviteOptions options;
  options.name = context.arguments.At(0);
  GRANTFS_CHECK(CheckIdentityName(options.name));
  options.ttl = GRANTFS_TRY(context.arguments.Seconds("ttl", kDefaultTtl));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const InviteResult result = GRANTFS_TRY(session->Invite(options));
  if (context.json())
    return OutJsonWithLine(
        context.terminal,
        Json::Object({{"name", options.name}, {"id", result.id}, {"expires", result.expires}}), "line",
        result.line);
  OutSecretLine(context.terminal, result.line);
  context.terminal.Note("this line lets one machine in as " + options.name + ", once, until " +
                        FormatTime(result.expires) + "; whoever has it can ask, so show it to nobody else");
  context.terminal.Note("next: run grantfs enroll on " + options.name +
                        " and paste it there; then grantfs approve " + options.name + " here");
  return {};
}

}  // namespace

const Command kInviteCommand = {
    .name = "invite",
    .arguments = "MACHINE",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "make an invitation for a machine",
    .about =
        R"(Makes a one-use invitation and prints it as one line, alone on standard output. The machine that is
given it makes keys of its own and asks to be let in; nothing is granted to it before you approve that.)",
    .options = {{"ttl", "TIME", "for how long it can be used: 1s to 30d (default: 1h)"}},
    .examples =
        {{"grantfs invite web-1",
          R"(grantfs-invite-1.AAAD...
(on standard error: what to do with it))"},
         {"grantfs invite web-1 | ssh web-1 grantfs enroll",
          "web-1 asks to be let in; its fingerprint: k3vq-7m2a-x4pd-ce6w-hn5t"},
         {"grantfs invite --ttl 10m --json web-1",
          R"({"name": "web-1", "id": "5c...", "expires": 1769860800, "line": "grantfs-invite-1.AAAD..."})"}},
    .next = "grantfs enroll on the machine, then grantfs approve web-1 here.",
    .failure = "there is no invitation",
    .run = RunInviteCommand,
};

}  // namespace grantfs
