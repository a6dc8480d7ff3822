#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "grantfs/journal/entry.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {

inline constexpr char kCountsSuffix[] = ".counts";

/// Reads that are counted, in slots of a file beside a journal: one slot a version, caller and minute, each
/// written whole with every read, so that no read is lost with the process. When its minute is over, a slot
/// becomes one entry of the journal, under an id that is recorded once. With its count a slot holds the ids
/// of the opens that it counted last: whoever repeats what the process was at when it ended counts none of
/// them again. Threads: one at a time.
class JournalCounts {
 public:
  /// @param id  of the journal.  Errors: kUnrecorded.
  static Result<std::unique_ptr<JournalCounts>> Create(const std::string& directory, const std::string& id);
  /// What the file of an ended process holds. Errors: kIo.
  static Result<std::vector<JournalEntry>> Left(const std::string& directory, const std::string& id);
  /// The ids of the opens that it counted last, or carried; the newest of each slot come first.
  static std::vector<std::string> OpensLeft(const std::string& directory, const std::string& id);
  static void Remove(const std::string& directory, const std::string& id);

  /// Ids of opens that ended processes counted last stand here too, so that whoever comes next knows them
  /// when this process ends as well: the first of them, as far as there is room. Errors: kUnrecorded.
  Status Carry(std::vector<std::string> opens);
  /// Everything once more: of what a failed sync has not written the kernel keeps nothing. Errors:
  /// kUnrecorded.
  Status WriteAgain();

  enum class Counted { kYes, kNoRoom };
  /// @return kNoRoom: to be recorded by itself.  Errors: kUnrecorded.
  Result<Counted> Add(const JournalEntry& read);

  struct Over {
    std::size_t slot = 0;
    JournalEntry entry;
    std::deque<std::string> opens;
  };
  /// The slots of minutes before that of `now_ms`.
  std::vector<Over> OverAt(std::int64_t now_ms) const;
  std::vector<Over> All() const;
  void Free(std::size_t slot);

  std::size_t used() const { return slots_.size(); }
  std::shared_ptr<const UniqueFd> fd() const { return fd_; }

 private:
  using Key = std::tuple<std::int64_t, std::uint64_t, std::uint32_t, std::uint32_t, std::uint32_t,
                         std::string, std::string>;
  JournalCounts(std::string path, std::string id) : path_(std::move(path)), id_(std::move(id)) {}
  Status Write(std::size_t slot, const std::string& text);

  std::string path_;
  std::string id_;
  std::shared_ptr<const UniqueFd> fd_;
  std::map<Key, Over> slots_;
  std::deque<std::size_t> free_;  ///< what was freed last is used last: its ids are still of use
  std::uint64_t next_ = 0;
};

}  // namespace grantfs
