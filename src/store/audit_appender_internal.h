#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "grantfs/crypto/keys.h"
#include "grantfs/sqlite/database.h"
#include "grantfs/store/audit.h"
#include "grantfs/tlog/tree.h"

namespace grantfs {

/// Which signed checkpoints are kept: the newest kRecentCheckpoints, and of the older ones the last in each
/// kCheckpointBlock records. They only narrow down where a bad record is; clients keep those that they saw.
inline constexpr std::size_t kRecentCheckpoints = 256;
inline constexpr std::uint64_t kCheckpointBlock = 4096;

/// For each so many records the ends of their times are kept, so that a search by time looks at few others.
inline constexpr std::uint64_t kAuditSpan = 4096;

/// The audit log of the writing connection: rows at once, tree and checkpoint at the end of a group.
/// Threads: the writer's.
class AuditAppender {
 public:
  explicit AuditAppender(Database& database) : database_(database) {}

  /// Reads the tree. Errors: kIntegrity if it is not the one that the newest checkpoint is of.
  Status Load();

  /// A transaction begins: what a former one left undone is forgotten.
  void Begin();
  /// How far the transaction has come, for a job that is undone.
  std::size_t mark() const { return pending_.size(); }
  void RollBackTo(std::size_t mark);
  /// Errors: kInvalid, kConflict (no key yet), and as the database's.
  Result<std::uint64_t> Append(const AuditRecord& record);
  /// Before the commit: the tree with the new records, and one checkpoint over it.
  Status Finish();
  /// After the commit.
  void Committed();
  /// The server's row is about to change.
  void ForgetKey();

 private:
  Status LoadKey();
  Status CheckTree();
  Result<std::optional<std::uint64_t>> FindOpen(ByteView open);
  Status Insert(const AuditRecord& record, const std::string& text, std::uint64_t sequence);
  Status NoteTime(std::uint64_t sequence, std::int64_t time_ms);
  Status SaveCheckpoint();
  Status PruneCheckpoints();

  Database& database_;
  CompactTree tree_;                  ///< as committed
  CompactTree next_;                  ///< as it will be
  std::vector<Hash> pending_;         ///< leaves of this transaction
  std::deque<std::uint64_t> recent_;  ///< sizes of the newest checkpoints, oldest first
  std::optional<SigningKey> key_;
  std::string origin_;
  bool key_changed_ = false;  ///< in this transaction
};

}  // namespace grantfs
