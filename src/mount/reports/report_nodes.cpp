#include <algorithm>

#include "mount/reports/report_nodes_internal.h"

namespace grantfs {

ReportNodes::ReportNodes(std::int64_t now) {
  known_[kRoot] = {{kRoot, "", nullptr, now}, 1};
  newest_[""] = kRoot;
}

ReportNodes::Node ReportNodes::Take(const std::string& path, const Text& text, std::int64_t now) {
  const std::lock_guard lock(mutex_);
  if (const auto found = newest_.find(path); found != newest_.end()) {
    Known& known = known_.at(found->second);
    const bool same =
        (known.node.text == nullptr) == (text == nullptr) && (text == nullptr || *known.node.text == *text);
    if (same) {
      ++known.told;
      return known.node;
    }
  }
  const std::uint64_t id = next_++;
  newest_[path] = id;
  return (known_[id] = {{id, path, text, now}, 1}).node;
}

std::optional<ReportNodes::Node> ReportNodes::Find(std::uint64_t id) const {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(id);
  if (found == known_.end()) return std::nullopt;
  return found->second.node;
}

void ReportNodes::Forget(std::uint64_t id, std::uint64_t times) {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(id);
  if (found == known_.end() || id == kRoot) return;
  found->second.told -= std::min(found->second.told, times);
  if (found->second.told > 0) return;
  const auto newest = newest_.find(found->second.node.path);
  if (newest != newest_.end() && newest->second == id) newest_.erase(newest);
  known_.erase(found);
}

std::size_t ReportNodes::size() const {
  const std::lock_guard lock(mutex_);
  return known_.size();
}

}  // namespace grantfs
