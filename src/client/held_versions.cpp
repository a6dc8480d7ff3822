#include <utility>
#include <vector>

#include "held_versions_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMaxHeldBytes = std::size_t{256} << 20;
/// Locked memory is scarce; further keys are opened anew for each open.
constexpr std::size_t kMaxHeldKeys = 4096;

std::size_t BytesOf(const HeldVersion& version) {
  return version.response.ciphertext.size() + version.response.sealed.size();
}

}  // namespace

void HeldVersions::Put(HeldVersion version) {
  const std::uint64_t number = version.response.secret;
  Held wiped;  // outside of the lock
  const std::lock_guard lock(mutex_);
  if (const auto found = versions_.find(number); found != versions_.end()) {
    wiped = Take(found);
    versions_.erase(found);
  }
  if (bytes_ + BytesOf(version) > kMaxHeldBytes) return;
  if (version.key.size() > 0 && keys_ == kMaxHeldKeys) version.key = SecretMemory();
  bytes_ += BytesOf(version);
  keys_ += version.key.size() > 0;
  versions_[number] = std::make_shared<const HeldVersion>(std::move(version));
}

HeldVersions::Held HeldVersions::Find(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  const auto found = versions_.find(number);
  return found == versions_.end() ? nullptr : found->second;
}

void HeldVersions::PutKey(const Held& held, SecretMemory key, Bytes context, std::string evidence) {
  Held replaced;  // goes outside of the lock
  auto opened = std::make_shared<const HeldVersion>(
      HeldVersion{held->response, held->publish, std::move(key), std::move(context), std::move(evidence)});
  const std::lock_guard lock(mutex_);
  const auto found = versions_.find(held->response.secret);
  const bool is_new = held->key.size() == 0;
  if (found == versions_.end() || found->second != held || (is_new && keys_ == kMaxHeldKeys)) return;
  keys_ += is_new;
  replaced = std::exchange(found->second, std::move(opened));
}

HeldVersions::Held HeldVersions::Take(std::map<std::uint64_t, Held>::iterator at) {
  bytes_ -= BytesOf(*at->second);
  keys_ -= at->second->key.size() > 0;
  return std::move(at->second);
}

void HeldVersions::Erase(std::uint64_t number) {
  Held wiped;  // outside of the lock
  const std::lock_guard lock(mutex_);
  const auto found = versions_.find(number);
  if (found == versions_.end()) return;
  wiped = Take(found);
  versions_.erase(found);
}

void HeldVersions::EraseIf(const std::function<bool(const HeldVersion&)>& gone) {
  std::vector<Held> wiped;  // outside of the lock
  const std::lock_guard lock(mutex_);
  for (auto at = versions_.begin(); at != versions_.end();) {
    if (gone(*at->second)) {
      wiped.push_back(Take(at));
      at = versions_.erase(at);
    } else {
      ++at;
    }
  }
}

}  // namespace grantfs
