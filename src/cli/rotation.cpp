#include "grantfs/util/clock.h"
#include "rotation_internal.h"

namespace grantfs {

// Before the commands that have it, whatever their order.
constinit const Option kRotateAfterOption = {"rotate-after", "TIME",
                                             "when it is due to be rotated, counted from this version: 90d, "
                                             "or never (default: as the version before); "
                                             "no lease reaches past that"};

constinit const Option kExpiresOption = {
    "expires", "TIME",
    "when reads of it end, counted from this version: 30d, or never (default: as the version before)"};

namespace {

/// "never" is 0. Errors: kInvalid.
Result<std::optional<std::int64_t>> Term(const Arguments& arguments, const char* option, const char* shown) {
  if (!arguments.Has(option)) return std::optional<std::int64_t>();
  const std::string text = arguments.Text(option);
  if (text == "never") return std::optional<std::int64_t>(0);
  const std::int64_t seconds = ParseDurationSeconds(text.c_str());
  if (seconds > 0 && seconds <= kMaxTermSeconds) return std::optional(seconds);
  return Error{Code::kInvalid, "is never, or a time such as 12h or 90d, of ten years (3650d) at most", 0,
               shown};
}

}  // namespace

Result<std::optional<std::int64_t>> RotateAfter(const Arguments& arguments) {
  return Term(arguments, "rotate-after", "--rotate-after");
}

Result<std::optional<std::int64_t>> ExpiresAfter(const Arguments& arguments) {
  return Term(arguments, "expires", "--expires");
}

std::string AndRotation(const SetSecretResult& result) {
  std::string text;
  if (result.rotate_after != 0) text += ", to be rotated after " + FormatDuration(result.rotate_after);
  if (result.expires_after != 0) text += ", expires after " + FormatDuration(result.expires_after);
  return text;
}

std::string ExpiryCell(const SecretInfo& info, std::int64_t now) {
  if (info.expires == 0) return {};
  return (info.HasExpired(now) ? "expired " : "") + FormatTime(info.expires);
}

std::string RotationCell(const SecretInfo& info, std::int64_t now) {
  if (info.rotate_due == 0) return {};
  return (info.IsOverdue(now) ? "overdue " : "") + FormatTime(info.rotate_due);
}

void AddRotation(const SecretInfo& info, std::int64_t now, Json* json) {
  json->Set("rotate_after", info.rotate_after);
  json->Set("rotate_due", info.rotate_due);
  json->Set("overdue", info.IsOverdue(now));
  json->Set("expires_after", info.expires_after);
  json->Set("expires", info.expires);
  json->Set("expired", info.HasExpired(now));
}

}  // namespace grantfs
