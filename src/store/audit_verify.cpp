#include "grantfs/store/audit_verify.h"

#include <algorithm>
#include <deque>

#include "audit_body_internal.h"
#include "grantfs/crypto/encoding.h"
#include "grantfs/crypto/merkle.h"
#include "grantfs/tlog/checkpoint.h"
#include "grantfs/tlog/leaf.h"
#include "grantfs/tlog/tree.h"
#include "grantfs/util/text.h"
#include "purge_ledger_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kBatch = 1000;

// What a checkpoint says, whoever wrote it: without the log's key nobody can tell more.
Result<Checkpoint> ReadUnsigned(std::string_view text) {
  const auto lines = Split(text, '\n');
  unsigned long long size = 0;
  if (lines.size() < 4 || !lines[3].empty() || !ParseNumber(lines[1], kMaxTreeSize, &size)) {
    return Error{Code::kInvalid, "a checkpoint is malformed"};
  }
  const Bytes root = GRANTFS_TRY(Base64Decode(lines[2], 32));
  return Checkpoint{std::string(lines[0]), size, GRANTFS_TRY(Hash::FromBytes(root))};
}

Result<Checkpoint> ReadCheckpoint(const std::string& text, const AuditAnchor& anchor) {
  return anchor.key ? OpenCheckpoint(text, *anchor.key, anchor.origin) : ReadUnsigned(text);
}

std::string BadColumns(const AuditEntry& entry, const LeafHeader& header) {
  const AuditColumns& columns = *entry.columns;
  if (columns.time_ms != header.time_ms) return "it is filed under another time than its header's";
  if (columns.severity != static_cast<int>(header.severity)) {
    return "it is filed under another severity than its header's";
  }
  const auto body = ParseJson(*entry.body);
  if (!body || !body->is(Json::Kind::kObject)) return "its body is no JSON object";
  const AuditNames names = NamesOf(*body);
  if (columns.environment != names.environment.value_or("")) {
    return "it is filed under another environment than its body's";
  }
  if (columns.object != names.object.value_or("")) return "it is filed under another object than its body's";
  if (columns.actor != names.actor.value_or("")) return "it is filed under another actor than its body's";
  if (!columns.typed) return "";
  if (columns.type != header.type) return "it is filed under another type than its header's";
  if (columns.outcome != names.outcome.value_or(""))
    return "it is filed under another outcome than its body's";
  return "";
}

std::string BadBody(const AuditEntry& entry, const LeafHeader& header) {
  if (!entry.salt) return "its body's salt is missing";
  const auto hash = SaltedBodyHash(*entry.salt, AsBytes(*entry.body));
  if (!hash || *hash != header.body) return "its body was altered";
  return entry.columns ? BadColumns(entry, header) : "";
}

// What is wrong with record `sequence`, as far as it tells by itself; "" if nothing is, and `header` is its.
std::string BadEntry(const AuditEntry& entry, std::uint64_t sequence, LeafHeader* read) {
  if (entry.sequence > sequence) return "it is missing";
  if (entry.sequence < sequence) return "another record stands in its place";
  if (entry.leaf_hash && *entry.leaf_hash != MerkleLeafHash(entry.leaf)) return "its header was altered";
  const auto header = ParseLeaf(entry.leaf);
  if (!header) return "its header is malformed";
  if (header->sequence != sequence) return "its header is that of record " + std::to_string(header->sequence);
  *read = *header;
  return entry.body ? BadBody(entry, *header) : "";
}

class Verifier {
 public:
  Verifier(AuditSource& source, const AuditAnchor& anchor)
      : source_(source), anchor_(anchor), remembered_(anchor.remembered) {
    std::sort(remembered_.begin(), remembered_.end(),
              [](const auto& a, const auto& b) { return a.size < b.size; });
  }

  Result<AuditVerdict> Run() {
    const auto text = GRANTFS_TRY(source_.Checkpoint());
    if (text) {
      ReadNewest(*text);
    } else {
      newest_.root = MerkleRoot({});
      verdict_.root = newest_.root;
    }
    if (!failed_) CheckShrunk();
    if (!failed_) {
      if (const auto problem = GRANTFS_TRY(purges_.Load(source_, newest_.size)))
        Fail(problem->record, problem->what);
    }
    if (!failed_) GRANTFS_CHECK(Walk());
    if (!failed_) GRANTFS_CHECK(CheckEnd());
    verdict_.good = !failed_;
    return verdict_;
  }

 private:
  void Fail(std::optional<std::uint64_t> sequence, std::string what) {
    failed_ = true;
    verdict_.bad = sequence;
    verdict_.what = std::move(what);
  }

