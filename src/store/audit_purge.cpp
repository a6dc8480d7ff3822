#include "grantfs/store/audit_purge.h"

#include "grantfs/util/clock.h"
#include "grantfs/util/text.h"

namespace grantfs {
namespace {

constexpr std::int64_t kYear = 365 * 86'400;
constexpr std::int64_t kMaxKeep = 1000 * kYear;

Error Wrong(const char* what, std::string_view part) {
  return Error{Code::kInvalid, what, 0, std::string(part)};
}

std::int64_t KeepSeconds(std::string_view text) {
  const bool years = text.ends_with('y');
  if (years) text.remove_suffix(1);
  const std::string number = std::string(text) + (years ? "d" : "");
  const std::int64_t seconds = ParseDurationSeconds(number.c_str());
  if (!years || seconds < 0) return seconds;
  // Days, of which a year has 365; the number may be as long as one likes.
  return seconds > kMaxKeep / 365 ? kMaxKeep + 1 : seconds * 365;
}

std::optional<std::uint64_t> Member(const Json& body, const char* name) {
  const Json* const found = body.Find(name);
  if (found == nullptr || !found->is(Json::Kind::kNumber) || found->AsNumber() < 0) return std::nullopt;
  return static_cast<std::uint64_t>(found->AsNumber());
}

std::optional<AuditSeverity> Purged(const Json& body) {
  const Json* const found = body.Find("severity");
  if (found == nullptr || !found->is(Json::Kind::kString)) return std::nullopt;
  const auto severity = ParseAuditSeverity(found->AsString());
  return severity ? std::optional(*severity) : std::nullopt;
}

}  // namespace

Result<AuditKeep> ParseAuditKeep(std::string_view text) {
  AuditKeep keep;
  for (const std::string_view part : Split(text, ',')) {
    const auto equals = part.find('=');
    if (equals == std::string_view::npos)
      return Wrong("must be severities and times: info=90d,notice=1y", part);
    const auto severity = ParseAuditSeverity(part.substr(0, equals));
    if (!severity) return Wrong("names no severity: info, notice or warning", part);
    if (*severity == AuditSeverity::kCritical) return Wrong("critical records are kept for ever", part);
    auto& seconds = keep.seconds[static_cast<std::size_t>(*severity)];
    if (seconds) return Wrong("names a severity twice", part);
    seconds = KeepSeconds(part.substr(equals + 1));
    if (*seconds < 0) return Wrong("has no time such as 90d or 1y", part);
    if (*seconds < kMinKeepSeconds || *seconds > kMaxKeep) return Wrong("must be 1d to 1000y", part);
  }
  std::int64_t least = 0;
  for (const auto& seconds : keep.seconds) {
    if (seconds && *seconds < least)
      return Wrong("keeps what is severer for less time than what is less severe", text);
    least = seconds.value_or(least);
  }
  return keep;
}

AuditRecord RecordOfPurge(const AuditPurge& purge) {
  AuditRecord record;
  record.time_ms = purge.time_ms;
  record.severity = AuditSeverity::kCritical;
  record.type = kAuditPurgeType;
  record.body = Json::Object({{"action", kAuditPurgeType}, {"outcome", "done"}});
  record.body.Set("reason", std::string("retention: bodies of ") + AuditSeverityName(purge.severity) +
                                " records are kept for " + FormatDuration(purge.keep_seconds));
  record.body.Set("severity", AuditSeverityName(purge.severity)).Set("keep_seconds", purge.keep_seconds);
  record.body.Set("before_ms", purge.before_ms).Set("from", purge.first).Set("to", purge.end);
  record.body.Set("purged", purge.count);
  return record;
}

Result<AuditPurge> PurgeOfRecord(const AuditEntry& entry) {
  const Error not_one{Code::kInvalid, "is not the record of a purge", 0, std::to_string(entry.sequence)};
  const Error bad{Code::kIntegrity, "is no purge that a rule makes", 0, std::to_string(entry.sequence)};
  const auto header = ParseLeaf(entry.leaf);
  if (!header || header->type != kAuditPurgeType || header->sequence != entry.sequence || !entry.body ||
      !entry.salt)
    return not_one;
  const auto hash = SaltedBodyHash(*entry.salt, AsBytes(*entry.body));
  const auto body = ParseJson(*entry.body);
  if (!hash || *hash != header->body || !body || !body->is(Json::Kind::kObject)) return bad;
  const auto severity = Purged(*body);
  const auto first = Member(*body, "from");
  const auto end = Member(*body, "to");
  const auto before = Member(*body, "before_ms");
  const auto keep = Member(*body, "keep_seconds");
  const auto count = Member(*body, "purged");
  if (!severity || !first || !end || !before || !keep || !count) return bad;
  AuditPurge purge{*severity,
                   *first,
                   *end,
                   static_cast<std::int64_t>(*before),
                   static_cast<std::int64_t>(*keep),
                   *count,
                   entry.sequence,
                   header->time_ms};
  const bool sound = header->severity == AuditSeverity::kCritical && *severity < AuditSeverity::kCritical &&
                     purge.first < purge.end && purge.end <= purge.record &&
                     purge.keep_seconds >= kMinKeepSeconds && purge.keep_seconds <= kMaxKeep &&
                     purge.before_ms <= purge.time_ms - purge.keep_seconds * 1000;
  if (!sound) return bad;
  return purge;
}

std::string DescribePurges(const std::vector<AuditPurge>& purges) {
  std::string text;
  for (const AuditSeverity severity :
       {AuditSeverity::kInfo, AuditSeverity::kNotice, AuditSeverity::kWarning}) {
    std::uint64_t count = 0;
    std::int64_t before = 0;
    for (const AuditPurge& purge : purges) {
      if (purge.severity != severity) continue;
      count += purge.count;
      before = std::max(before, purge.before_ms);
    }
    if (count == 0) continue;
    text += (text.empty() ? "" : "; ") + Count(count, "record") + " of severity " +
            AuditSeverityName(severity) + " from before " + FormatTime(before / 1000);
  }
  return text;
}

}  // namespace grantfs
