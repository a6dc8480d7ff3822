#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "grantfs/util/bytes.h"
#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {

/// A map (kind, key) -> value in memory that outlives the process which writes it: a memfd that another
/// process holds. However that process ends, the next one finds each record as it was before the last Put or
/// Erase, or after it; never half.
///
/// One process writes at a time; the next attaches when that one has ended. For bytes that may lie in plain
/// memory: no secret. Threads: safe.
class KeptMemory {
 public:
  static constexpr std::size_t kMaxKeyBytes = 4096;
  static constexpr std::size_t kMaxValueBytes = std::size_t{2} << 20;

  /// A new, empty memory for at most so many bytes of keys and values. It takes room as it is used.
  /// Errors: kIo.
  static Result<UniqueFd> Make(std::size_t bytes);
  /// Whether Attach would take it, without a change to it: another process may still write there.
  /// Errors: as Attach.
  static Status Check(int fd);
  /// Takes over what is there. Errors: kInvalid (not made by Make of this layout), kIo.
  static Result<std::unique_ptr<KeptMemory>> Attach(int fd);
  KeptMemory(const KeptMemory&) = delete;
  KeptMemory& operator=(const KeptMemory&) = delete;
  ~KeptMemory();

  /// Adds or replaces. Errors: kNoSpace (what was there stays), kInvalid (too large).
  Status Put(std::uint32_t kind, ByteView key, ByteView value);
  std::optional<Bytes> Get(std::uint32_t kind, ByteView key) const;
  bool Has(std::uint32_t kind, ByteView key) const;
  /// @return false if there was none.
  bool Erase(std::uint32_t kind, ByteView key);
  /// In no order. `visit` must not call this object.
  void ForEach(std::uint32_t kind, const std::function<void(ByteView key, ByteView value)>& visit) const;

 private:
  struct Layout;
  struct Entry;

  KeptMemory() = default;
  static std::size_t TableBytes();
  static Error NotOurs();
  static Result<std::size_t> SizeOf(int fd);
  static bool IsOurs(const Layout& layout, std::size_t size);
  void TakeOver();
  bool IsSound(const Entry& entry) const;
  ByteView KeyOf(const Entry& entry) const;
  ByteView ValueOf(const Entry& entry) const;
  std::optional<std::uint32_t> TakeBlocks(std::uint32_t count);
  void ReturnBlocks(std::uint32_t first, std::uint32_t count);
  std::optional<std::uint32_t> TakeEntry();
  void Drop(std::uint32_t index);
  void FindFreeBlocks();

  mutable std::mutex mutex_;
  std::uint8_t* memory_ = nullptr;
  std::size_t size_ = 0;
  Layout* layout_ = nullptr;
  Entry* entries_ = nullptr;
  std::uint8_t* blocks_ = nullptr;
  std::uint64_t next_sequence_ = 1;
  std::unordered_map<std::string, std::uint32_t> index_;  // kind and key -> entry
  std::map<std::uint32_t, std::uint32_t> free_blocks_;    // first -> count
  std::vector<std::uint32_t> free_entries_;
};

}  // namespace grantfs
