#include "grantfs/journal/journal.h"

#include <dirent.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_set>

#include "grantfs/log/log.h"
#include "grantfs/util/file.h"
#include "journal_counts_internal.h"
#include "journal_file_internal.h"
#include "journal_recent_internal.h"

namespace grantfs {
namespace {

using Ticks = std::chrono::steady_clock;

/// A record is on the disk within so long. Until the disk must begin with it, records gather.
constexpr std::chrono::milliseconds kOnDisk{10};
constexpr std::chrono::milliseconds kLeastGather{2}, kMostGather{7};
constexpr std::chrono::seconds kRetrySync{1};
constexpr std::chrono::seconds kLookAtMinutes{1};
constexpr std::chrono::seconds kLookForLeft{2};
constexpr std::string_view kEntry = "{\"sequence\":";
constexpr std::size_t kBatchEntries = 500;
constexpr std::size_t kBatchBytes = std::size_t{256} << 10;

std::vector<std::string> NamesIn(const std::string& directory, std::string_view suffix) {
  std::vector<std::string> names;
  DIR* const open = ::opendir(directory.c_str());
  if (open == nullptr) return names;
  while (const dirent* const entry = ::readdir(open)) {
    const std::string name = entry->d_name;
    if (name.size() > suffix.size() && name.ends_with(suffix)) names.push_back(name);
  }
  ::closedir(open);
  return names;
}

/// The id of the open in an entry's text; a path that says the same comes behind it.
std::string_view OpenIn(std::string_view entry) {
  constexpr std::string_view kBefore = "\"open\":\"";
  const std::size_t at = entry.find(kBefore);
  if (at == std::string_view::npos) return {};
  entry.remove_prefix(at + kBefore.size());
  return entry.substr(0, entry.find('"'));
}

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
  std::uint64_t Waiting() override;
  std::string Problem() const override;

 private:
  using Waiter = std::function<void(Status)>;
  using Waiters = std::vector<Waiter>;
  JournalSigner signer() const { return {options_.vault, options_.key}; }

  // With the files' lock held.
  Status Begin();
  Status WriteOut();
  void EndMinutes(bool all);
  void TakeLeft();
  Status Adopt(const std::string& name);
  Status Cut(const Batch& batch);
  void NoteBytes();

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

  // Whoever reads waits for the second alone, under which nothing is written to the disk. Both: this one
  // first.
  mutable std::mutex files_mutex_;
  std::unique_ptr<JournalFile> own_;
  std::map<std::string, std::unique_ptr<JournalFile>> left_;  ///< of ended processes, by id
  std::string damage_;
  bool unsealed_ = false;  ///< it was told that no signature could be written
  Ticks::time_point looked_{};
  JournalFile::Piece sending_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::unique_ptr<JournalCounts> counts_;
  std::unique_ptr<JournalRecent> recent_;
  std::uint64_t file_bytes_ = 0;    ///< of all that waits in files
  std::optional<Error> unwritten_;  ///< why what is recent could not be written to the file
  std::optional<Error> failed_;     ///< to write to the disk
  Waiters waiters_;
  bool dirty_ = false;
  bool idle_ = false;
  bool stop_ = false;
  bool room_made_ = false;

  std::atomic<bool> begun_{false};
  std::chrono::milliseconds gather_ = kLeastGather;  ///< the flusher's
  std::thread flusher_;
};

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
  if (file_bytes_ + (recent_ ? recent_->bytes() : 0) < options_.max_bytes) return {};
  return Error{
      Code::kUnrecorded,
      "too many reads wait to be told to the vault, so no more can be recorded: bring the vault back", 0,
      PathForMessages(options_.directory)};
}