  void ReadNewest(const std::string& text) {
    auto read = ReadCheckpoint(text, anchor_);
    if (!read)
      return Fail(std::nullopt, std::string("the newest checkpoint is not good: ") + read.error().where);
    newest_ = std::move(*read);
    verdict_.authenticated = anchor_.key.has_value();
    verdict_.size = newest_.size;
    verdict_.root = newest_.root;
    verdict_.checkpoint = text;
  }

  void CheckShrunk() {
    if (remembered_.empty() || remembered_.back().size <= newest_.size) return;
    Fail(newest_.size, "the log has shrunk: " + Count(remembered_.back().size, "record") + " seen before, " +
                           std::to_string(newest_.size) + " left");
  }

  Status Walk() {
    GRANTFS_CHECK(CheckPoints());
    while (!failed_ && tree_.size() < newest_.size) {
      const auto left =
          static_cast<std::size_t>(std::min<std::uint64_t>(kBatch, newest_.size - tree_.size()));
      const auto batch = GRANTFS_TRY(source_.Fetch(tree_.size(), left));
      if (batch.empty()) Fail(tree_.size(), "it is missing");
      for (const AuditEntry& entry : batch) {
        if (failed_ || tree_.size() == newest_.size) break;
        GRANTFS_CHECK(Take(entry));
      }
    }
    return {};
  }

  Status Take(const AuditEntry& entry) {
    const std::uint64_t sequence = tree_.size();
    LeafHeader header;
    std::string what = BadEntry(entry, sequence, &header);
    if (what.empty()) what = CountBody(entry, header);
    if (!what.empty()) {
      Fail(sequence, std::move(what));
      return {};
    }
    tree_.Append(MerkleLeafHash(entry.leaf));
    if (const auto problem = purges_.CheckBefore(tree_.size())) Fail(problem->record, problem->what);
    return failed_ ? Status() : CheckPoints();
  }

  std::string CountBody(const AuditEntry& entry, const LeafHeader& header) {
    const bool purged = purges_.Take(entry, header);
    if (entry.body)
      ++verdict_.bodies;
    else if (purged)
      ++verdict_.purged;
    else if (source_.complete())
      return "its body is missing";
    return "";
  }

  // Every tree of this size that is known from elsewhere.
  Status CheckPoints() {
    GRANTFS_CHECK(RefillOlder());
    for (; !failed_ && !older_.empty() && older_.front().size == tree_.size(); older_.pop_front()) {
      CheckRoot(older_.front().root, "the checkpoint");
    }
    for (; !failed_ && next_remembered_ < remembered_.size() &&
           remembered_[next_remembered_].size == tree_.size();
         ++next_remembered_) {
      CheckRoot(remembered_[next_remembered_].root, "the tree that was seen before");
    }
    if (!failed_ && tree_.size() == newest_.size) CheckRoot(newest_.root, "the newest checkpoint");
    return {};
  }

  void CheckRoot(const Hash& root, const char* whose) {
    if (tree_.Root() == root) {
      matched_ = tree_.size();
      return;
    }
    Fail(tree_.size() == 0 ? std::nullopt : std::optional(matched_),
         "records " + std::to_string(matched_) + " to " + std::to_string(tree_.size()) +
             " (exclusive) do not match " + whose + " of " + std::to_string(tree_.size()) +
             " records: one of them at least is another");
  }

  Status RefillOlder() {
    if (older_done_ || !older_.empty()) return {};
    const auto texts = GRANTFS_TRY(source_.OlderCheckpoints(older_seen_, kBatch));
    older_done_ = texts.empty();
    for (const std::string& text : texts) {
      const auto read = ReadCheckpoint(text, anchor_);
      if (!read || read->size <= older_seen_) {
        Fail(std::nullopt,
             "an older checkpoint, after that of " + std::to_string(older_seen_) + " records, is not good");
        return {};
      }
      older_seen_ = read->size;
      if (read->size < newest_.size) older_.push_back(*read);
    }
    return {};
  }

  Status CheckEnd() {
    if (!source_.complete()) return {};
    const auto more = GRANTFS_TRY(source_.Fetch(newest_.size, 1));
    if (!more.empty()) Fail(more[0].sequence, "no signed checkpoint covers it");
    return {};
  }

  AuditSource& source_;
  const AuditAnchor& anchor_;
  std::vector<AuditAnchor::Point> remembered_;
  std::size_t next_remembered_ = 0;
  Checkpoint newest_;
  CompactTree tree_;
  PurgeLedger purges_;
  std::deque<Checkpoint> older_;
  std::uint64_t older_seen_ = 0;
  bool older_done_ = false;
  std::uint64_t matched_ = 0;
  bool failed_ = false;
  AuditVerdict verdict_;
};

}  // namespace

Result<AuditVerdict> VerifyAudit(AuditSource& source, const AuditAnchor& anchor) {
  return Verifier(source, anchor).Run();
}

}  // namespace grantfs
