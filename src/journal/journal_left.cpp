#include <unistd.h>

#include <cerrno>
#include <unordered_set>
#include <utility>

#include "grantfs/log/log.h"
#include "grantfs/util/file.h"
#include "running_journal_internal.h"

// What ended processes have left. It may be much, and nobody waits for it: what is read and written here is
// nobody else's yet, and only in the end it is this journal's.

namespace grantfs {
namespace {

using Ticks = std::chrono::steady_clock;

constexpr std::chrono::seconds kLookForLeft{2};

/// What is in the file already goes from the entries.
Status DropKnown(const JournalFile& file, std::vector<JournalEntry>* entries) {
  if (entries->empty()) return {};
  std::unordered_set<std::string> opens, known;
  for (const JournalEntry& entry : *entries) opens.insert(entry.open);
  GRANTFS_CHECK(file.ForEach([&](std::string_view text) {
    std::string open(OpenIn(text));
    if (opens.contains(open)) known.insert(std::move(open));
  }));
  std::erase_if(*entries, [&](const JournalEntry& entry) { return known.contains(entry.open); });
  return {};
}

}  // namespace

void RunningJournal::TakeLeft() {
  const std::lock_guard looking(left_mutex_);
  const auto now = Ticks::now();
  if (looked_ != Ticks::time_point{} && now - looked_ < kLookForLeft) return;
  looked_ = now;
  {
    const std::lock_guard files(files_mutex_);  // some may be this process's, a moment old
    for (const std::string& name : NamesIn(options_.directory, kNewSuffix))
      JournalFile::RemoveUnfinished(options_.directory + "/" + name);
  }
  for (const std::string& name : NamesIn(options_.directory, kJournalSuffix)) {
    const std::string id = name.substr(0, name.size() - (sizeof kJournalSuffix - 1));
    {
      const std::lock_guard files(files_mutex_);
      if ((own_ && own_->id() == id) || left_.contains(id)) continue;
    }
    if (const Status adopted = Adopt(name); !adopted) {
      const std::lock_guard lock(mutex_);
      damage_ = Describe(adopted.error());
    }
  }
}

/// In a journal of its own: where the one that it was to go to had come to is not known any more when all
/// of it was sent, or less of it is on the disk than was sent. What the vault has under the same place in a
/// chain it would take for this. @return nullptr: there is nothing.
Result<std::unique_ptr<JournalFile>> RunningJournal::WriteLast(const std::vector<JournalEntry>& last) {
  if (last.empty()) return std::unique_ptr<JournalFile>();
  auto file = GRANTFS_TRY(JournalFile::Create(options_.directory));
  Status written;
  for (const JournalEntry& entry : last)
    if (written) written = file->Append(entry);
  // What it stands in must not be gone before.
  if (written && ::fdatasync(file->fd()->get()) != 0)
    written = Error{Code::kIo, "a journal that was left behind cannot be written", errno,
                    PathForMessages(file->path())};
  if (written) written = SyncDirectoryOf(file->path());
  if (written) return file;
  file->Remove();
  return written.error();
}

/// An open that was counted and not answered yet is repeated by the process that comes next, and if that ends
/// too by the one after it: each has to know that it is counted.
Status RunningJournal::CarryOpens(std::vector<std::string> opens) {
  if (opens.empty()) return {};
  const std::lock_guard files(files_mutex_);
  GRANTFS_CHECK(Begin());
  const std::lock_guard lock(mutex_);
  if (!counts_) counts_ = GRANTFS_TRY(JournalCounts::Create(options_.directory, own_->id()));
  return counts_->Carry(std::move(opens));
}

void RunningJournal::Take(std::unique_ptr<JournalFile> file) {
  if (!file) return;
  const std::lock_guard files(files_mutex_);
  if (file->waiting() == 0)
    file->Remove();
  else
    left_.emplace(file->id(), std::move(file));
  NoteFiles();
}

Status RunningJournal::Adopt(const std::string& name) {
  auto file = GRANTFS_TRY(JournalFile::Adopt(options_.directory + "/" + name, signer()));
  if (!file) return {};
  if (!file->damage().empty()) {
    const std::lock_guard lock(mutex_);
    damage_ = PathForMessages(file->path()) + ": " + file->damage();
    Log(LogLevel::kWarning, "a journal of reads was left behind: " + damage_);
  }
  // What was recorded and counted last; an entry of it may be there already.
  auto last = GRANTFS_TRY(JournalRecent::Left(options_.directory, file->id()));
  for (auto& entry : GRANTFS_TRY(JournalCounts::Left(options_.directory, file->id())))
    last.push_back(std::move(entry));
  GRANTFS_CHECK(DropKnown(*file, &last));
  auto written = GRANTFS_TRY(WriteLast(last));
  const Status carried = CarryOpens(JournalCounts::OpensLeft(options_.directory, file->id()));
  if (!carried) {
    if (written) written->Remove();
    return carried;
  }
  JournalCounts::Remove(options_.directory, file->id());
  JournalRecent::Remove(options_.directory, file->id());
  Take(std::move(written));
  Take(std::move(file));
  return {};
}

}  // namespace grantfs