void RunningJournal::NoteBytes() {
  std::uint64_t bytes = own_ ? own_->bytes() : 0;
  for (const auto& [id, file] : left_) bytes += file->bytes();
  const std::lock_guard lock(mutex_);
  file_bytes_ = bytes;
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
  {
    const std::lock_guard lock(mutex_);
    GRANTFS_CHECK(MayRecord());
    if (entry.aggregate() ? GRANTFS_TRY(Count(entry)) : recent_ && recent_->Put(entry)) {
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
  NoteBytes();
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
  NoteBytes();
  const std::lock_guard lock(mutex_);
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
  {
    const std::lock_guard lock(mutex_);
    if (!counts_) return;
    for (auto& over : all ? counts_->All() : counts_->OverAt(options_.clock->WallMilliseconds())) {
      if (!own_->Append(over.entry)) break;  // the slot holds it until there is room
      counts_->Free(over.slot);
      dirty_ = true;
    }
  }
  NoteBytes();
}

void RunningJournal::Flush() {
  Waiters waiters;
  std::shared_ptr<const UniqueFd> entries, counts;
  std::string path;
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
    entries = own_->fd();
    path = own_->path();
    const std::lock_guard lock(mutex_);
    counts = counts_ ? counts_->fd() : nullptr;
    waiters.swap(waiters_);
  }
  Status synced;
  const auto begun = Ticks::now();
  if (::fdatasync(entries->get()) != 0 || (counts && ::fdatasync(counts->get()) != 0))
    synced = Error{Code::kUnrecorded, "the read cannot be recorded: the disk does not take it", errno,
                   PathForMessages(path)};
  // Twice what it took now: it may take longer the next time.
  const auto left = kOnDisk - std::chrono::ceil<std::chrono::milliseconds>(2 * (Ticks::now() - begun));
  gather_ = std::clamp(left, kLeastGather, kMostGather);
  for (const auto& done : waiters) done(synced);
  const std::lock_guard lock(mutex_);
  failed_ = synced ? std::nullopt : std::optional(synced.error());
  dirty_ = dirty_ || failed_;
}

// ---- what is sent

void RunningJournal::TakeLeft() {
  const auto now = Ticks::now();
  if (looked_ != Ticks::time_point{} && now - looked_ < kLookForLeft) return;
  looked_ = now;
  for (const std::string& name : NamesIn(options_.directory, kNewSuffix))
    JournalFile::RemoveUnfinished(options_.directory + "/" + name);
  for (const std::string& name : NamesIn(options_.directory, kJournalSuffix)) {
    const std::string id = name.substr(0, name.size() - (sizeof kJournalSuffix - 1));
    if ((own_ && own_->id() == id) || left_.contains(id)) continue;
    if (const Status adopted = Adopt(name); !adopted) damage_ = Describe(adopted.error());
    NoteBytes();
  }
}

Status RunningJournal::Adopt(const std::string& name) {
  auto file = GRANTFS_TRY(JournalFile::Adopt(options_.directory + "/" + name, signer()));
  if (!file) return {};
  if (!file->damage().empty()) {
    damage_ = PathForMessages(file->path()) + ": " + file->damage();
    Log(LogLevel::kWarning, "a journal of reads was left behind: " + damage_);
  }
  // What was recorded and counted last; an entry of it may be there already.
  auto last = JournalRecent::Left(options_.directory, file->id());
  for (auto& entry : GRANTFS_TRY(JournalCounts::Left(options_.directory, file->id())))
    last.push_back(std::move(entry));
  const auto piece = GRANTFS_TRY(file->Read(~std::size_t{0}, ~std::size_t{0}));
  std::unordered_set<std::string_view> there;
  for (const std::string& text : piece.entries) there.insert(OpenIn(text));
  std::erase_if(last, [&](const JournalEntry& entry) { return there.contains(entry.open); });
  for (const JournalEntry& entry : last) GRANTFS_CHECK(file->Append(entry));
  // It must not be gone before what is written instead is there.
  if (!last.empty() && ::fdatasync(file->fd()->get()) != 0)
    return Error{Code::kIo, "a journal that was left behind cannot be written", errno,
                 PathForMessages(file->path())};
  JournalCounts::Remove(options_.directory, file->id());
  JournalRecent::Remove(options_.directory, file->id());
  if (file->waiting() == 0)
    file->Remove();
  else
    left_.emplace(file->id(), std::move(file));
  return {};
}

Result<std::optional<Journal::Batch>> RunningJournal::NextBatch() {
  const std::lock_guard files(files_mutex_);
  TakeLeft();
  (void)WriteOut();  // what is in the file can be sent all the same
  JournalFile* file = left_.empty() ? own_.get() : left_.begin()->second.get();
  if (file == nullptr || file->waiting() == 0) return std::optional<Batch>();
  sending_ = GRANTFS_TRY(file->Read(kBatchEntries, kBatchBytes));
  if (sending_.entries.empty())
    return Error{Code::kIntegrity, "the journal has changed under this program's hands", 0,
                 PathForMessages(file->path())};
  Batch batch{file->id(), sending_.entries, {}, sending_.last};
  batch.signature = SignJournal(*options_.key, options_.vault, batch.journal, batch.last, sending_.head);
  return std::optional<Batch>(std::move(batch));
}

Status RunningJournal::Sent(const Batch& batch) {
  const std::lock_guard files(files_mutex_);
  const Status cut = Cut(batch);
  NoteBytes();
  const std::lock_guard lock(mutex_);
  if (unwritten_) {
    room_made_ = true;
    changed_.notify_all();
  }
  return cut;
}

Status RunningJournal::Cut(const Batch& batch) {
  if (sending_.last != batch.last) return {};
  if (own_ && own_->id() == batch.journal) return own_->Cut(sending_, options_.cut_above);
  const auto at = left_.find(batch.journal);
  if (at == left_.end()) return {};
  GRANTFS_CHECK(at->second->Cut(sending_, options_.cut_above));
  if (at->second->waiting() > 0) return {};
  at->second->Remove();
  left_.erase(at);
  return {};
}

void RunningJournal::Refused(const Batch& batch, const Error& why) {
  const std::lock_guard files(files_mutex_);
  const auto at = left_.find(batch.journal);
  if (at == left_.end()) return;
  const std::string path = at->second->path();
  damage_ =
      PathForMessages(path) + kDamagedSuffix + ": the vault does not take these reads: " + Describe(why);
  Log(LogLevel::kError, "a journal of reads was set aside: " + damage_);
  if (::rename(path.c_str(), (path + kDamagedSuffix).c_str()) == 0) left_.erase(at);
  NoteBytes();
}

std::uint64_t RunningJournal::Waiting() {
  const std::lock_guard files(files_mutex_);
  TakeLeft();
  const std::lock_guard lock(mutex_);
  std::uint64_t waiting = (own_ ? own_->waiting() : 0) + Recent() + (counts_ ? counts_->used() : 0);
  for (const auto& [id, file] : left_) waiting += file->waiting();
  return waiting;
}

std::string RunningJournal::Problem() const {
  const std::lock_guard files(files_mutex_);
  const std::lock_guard lock(mutex_);
  if (unwritten_) return Describe(*unwritten_);
  return failed_ ? Describe(*failed_) : damage_;
}

}  // namespace

std::unique_ptr<Journal> Journal::Make(JournalOptions options) {
  return std::make_unique<RunningJournal>(std::move(options));
}

// What is recent first: on its way into the journal it is in both for a moment.
std::uint64_t Journal::CountWaiting(const std::string& directory) {
  std::unordered_set<std::string> recent;
  for (const std::string& name : NamesIn(directory, kRecentSuffix)) {
    const std::string id = name.substr(0, name.size() - (sizeof kRecentSuffix - 1));
    for (JournalEntry& entry : JournalRecent::Left(directory, id)) recent.insert(std::move(entry.open));
  }
  std::uint64_t waiting = 0;
  for (const char* suffix : {kJournalSuffix, kCountsSuffix}) {
    for (const std::string& name : NamesIn(directory, suffix)) {
      const auto content = ReadFile(directory + "/" + name, std::size_t{256} << 20);
      if (!content) continue;
      const std::string_view text = AsText(*content);
      for (std::size_t at = text.find(kEntry); at != std::string_view::npos; at = text.find(kEntry, at + 1)) {
        ++waiting;
        if (!recent.empty()) recent.erase(std::string(OpenIn(text.substr(at))));
      }
    }
  }
  return waiting + recent.size();
}

}  // namespace grantfs
