#include "audit_purged_internal.h"
#include "commands_internal.h"
#include "owner_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

constexpr std::uint64_t kDefaultDays = 90;
constexpr std::uint64_t kMaxDays = 3660;
constexpr std::int64_t kDay = 86'400;

Json ToJson(const ReviewResult& result) {
  Json grants = Json::Array();
  for (const UnusedGrant& one : result.grants)
    grants.Append(Json::Object({{"secret", one.secret.Full()},
                                {"machine", one.machine},
                                {"machine_id", one.machine_id},
                                {"prefix", one.prefix},
                                {"granted", one.granted},
                                {"last_read", one.last_read}}));
  Json machines = Json::Array();
  for (const UnusedInGroup& one : result.machines)
    machines.Append(Json::Object({{"group", one.group},
                                  {"machine", one.machine},
                                  {"machine_id", one.machine_id},
                                  {"since", one.since},
                                  {"last_read", one.last_read}}));
  Json members = Json::Array();
  for (const UnusedMember& one : result.members)
    members.Append(Json::Object({{"environment", one.environment},
                                 {"name", one.member.name},
                                 {"kind", IdentityKindName(one.member.kind)},
                                 {"id", one.member.id},
                                 {"role", RoleName(one.member.role)},
                                 {"since", one.since},
                                 {"last_act", one.last_act}}));
  return Json::Object(
      {{"before", result.before},
       {"environments", Json::Array({result.environments.begin(), result.environments.end()})},
       {"unseen", Json::Array({result.unseen.begin(), result.unseen.end()})},
       {"grants", std::move(grants)},
       {"machines", std::move(machines)},
       {"unjudged", Json::Array({result.unjudged.begin(), result.unjudged.end()})},
       {"members", std::move(members)},
       {"refused", NamesJson(result.refused)}});
}

void OutResult(Terminal& terminal, const ReviewResult& result) {
  Table grants({"UNUSED GRANT", "TO", "GRANTED", "READ LAST"});
  for (const UnusedGrant& one : result.grants)
    grants.Add({one.secret.Full(), one.machine, TimeCell(one.granted), TimeCell(one.last_read)});
  if (!grants.empty()) terminal.Out(grants.Text());
  Table machines({"UNUSED IN GROUP", "MACHINE", "SINCE", "READ LAST"});
  for (const UnusedInGroup& one : result.machines)
    machines.Add({one.group, one.machine, TimeCell(one.since), TimeCell(one.last_read)});
  if (!machines.empty()) terminal.Out(machines.Text());
  Table members({"UNUSED MEMBER OF", "NAME", "ROLE", "SINCE", "DID SOMETHING LAST"});
  for (const UnusedMember& one : result.members)
    members.Add({one.environment, one.member.name, RoleName(one.member.role), TimeCell(one.since),
                 TimeCell(one.last_act)});
  if (!members.empty()) terminal.Out(members.Text());
  if (grants.empty() && machines.empty() && members.empty())
    terminal.Note("no grant, no machine of a group and no member was unused since " +
                  FormatTime(result.before));
  if (!result.unjudged.empty())
    terminal.Note("whether what is granted to " + JoinWords(result.unjudged) +
                  " is used is not known: who is in a group its environment's owners alone see");
  terminal.Note("looked at " + JoinWords(result.environments));
  if (!result.unseen.empty())
    terminal.Note("not looked at " + JoinFirstWords(result.unseen) +
                  ", where you may not see both secrets and audit log: owners and operators there do");
}

Status RunReviewCommand(Context& context) {
  const std::uint64_t days = GRANTFS_TRY(context.arguments.Number("days", kMaxDays, kDefaultDays));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const ReviewResult result = GRANTFS_TRY(session->Review(static_cast<std::int64_t>(days) * kDay));
  if (context.json())
    context.terminal.OutJson(ToJson(result));
  else
    OutResult(context.terminal, result);
  AuditFilter within;
  within.since_ms = result.before * 1000;
  NotePurges(context.terminal, PurgesWithin(GRANTFS_TRY(session->AuditPurges()), within),
             "what was used before that alone may stand here as unused");
  if (result.refused.empty()) return {};
  for (const SecretName& name : result.refused) context.terminal.Note("refused: " + name.Full());
  return Error{Code::kIntegrity, "the vault serves lists that do not verify, whose grants are not known", 0,
               Count(result.refused.size(), "secret")};
}

}  // namespace

const Command kReviewCommand = {
    .name = "review",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "list grants, machines and members that nobody uses",
    .about =
        R"(Lists what could be taken away: grants under which no read is recorded for so many days, machines that have
read nothing by a group that they are in for as long, and members of whom the audit log has no act in their environment;
none if it is younger than that. A group's grant, on a secret or by prefix, is used where any of its machines reads by
it: a read counts for the grant by which that machine reads the secret now, its own before its groups', a secret's before
a prefix. It takes the secrets from verified lists and the reads from the audit log, of the environments where you may
see both (owners, operators); who is in a group owners alone see, so operators are told which groups are not judged; of which other environments
it says nothing stands there too. Who only looks at names or at the audit log leaves no record, so an auditor always
stands here.)",
    .options = {{"days", "N", "unused for so many days, 0 to 3660 (default: 90)"}},
    .examples = {{"grantfs review --days 90",
                  R"(UNUSED GRANT           TO     GRANTED               READ LAST
shop/prod/db-password  web-1  2026-01-02T09:10:00Z  2026-01-31T12:00:00Z
shop/prod/old/         @web   2026-01-02T09:10:00Z  -
UNUSED IN GROUP  MACHINE  SINCE                 READ LAST
shop/prod@web    web-3    2026-01-02T09:10:00Z  -
UNUSED MEMBER OF  NAME  ROLE    SINCE                 DID SOMETHING LAST
shop/prod         bea   reader  2026-01-02T09:10:00Z  -
looked at shop/prod)"},
                 {"grantfs review --json",
                  R"({"before": 1769860800, "grants": [...], "members": [...], ...})"}},
    .next =
        "grantfs revoke web-1 shop/prod/db-password, grantfs group remove shop/prod web web-3, or grantfs "
        "member remove shop/prod bea",
    .failure = "what is unused is not known",
    .run = RunReviewCommand,
};

}  // namespace grantfs
