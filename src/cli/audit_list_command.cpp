#include "audit_filter_internal.h"
#include "audit_purged_internal.h"
#include "commands_internal.h"
#include "grantfs/util/clock.h"
#include "listing_internal.h"
#include "owner_internal.h"
#include "table_internal.h"

namespace grantfs {

Json ToJson(const AuditLine& line) {
  return Json::Object({{"sequence", line.sequence}, {"time", line.time},         {"severity", line.severity},
                       {"type", line.type},         {"has_body", line.has_body}, {"actor", line.actor},
                       {"actor_id", line.actor_id}, {"action", line.action},     {"object", line.object},
                       {"about", line.about},       {"version", line.version},   {"outcome", line.outcome},
                       {"reason", line.reason},     {"source", line.source},     {"caller", line.caller},
                       {"lease", line.lease},       {"read_ms", line.read_ms},   {"count", line.count},
                       {"first", line.first},       {"last", line.last},         {"body", line.body}});
}

namespace {

std::string ObjectCell(const AuditLine& line) {
  if (line.action == "grant.add") return line.object + " (to " + line.about + ")";
  if (line.action == "grant.revoke") return line.object + " (from number " + line.about + ")";
  return line.version == 0 ? line.object : line.object + " (version " + std::to_string(line.version) + ")";
}

// "done 512 times from ... to ... under a lease", "done at ... under a lease": the record's own time is that
// of its telling.
std::string OutcomeCell(const AuditLine& line) {
  std::string text = line.outcome;
  if (line.first != 0)
    text +=
        " " + Count(line.count, "time") + " from " + FormatTime(line.first) + " to " + FormatTime(line.last);
  else if (line.lease)
    text += " at " + FormatTime(line.read_ms / 1000);
  if (line.lease) text += " under a lease";
  return line.reason.empty() ? text : text + ": " + line.reason;
}

}  // namespace

std::vector<std::string> AuditCells(const AuditLine& line) {
  return {std::to_string(line.sequence),
          TimeCell(line.time),
          line.actor,
          line.action.empty() ? line.type : line.action,
          ObjectCell(line),
          OutcomeCell(line),
          line.source,
          line.caller};
}

Table AuditTable(const std::vector<AuditLine>& lines) {
  Table table({"RECORD", "TIME", "WHO", "DID", "TO", "OUTCOME", "FROM", "CALLER"});
  for (const AuditLine& line : lines) table.Add(AuditCells(line));
  return table;
}

namespace {

/// The environment whose own records tell who came to read what is listed by a group or a prefix; "": there
/// is none, or nothing of the kind was asked for. Those records have the environment for their object, not
/// the secret.
Result<std::string> GroupsRecordedOf(OwnerSession& session, const AuditFilter& filter) {
  const auto slash = filter.object.find('/');
  const auto end = slash == std::string::npos ? slash : filter.object.find('/', slash + 1);
  if (end == std::string::npos || !filter.action.empty()) return std::string();
  const std::string environment = filter.object.substr(0, end);
  for (const char* action : {"prefix.grant", "group-machines.add", "group-invitation.add"}) {
    AuditFilter probe;
    probe.environment = probe.object = environment;
    probe.action = action;
    probe.since_ms = filter.since_ms;
    probe.until_ms = filter.until_ms;
    probe.limit = 1;
    const auto found = session.ListAudit(probe);
    const bool unseen =
        !found && (found.error().code == Code::kDenied || found.error().code == Code::kNotFound);
    if (!found && !unseen) return found.error();
    if (found && !found->empty()) return environment;
  }
  return std::string();
}

Status RunAuditListCommand(Context& context) {
  const Arguments& arguments = context.arguments;
  AuditFilter filter = GRANTFS_TRY(ReadAuditFilter(arguments, SystemClock().WallSeconds()));
  filter.limit = GRANTFS_TRY(arguments.Number("limit", 1'000'000'000, filter.limit));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const auto lines = GRANTFS_TRY(session->ListAudit(filter));
  auto purges = PurgesWithin(GRANTFS_TRY(session->AuditPurges()), filter);
  if (filter.limit != 0 && lines.size() == filter.limit) {  // older ones were not asked for
    std::erase_if(purges, [&](const AuditPurge& purge) { return purge.end <= lines.back().sequence; });
  }
  const std::string groups = GRANTFS_TRY(GroupsRecordedOf(*session, filter));
  if (context.json()) {
    Json list = Json::Array();
    for (const AuditLine& line : lines) list.Append(ToJson(line));
    context.terminal.OutJson(Json::Object(
        {{"records", std::move(list)}, {"purged", PurgesJson(purges)}, {"groups_recorded_of", groups}}));
    return {};
  }
  const Table table = AuditTable(lines);
  if (table.empty())
    context.terminal.Note("no record matches");
  else
    context.terminal.Out(table.Text());
  NotePurges(context.terminal, purges, "they are not listed");
  if (!groups.empty())
    context.terminal.Note("what groups were granted by prefix, and whom they took in, is recorded of " +
                          groups + ": grantfs audit list --object " + groups);
  return {};
}

}  // namespace

const Command kAuditListCommand = {
    .name = "audit list",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "list who did what",
    .about =
        R"(Lists the audit log's records, the newest first: every read, grant, refusal and change, with who asked,
from where, and for which program. It shows what you may audit. What a group is granted by prefix, and which machines it
takes in, is recorded of its environment: --object shop/prod.)",
    .options = WithAuditFilter({{"limit", "NUMBER", "the newest so many (default: 100; 0: all)"}}),
    .examples =
        {{"grantfs audit list --object shop/prod/db-password --limit 2",
          R"(RECORD  TIME                  WHO    DID          TO                                 OUTCOME  FROM       CALLER
41      2026-01-31T12:00:00Z  web-1  secret.read  shop/prod/db-password (version 3)  done     10.0.0.7   uid 33 pid 4711 /usr/sbin/nginx
...)"},
         {"grantfs audit list --object 'shop/prod/*' --severity warning --since 2h",
          "(what was refused or worse in the last two hours)"},
         {"grantfs audit list --actor web-1 --limit 0 --json > web-1.json", "(writes a file)"}},
    .next = "grantfs audit verify proves that no record was changed or taken away.",
    .failure = "the audit log was not read",
    .run = RunAuditListCommand,
};

}  // namespace grantfs
