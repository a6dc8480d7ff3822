#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "grantfs/util/file.h"
#include "grantfs/util/text.h"
#include "journal_counts_internal.h"
#include "journal_file_internal.h"

namespace grantfs {
namespace {

/// A slot never crosses a page, so a kill never tears one.
constexpr std::size_t kSlotBytes = 1024;
constexpr std::size_t kSlots = 1024;
/// Of a slot, at least, for the ids of opens: more of one slot than fit are not answered at once.
constexpr std::size_t kOpensBytes = 256;
constexpr std::int64_t kMinuteMs = 60'000;
/// With the ids of opens that others counted: far more than one process answers at a time.
constexpr std::size_t kCarrySlots = 32;

std::string CountsPath(const std::string& directory, const std::string& id) {
  return directory + "/" + id + kCountsSuffix;
}

/// The slots of an ended process's file: an entry or nothing, and the line behind it.
Result<std::vector<std::pair<std::string, std::string>>> SlotsLeft(const std::string& directory,
                                                                   const std::string& id) {
  std::vector<std::pair<std::string, std::string>> slots;
  const auto content = ReadFile(CountsPath(directory, id), kSlots * kSlotBytes);
  if (!content && content.error().code == Code::kNotFound) return slots;
  if (!content) return content.error();
  const std::string text = ToText(*content);
  for (std::size_t at = 0; at < text.size(); at += kSlotBytes) {
    const std::string slot = text.substr(at, kSlotBytes);
    const std::size_t end = std::min(slot.find('\n'), slot.size());
    slots.emplace_back(slot.substr(0, end), slot.substr(std::min(end + 1, slot.size())));
  }
  return slots;
}

/// As many as fit, the newest at least.
std::string OpensText(std::deque<std::string>* opens, std::size_t room) {
  std::string text;
  std::size_t fit = 0;
  for (auto open = opens->rbegin(); open != opens->rend(); ++open, ++fit) {
    if (text.size() + open->size() + 1 > room) break;
    text += *open + ' ';
  }
  opens->erase(opens->begin(), opens->end() - static_cast<std::ptrdiff_t>(fit));
  return text;
}

}  // namespace

Result<std::unique_ptr<JournalCounts>> JournalCounts::Create(const std::string& directory,
                                                             const std::string& id) {
  std::unique_ptr<JournalCounts> counts(new JournalCounts(CountsPath(directory, id), id));
  UniqueFd fd(::open(counts->path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) {
    return Error{Code::kUnrecorded, "the read cannot be counted: look at the disk that the home is on", errno,
                 PathForMessages(counts->path_)};
  }
  GiveToOwnerOf(directory, fd.get());
  counts->fd_ = std::make_shared<const UniqueFd>(std::move(fd));
  for (std::size_t slot = 0; slot < kSlots; ++slot) counts->free_.push_back(slot);
  return counts;
}

Result<std::vector<JournalEntry>> JournalCounts::Left(const std::string& directory, const std::string& id) {
  std::vector<JournalEntry> left;
  for (const auto& [text, opens] : GRANTFS_TRY(SlotsLeft(directory, id))) {
    const auto entry = JournalEntry::Parse(text);
    if (entry) left.push_back(*entry);
  }
  return left;
}

std::vector<std::string> JournalCounts::OpensLeft(const std::string& directory, const std::string& id) {
  std::vector<std::string> left;
  const auto slots = SlotsLeft(directory, id);
  if (!slots) return left;  // Left says what is wrong with it
  std::vector<std::vector<std::string_view>> of_slots;
  for (const auto& [text, opens] : *slots) {
    of_slots.push_back(Split(opens, ' '));
    std::erase_if(of_slots.back(), [](std::string_view open) { return open.empty(); });
  }
  for (std::size_t place = 0, found = 1; found > 0; ++place) {
    found = 0;
    for (const auto& opens : of_slots) {
      if (place >= opens.size()) continue;
      left.emplace_back(opens[place]);
      ++found;
    }
  }
  return left;
}

void JournalCounts::Remove(const std::string& directory, const std::string& id) {
  ::unlink(CountsPath(directory, id).c_str());
}

Result<JournalCounts::Counted> JournalCounts::Add(const JournalEntry& read) {
  const JournalCaller& caller = read.caller;
  const Key key(read.time_ms / kMinuteMs, read.secret, read.version, caller.uid, caller.gid,
                caller.executable, caller.cgroup);
  const auto found = slots_.find(key);
  if (found == slots_.end() && free_.empty()) return Counted::kNoRoom;
  Over over;
  if (found != slots_.end()) {
    over = found->second;
    ++over.entry.count;
    over.entry.last_ms = std::max(over.entry.last_ms, read.time_ms);
  } else {
    over = {free_.front(), read, {}};
    over.entry.sequence = 1;  // it has none yet
    over.entry.caller.pid = 0;
    over.entry.count = 1;
    over.entry.last_ms = read.time_ms;
    over.entry.open = id_ + "-" + std::to_string(next_);
  }
  std::string text = over.entry.Text() + "\n";
  if (text.size() > kSlotBytes - kOpensBytes) return Counted::kNoRoom;
  over.opens.push_back(read.open);
  text += OpensText(&over.opens, kSlotBytes - text.size());
  GRANTFS_CHECK(Write(over.slot, text));
  if (found != slots_.end()) {
    found->second = std::move(over);
  } else {
    ++next_;
    free_.pop_front();
    slots_.emplace(key, std::move(over));
  }
  return Counted::kYes;
}

Status JournalCounts::Carry(std::vector<std::string> opens) {
  auto next = opens.begin();
  for (std::size_t i = 0; i < kCarrySlots && next != opens.end() && !free_.empty(); ++i) {
    std::string text = "\n";
    for (; next != opens.end() && text.size() + next->size() < kSlotBytes; ++next) text += *next + ' ';
    GRANTFS_CHECK(Write(free_.front(), text));
    free_.push_back(free_.front());  // to be used last
    free_.pop_front();
  }
  return {};
}

Status JournalCounts::WriteAgain() {
  for (auto& [key, over] : slots_) {
    std::string text = over.entry.Text() + "\n";
    text += OpensText(&over.opens, kSlotBytes - text.size());
    GRANTFS_CHECK(Write(over.slot, text));
  }
  return {};
}

Status JournalCounts::Write(std::size_t slot, const std::string& text) {
  std::string whole = text;
  whole.resize(kSlotBytes, ' ');
  ssize_t written = -1;
  do {
    written = ::pwrite(fd_->get(), whole.data(), whole.size(), static_cast<off_t>(slot * kSlotBytes));
  } while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(whole.size())) return {};
  const int sys = written < 0 ? errno : ENOSPC;
  return Error{Code::kUnrecorded,
               sys == ENOSPC || sys == EDQUOT
                   ? "the disk is full, so the read cannot be recorded: make room"
                   : "the read cannot be recorded: look at the disk that the home is on",
               sys, PathForMessages(path_)};
}

std::vector<JournalCounts::Over> JournalCounts::OverAt(std::int64_t now_ms) const {
  std::vector<Over> over;
  for (const auto& [key, slot] : slots_)
    if (std::get<0>(key) != now_ms / kMinuteMs) over.push_back(slot);
  return over;
}

std::vector<JournalCounts::Over> JournalCounts::All() const {
  std::vector<Over> all;
  for (const auto& [key, slot] : slots_) all.push_back(slot);
  return all;
}

// A slot that cannot be emptied on the disk counts on; its id keeps it from being recorded twice.
void JournalCounts::Free(std::size_t slot) {
  for (auto at = slots_.begin(); at != slots_.end(); ++at) {
    if (at->second.slot != slot) continue;
    const std::string opens = OpensText(&at->second.opens, kSlotBytes - 1);
    slots_.erase(at);
    if (Write(slot, "\n" + opens)) free_.push_back(slot);
    return;
  }
}

}  // namespace grantfs
