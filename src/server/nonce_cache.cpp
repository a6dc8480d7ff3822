#include <algorithm>

#include "nonce_cache_internal.h"

namespace grantfs {

std::size_t NonceCache::NonceHash::operator()(const Nonce& nonce) const noexcept {
  return std::hash<std::string_view>()({nonce.data(), nonce.size()});
}

void NonceCache::Forget(Seen& seen, std::int64_t now) {
  while (!seen.by_second.empty() && seen.by_second.begin()->first + window_ < now) {
    const std::size_t gone = seen.by_second.begin()->second.size();
    seen.count -= gone;
    count_ -= gone;
    seen.by_second.erase(seen.by_second.begin());
  }
}

// Now and then, so that identities that stay away cost nothing.
void NonceCache::ForgetAll(std::int64_t now) {
  if (now < swept_ + window_ && count_ < max_of_all_) return;
  if (now == swept_) return;
  swept_ = now;
  for (auto& [keyid, seen] : seen_) Forget(seen, now);
  std::erase_if(seen_, [](const auto& entry) { return entry.second.count == 0; });
}

NonceCache::Verdict NonceCache::Remember(const std::string& keyid, std::string_view nonce,
                                         std::int64_t created, std::int64_t now) {
  Nonce key{};
  std::copy_n(nonce.begin(), std::min(nonce.size(), key.size()), key.begin());
  const std::lock_guard lock(mutex_);
  ForgetAll(now);
  Seen& seen = seen_[keyid];
  Forget(seen, now);
  // The same nonce may come again under another `created`: that is another request, with a signature of its
  // own.
  const auto second = seen.by_second.find(created);
  if (second != seen.by_second.end() && second->second.contains(key)) return Verdict::kSeen;
  if (seen.count >= max_of_one_ || count_ >= max_of_all_) return Verdict::kFull;
  seen.by_second[created].insert(key);
  ++seen.count;
  ++count_;
  return Verdict::kNew;
}

std::size_t NonceCache::size() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

}  // namespace grantfs
