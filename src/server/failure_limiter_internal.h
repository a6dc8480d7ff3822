#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "grantfs/net/http_server.h"

namespace grantfs {

/// Counts failed authentications, by the address that they come from and by the identity that they name,
/// within a minute. Bounded: beyond the bound all others are one. Threads: safe.
class FailureLimiter {
 public:
  explicit FailureLimiter(std::uint64_t of_one) : of_one_(of_one) {}
  /// One more.
  ///
  /// @param identity  "": it names none that there is.  @param now  seconds.
  /// @return whether there are too many, from there or of it.
  bool Failed(const std::string& remote, const std::string& identity, std::int64_t now);
  std::size_t size() const;

  static constexpr std::size_t kMaxKnown = 4096;

 private:
  using Counts = std::unordered_map<std::string, std::uint64_t>;
  static std::uint64_t CountIn(Counts& counts, const std::string& key);
  const std::uint64_t of_one_;
  mutable std::mutex mutex_;
  std::int64_t minute_ = 0;
  Counts addresses_, identities_;
};

/// What an address counts as: of IPv6 its network of 64 bits, which one stranger has to himself.
std::string NetworkOf(const std::string& remote);

/// Answers that are sent a while later: whoever guesses waits for each, and nobody else does. Beyond a bound
/// they are sent at once. Threads: safe.
class LateAnswers {
 public:
  explicit LateAnswers(std::chrono::milliseconds delay);
  ~LateAnswers();
  void Send(std::shared_ptr<Responder> responder, HttpResponse response);

  static constexpr std::size_t kMaxHeld = 4096;

 private:
  struct Held {
    std::chrono::steady_clock::time_point due;
    std::shared_ptr<Responder> responder;
    HttpResponse response;
  };
  void Run();
  const std::chrono::milliseconds delay_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Held> held_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace grantfs
