#include "grantfs/util/clock.h"
#include "rotation_internal.h"

namespace grantfs {

// Before the commands that have it, whatever their order.
constinit const Option kRotateAfterOption = {"rotate-after", "TIME",
                                             "when it is due to be rotated, counted from this version: 90d, "
                                             "or never (default: as the version before); "
                                             "no lease reaches past that"};

Result<std::optional<std::int64_t>> RotateAfter(const Arguments& arguments) {
  if (!arguments.Has("rotate-after")) return std::optional<std::int64_t>();
  const std::string text = arguments.Text("rotate-after");
  if (text == "never") return std::optional<std::int64_t>(0);
  const std::int64_t seconds = ParseDurationSeconds(text.c_str());
  if (seconds > 0 && seconds <= kMaxTermSeconds) return std::optional(seconds);
  return Error{Code::kInvalid, "is never, or a time such as 12h or 90d, of ten years (3650d) at most", 0,
               "--rotate-after"};
}

std::string AndRotation(const SetSecretResult& result) {
  return result.rotate_after == 0 ? "" : ", to be rotated after " + FormatDuration(result.rotate_after);
}

std::string RotationCell(const SecretInfo& info, std::int64_t now) {
  if (info.rotate_due == 0) return {};
  return (info.IsOverdue(now) ? "overdue " : "") + FormatTime(info.rotate_due);
}

void AddRotation(const SecretInfo& info, std::int64_t now, Json* json) {
  json->Set("rotate_after", info.rotate_after);
  json->Set("rotate_due", info.rotate_due);
  json->Set("overdue", info.IsOverdue(now));
}

}  // namespace grantfs
