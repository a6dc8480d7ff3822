#include "grantfs/trust/conditions.h"

#include <algorithm>
#include <array>

#include "grantfs/util/text.h"

namespace grantfs {
namespace {

constexpr std::array kKinds = {ConditionKind::kUser, ConditionKind::kGroup, ConditionKind::kUnit,
                               ConditionKind::kExe};
/// Of systemd's units those that processes run in.
constexpr std::array<std::string_view, 6> kUnitSuffixes = {".service", ".scope", ".slice",
                                                           ".socket",  ".mount", ".swap"};

bool IsLowerHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// An absolute path as the kernel writes it: no empty part, no "." and "..".
bool IsPlainPath(std::string_view path) {
  if (path.size() < 2 || path[0] != '/') return false;
  const auto parts = Split(path.substr(1), '/');
  return std::none_of(parts.begin(), parts.end(),
                      [](std::string_view part) { return part.empty() || part == "." || part == ".."; });
}

bool IsUnit(std::string_view unit) {
  if (unit.starts_with('/')) return IsPlainPath(unit);
  if (unit.find('/') != std::string_view::npos) return false;
  if (IsContainerId(unit)) return true;
  return std::any_of(kUnitSuffixes.begin(), kUnitSuffixes.end(), [&](std::string_view suffix) {
    return unit.size() > suffix.size() && unit.ends_with(suffix);
  });
}

Status CheckValue(const Condition& condition) {
  switch (condition.kind) {
    case ConditionKind::kUser:
    case ConditionKind::kGroup:
      if (!condition.value.empty() && condition.value.find_first_of(":/ ") == std::string::npos) return {};
      return Error{Code::kInvalid, "is a name or a number"};
    case ConditionKind::kUnit:
      if (IsUnit(condition.value)) return {};
      return Error{Code::kInvalid,
                   "is a systemd unit such as nginx.service, a cgroup's path such as "
                   "/system.slice/nginx.service, or a container's id of 12 to 64 hexadecimal digits"};
    case ConditionKind::kExe:
      if (IsPlainPath(condition.value) && condition.value.find('=') == std::string::npos) return {};
      return Error{Code::kInvalid,
                   "is an absolute path without . and .., alone or followed by = and the SHA-256 of the "
                   "file, 64 lower-case hexadecimal digits"};
  }
  std::abort();
}

}  // namespace

bool IsContainerId(std::string_view unit) {
  return unit.size() >= 12 && unit.size() <= 64 && IsLowerHex(unit);
}

const char* ConditionKindName(ConditionKind kind) {
  switch (kind) {
    case ConditionKind::kUser:
      return "user";
    case ConditionKind::kGroup:
      return "group";
    case ConditionKind::kUnit:
      return "unit";
    case ConditionKind::kExe:
      return "exe";
  }
  std::abort();
}

Result<Condition> ParseCondition(std::string_view text) {
  const std::size_t cut = text.find('=');
  const auto kind = std::find_if(kKinds.begin(), kKinds.end(), [&](ConditionKind one) {
    return cut != std::string_view::npos && text.substr(0, cut) == ConditionKindName(one);
  });
  if (kind == kKinds.end())
    return Error{Code::kUnsupported, "this version does not know such a condition", 0, std::string(text)};
  Condition condition{*kind, std::string(text.substr(cut + 1)), std::nullopt};
  const std::size_t hash = condition.value.rfind('=');
  if (*kind == ConditionKind::kExe && hash != std::string::npos) {
    if (const auto content = Hash::FromHex(std::string_view(condition.value).substr(hash + 1))) {
      condition.content = *content;
      condition.value.resize(hash);
    }
  }
  if (const Status good = CheckValue(condition); !good)
    return Error{good.error().code, good.error().where, 0, std::string(text)};
  return condition;
}

Result<std::vector<Condition>> ParseConditions(const std::vector<std::string>& texts) {
  std::vector<Condition> conditions;
  for (const std::string& text : texts) conditions.push_back(GRANTFS_TRY(ParseCondition(text)));
  return conditions;
}

std::string ConditionText(const Condition& condition) {
  return std::string(ConditionKindName(condition.kind)) + "=" + condition.value +
         (condition.content ? "=" + condition.content->Hex() : "");
}

std::string JoinConditions(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined += (joined.empty() ? "" : ", ") + text;
  return joined;
}

}  // namespace grantfs
