#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace grantfs {

/// The nonces of requests that were accepted, kept for as long as the request could be sent again: until its
/// `created` is out of the window, and never less. Threads: safe.
class NonceCache {
 public:
  /// @param window  seconds after `created` within which a request is accepted.
  NonceCache(std::size_t max_of_one, std::size_t max_of_all, std::int64_t window)
      : max_of_one_(max_of_one), max_of_all_(max_of_all), window_(window) {}

  enum class Verdict { kNew, kSeen, kFull };
  /// @param nonce  22 characters of base64url.  @param now  unix seconds, as `created`.
  Verdict Remember(const std::string& keyid, std::string_view nonce, std::int64_t created, std::int64_t now);
  std::size_t size() const;

 private:
  using Nonce = std::array<char, 22>;
  struct NonceHash {
    std::size_t operator()(const Nonce& nonce) const noexcept;
  };
  /// Of one identity, by the second in which they were created.
  struct Seen {
    std::map<std::int64_t, std::unordered_set<Nonce, NonceHash>> by_second;
    std::size_t count = 0;
  };
  void Forget(Seen& seen, std::int64_t now);
  void ForgetAll(std::int64_t now);

  const std::size_t max_of_one_;
  const std::size_t max_of_all_;
  const std::int64_t window_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Seen> seen_;
  std::size_t count_ = 0;
  std::int64_t swept_ = 0;
};

}  // namespace grantfs
