#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "grantfs/crypto/hash.h"

namespace grantfs {

/// The distinct secrets of the last minute, each with the limit that its environment sets: one of a hundred
/// allowed is a hundredth. What is read later moves the minute on; what was read before it counts no more.
class ReadWindow {
 public:
  static constexpr std::int64_t kSeconds = 60;

  /// @param limit  at least 1.  @param time  unix seconds.
  void Add(std::uint64_t secret, std::uint32_t limit, std::int64_t time);
  bool IsOver() const;
  std::size_t size() const { return last_.size(); }
  /// Whether `time` is before the minute that this is of.
  bool IsBefore(std::int64_t time) const { return time <= newest_ - kSeconds; }

 private:
  struct Seen {
    std::int64_t time = 0;
    std::uint32_t limit = 0;
  };
  void Drop(std::uint64_t secret);

  std::int64_t newest_ = 0;
  std::unordered_map<std::uint64_t, Seen> last_;
  std::set<std::pair<std::int64_t, std::uint64_t>> order_;  ///< by time
  std::map<std::uint32_t, std::size_t> counts_;             ///< secrets of each limit
};

/// How many distinct secrets each machine has read within a minute. Not safe for several threads.
class ReadRates {
 public:
  struct Read {
    Hash machine;  ///< or what else is counted for itself: a machine in an environment
    std::uint64_t secret = 0;
    std::uint32_t limit = 0;  ///< 0: any number is well
    bool passes = false;      ///< by a caller who may read more
    std::int64_t time = 0;    ///< when it was read: unix seconds
    std::int64_t now = 0;
  };
  enum class Verdict { kWithin, kOverByPassing, kOver };
  /// The same read again changes nothing.
  Verdict Note(const Read& read);
  /// How many they are, by the window that `read` falls into.
  std::size_t CountOf(const Read& read) const;
  /// Begins anew with a machine.
  void Clear(const Hash& machine) { machines_.erase(machine); }
  /// Forgets machines that have read nothing lately.
  void Sweep(std::int64_t now);
  std::size_t size() const { return machines_.size(); }

 private:
  /// What a journal tells of long ago has minutes of its own.
  struct Windows {
    ReadWindow all, charged;
  };
  struct Machine {
    Windows now, before;
    std::int64_t touched = 0;
  };
  static const Windows& WindowsFor(const Machine& machine, const Read& read);
  std::unordered_map<Hash, Machine> machines_;
};

}  // namespace grantfs
