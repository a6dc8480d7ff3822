#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "grantfs/api/log.h"
#include "grantfs/crypto/hash.h"
#include "grantfs/tlog/checkpoint.h"

namespace grantfs {

/// A read, and where the vault said that it recorded it.
struct RecordedRead {
  std::uint64_t record = 0;
  std::uint64_t secret = 0;
  std::uint32_t version = 0;
  std::string open;
  bool told_later = false;  ///< by a journal: the vault may have found that nothing was granted any more
  std::chrono::nanoseconds told_boot{0};  ///< CLOCK_BOOTTIME when the vault said so
};

/// What is still to be proved: of more than kMaxWaiting a sample that nobody can foresee. Threads: safe.
class ReadChecks {
 public:
  static constexpr std::size_t kMaxWaiting = 1000;

  void Add(RecordedRead read);
  /// Of a journal's batch these entries are worth a look: all of a small one.
  static std::vector<std::size_t> SampleOf(std::size_t count);
  /// Takes out at most so many, by their records, each record once.
  std::vector<RecordedRead> Take(std::size_t limit);
  /// They could not be checked yet.
  void Return(std::vector<RecordedRead> reads);
  /// All that waits is of a log that is no more.
  void Clear();
  void CountChecked(std::uint64_t proved, std::uint64_t gone);

  struct Figures {
    std::uint64_t proved = 0;
    std::uint64_t waiting = 0;
    std::uint64_t left_out = 0;  ///< too many came at once, the vault named no place, or the body was purged
  };
  Figures figures() const;

 private:
  mutable std::mutex mutex_;
  std::vector<RecordedRead> waiting_;
  std::uint64_t come_ = 0;  ///< since it was last full
  Figures figures_;
};

enum class ReadProof { kGood, kGone, kBad };
/// @param gone_before_ms  a record from before that may have lost its body to the vault's retention.
/// @param what  kBad: a sentence part.
ReadProof CheckProven(const RecordedRead& read, const api::ProvenRecord& proven, const Checkpoint& log,
                      const Hash& me, std::int64_t gone_before_ms, std::string* what);

}  // namespace grantfs
