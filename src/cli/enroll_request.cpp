#include "enroll_request_internal.h"
#include "fleet_input_internal.h"
#include "grantfs/client/join.h"
#include "grantfs/trust/enrol_request.h"
#include "grantfs/util/clock.h"

namespace grantfs {
namespace {

constexpr std::int64_t kDefaultRequestTtl = 24 * 3600;

}  // namespace

Json EnrolJson(const EnrolResult& result) {
  return Json::Object({{"name", result.name},
                       {"kind", IdentityKindName(result.kind)},
                       {"fingerprint", result.fingerprint},
                       {"vault", result.vault.Hex()},
                       {"address", result.address},
                       {"approved", result.approved},
                       {"not_after", result.not_after}});
}

void OutEnrolled(Context& context, const EnrolResult& result) {
  if (context.json())
    context.terminal.OutJson(EnrolJson(result));
  else
    context.terminal.OutLine("this is " + result.name + ", of the vault at " + result.address +
                             (result.not_after == 0 ? "" : ", until " + FormatTime(result.not_after)));
  context.terminal.Note(result.kind == IdentityKind::kMachine
                            ? "next: grantfs mount, or systemctl enable --now grantfs-mount"
                            : "next: grantfs env list shows where you were given a role");
}

Status RunEnrollRequest(Context& context) {
  const Arguments& given = context.arguments;
  const std::string name = given.Has("name") ? given.Text("name") : NameOfHost();
  if (name.empty())
    return Error{Code::kInvalid, "the host's name is none that a machine can have: give one with --name"};
  const std::int64_t ttl = GRANTFS_TRY(given.Seconds("ttl", kDefaultRequestTtl));
  const auto made = GRANTFS_TRY(RequestEnrolment(context.home, name, ttl, context.Client()));
  if (context.json()) {
    context.terminal.OutJson(Json::Object({{"name", made.name},
                                           {"fingerprint", made.fingerprint},
                                           {"expires", made.expires},
                                           {"line", made.line}}));
    return {};
  }
  context.terminal.OutLine(made.line);
  context.terminal.Note(made.name + " asks to be let in; its fingerprint: " + made.fingerprint);
  context.terminal.Note("next: an owner gives this line to grantfs approve - until " +
                        FormatTime(made.expires) +
                        ", and what that prints goes to grantfs enroll --accept here");
  return {};
}

Status RunEnrollAccept(Context& context) {
  if (context.arguments.Text("file").empty() && context.terminal.InIsTerminal())
    context.terminal.Say("the line that grantfs approve - printed, then Ctrl-D:\n");
  const auto lines =
      GRANTFS_TRY(ReadPlainLines(context.terminal, context.arguments.Text("file"), kMaxPlainLineBytes + 64));
  if (lines.size() != 1)
    return Error{Code::kInvalid,
                 "one line is needed, the one that grantfs approve - printed for this machine"};
  // As that prints it, the machine's name stands before it.
  const auto blank = lines[0].find_last_of(" \t");
  const std::string line = blank == std::string::npos ? lines[0] : lines[0].substr(blank + 1);
  OutEnrolled(context, GRANTFS_TRY(AcceptEnrolment(context.home, line, context.Client())));
  return {};
}

}  // namespace grantfs
