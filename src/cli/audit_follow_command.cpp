#include "audit_filter_internal.h"
#include "audit_forward_internal.h"
#include "audit_purged_internal.h"
#include "commands_internal.h"
#include "grantfs/util/clock.h"
#include "listing_internal.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

constexpr std::uint64_t kMostRecords = std::uint64_t{1} << 53;

/// Behind the newest record that one may see now.
Result<std::uint64_t> NewestEnd(OwnerSession& session) {
  AuditFilter newest;
  newest.limit = 1;
  const auto lines = GRANTFS_TRY(session.ListAudit(newest));
  return lines.empty() ? 0 : lines[0].sequence + 1;
}

/// One line, as wide as it is: the next one comes later.
std::string LineText(const AuditLine& line) {
  std::string text;
  for (const std::string& cell : AuditCells(line))
    text += (text.empty() ? "" : "  ") + (cell.empty() ? "-" : cell);
  return text;
}

Status RunAuditFollowCommand(Context& context) {
  EndSignals stop;
  AuditWalk walk;
  walk.filter = GRANTFS_TRY(ReadAuditFilter(context.arguments, SystemClock().WallSeconds()));
  walk.follow = true;
  walk.from = GRANTFS_TRY(context.arguments.Number("from", kMostRecords, 0));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const bool from_now = !context.arguments.Has("from") && !walk.filter.since_ms;
  if (from_now) walk.from = GRANTFS_TRY(NewestEnd(*session));
  if (!context.json())
    NotePurges(context.terminal, PurgesWithin(GRANTFS_TRY(session->AuditPurges()), walk.filter, walk.from),
               "they are not shown");
  walk.take = [&](const AuditPage& page) -> Status {
    for (const AuditLine& line : page.lines) {
      if (context.json())
        context.terminal.Out(ToJson(line).Dump() + "\n");
      else
        context.terminal.OutLine(LineText(line));
    }
    return context.terminal.OutStatus();
  };
  return WalkAudit(context.terminal, *session, stop, std::move(walk));
}

}  // namespace

const Command kAuditFollowCommand = {
    .name = "audit follow",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "show records of the audit log as they come",
    .about =
        R"(Shows records of the audit log as they are written, each once and in order, until it is stopped (Ctrl-C).
It asks the vault once a second, and goes on where it was when the vault has been away. With --json each record is one
line.)",
    .options = WithAuditFilter(
        {{"from", "RECORD", "begin with this record (default: with what comes from now on)"}}),
    .examples =
        {{"grantfs audit follow --severity warning",
          R"(42  2026-01-31T12:00:00Z  web-1  read.refused  shop/prod/db-password  refused  10.0.0.7  uid 1000 pid 4711 /usr/bin/cat
...)"},
         {"grantfs audit follow --since 1h --object 'shop/prod/*' --json", "{\"sequence\":17,...}\n..."}},
    .next = "grantfs audit export sends them to a file or a syslog server, and goes on where it was.",
    .failure = "the audit log was not followed",
    .run = RunAuditFollowCommand,
};

}  // namespace grantfs
