#include "grantfs/util/kept_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

namespace grantfs {

namespace {

constexpr std::uint64_t kKeptLayout = 0x67726b6570743031;  // changes with the layout
constexpr std::uint32_t kMaxEntries = 1U << 18;
constexpr std::size_t kBlockBytes = 256;
constexpr std::size_t kPageBytes = 4096;

constexpr std::size_t RoundUp(std::size_t size, std::size_t unit) { return (size + unit - 1) / unit * unit; }

std::string IndexKey(std::uint32_t kind, ByteView key) {
  std::string text(reinterpret_cast<const char*>(&kind), sizeof kind);
  return text.append(AsText(key));
}

}  // namespace

struct KeptMemory::Layout {
  std::uint64_t layout = 0;
  std::uint64_t blocks = 0;
  std::atomic<std::uint32_t> entries{0};  ///< that were ever used: those behind them need no look
};

/// It counts from the moment that `state` says so, and that is the last thing to be written.
struct KeptMemory::Entry {
  std::atomic<std::uint32_t> state{0};  ///< 1: counts
  std::uint32_t kind = 0;
  std::uint32_t key_bytes = 0;
  std::uint32_t value_bytes = 0;
  std::uint32_t first_block = 0;
  std::uint32_t block_count = 0;
  std::uint64_t sequence =
      0;  ///< of two with one key, which a death between two steps of Put leaves, the higher counts
};

Result<UniqueFd> KeptMemory::Make(std::size_t bytes) {
  UniqueFd fd(memfd_create("grantfs-kept", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  const std::size_t table = TableBytes();
  const std::size_t data = RoundUp(bytes, kPageBytes);
  if (!fd || ftruncate(fd.get(), static_cast<off_t>(table + data)) != 0 ||
      fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return Error{Code::kIo, "cannot make memory that outlives a process", errno, {}};
  Layout layout;
  layout.layout = kKeptLayout;
  layout.blocks = data / kBlockBytes;
  if (pwrite(fd.get(), &layout, sizeof layout, 0) != static_cast<ssize_t>(sizeof layout))
    return Error{Code::kIo, "cannot make memory that outlives a process", errno, {}};
  return fd;
}

std::size_t KeptMemory::TableBytes() { return kPageBytes + RoundUp(kMaxEntries * sizeof(Entry), kPageBytes); }

Error KeptMemory::NotOurs() { return {Code::kInvalid, "this is no kept memory of this program", 0, {}}; }

Result<std::size_t> KeptMemory::SizeOf(int fd) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return Error{Code::kIo, "cannot look at the kept memory", errno, {}};
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size < TableBytes()) return NotOurs();
  return size;
}

bool KeptMemory::IsOurs(const Layout& layout, std::size_t size) {
  return layout.layout == kKeptLayout && layout.blocks <= (size - TableBytes()) / kBlockBytes &&
         layout.entries <= kMaxEntries;
}

Status KeptMemory::Check(int fd) {
  const std::size_t size = GRANTFS_TRY(SizeOf(fd));
  Layout layout;
  if (pread(fd, &layout, sizeof layout, 0) != static_cast<ssize_t>(sizeof layout) || !IsOurs(layout, size))
    return NotOurs();
  return {};
}

Result<std::unique_ptr<KeptMemory>> KeptMemory::Attach(int fd) {
  std::unique_ptr<KeptMemory> kept(new KeptMemory);
  kept->size_ = GRANTFS_TRY(SizeOf(fd));
  void* memory = mmap(nullptr, kept->size_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return Error{Code::kIo, "cannot map the kept memory", errno, {}};
  kept->memory_ = static_cast<std::uint8_t*>(memory);
  kept->layout_ = reinterpret_cast<Layout*>(kept->memory_);
  kept->entries_ = reinterpret_cast<Entry*>(kept->memory_ + kPageBytes);
  kept->blocks_ = kept->memory_ + TableBytes();
  if (!IsOurs(*kept->layout_, kept->size_)) return NotOurs();
  kept->TakeOver();
  return kept;
}

KeptMemory::~KeptMemory() {
  if (memory_ != nullptr) munmap(memory_, size_);
}

bool KeptMemory::IsSound(const Entry& entry) const {
  const std::size_t bytes = std::size_t{entry.key_bytes} + entry.value_bytes;
  return entry.key_bytes <= kMaxKeyBytes && entry.value_bytes <= kMaxValueBytes &&
         bytes <= entry.block_count * kBlockBytes &&
         std::uint64_t{entry.first_block} + entry.block_count <= layout_->blocks;
}

void KeptMemory::TakeOver() {
  for (std::uint32_t i = 0; i < layout_->entries; ++i) {
    Entry& entry = entries_[i];
    if (entry.state.load(std::memory_order_acquire) != 1 || !IsSound(entry)) {
      entry.state = 0;
      free_entries_.push_back(i);
      continue;
    }
    next_sequence_ = std::max(next_sequence_, entry.sequence + 1);
    auto [found, is_new] = index_.emplace(IndexKey(entry.kind, KeyOf(entry)), i);
    if (is_new) continue;
    const bool newer = entry.sequence > entries_[found->second].sequence;
    const std::uint32_t loser = newer ? std::exchange(found->second, i) : i;
    entries_[loser].state = 0;
    free_entries_.push_back(loser);
  }
  FindFreeBlocks();
}

void KeptMemory::FindFreeBlocks() {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> used;
  used.reserve(index_.size());
  for (const auto& [key, i] : index_) used.emplace_back(entries_[i].first_block, entries_[i].block_count);
  std::sort(used.begin(), used.end());
  std::uint32_t next = 0;
  for (const auto& [first, count] : used) {
    if (first > next) free_blocks_[next] = first - next;
    next = std::max(next, first + count);
  }
  const auto blocks = static_cast<std::uint32_t>(layout_->blocks);
  if (next < blocks) free_blocks_[next] = blocks - next;
}

ByteView KeptMemory::KeyOf(const Entry& entry) const {
  return {blocks_ + std::size_t{entry.first_block} * kBlockBytes, entry.key_bytes};
}

ByteView KeptMemory::ValueOf(const Entry& entry) const {
  return {blocks_ + std::size_t{entry.first_block} * kBlockBytes + entry.key_bytes, entry.value_bytes};
}

std::optional<std::uint32_t> KeptMemory::TakeBlocks(std::uint32_t count) {
  for (auto at = free_blocks_.begin(); at != free_blocks_.end(); ++at) {
    const auto [first, free] = *at;
    if (free < count) continue;
    if (free == count) {
      free_blocks_.erase(at);
    } else {  // what is left begins later, and still before the next
      auto rest = free_blocks_.extract(at);
      rest.key() = first + count;
      rest.mapped() = free - count;
      free_blocks_.insert(std::move(rest));
    }
    return first;
  }
  return std::nullopt;
}

void KeptMemory::ReturnBlocks(std::uint32_t first, std::uint32_t count) {
  auto after = free_blocks_.lower_bound(first);
  if (after != free_blocks_.end() && after->first == first + count) {
    count += after->second;
    after = free_blocks_.erase(after);
  }
  if (after != free_blocks_.begin()) {
    auto before = std::prev(after);
    if (before->first + before->second == first) {
      before->second += count;
      return;
    }
  }
  free_blocks_[first] = count;
}

std::optional<std::uint32_t> KeptMemory::TakeEntry() {
  if (!free_entries_.empty()) {
    const std::uint32_t entry = free_entries_.back();
    free_entries_.pop_back();
    return entry;
  }
  const std::uint32_t entry = layout_->entries;
  if (entry >= kMaxEntries) return std::nullopt;
  layout_->entries = entry + 1;
  return entry;
}

/// From here on it does not count; only then may its room be used anew.
void KeptMemory::Drop(std::uint32_t index) {
  Entry& entry = entries_[index];
  entry.state.store(0, std::memory_order_seq_cst);
  ReturnBlocks(entry.first_block, entry.block_count);
  free_entries_.push_back(index);
}

Status KeptMemory::Put(std::uint32_t kind, ByteView key, ByteView value) {
  if (key.size() > kMaxKeyBytes || value.size() > kMaxValueBytes)
    return Error{Code::kInvalid, "too large for the kept memory", 0, std::to_string(value.size())};
  const std::lock_guard lock(mutex_);
  const std::size_t bytes = std::max<std::size_t>(key.size() + value.size(), 1);
  const auto count = static_cast<std::uint32_t>(RoundUp(bytes, kBlockBytes) / kBlockBytes);
  const auto first = TakeBlocks(count);
  const auto index = first ? TakeEntry() : std::nullopt;
  if (!index) {
    if (first) ReturnBlocks(*first, count);
    return Error{Code::kNoSpace, "the memory that outlives a worker is full", 0, {}};
  }
  Entry& entry = entries_[*index];
  std::uint8_t* at = blocks_ + std::size_t{*first} * kBlockBytes;
  std::copy(key.begin(), key.end(), at);
  std::copy(value.begin(), value.end(), at + key.size());
  entry.kind = kind;
  entry.key_bytes = static_cast<std::uint32_t>(key.size());
  entry.value_bytes = static_cast<std::uint32_t>(value.size());
  entry.first_block = *first;
  entry.block_count = count;
  entry.sequence = next_sequence_++;
  entry.state.store(1, std::memory_order_seq_cst);
  auto [found, is_new] = index_.emplace(IndexKey(kind, key), *index);
  if (!is_new) Drop(std::exchange(found->second, *index));
  return {};
}

std::optional<Bytes> KeptMemory::Get(std::uint32_t kind, ByteView key) const {
  const std::lock_guard lock(mutex_);
  const auto found = index_.find(IndexKey(kind, key));
  if (found == index_.end()) return std::nullopt;
  return ToBytes(ValueOf(entries_[found->second]));
}

bool KeptMemory::Has(std::uint32_t kind, ByteView key) const {
  const std::lock_guard lock(mutex_);
  return index_.contains(IndexKey(kind, key));
}

bool KeptMemory::Erase(std::uint32_t kind, ByteView key) {
  const std::lock_guard lock(mutex_);
  const auto found = index_.find(IndexKey(kind, key));
  if (found == index_.end()) return false;
  Drop(found->second);
  index_.erase(found);
  return true;
}

void KeptMemory::ForEach(std::uint32_t kind,
                         const std::function<void(ByteView key, ByteView value)>& visit) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, i] : index_) {
    if (entries_[i].kind == kind) visit(KeyOf(entries_[i]), ValueOf(entries_[i]));
  }
}

}  // namespace grantfs
