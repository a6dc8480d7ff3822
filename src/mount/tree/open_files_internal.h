#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "grantfs/crypto/secret.h"
#include "grantfs/util/clock.h"
#include "grantfs/util/result.h"
#include "mount/base/node_id_internal.h"
#include "mount/tree/tree_internal.h"

namespace grantfs {

/// The plaintext of a version, which all that have it open share: it takes locked memory once, and is wiped
/// with the last of them. Threads: safe.
class OpenValue {
 public:
  /// Opened by the process before this one, and not read since: there is none yet.
  OpenValue() = default;
  explicit OpenValue(SecretValue value) : value_(std::move(value)) {}

  /// The bytes, which stay for as long as this lives.
  ///
  /// @param reopen  makes the value where there is none. Runs on one thread at a time, until it succeeds.
  /// Errors: those of `reopen`.
  Result<std::span<const std::uint8_t>> Bytes(const std::function<Result<SecretValue>()>& reopen);
  /// Takes the value of another one, if it has none itself. Never waits.
  void TakeFrom(OpenValue* other);

 private:
  std::mutex mutex_;
  std::optional<SecretValue> value_;
};

/// The time of day since a file was opened, which never goes back: a clock that is set back lets nobody read
/// on for longer.
class OpenClock {
 public:
  explicit OpenClock(const Clock* clock = &SystemClock())
      : clock_(clock), ahead_(clock->WallMilliseconds() - Boot()) {}
  /// Unix seconds.
  std::int64_t Seconds() const { return std::max(clock_->WallSeconds(), (Boot() + ahead_) / 1000); }

 private:
  std::int64_t Boot() const { return std::chrono::floor<std::chrono::milliseconds>(clock_->Boot()).count(); }
  const Clock* clock_;
  std::int64_t ahead_;  ///< of CLOCK_BOOTTIME, in milliseconds
};

/// What one open(2) returned: a version's plaintext or the text of a report.
struct OpenFile {
  NodeId node = 0;
  std::uint32_t version = 0;
  bool bound = false;                         ///< opened through a node that shows changing versions
  std::string name;                           ///< for messages
  FileAttributes attributes;                  ///< of the node when it was opened
  std::shared_ptr<OpenValue> value;           ///< null for a report
  std::shared_ptr<const std::string> report;  ///< null for a secret
  std::string evidence;      ///< SecretSource::Reopen makes the value of it again; no plaintext
  std::uint64_t unique = 0;  ///< of the OPEN
  std::uint32_t opener = 0;  ///< the user that opened it
  OpenClock clock;
  bool kept = false;                        ///< in the memory that outlives this process
  mutable std::atomic<bool> cached{false};  ///< the kernel asked for pages by it, and may keep them
};

class KeptFiles;

/// The open files by the number that the kernel names them with. Threads: safe.
class OpenFiles {
 public:
  /// One user has no more open than this: what is open takes memory, of this worker and of those that follow.
  static constexpr std::size_t kMostOfOneUser = 4096;
  /// Of the memory that outlives this process, open reports take no more than so much, whoever opens however
  /// many: the rest is for what secrets need. Those that find no room end with this process.
  static constexpr std::size_t kMostKeptReports = 2048;
  static constexpr std::size_t kMostKeptReportBytes = std::size_t{8} << 20;

  /// @param kept gives the numbers, and keeps what the next process needs to go on. Outlives this.
  explicit OpenFiles(KeptFiles* kept) : kept_(kept) {}
  /// Whether a user has less open than he may. Opens that are under way do not count.
  bool MayOpen(std::uint32_t user) const;
  /// Those of one version share its plaintext.
  std::uint64_t Add(std::shared_ptr<OpenFile> file);
  /// Adds one that the process before this one had open.
  void Restore(std::uint64_t handle, std::shared_ptr<OpenFile> file);
  /// What an OPEN of the process before this one was, or would have been, answered with.
  std::optional<std::uint64_t> HandleOf(std::uint64_t unique) const;
  std::shared_ptr<const OpenFile> Find(std::uint64_t handle) const;
  /// @return the file; null if there is none.
  std::shared_ptr<const OpenFile> Remove(std::uint64_t handle);
  /// Those by which the kernel keeps pages.
  std::vector<std::shared_ptr<const OpenFile>> Cached() const;
  /// How many secrets are open.
  std::size_t Secrets() const;

  /// What a node looked like to whoever has it open; none if nobody has.
  std::optional<FileAttributes> AttributesOf(NodeId node) const;
  /// Whether somebody has it open as a bound node.
  bool IsOpenBound(NodeId node) const;

 private:
  std::shared_ptr<OpenValue> Share(const std::shared_ptr<OpenFile>& file);
  void Insert(std::uint64_t handle, std::shared_ptr<OpenFile> file);
  bool MayKeep(const OpenFile& file);
  void CountKept(const OpenFile& file);

  KeptFiles* kept_;
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::shared_ptr<const OpenFile>> files_;
  std::size_t kept_reports_ = 0;
  std::size_t kept_report_bytes_ = 0;
  std::unordered_map<std::uint64_t, std::uint64_t> restored_;  // unique of the OPEN -> handle
  std::unordered_map<NodeId, std::pair<std::weak_ptr<OpenValue>, std::size_t>>
      versions_;  // and how many are open
  std::unordered_map<std::uint32_t, std::size_t> of_user_;
};

}  // namespace grantfs
