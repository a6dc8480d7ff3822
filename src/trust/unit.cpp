#include "grantfs/trust/unit.h"

#include <algorithm>

#include "grantfs/trust/conditions.h"
#include "grantfs/util/text.h"

namespace grantfs {

namespace {

constexpr std::string_view kScope = ".scope";
constexpr std::size_t kWholeId = 64;

/// The id in "libpod-<id>.scope", "docker-<id>.scope", "<id>"; "" if that is no container's cgroup.
std::string_view ContainerIdOf(std::string_view name) {
  if (name.ends_with(kScope)) name.remove_suffix(kScope.size());
  if (const std::size_t dash = name.rfind('-'); dash != std::string_view::npos) name.remove_prefix(dash + 1);
  return name.size() == kWholeId && IsContainerId(name) ? name : std::string_view();
}

// What is below a service may be the service's own to make (Delegate=), a user's manager among them.
bool IsInContainer(std::string_view cgroup, std::string_view id) {
  for (std::string_view name : Split(cgroup, '/')) {
    if (name.ends_with(".service")) return false;
    if (const auto found = ContainerIdOf(name); !found.empty()) return found.starts_with(id);
  }
  return false;
}

bool IsInSystemUnit(std::string_view cgroup, std::string_view unit) {
  for (std::string_view name : Split(cgroup, '/')) {
    if (name == unit) return true;
    if (!name.empty() && !name.ends_with(".slice")) return false;
  }
  return false;
}

}  // namespace

bool RunsInUnit(std::string_view cgroup, std::string_view unit) {
  if (!cgroup.starts_with('/')) return false;
  if (unit.starts_with('/'))
    return cgroup == unit || (cgroup.starts_with(unit) && cgroup[unit.size()] == '/');
  return IsContainerId(unit) ? IsInContainer(cgroup, unit) : IsInSystemUnit(cgroup, unit);
}

}  // namespace grantfs
