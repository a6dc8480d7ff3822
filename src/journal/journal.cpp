#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "grantfs/log/log.h"
#include "grantfs/util/file.h"
#include "running_journal_internal.h"

namespace grantfs {
namespace {

using Ticks = std::chrono::steady_clock;

/// A record is on the disk within so long. Until the disk must begin with it, records gather.
constexpr std::chrono::milliseconds kOnDisk{10};
constexpr std::chrono::milliseconds kLeastGather{2}, kMostGather{7};
constexpr std::chrono::seconds kRetrySync{1};
constexpr std::chrono::seconds kLookAtMinutes{1};

}  // namespace

RunningJournal::RunningJournal(JournalOptions options) : options_(std::move(options)) {
  for (const std::string& name : NamesIn(options_.directory, kCountsSuffix)) {
    const std::string id = name.substr(0, name.size() - (sizeof kCountsSuffix - 1));
    for (std::string& open : JournalCounts::OpensLeft(options_.directory, id))
      counted_.insert(std::move(open));
  }
}

RunningJournal::~RunningJournal() {
  {
    const std::lock_guard files(files_mutex_);
    EndMinutes(true);
    const std::lock_guard lock(mutex_);
    stop_ = true;
    changed_.notify_all();
  }
  if (flusher_.joinable()) flusher_.join();
  if (counts_ && counts_->used() == 0) JournalCounts::Remove(options_.directory, own_->id());
  if (recent_ && Recent() == 0) JournalRecent::Remove(options_.directory, own_->id());
  if (own_ && own_->waiting() == 0 && Recent() == 0 && (!counts_ || counts_->used() == 0)) own_->Remove();
}

Status RunningJournal::Begin() {
  if (own_) return {};
  auto made = JournalFile::Create(options_.directory);
  if (!made) made = JournalFile::Create(options_.directory);  // another process may have tidied it away
  own_ = GRANTFS_TRY(std::move(made));
  recent_ = JournalRecent::Create(options_.directory, own_->id());
  flusher_ = std::thread([this] { Run(); });
  pthread_setname_np(flusher_.native_handle(), "journal");
  begun_ = true;
  return {};
}

Status RunningJournal::MayRecord() const {
  if (unwritten_) return *unwritten_;
  if (failed_) return *failed_;
  if (in_files_.bytes + (recent_ ? recent_->bytes() : 0) < options_.max_bytes) return {};
  return Error{
      Code::kUnrecorded,
      "too many reads wait to be told to the vault, so no more can be recorded: bring the vault back", 0,
      PathForMessages(options_.directory)};
}

RunningJournal::InFiles RunningJournal::CountFiles() const {
  InFiles count;
  if (own_) count = {own_->bytes(), own_->waiting()};
  for (const auto& [id, file] : left_) {
    count.bytes += file->bytes();
    count.entries += file->waiting();
  }
  return count;
}

void RunningJournal::NoteFiles() {
  const InFiles count = CountFiles();
  const std::lock_guard lock(mutex_);
  in_files_ = count;
}

void RunningJournal::Dirty(bool urgent) {
  dirty_ = true;
  if (idle_ || urgent) changed_.notify_all();
}

/// @return false if every slot is taken.
Result<bool> RunningJournal::Count(const JournalEntry& entry) {
  if (!counts_) counts_ = GRANTFS_TRY(JournalCounts::Create(options_.directory, own_->id()));
  return GRANTFS_TRY(counts_->Add(entry)) == JournalCounts::Counted::kYes;
}

Status RunningJournal::Record(JournalEntry entry) {
  if (!begun_) {
    const std::lock_guard files(files_mutex_);
    GRANTFS_CHECK(Begin());
  }
  const std::string_view line = entry.aggregate() ? "" : JournalRecent::LineOf(entry);
  {
    const std::lock_guard lock(mutex_);
    GRANTFS_CHECK(MayRecord());
    if (entry.aggregate() ? GRANTFS_TRY(Count(entry)) : recent_ && recent_->Put(line)) {
      Dirty(false);
      return {};
    }
  }
  entry.record = kRecordEach;
  return RecordInFile(std::move(entry), nullptr);
}

void RunningJournal::RecordDurably(JournalEntry entry, std::function<void(Status)> done) {
  const Status written = RecordInFile(std::move(entry), &done);
  if (!written) done(written);
}

/// Behind all that was recorded before. @param waiter  is moved from if that succeeds.
Status RunningJournal::RecordInFile(JournalEntry entry, Waiter* waiter) {
  const std::lock_guard files(files_mutex_);
  GRANTFS_CHECK(Begin());
  {
    const std::lock_guard lock(mutex_);
    GRANTFS_CHECK(MayRecord());
  }
  GRANTFS_CHECK(WriteOut());
  GRANTFS_CHECK(own_->Append(entry));
  NoteFiles();
  const std::lock_guard lock(mutex_);
  if (waiter != nullptr) waiters_.push_back(std::move(*waiter));
  Dirty(waiter != nullptr);
  return {};
}

/// What is recent is written to the file, as one. While that fails nothing more is taken.
Status RunningJournal::WriteOut() {
  std::vector<std::string_view> entries;
  bool both = false;
  {
    const std::lock_guard lock(mutex_);
    if (Recent() == 0) return {};
    both = unwritten_.has_value();
    if (!both) recent_->Turn();
    entries = recent_->Entries(both);
  }
  const Status written = own_->Append(entries);
  const InFiles count = CountFiles();
  const std::lock_guard lock(mutex_);
  in_files_ = count;
  if (written) {
    both ? recent_->ClearAll() : recent_->ClearOther();
    unwritten_.reset();
  } else {
    unwritten_ = written.error();
    dirty_ = true;
  }
  return written;
}

// ---- the flusher's thread

void RunningJournal::Run() {
  std::unique_lock lock(mutex_);
  while (!stop_ || dirty_ || !waiters_.empty()) {
    if (!dirty_) {
      idle_ = true;
      const auto due = [&] { return stop_ || dirty_; };
      if (counts_ && counts_->used() > 0)
        changed_.wait_for(lock, kLookAtMinutes, due);
      else
        changed_.wait(lock, due);
      idle_ = false;
    }
    if (dirty_) changed_.wait_for(lock, gather_, [&] { return stop_ || !waiters_.empty(); });
    lock.unlock();
    Flush();
    lock.lock();
    if (!failed_ && !unwritten_) continue;
    if (stop_) return;
    changed_.wait_for(lock, kRetrySync, [&] { return stop_ || room_made_; });
    room_made_ = false;
  }
}

// Slots whose minute is over become entries.
void RunningJournal::EndMinutes(bool all) {
  const std::lock_guard lock(mutex_);
  if (!counts_) return;
  for (auto& over : all ? counts_->All() : counts_->OverAt(options_.clock->WallMilliseconds())) {
    if (!own_->Append(over.entry)) break;  // the slot holds it until there is room
    counts_->Free(over.slot);
    dirty_ = true;
  }
  in_files_ = CountFiles();
}

/// What the last sync has not written. Until that is done nothing counts as on the disk.
Status RunningJournal::WriteAnew() {
  if (!lost_) return {};
  GRANTFS_CHECK(own_->WriteAnew());
  const std::lock_guard lock(mutex_);
  if (counts_) GRANTFS_CHECK(counts_->WriteAgain());
  lost_ = false;
  return {};
}

/// Not when the file is made: whoever reads then waits for it.
Status RunningJournal::SyncName() {
  if (named_) return {};
  const Status synced = SyncDirectoryOf(own_->path());
  named_ = bool(synced);
  if (synced) return {};
  return Error{Code::kUnrecorded, "the read cannot be recorded: the disk does not take it",
               synced.error().sys, PathForMessages(own_->path())};
}

void RunningJournal::Flush() {
  Waiters waiters;
  std::shared_ptr<const UniqueFd> entries, counts;
  std::string path;
  Status synced;
  {
    const std::lock_guard files(files_mutex_);
    EndMinutes(false);
    {
      const std::lock_guard lock(mutex_);
      if (!std::exchange(dirty_, false) && waiters_.empty()) return;
    }
    (void)WriteOut();  // told to whoever wants to record, and tried again
    // Without room for it the next signature covers these entries too.
    const Status sealed = own_->Seal(signer());
    if (!sealed && !unsealed_) Log(LogLevel::kWarning, "the journal could not be signed", sealed.error());
    unsealed_ = !sealed;
    synced = WriteAnew();
    if (synced) synced = SyncName();
    entries = own_->fd();
    path = own_->path();
    const std::lock_guard lock(mutex_);
    counts = counts_ ? counts_->fd() : nullptr;
    waiters.swap(waiters_);
  }
  const auto begun = Ticks::now();
  if (synced && (::fdatasync(entries->get()) != 0 || (counts && ::fdatasync(counts->get()) != 0)))
    synced = Error{Code::kUnrecorded, "the read cannot be recorded: the disk does not take it", errno,
                   PathForMessages(path)};
  // Twice what it took now: it may take longer the next time.
  const auto left = kOnDisk - std::chrono::ceil<std::chrono::milliseconds>(2 * (Ticks::now() - begun));
  gather_ = std::clamp(left, kLeastGather, kMostGather);
  {
    const std::lock_guard files(files_mutex_);
    lost_ = lost_ || !synced;
    const std::lock_guard lock(mutex_);
    failed_ = synced ? std::nullopt : std::optional(synced.error());
    dirty_ = dirty_ || failed_;
  }
  for (const auto& done : waiters) done(synced);
}

std::unique_ptr<Journal> Journal::Make(JournalOptions options) {
  return std::make_unique<RunningJournal>(std::move(options));
}

}  // namespace grantfs
