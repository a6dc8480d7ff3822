#include "mount/tree/held_names_internal.h"

namespace grantfs {

void HeldNames::Hold(const std::vector<NameChange>& changes) {
  std::lock_guard lock(mutex_);
  for (const NameChange& change : changes) {
    if (change.kind == NameChangeKind::kOnlyTouch) continue;
    names_.insert_or_assign({change.parent, change.name}, change);
    if (KindOf(change.before) == NodeKind::kSecret) before_[NumberOf(change.before)] = change.before;
    if (KindOf(change.after) == NodeKind::kSecret) coming_[NumberOf(change.after)] = change.after;
  }
  any_ = !names_.empty();
}

std::optional<NodeId> HeldNames::Shown(NodeId parent, std::string_view name) const {
  if (!any_) return std::nullopt;
  std::lock_guard lock(mutex_);
  const auto found = names_.find({parent, std::string(name)});
  return found == names_.end() ? std::nullopt : std::optional(found->second.before);
}

bool HeldNames::IsShown(NodeId node) const {
  if (!any_ || KindOf(node) != NodeKind::kSecret) return false;
  std::lock_guard lock(mutex_);
  const auto found = before_.find(NumberOf(node));
  return found != before_.end() && found->second == node;
}

NodeId HeldNames::Coming(std::uint64_t number) const {
  std::lock_guard lock(mutex_);
  const auto found = coming_.find(number);
  return found == coming_.end() ? 0 : found->second;
}

std::optional<NameChange> HeldNames::Release(NameChangeKind kind, NodeId parent, std::string_view name,
                                             std::uint64_t number) {
  std::lock_guard lock(mutex_);
  const auto found = names_.find({parent, std::string(name)});
  if (found == names_.end() || found->second.kind != kind) return std::nullopt;
  if (number != 0 && NumberOf(found->second.after) != number) return std::nullopt;
  NameChange released = std::move(found->second);
  Forget(released);
  names_.erase(found);
  any_ = !names_.empty();
  return released;
}

/// With the lock held.
void HeldNames::Forget(const NameChange& change) {
  if (KindOf(change.before) == NodeKind::kSecret) before_.erase(NumberOf(change.before));
  if (KindOf(change.after) == NodeKind::kSecret) coming_.erase(NumberOf(change.after));
}

bool HeldNames::Holds(const NameChange& change) const {
  std::lock_guard lock(mutex_);
  return names_.contains({change.parent, change.name});
}

void HeldNames::Clear() {
  std::lock_guard lock(mutex_);
  names_.clear();
  before_.clear();
  coming_.clear();
  any_ = false;
}

}  // namespace grantfs
