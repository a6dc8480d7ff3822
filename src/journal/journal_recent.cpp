#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "grantfs/util/file.h"
#include "grantfs/util/mapped_copy.h"
#include "grantfs/util/text.h"
#include "grantfs/util/unique_fd.h"
#include "journal_recent_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kBytes = 2 * JournalRecent::kHalfBytes;
/// In front of a half's entries: how many bytes of them count.
constexpr std::size_t kUsedBytes = sizeof(std::uint64_t);

/// Of what stands in front of each entry, so that a line is one that can be parsed: it has no place in the
/// chain yet, and names itself where others name the line before.
const std::string kHead = ChainedText(1, Hash(), "");
const std::size_t kHashAt = kHead.find(Hash().Hex());

std::string RecentPath(const std::string& directory, const std::string& id) {
  return directory + "/" + id + kRecentSuffix;
}

}  // namespace

std::unique_ptr<JournalRecent> JournalRecent::Create(const std::string& directory, const std::string& id) {
  const std::string path = RecentPath(directory, id);
  struct stat info {};
  if (::stat(directory.c_str(), &info) != 0 || info.st_uid != ::geteuid()) return nullptr;
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) return nullptr;
  // With its room on the disk: a mapping of what has none would end the process when that is full.
  void* memory = MAP_FAILED;
  if (::posix_fallocate(fd.get(), 0, static_cast<off_t>(kBytes)) == 0)
    memory = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (memory != MAP_FAILED)
    return std::unique_ptr<JournalRecent>(new JournalRecent(static_cast<std::uint8_t*>(memory)));
  ::unlink(path.c_str());
  return nullptr;
}

JournalRecent::~JournalRecent() { ::munmap(memory_, kBytes); }

// A power cut may leave anything here, also what was sent long ago: the vault knows that by its opens' ids.
Result<std::vector<JournalEntry>> JournalRecent::Left(const std::string& directory, const std::string& id) {
  std::vector<JournalEntry> left;
  auto content = ReadFile(RecentPath(directory, id), kBytes);
  if (!content && content.error().code == Code::kNotFound) return left;
  if (!content) return content.error();
  content->resize(kBytes);  // one that was cut short has what is in front of that
  for (std::size_t at = 0; at < kBytes; at += kHalfBytes) {
    std::uint64_t used = 0;
    std::memcpy(&used, content->data() + at, sizeof used);
    const std::string_view half = AsText(
        ByteView(*content).subspan(at + kUsedBytes, std::min<std::uint64_t>(used, kHalfBytes - kUsedBytes)));
    for (const std::string_view line : Split(half, '\n')) {
      auto entry = JournalEntry::Parse(line);
      if (entry && entry->previous == JournalHash(line.substr(kHead.size())))
        left.push_back(*std::move(entry));
    }
  }
  return left;
}

void JournalRecent::Remove(const std::string& directory, const std::string& id) {
  ::unlink(RecentPath(directory, id).c_str());
}

std::string_view JournalRecent::LineOf(const JournalEntry& entry) {
  thread_local std::string line;
  line = kHead;
  entry.AppendUnchained(&line);
  const std::string hash = JournalHash(std::string_view(line).substr(kHead.size())).Hex();
  hash.copy(line.data() + kHashAt, hash.size());
  line.push_back('\n');
  return line;
}

// The bytes before they count: whoever finds them when this process has ended finds whole entries.
bool JournalRecent::Put(std::string_view line) {
  std::string& put = put_[half_];
  if (lost_ || put.size() + line.size() > kHalfBytes - kUsedBytes) return false;
  Write(half_ * kHalfBytes + kUsedBytes + put.size(), line.data(), line.size());
  SetUsed(half_, put.size() + line.size());
  if (lost_) return false;
  put += line;
  ++counts_[half_];
  return true;
}

std::vector<std::string_view> JournalRecent::Entries(bool of_both_halves) const {
  std::vector<std::string_view> entries;
  for (const unsigned half : {half_ ^ 1, half_}) {
    if (half == half_ && !of_both_halves) break;
    std::string_view rest = put_[half];
    for (std::size_t end = 0; (end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(end + 1))
      entries.push_back(rest.substr(kHead.size(), end - kHead.size()));
  }
  return entries;
}

// A file that another process cut off, or a full disk on which what is there is written anew (copy on write)
// though it has its room, would end this one.
void JournalRecent::Write(std::size_t at, const void* bytes, std::size_t size) {
  if (!lost_ && !CopyIntoMapped(memory_ + at, bytes, size)) lost_ = true;
}

void JournalRecent::SetUsed(unsigned half, std::size_t bytes) {
  const std::uint64_t used = bytes;
  std::atomic_thread_fence(std::memory_order_release);
  Write(half * kHalfBytes, &used, sizeof used);
}

// What cannot be cleared in the file any more is there and in the journal: the vault knows the opens again.
void JournalRecent::Clear(unsigned half) {
  SetUsed(half, 0);
  put_[half].clear();
  counts_[half] = 0;
}

void JournalRecent::ClearAll() {
  Clear(0);
  Clear(1);
}

}  // namespace grantfs
