#include "grantfs/journal/journal.h"

#include <dirent.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "grantfs/log/log.h"
#include "grantfs/util/file.h"
#include "journal_counts_internal.h"
#include "journal_file_internal.h"

namespace grantfs {
namespace {

using Ticks = std::chrono::steady_clock;

/// Records gather for so long before they are written to the disk together.
constexpr std::chrono::milliseconds kGather{5};
constexpr std::chrono::seconds kRetrySync{1};
constexpr std::chrono::seconds kLookAtMinutes{1};
constexpr std::chrono::seconds kLookForLeft{2};
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
  using Waiters = std::vector<std::function<void(Status)>>;
  JournalSigner signer() const { return {options_.vault, options_.key}; }

  // With the lock held.
  Status Begin();
  Status Write(JournalEntry entry);
  Status Count(JournalEntry entry);
  void Dirty(bool urgent);
  void EndMinutes(bool all);
  void TakeLeft();
  Status Adopt(const std::string& name);
  std::uint64_t LeftBytes() const;

  void Run();
  void Flush(std::unique_lock<std::mutex>* lock);

  const JournalOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::unique_ptr<JournalFile> own_;
  std::unique_ptr<JournalCounts> counts_;
  std::map<std::string, std::unique_ptr<JournalFile>> left_;  ///< of ended processes, by id
  std::set<std::string> counted_;  ///< opens that ended processes counted last; set once
  std::optional<Error> failed_;    ///< to write to the disk
  std::string damage_;
  Waiters waiters_;
  bool dirty_ = false;
  bool unsealed_ = false;  ///< it was told that no signature could be written
  bool idle_ = false;
  bool stop_ = false;
  Ticks::time_point looked_{};
  JournalFile::Piece sending_;
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
    std::unique_lock lock(mutex_);
    EndMinutes(true);
    stop_ = true;
    changed_.notify_all();
  }
  if (flusher_.joinable()) flusher_.join();
  if (counts_ && counts_->used() == 0) JournalCounts::Remove(options_.directory, own_->id());
  if (own_ && own_->waiting() == 0 && (!counts_ || counts_->used() == 0)) own_->Remove();
}

Status RunningJournal::Begin() {
  if (failed_) return *failed_;
  if (!own_) {
    auto made = JournalFile::Create(options_.directory);
    if (!made) made = JournalFile::Create(options_.directory);  // another process may have tidied it away
    own_ = GRANTFS_TRY(std::move(made));
    flusher_ = std::thread([this] { Run(); });
  }
  if (own_->bytes() + LeftBytes() < options_.max_bytes) return {};
  return Error{
      Code::kUnrecorded,
      "too many reads wait to be told to the vault, so no more can be recorded: bring the vault back", 0,
      options_.directory};
}

std::uint64_t RunningJournal::LeftBytes() const {
  std::uint64_t bytes = 0;
  for (const auto& [id, file] : left_) bytes += file->bytes();
  return bytes;
}

void RunningJournal::Dirty(bool urgent) {
  dirty_ = true;
  if (idle_ || urgent) changed_.notify_all();
}

Status RunningJournal::Write(JournalEntry entry) { return own_->Append(std::move(entry)); }

Status RunningJournal::Count(JournalEntry entry) {
  if (!counts_) counts_ = GRANTFS_TRY(JournalCounts::Create(options_.directory, own_->id()));
  const auto counted = GRANTFS_TRY(counts_->Add(entry));
  if (counted == JournalCounts::Counted::kYes) return {};
  entry.record = kRecordEach;  // every slot is taken
  return Write(std::move(entry));
}

Status RunningJournal::Record(JournalEntry entry) {
  const std::lock_guard lock(mutex_);
  GRANTFS_CHECK(Begin());
  GRANTFS_CHECK(entry.aggregate() ? Count(std::move(entry)) : Write(std::move(entry)));
  Dirty(false);
  return {};
}

void RunningJournal::RecordDurably(JournalEntry entry, std::function<void(Status)> done) {
  Status written;
  {
    const std::lock_guard lock(mutex_);
    written = Begin();
    if (written) written = Write(std::move(entry));
    if (written) {
      waiters_.push_back(std::move(done));
      Dirty(true);
    }
  }
  if (!written) done(written);
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
      EndMinutes(false);
      if (!dirty_) continue;
    }
    changed_.wait_for(lock, kGather, [&] { return stop_ || !waiters_.empty(); });
    EndMinutes(false);
    Flush(&lock);
    if (failed_ && stop_) return;
    if (failed_) changed_.wait_for(lock, kRetrySync, [&] { return stop_; });
  }
}

// Slots whose minute is over become entries.
void RunningJournal::EndMinutes(bool all) {
  if (!counts_) return;
  for (auto& over : all ? counts_->All() : counts_->OverAt(options_.clock->WallMilliseconds())) {
    if (!Write(over.entry)) return;  // the slot holds it until there is room
    counts_->Free(over.slot);
    dirty_ = true;
  }
}

