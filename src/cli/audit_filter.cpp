#include "audit_filter_internal.h"
#include "grantfs/trust/names.h"
#include "grantfs/util/clock.h"
#include "grantfs/util/text.h"

namespace grantfs {
namespace {

constexpr std::size_t kMaxActorBytes = 255;

Status CheckObject(const std::string& object) {
  const bool good = IsUtf8(object) && object.size() <= 2 * kMaxNameBytes && object != "/*";
  if (good) return {};
  return Error{Code::kInvalid, "is a name such as shop/prod/db-password, or shop/prod/* for what lies below",
               0, "--object"};
}

/// "2h" is so long ago; else RFC 3339. Unix milliseconds.
Result<std::optional<std::int64_t>> TimeOption(const Arguments& arguments, const char* name,
                                               std::int64_t now) {
  if (!arguments.Has(name)) return std::optional<std::int64_t>();
  const std::string text = arguments.Text(name);
  const std::int64_t ago = ParseDurationSeconds(text.c_str());
  if (ago > 0 && ago <= now) return std::optional((now - ago) * 1000);
  const std::int64_t time = ParseTimeMs(text);
  if (ago < 0 && time >= 0) return std::optional(time);
  return Error{Code::kInvalid,
               "is how long ago, such as 90s, 2h or 30d, or a time such as 2026-01-31T12:00:00Z", 0,
               std::string("--") + name};
}

}  // namespace

std::vector<Option> WithAuditFilter(std::vector<Option> own) {
  std::vector<Option> all = {
      {"environment", "PROJECT/ENVIRONMENT", "only what concerns this environment"},
      {"object", "NAME",
       "only what was done to this: shop/prod/db-password, shop/prod/* for all that lies below, or shop/prod "
       "for the"
       " environment itself: its members, rules, groups and what they are granted by prefix"},
      {"actor", "NAME",
       "only what this person or machine did; of machines that had the same name one after the other this is "
       "the"
       " last, and the others go by their id (grantfs identity list --json)"},
      {"action", "TYPE", "only this: secret.read, read.refused, grant.add, freeze.set, ..."},
      {"severity", "SEVERITY", "info, notice, warning or critical: only what is as grave, or graver"},
      {"outcome", "OUTCOME", "done or refused"},
      {"since", "TIME",
       "how long ago, such as 2h or 30d, or a time such as 2026-01-31T12:00:00Z: nothing before"},
      {"until", "TIME", "the same: nothing from then on"}};
  all.insert(all.end(), own.begin(), own.end());
  return all;
}

Result<AuditFilter> ReadAuditFilter(const Arguments& arguments, std::int64_t now) {
  AuditFilter filter;
  filter.environment = arguments.Text("environment");
  if (!filter.environment.empty()) GRANTFS_CHECK(CheckEnvironmentName(filter.environment));
  filter.object = arguments.Text("object");
  GRANTFS_CHECK(CheckObject(filter.object));
  filter.actor = arguments.Text("actor");
  if (filter.actor.size() > kMaxActorBytes || !IsUtf8(filter.actor))
    return Error{Code::kInvalid, "is the name or the id of a person or machine", 0, "--actor"};
  if (filter.actor.starts_with("@"))
    return Error{
        Code::kInvalid,
        "a group reads nothing itself, its machines do: name one of them (grantfs group list shows them)", 0,
        "--actor"};
  filter.action = arguments.Text("action");
  if (!filter.action.empty() && !IsAuditType(filter.action))
    return Error{Code::kInvalid, "is the type of a record, such as secret.read", 0, "--action"};
  filter.outcome = arguments.Text("outcome");
  if (!filter.outcome.empty() && filter.outcome != "done" && filter.outcome != "refused")
    return Error{Code::kInvalid, "is done or refused", 0, "--outcome"};
  if (arguments.Has("severity")) {
    const auto severity = ParseAuditSeverity(arguments.Text("severity"));
    if (!severity) return Error{Code::kInvalid, "is info, notice, warning or critical", 0, "--severity"};
    filter.at_least = *severity;
  }
  filter.since_ms = GRANTFS_TRY(TimeOption(arguments, "since", now));
  filter.until_ms = GRANTFS_TRY(TimeOption(arguments, "until", now));
  if (filter.since_ms && filter.until_ms && *filter.since_ms >= *filter.until_ms)
    return Error{Code::kInvalid, "lies before --since, so there is nothing between", 0, "--until"};
  return filter;
}

}  // namespace grantfs
