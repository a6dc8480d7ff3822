#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "grantfs/journal/entry.h"
#include "grantfs/util/result.h"

namespace grantfs {

inline constexpr char kRecentSuffix[] = ".recent";

/// What was recorded in the last moment and is not in the journal yet: entries in a file beside it that is
/// mapped, so that one stands there, outliving the process, without a system call. Two halves: one takes
/// entries while those of the other are written to the journal. What this process has put it knows by itself,
/// and never reads from the file. Threads: one at a time.
class JournalRecent {
 public:
  static constexpr std::size_t kHalfBytes = std::size_t{256} << 10;

  /// @param id  of the journal. @return nullptr where the disk has no room for it, it cannot be mapped, or
  /// the directory is another user's, who could cut it off under this process: what is recorded then goes to
  /// the journal at once.
  static std::unique_ptr<JournalRecent> Create(const std::string& directory, const std::string& id);
  /// What an ended process left there; some of it may be in its journal too. A line that a power cut has put
  /// together of two is none. Errors: kIo.
  static Result<std::vector<JournalEntry>> Left(const std::string& directory, const std::string& id);
  static void Remove(const std::string& directory, const std::string& id);

  JournalRecent(const JournalRecent&) = delete;
  JournalRecent& operator=(const JournalRecent&) = delete;
  ~JournalRecent();

  /// An entry as Put takes it: whoever makes it needs no lock. Lives until the same thread makes another one.
  static std::string_view LineOf(const JournalEntry& entry);
  /// @return false if it finds no room, or the file none on its disk (any more): then never again.
  bool Put(std::string_view line);
  /// What was put and is not cleared: as AppendUnchained makes it, in that order. It stays until it is.
  std::vector<std::string_view> Entries(bool of_both_halves) const;
  std::size_t count() const { return counts_[0] + counts_[1]; }
  std::size_t bytes() const { return put_[0].size() + put_[1].size(); }
  /// From here on entries go to the other half, which must be empty.
  void Turn() { half_ ^= 1; }
  /// The half that is not in use is in the journal.
  void ClearOther() { Clear(half_ ^ 1); }
  /// Both are.
  void ClearAll();

 private:
  explicit JournalRecent(std::uint8_t* memory) : memory_(memory) {}
  void Clear(unsigned half);
  void Write(std::size_t at, const void* bytes, std::size_t size);
  void SetUsed(unsigned half, std::size_t bytes);

  std::uint8_t* memory_;  ///< written to alone
  bool lost_ = false;     ///< nothing more can be written there
  std::string put_[2];    ///< what counts in each half
  unsigned half_ = 0;
  std::size_t counts_[2] = {};
};

}  // namespace grantfs
