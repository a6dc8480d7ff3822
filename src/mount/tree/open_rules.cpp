#include "mount/tree/open_rules_internal.h"

namespace grantfs {

namespace {
// A single-file bind outlives few rotations without being remade; more than this is somebody's game.
constexpr std::size_t kMaxBoundVersions = 64;
}  // namespace

OpenRules::OpenRules(std::size_t max_threads, std::size_t max_bound)
    : threads_(max_threads), bound_(max_bound) {}

OpenRules::Thread OpenRules::Known(std::uint32_t thread, Time now) const {
  const Thread* known = thread == 0 ? nullptr : threads_.Find(thread);
  return known != nullptr && now - known->at <= kRemembered ? *known : Thread{};
}

void OpenRules::Looked(std::uint32_t thread, NodeId node, Time now) {
  if (thread == 0) return;
  std::lock_guard lock(mutex_);
  const NodeId refused = Known(thread, now).refused;
  threads_.Touch(thread) = {refused, node, now};
}

void OpenRules::Refused(std::uint32_t thread, NodeId node, Time now) {
  if (thread == 0) return;
  std::lock_guard lock(mutex_);
  const NodeId looked = Known(thread, now).looked;
  threads_.Touch(thread) = {node, looked, now};
}

OpenDecision OpenRules::Decide(std::uint32_t thread, NodeId node, std::optional<std::uint32_t> current,
                               Time now) {
  std::lock_guard lock(mutex_);
  const Thread known = Known(thread, now);
  if (current && *current == VersionOf(node)) {
    threads_.Erase(thread);
    // Looked up again after a refusal: whatever the vault published meanwhile, this open must succeed.
    const bool again = known.refused != 0 && known.refused != node && known.looked == node;
    return {OpenVerdict::kCurrent, again || now < lenient_until_};
  }
  if (current) {
    if (const auto* versions = bound_.Find(NumberOf(node)); versions && versions->contains(VersionOf(node))) {
      return {OpenVerdict::kBound, false};
    }
    if (known.looked == node || now < lenient_until_) {
      threads_.Erase(thread);
      return {OpenVerdict::kGrace, true};
    }
  }
  if (known.refused == node) {
    threads_.Erase(thread);
    if (!current) return {OpenVerdict::kGone, false};
    Bind(node);
    return {OpenVerdict::kNewlyBound, false};
  }
  if (thread != 0) threads_.Touch(thread) = {node, known.looked, now};
  return {OpenVerdict::kStale, false};
}

void OpenRules::Bind(NodeId node) {
  auto& versions = bound_.Touch(NumberOf(node));
  if (versions.size() >= kMaxBoundVersions) {
    if (keep_) keep_(SecretNode(NumberOf(node), *versions.begin()), false);
    versions.erase(versions.begin());
  }
  versions.insert(VersionOf(node));
  if (keep_) keep_(node, true);
}

void OpenRules::Restore(NodeId node) {
  std::lock_guard lock(mutex_);
  bound_.Touch(NumberOf(node)).insert(VersionOf(node));
}

bool OpenRules::IsBound(NodeId node) const {
  std::lock_guard lock(mutex_);
  const auto* versions = bound_.Find(NumberOf(node));
  return versions != nullptr && versions->contains(VersionOf(node));
}

std::vector<NodeId> OpenRules::BoundNodes(std::uint64_t number) const {
  std::lock_guard lock(mutex_);
  std::vector<NodeId> nodes;
  if (const auto* versions = bound_.Find(number)) {
    for (std::uint32_t version : *versions) nodes.push_back(SecretNode(number, version));
  }
  return nodes;
}

void OpenRules::Unbind(NodeId node) {
  std::lock_guard lock(mutex_);
  if (auto* versions = bound_.Find(NumberOf(node))) {
    versions->erase(VersionOf(node));
    if (keep_) keep_(node, false);
    if (versions->empty()) bound_.Erase(NumberOf(node));
  }
}

}  // namespace grantfs