void RunningJournal::Flush(std::unique_lock<std::mutex>* lock) {
  dirty_ = false;
  Waiters waiters = std::exchange(waiters_, {});
  // Without room for it the next signature covers these entries too.
  const Status sealed = own_->Seal(signer());
  if (!sealed && !unsealed_) Log(LogLevel::kWarning, "the journal could not be signed", sealed.error());
  unsealed_ = !sealed;
  const auto entries = own_->fd();
  const auto counts = counts_ ? counts_->fd() : nullptr;
  const std::string path = own_->path();
  lock->unlock();
  Status synced;
  if (::fdatasync(entries->get()) != 0 || (counts && ::fdatasync(counts->get()) != 0))
    synced = Error{Code::kUnrecorded, "the read cannot be recorded: the disk does not take it", errno,
                   PathForMessages(path)};
  for (const auto& done : waiters) done(synced);
  lock->lock();
  if (synced) {
    failed_.reset();
  } else {
    failed_ = synced.error();
    dirty_ = true;
  }
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
  }
}

Status RunningJournal::Adopt(const std::string& name) {
  auto file = GRANTFS_TRY(JournalFile::Adopt(options_.directory + "/" + name, signer()));
  if (!file) return {};
  if (!file->damage().empty()) {
    damage_ = file->path() + ": " + file->damage();
    Log(LogLevel::kWarning, "a journal of reads was left behind: " + damage_);
  }
  // What was counted last; an entry of it may be there already.
  const auto counted = GRANTFS_TRY(JournalCounts::Left(options_.directory, file->id()));
  const auto piece = GRANTFS_TRY(file->Read(~std::size_t{0}, ~std::size_t{0}));
  for (const JournalEntry& entry : counted) {
    const std::string mark = "\"open\":\"" + entry.open + "\"";
    const bool there = std::any_of(piece.entries.begin(), piece.entries.end(), [&](const std::string& text) {
      return text.find(mark) != std::string::npos;
    });
    if (!there) GRANTFS_CHECK(file->Append(entry));
  }
  // What was counted must not be gone before what is written instead is there.
  if (!counted.empty() && ::fdatasync(file->fd()->get()) != 0)
    return Error{Code::kIo, "a journal that was left behind cannot be written", errno, file->path()};
  JournalCounts::Remove(options_.directory, file->id());
  if (file->waiting() == 0)
    file->Remove();
  else
    left_.emplace(file->id(), std::move(file));
  return {};
}

Result<std::optional<Journal::Batch>> RunningJournal::NextBatch() {
  const std::lock_guard lock(mutex_);
  TakeLeft();
  JournalFile* file = left_.empty() ? own_.get() : left_.begin()->second.get();
  if (file == nullptr || file->waiting() == 0) return std::optional<Batch>();
  sending_ = GRANTFS_TRY(file->Read(kBatchEntries, kBatchBytes));
  if (sending_.entries.empty())
    return Error{Code::kIntegrity, "the journal has changed under this program's hands", 0, file->path()};
  Batch batch{file->id(), sending_.entries, {}, sending_.last};
  batch.signature = SignJournal(*options_.key, options_.vault, batch.journal, batch.last, sending_.head);
  return std::optional<Batch>(std::move(batch));
}

Status RunningJournal::Sent(const Batch& batch) {
  const std::lock_guard lock(mutex_);
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
  const std::lock_guard lock(mutex_);
  const auto at = left_.find(batch.journal);
  if (at == left_.end()) return;
  const std::string path = at->second->path();
  damage_ = path + kDamagedSuffix + ": the vault does not take these reads: " + Describe(why);
  Log(LogLevel::kError, "a journal of reads was set aside: " + damage_);
  if (::rename(path.c_str(), (path + kDamagedSuffix).c_str()) == 0) left_.erase(at);
}

std::uint64_t RunningJournal::Waiting() {
  const std::lock_guard lock(mutex_);
  TakeLeft();
  std::uint64_t waiting = (own_ ? own_->waiting() : 0) + (counts_ ? counts_->used() : 0);
  for (const auto& [id, file] : left_) waiting += file->waiting();
  return waiting;
}

std::string RunningJournal::Problem() const {
  const std::lock_guard lock(mutex_);
  return failed_ ? Describe(*failed_) : damage_;
}

}  // namespace

std::unique_ptr<Journal> Journal::Make(JournalOptions options) {
  return std::make_unique<RunningJournal>(std::move(options));
}

std::uint64_t Journal::CountWaiting(const std::string& directory) {
  std::uint64_t waiting = 0;
  for (const char* suffix : {kJournalSuffix, kCountsSuffix}) {
    for (const std::string& name : NamesIn(directory, suffix)) {
      const auto content = ReadFile(directory + "/" + name, std::size_t{256} << 20);
      if (!content) continue;
      const std::string_view text = AsText(*content);
      for (std::size_t at = text.find("{\"sequence\":"); at != std::string_view::npos;
           at = text.find("{\"sequence\":", at + 1))
        ++waiting;
    }
  }
  return waiting;
}

}  // namespace grantfs
