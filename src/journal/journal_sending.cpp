#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <unordered_set>
#include <utility>

#include "grantfs/log/log.h"
#include "grantfs/util/file.h"
#include "running_journal_internal.h"

// What is sent to the vault, this process's and what ended ones have left.

namespace grantfs {
namespace {

using Ticks = std::chrono::steady_clock;

constexpr std::chrono::seconds kLookForLeft{2};
constexpr std::string_view kEntry = "{\"sequence\":";
constexpr std::size_t kBatchEntries = 500;
constexpr std::size_t kBatchBytes = std::size_t{256} << 10;

/// The id of the open in an entry's text; a path that says the same comes behind it.
std::string_view OpenIn(std::string_view entry) {
  constexpr std::string_view kBefore = "\"open\":\"";
  const std::size_t at = entry.find(kBefore);
  if (at == std::string_view::npos) return {};
  entry.remove_prefix(at + kBefore.size());
  return entry.substr(0, entry.find('"'));
}

}  // namespace

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

/// In a journal of its own: where the one that it was to go to had come to is not known any more when all
/// of it was sent, or less of it is on the disk than was sent. What the vault has under the same place in a
/// chain it would take for this.
Status RunningJournal::WriteLast(const std::vector<JournalEntry>& last) {
  if (last.empty()) return {};
  auto file = GRANTFS_TRY(JournalFile::Create(options_.directory));
  Status written;
  for (const JournalEntry& entry : last)
    if (written) written = file->Append(entry);
  // What it stands in must not be gone before.
  if (written && ::fdatasync(file->fd()->get()) != 0)
    written = Error{Code::kIo, "a journal that was left behind cannot be written", errno,
                    PathForMessages(file->path())};
  if (!written) {
    file->Remove();
    return written;
  }
  left_.emplace(file->id(), std::move(file));
  return {};
}

Status RunningJournal::Adopt(const std::string& name) {
  auto file = GRANTFS_TRY(JournalFile::Adopt(options_.directory + "/" + name, signer()));
  if (!file) return {};
  if (!file->damage().empty()) {
    damage_ = PathForMessages(file->path()) + ": " + file->damage();
    Log(LogLevel::kWarning, "a journal of reads was left behind: " + damage_);
  }
  // What was recorded and counted last; an entry of it may be there already.
  auto last = GRANTFS_TRY(JournalRecent::Left(options_.directory, file->id()));
  for (auto& entry : GRANTFS_TRY(JournalCounts::Left(options_.directory, file->id())))
    last.push_back(std::move(entry));
  const auto piece = GRANTFS_TRY(file->Read(~std::size_t{0}, ~std::size_t{0}));
  std::unordered_set<std::string_view> there;
  for (const std::string& text : piece.entries) there.insert(OpenIn(text));
  std::erase_if(last, [&](const JournalEntry& entry) { return there.contains(entry.open); });
  GRANTFS_CHECK(WriteLast(last));
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

// What is recent first: on its way into the journal it is in both for a moment.
std::uint64_t Journal::CountWaiting(const std::string& directory) {
  std::unordered_set<std::string> recent;
  for (const std::string& name : NamesIn(directory, kRecentSuffix)) {
    const std::string id = name.substr(0, name.size() - (sizeof kRecentSuffix - 1));
    auto left = JournalRecent::Left(directory, id);
    if (!left) continue;
    for (JournalEntry& entry : *left) recent.insert(std::move(entry.open));
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
