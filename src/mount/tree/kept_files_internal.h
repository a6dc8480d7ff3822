#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "grantfs/util/kept_memory.h"
#include "mount/base/line_limiter_internal.h"
#include "mount/base/node_id_internal.h"

namespace grantfs {

struct OpenFile;

// The kinds of records in the memory that outlives a worker. A number is never used for another kind; 16 and
// more are the source's.
inline constexpr std::uint32_t kKeptHandle = 1;      ///< handle -> node, version, looks, ...
inline constexpr std::uint32_t kKeptEvidence = 2;    ///< node of a version -> what SecretSource::Reopen needs
inline constexpr std::uint32_t kKeptReport = 3;      ///< handle -> the text of an open report
inline constexpr std::uint32_t kKeptDirectory = 4;   ///< path -> node
inline constexpr std::uint32_t kKeptBound = 5;       ///< node -> (nothing)
inline constexpr std::uint32_t kKeptShown = 6;       ///< secret's number -> what is shown of it (kept_shown)
inline constexpr std::uint32_t kKeptShownWhole = 7;  ///< "" -> (nothing): those are all
inline constexpr std::uint32_t kKeptChanged =
    8;  ///< path -> (nothing): the command on changes has yet to run
inline constexpr std::uint32_t kKeptDenial =
    10;  ///< its number -> a refusal, reported or not (9: as it was once)
inline constexpr std::uint32_t kKeptDenialReport = 11;  ///< the same number -> the report of it under way

/// Keeps what a worker has open for the one that follows it: ciphertexts and sealed keys, never a plaintext.
/// Threads: as said of each.
class KeptFiles {
 public:
  /// @param kept null: nothing is kept.
  /// @param next_handle shared by all workers of the mount.
  KeptFiles(KeptMemory* kept, std::atomic<std::uint64_t>* next_handle) : kept_(kept), next_(next_handle) {}

  std::uint64_t NewHandle() { return (*next_)++; }
  /// Threads: one at a time, with Forget. What finds no room is served all the same, and ends with this
  /// worker.
  void Keep(std::uint64_t handle, const OpenFile& file);
  /// @param last no other handle of that version is open.
  void Forget(std::uint64_t handle, const OpenFile& file, bool last);

  /// The same for whoever knows the handle alone, or only the number of its OPEN; nothing where there is
  /// none. The rest goes when the next worker takes over.
  void Forget(std::uint64_t handle);
  void ForgetOpen(std::uint64_t unique);

  /// What SecretSource::Reopen makes the value of an open file of; "" if it was not kept. Threads: safe.
  std::string EvidenceOf(const OpenFile& file) const;

  /// Threads: safe.
  void KeepBound(NodeId node, bool bound);

  /// Whether another worker was before this one. Threads, from here on: before there are several.
  bool TookOver() const { return kept_ != nullptr && *next_ > 1; }
  /// What it had open: values are made when they are read, so that a take-over takes no longer for what is
  /// open. Takes away what belongs to none of it.
  std::vector<std::pair<std::uint64_t, std::shared_ptr<OpenFile>>> OpenFiles();
  std::vector<NodeId> BoundNodes() const;

 private:
  KeptMemory* kept_;
  std::atomic<std::uint64_t>* next_;
  LineLimiter limiter_;
};

}  // namespace grantfs
