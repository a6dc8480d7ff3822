#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "grantfs/journal/entry.h"
#include "grantfs/util/clock.h"

namespace grantfs {

struct JournalOptions {
  std::string directory;  ///< made 0700 with the first entry
  Hash vault;
  const SigningKey* key = nullptr;                    ///< the machine's; outlives the journal
  std::uint64_t max_bytes = std::uint64_t{64} << 20;  ///< of what waits to be sent
  /// So much of what was sent may stand in front of what waits: cutting it off holds all reads up for a
  /// moment.
  std::uint64_t cut_above = std::uint64_t{16} << 20;
  const Clock* clock = &SystemClock();
};

/// What a machine has served by itself and has not told the vault yet: chained and signed entries, each in a
/// file before its read succeeds. So nothing is lost with the process, and a power cut costs at most the
/// last 10 ms of those that are not `sync`.
///
/// Each process writes a file of its own, which it holds locked; what others left behind is taken over. A
/// torn end of such a file is cut and told; damage before the end is told too, and the file is kept beside
/// it. Threads: all functions are safe.
class Journal {
 public:
  static std::unique_ptr<Journal> Make(JournalOptions options);
  virtual ~Journal() = default;

  /// Writes an entry of kind `each` or `aggregate` (its sequence and what it follows are filled in here).
  /// When it returns, the entry outlives the process.
  /// Errors: kUnrecorded (the disk is full or fails; more waits to be sent than is allowed).
  virtual Status Record(JournalEntry entry) = 0;
  /// Whether a process that has ended counted this open just before: who serves it again records nothing.
  virtual bool HasCounted(const std::string& open) const = 0;
  /// As Record, for `sync`: `done` runs exactly once, when the entry is on the disk or cannot be; perhaps on
  /// a thread of the journal, which it must not keep for long.
  virtual void RecordDurably(JournalEntry entry, std::function<void(Status)> done) = 0;

  /// Entries of one journal in a row, signed as a whole.
  struct Batch {
    std::string journal;
    std::vector<std::string> entries;
    Signature signature;
    std::uint64_t last = 0;  ///< sequence of the last entry
  };
  /// Takes over what ended processes have left, if it has not looked for some just before. That may take a
  /// second, which holds up nobody else.
  virtual void TakeLeft() = 0;
  /// The oldest entries that wait; none if nothing does. Takes over what was left first.
  /// Errors: kIo, kIntegrity.
  virtual Result<std::optional<Batch>> NextBatch() = 0;
  /// The vault has recorded them: they are cut from the file.
  virtual Status Sent(const Batch& batch) = 0;

  /// The vault does not take them (a gap, another chain). What an ended process has left is set aside and
  /// told, so that it does not hold up the rest; this process's own goes on waiting.
  virtual void Refused(const Batch& batch, const Error& why) = 0;

  /// How many entries wait to be sent, those included that were taken over. Waits for nothing.
  virtual std::uint64_t Waiting() const = 0;
  /// Why nothing can be recorded now, or what was damaged; "" = none. Waits for nothing.
  virtual std::string Problem() const = 0;

  /// How many entries wait in a directory of journals, those of running processes included; for who has no
  /// journal of its own. Changes nothing.
  static std::uint64_t CountWaiting(const std::string& directory);
};

}  // namespace grantfs
