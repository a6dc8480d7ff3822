#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "grantfs/journal/journal.h"
#include "journal_counts_internal.h"
#include "journal_file_internal.h"
#include "journal_recent_internal.h"

namespace grantfs {

/// The names in a directory that end so, and have something in front of it.
std::vector<std::string> NamesIn(const std::string& directory, std::string_view suffix);
/// The id of the open in an entry's text.
std::string_view OpenIn(std::string_view entry);

/// The one implementation: journal.cpp records, journal_left.cpp takes over what ended
/// processes have left, journal_sending.cpp has what is sent.
class RunningJournal final : public Journal {
 public:
  explicit RunningJournal(JournalOptions options);
  ~RunningJournal() override;

  Status Record(JournalEntry entry) override;
  bool HasCounted(const std::string& open) const override { return counted_.contains(open); }
  void RecordDurably(JournalEntry entry, std::function<void(Status)> done) override;
  Result<std::optional<Batch>> NextBatch() override;
  Status Sent(const Batch& batch) override;
  void Refused(const Batch& batch, const Error& why) override;
  void TakeLeft() override;
  std::uint64_t Waiting() const override;
  std::string Problem() const override;

 private:
  using Waiter = std::function<void(Status)>;
  using Waiters = std::vector<Waiter>;
  JournalSigner signer() const { return {options_.vault, options_.key}; }

  // With the files' lock held.
  Status Begin();
  Status WriteOut();
  void EndMinutes(bool all);
  Status Cut(const Batch& batch);
  struct InFiles {
    std::uint64_t bytes = 0;
    std::uint64_t entries = 0;
  };
  InFiles CountFiles() const;
  void NoteFiles();
  Status WriteAnew();
  Status SyncName();

  // Of what was left (journal_left.cpp), with the lock of whoever looks for it alone held.
  Status Adopt(const std::string& name);
  Result<std::unique_ptr<JournalFile>> WriteLast(const std::vector<JournalEntry>& last);
  Status CarryOpens(std::vector<std::string> opens);
  void Take(std::unique_ptr<JournalFile> file);

  // With the lock of what is recent held.
  Status MayRecord() const;
  std::size_t Recent() const { return recent_ ? recent_->count() : 0; }
  Result<bool> Count(const JournalEntry& entry);
  void Dirty(bool urgent);

  Status RecordInFile(JournalEntry entry, Waiter* waiter);
  void Run();
  void Flush();

  const JournalOptions options_;
  std::set<std::string> counted_;  ///< opens that ended processes counted last; set once

  // Whoever looks for what was left, which may take long.
  std::mutex left_mutex_;
  std::chrono::steady_clock::time_point looked_{};

  // Whoever reads waits for the last of the three alone, under which nothing is written to the disk. Several:
  // in this order.
  mutable std::mutex files_mutex_;
  std::unique_ptr<JournalFile> own_;
  std::map<std::string, std::unique_ptr<JournalFile>> left_;  ///< of ended processes, by id
  bool unsealed_ = false;  ///< it was told that no signature could be written
  bool named_ = false;     ///< the directory is on the disk with this process's journal in it
  bool lost_ = false;      ///< a sync has failed, and what it was to write is not written anew yet
  JournalFile::Piece sending_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::unique_ptr<JournalCounts> counts_;
  std::unique_ptr<JournalRecent> recent_;
  InFiles in_files_;  ///< all that waits there
  std::string damage_;
  std::optional<Error> unwritten_;  ///< why what is recent could not be written to the file
  std::optional<Error> failed_;     ///< to write to the disk
  Waiters waiters_;
  bool dirty_ = false;
  bool idle_ = false;
  bool stop_ = false;
  bool room_made_ = false;

  std::atomic<bool> begun_{false};
  std::chrono::milliseconds gather_ = std::chrono::milliseconds(2);  ///< the flusher's
  std::thread flusher_;
};

}  // namespace grantfs
