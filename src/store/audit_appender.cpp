#include <utility>

#include "audit_appender_internal.h"
#include "audit_body_internal.h"
#include "audit_nodes_internal.h"
#include "grantfs/crypto/merkle.h"
#include "grantfs/crypto/random.h"
#include "grantfs/tlog/checkpoint.h"
#include "grantfs/tlog/leaf.h"
#include "query_internal.h"
#include "server_state_internal.h"

namespace grantfs {

Status AuditAppender::Load() {
  const auto edge = GRANTFS_TRY(Query(database_, "SELECT edge FROM audit_tree").One(ReadBlob));
  if (edge) {
    auto tree = CompactTree::Parse(*edge);
    if (!tree)
      return Error{Code::kIntegrity, "the audit log's tree is damaged: restore a backup", 0,
                   database_.path()};
    tree_ = std::move(*tree);
  }
  const auto sizes =
      GRANTFS_TRY(Query(database_, "SELECT size FROM audit_checkpoints ORDER BY size DESC LIMIT ?1",
                        RowLimit(kRecentCheckpoints))
                      .All(ReadNumber));
  recent_.assign(sizes.rbegin(), sizes.rend());
  GRANTFS_CHECK(CheckTree());
  return FillNodes(database_, tree_.size());
}

// Leaves, tree and newest checkpoint were committed together, so a difference is damage, or somebody's work.
// Both ends alone are looked at, since counting reads every record; a gap between them is for `audit verify`
// to find.
Status AuditAppender::CheckTree() {
  const Error broken{
      Code::kIntegrity,
      "the audit log and its last checkpoint contradict each other: run 'grantfs audit verify --database' "
      "on it, and restore a backup",
      0, database_.path()};
  const auto leaves = GRANTFS_TRY(
      Query(database_,
            "SELECT (SELECT min(sequence) FROM audit_leaves), (SELECT max(sequence) + 1 FROM audit_leaves)")
          .One([](RowColumns& row) {
            const std::uint64_t first = row.Number();
            return first == 0 ? row.Number() : std::uint64_t{0};
          }));
  if (leaves != tree_.size()) return broken;
  if (tree_.size() == 0) return recent_.empty() ? Status() : broken;
  const auto text = GRANTFS_TRY(
      Query(database_, "SELECT checkpoint FROM audit_checkpoints ORDER BY size DESC LIMIT 1").One(ReadText));
  if (!text || !LoadKey()) return broken;
  const auto checkpoint = OpenCheckpoint(*text, key_->verify_key(), origin_);
  if (!checkpoint || checkpoint->size != tree_.size() || checkpoint->root != tree_.Root()) return broken;
  return {};
}

Status AuditAppender::LoadKey() {
  if (key_) return {};
  auto server = GRANTFS_TRY(LoadServerState(database_));
  if (!server) return Error{Code::kConflict, "the audit log has no key yet", 0, database_.path()};
  key_ = GRANTFS_TRY(SigningKey::FromSeed(server->log_seed));
  origin_ = std::move(server->log_origin);
  return {};
}

void AuditAppender::ForgetKey() {
  key_.reset();
  key_changed_ = true;
}

void AuditAppender::Begin() {
  if (std::exchange(key_changed_, false)) key_.reset();
  pending_.clear();
}

// The key of a job that is undone may be among what it undoes. The others' checkpoint is signed anew all the
// same.
void AuditAppender::RollBackTo(std::size_t mark) {
  if (key_changed_) key_.reset();
  pending_.resize(mark);
}

Result<std::optional<std::uint64_t>> AuditAppender::FindOpen(ByteView open) {
  return Query(database_, "SELECT sequence FROM audit_opens WHERE open = ?1", open).One(ReadNumber);
}

Result<std::uint64_t> AuditAppender::Append(const AuditRecord& record) {
  GRANTFS_CHECK(LoadKey());
  Bytes open;
  if (!record.open_id.empty()) {
    open = OpenKey(record);
    if (const auto first = GRANTFS_TRY(FindOpen(open))) return *first;
  }
  const std::string text = GRANTFS_TRY(BodyText(record));
  const std::uint64_t sequence = tree_.size() + pending_.size();
  GRANTFS_CHECK(Insert(record, text, sequence));
  if (!open.empty()) {
    GRANTFS_CHECK(
        database_.Run("INSERT INTO audit_opens VALUES (?1, ?2)", open, static_cast<std::int64_t>(sequence)));
  }
  return sequence;
}

Status AuditAppender::Insert(const AuditRecord& record, const std::string& text, std::uint64_t sequence) {
  const Bytes salt = RandomBytes(kBodySaltBytes);
  const Hash body = GRANTFS_TRY(SaltedBodyHash(salt, AsBytes(text)));
  const Bytes leaf = GRANTFS_TRY(EncodeLeaf({sequence, record.time_ms, record.severity, record.type, body}));
  const Hash hash = MerkleLeafHash(leaf);
  const auto key = static_cast<std::int64_t>(sequence);
  GRANTFS_CHECK(database_.Run("INSERT INTO audit_leaves VALUES (?1, ?2, ?3)", key, leaf, hash.View()));
  AuditNames names = NamesOf(record.body);
  if (!record.environment.empty()) names.environment = record.environment;
  GRANTFS_CHECK(database_.Run("INSERT INTO audit_bodies VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                              key, salt, text, record.time_ms, Stored(record.severity), names.environment,
                              names.object, names.actor, record.type, names.outcome));
  GRANTFS_CHECK(NoteTime(sequence, record.time_ms));
  pending_.push_back(hash);
  return {};
}

// Clocks go back, so that of the times of a span's records only the ends are known.
Status AuditAppender::NoteTime(std::uint64_t sequence, std::int64_t time_ms) {
  return database_.Run(
      "INSERT INTO audit_spans VALUES (?1, ?2, ?2) ON CONFLICT (span) DO UPDATE SET "
      "first_ms = min(first_ms, excluded.first_ms), last_ms = max(last_ms, excluded.last_ms)",
      static_cast<std::int64_t>(sequence / kAuditSpan), time_ms);
}

Status AuditAppender::Finish() {
  next_ = tree_;
  for (const Hash& leaf : pending_) {
    next_.Append(leaf);
    GRANTFS_CHECK(AddNodes(database_, next_.size()));
  }
  const bool sign = !pending_.empty() || (key_changed_ && next_.size() > 0);
  return sign ? SaveCheckpoint() : Status();
}

Status AuditAppender::SaveCheckpoint() {
  GRANTFS_CHECK(LoadKey());
  const std::string text = GRANTFS_TRY(SignCheckpoint(*key_, {origin_, next_.size(), next_.Root()}));
  const auto size = static_cast<std::int64_t>(next_.size());
  GRANTFS_CHECK(
      database_.Run("INSERT OR REPLACE INTO audit_tree VALUES (1, ?1, ?2)", size, next_.Serialize()));
  GRANTFS_CHECK(database_.Run("INSERT OR REPLACE INTO audit_checkpoints VALUES (?1, ?2)", size, text));
  return PruneCheckpoints();
}

Status AuditAppender::PruneCheckpoints() {
  if (recent_.size() < kRecentCheckpoints) return {};
  const auto block = [](std::uint64_t size) { return (size - 1) / kCheckpointBlock; };
  if (block(recent_[0]) != block(recent_[1])) return {};
  return database_.Run("DELETE FROM audit_checkpoints WHERE size = ?1",
                       static_cast<std::int64_t>(recent_[0]));
}

void AuditAppender::Committed() {
  key_changed_ = false;
  pending_.clear();
  if (next_.size() == tree_.size()) return;
  recent_.push_back(next_.size());
  if (recent_.size() > kRecentCheckpoints) recent_.pop_front();
  tree_ = std::move(next_);
}

}  // namespace grantfs
