#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <unordered_set>
#include <utility>

#include "grantfs/log/log.h"
#include "grantfs/util/file.h"
#include "running_journal_internal.h"

// What is sent to the vault.

namespace grantfs {
namespace {

constexpr std::string_view kEntry = "{\"sequence\":";
constexpr std::size_t kBatchEntries = 500;
constexpr std::size_t kBatchBytes = std::size_t{256} << 10;

}  // namespace

/// The id of the open in an entry's text; a path that says the same comes behind it.
std::string_view OpenIn(std::string_view entry) {
  constexpr std::string_view kBefore = "\"open\":\"";
  const std::size_t at = entry.find(kBefore);
  if (at == std::string_view::npos) return {};
  entry.remove_prefix(at + kBefore.size());
  return entry.substr(0, entry.find('"'));
}

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

Result<std::optional<Journal::Batch>> RunningJournal::NextBatch() {
  TakeLeft();
  const std::lock_guard files(files_mutex_);
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
  NoteFiles();
  const std::lock_guard lock(mutex_);
  if (unwritten_) {
    room_made_ = true;
    changed_.notify_all();
  }
  return cut;
}

Status RunningJournal::Cut(const Batch& batch) {
  if (sending_.last != batch.last) return {};
  const JournalFile::Piece sent = std::exchange(sending_, {});  // once
  if (own_ && own_->id() == batch.journal) {
    const auto before = own_->fd();
    const Status cut = own_->Cut(sent, options_.cut_above);
    // Another file has its name: until the directory is on the disk, a power cut brings the one before back,
    // without what is recorded from now on.
    if (own_->fd() != before) named_ = false;
    return cut;
  }
  const auto at = left_.find(batch.journal);
  if (at == left_.end()) return {};
  GRANTFS_CHECK(at->second->Cut(sent, options_.cut_above));
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
  const std::string damage =
      PathForMessages(path) + kDamagedSuffix + ": the vault does not take these reads: " + Describe(why);
  Log(LogLevel::kError, "a journal of reads was set aside: " + damage);
  if (::rename(path.c_str(), (path + kDamagedSuffix).c_str()) == 0) left_.erase(at);
  const InFiles count = CountFiles();
  const std::lock_guard lock(mutex_);
  in_files_ = count;
  damage_ = damage;
}

std::uint64_t RunningJournal::Waiting() const {
  const std::lock_guard lock(mutex_);
  return in_files_.entries + Recent() + (counts_ ? counts_->used() : 0);
}

std::string RunningJournal::Problem() const {
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
