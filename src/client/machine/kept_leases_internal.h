#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "grantfs/api/machine.h"
#include "grantfs/util/kept_memory.h"

namespace grantfs {

/// What a machine holds under leases, for the process that serves its mount after this one: ciphertexts and
/// sealed keys, and when the vault was last heard. Who takes it over holds it against the verified lists.
/// Threads: safe.
class KeptLeases {
 public:
  /// @param kept null: nothing is kept. Outlives this.
  explicit KeptLeases(KeptMemory* kept) : kept_(kept) {}

  /// What finds no room is not kept: it is asked for again.
  void Put(const api::ReadResponse& version);
  void Erase(std::uint64_t number);

  struct Contact {
    std::int64_t boot_ns = 0;  ///< of CLOCK_BOOTTIME
    std::int64_t wall = 0;     ///< unix seconds
  };
  /// The vault was heard, and all that it had told is settled.
  void Heard(const Contact& contact);
  /// It has told of something that is not settled: nobody takes a lease over until it is.
  void Unsettled();

  std::optional<Contact> LastHeard() const;

  /// ForwardClock::ahead of the process that kept it.
  void KeepAhead(std::chrono::milliseconds ahead);
  std::optional<std::chrono::milliseconds> KeptAhead() const;

  /// What was kept; the rest is forgotten. Threads: before there are others.
  std::vector<api::ReadResponse> Load();

 private:
  void EraseLocked(std::uint64_t number);

  KeptMemory* const kept_;
  std::mutex mutex_;
  std::map<std::uint64_t, std::size_t> sizes_;  ///< by the secret's number
  std::size_t bytes_ = 0;
  std::optional<std::chrono::milliseconds> ahead_;  ///< as it is kept
};

}  // namespace grantfs
