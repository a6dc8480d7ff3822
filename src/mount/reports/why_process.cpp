#include "grantfs/util/text.h"
#include "mount/reports/why_internal.h"

namespace grantfs {

namespace {
constexpr std::string_view kFor = "@pid:";
}  // namespace

ProcessFacts LookUpRunning(std::uint32_t process, const WantedFacts& wanted, const ProcessLookUp& look_up) {
  WantedFacts ids;
  ids.rights = true;
  const ProcessFacts before = look_up(process, 0, 0, ids);
  return look_up(process, before.file_uid, before.file_gid, wanted);
}

NodeId FindExplanationFor(const Directory& directory, const std::string& name) {
  const std::size_t cut = name.rfind(kFor);
  unsigned long long process = 0;
  if (cut == std::string::npos || !ParseNumber(name.substr(cut + kFor.size()), kVersionMask, &process) ||
      process == 0)
    return 0;
  const Child* child = directory.Find(name.substr(0, cut));
  if (child == nullptr || KindOf(child->id) != NodeKind::kWhy) return 0;
  return MakeNode(NodeKind::kWhy, NumberOf(child->id), static_cast<std::uint32_t>(process));
}

std::string ExplanationName(const std::string& name, std::uint32_t process) {
  return name + std::string(kFor) + std::to_string(process);
}

}  // namespace grantfs
