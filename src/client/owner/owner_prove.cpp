#include "client/log/audit_line_internal.h"
#include "client/log/log_tiles_internal.h"
#include "grantfs/api/audit.h"
#include "grantfs/crypto/merkle.h"
#include "grantfs/log/log.h"
#include "grantfs/tlog/checkpoint.h"
#include "owner_internal.h"

// What the log's tiles prove, in a few requests however long the log is.

namespace grantfs {
namespace {

Error Proven(const char* what, std::uint64_t about) {
  return {Code::kIntegrity, what, 0, "record " + std::to_string(about)};
}

/// That an entry is the record of this number, and its body, where it is shown, the header's.
Status CheckEntry(const AuditEntry& entry, std::uint64_t record) {
  const auto header = ParseLeaf(entry.leaf);
  if (entry.sequence != record || !header || header->sequence != record)
    return Proven("the vault shows another record in its place", record);
  if (!entry.body) return {};
  const auto hash = entry.salt ? SaltedBodyHash(*entry.salt, AsBytes(*entry.body)) : Result<Hash>(Hash{});
  if (hash && *hash == header->body) return {};
  return Proven("its body was altered", record);
}

}  // namespace

Result<AuditProof> OwnerSessionImpl::ProveAudit(std::optional<std::uint64_t> record) {
  GRANTFS_CHECK(keeper_->RefreshVault());
  if (keeper_->vault().IsOwner(me_.Id())) GRANTFS_CHECK(keeper_->RefreshMachines());  // for names
  ShownLog log{GRANTFS_TRY(known_->ReadPeer()).checkpoint, {}};
  log.shown = GRANTFS_TRY(FetchCheckpoint(*vault_));
  const Checkpoint now = GRANTFS_TRY(CompareLog(log));
  TileProver prover(now.size, [this](const TileName& name) { return FetchTile(*vault_, name); });
  AuditProof proof{now.size, now.root, 0, {}};
  if (const auto before =
          OpenCheckpoint(log.remembered, keeper_->vault().log_key(), keeper_->vault().log_origin()))
    proof.before = before->size;
  if (record) {
    if (*record >= now.size)
      return Error{Code::kNotFound, "the log has no such record yet", 0, std::to_string(*record)};
    api::AuditRecordsRequest request;
    request.from = *record;
    request.limit = 1;
    request.bodies = true;
    const auto page = GRANTFS_TRY(vault_->Ask<api::AuditRecordsResponse>(api::kAuditRecords, request));
    if (page.records.size() != 1) return Proven("the vault does not show it", *record);
    GRANTFS_CHECK(CheckEntry(page.records[0], *record));
    const auto path = GRANTFS_TRY(prover.Inclusion(*record));
    if (!VerifyInclusion(MerkleLeafHash(page.records[0].leaf), *record, now.size, path, now.root))
      return Proven("it is not in the log that the checkpoint is of", *record);
    proof.record = NamedLineOf(page.records[0]);
  }
  return proof;
}

Result<Checkpoint> OwnerSessionImpl::CompareLog(const ShownLog& log) {
  auto judged = JudgeLog(
      *known_, keeper_->vault(), log,
      [this](std::uint64_t before, const Checkpoint& now) {
        return TileProver(now.size, [this](const TileName& name) { return FetchTile(*vault_, name); })
            .Consistency(before);
      },
      Now());
  Complain(judged.has_value());
  return judged;
}

// What is not told now is told by the next command that looks at the log.
void OwnerSessionImpl::Complain(bool good) {
  if (const Status others = ForgetOtherLogs(*known_, keeper_->vault().log_origin()); !others)
    return Log(LogLevel::kWarning, "what contradicts the audit log could not be looked up", others.error());
  for (std::size_t told = 0; told < kMaxComplaints; ++told) {
    const auto kept = Complaints(*known_);
    const auto next = kept ? NextComplaint(*kept, good) : std::nullopt;
    if (!next) return;
    const auto answer = vault_->Ask<api::LogComplaintResponse>(api::kLogComplaints, *next);
    const Status taken = answer ? ComplaintTaken(*known_, *next, good) : Status(answer.error());
    if (!taken)
      return Log(LogLevel::kWarning, "the vault was not told that its audit log contradicts what was seen",
                 taken.error());
    Log(LogLevel::kWarning, "the vault was told that its audit log contradicts what was seen: record " +
                                std::to_string(answer->record));
  }
}

}  // namespace grantfs
