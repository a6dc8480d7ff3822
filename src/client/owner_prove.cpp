#include "audit_line_internal.h"
#include "grantfs/api/audit.h"
#include "grantfs/crypto/merkle.h"
#include "grantfs/tlog/checkpoint.h"
#include "log_tiles_internal.h"
#include "owner_internal.h"

// What the log's tiles prove, in a few requests however long the log is.

namespace grantfs {
namespace {

Error Proven(const char* what, std::uint64_t about) {
  return {Code::kIntegrity, what, 0, "record " + std::to_string(about)};
}

/// Errors: kIntegrity.
Status CheckContinues(TileProver& prover, const Checkpoint& before, const Checkpoint& now) {
  const std::string subject = "the audit log of " + std::to_string(now.size) + " records, seen with " +
                              std::to_string(before.size) + " before";
  if (now.size < before.size)
    return Error{
        Code::kIntegrity,
        "the audit log has shrunk: the vault's database was put back to an older copy, or records were taken "
        "away; keep a copy of it as evidence",
        0, subject};
  if (before.size == 0) return {};
  const auto proof = GRANTFS_TRY(prover.Consistency(before.size));
  if (VerifyConsistency(before.size, before.root, now.size, now.root, proof)) return {};
  return Error{
      Code::kIntegrity,
      "the audit log is another than was seen before: records were changed; keep a copy of the vault's "
      "database as evidence, and run grantfs audit verify",
      0, subject};
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
  const VerifyKey& key = keeper_->vault().log_key();
  const std::string& origin = keeper_->vault().log_origin();
  const std::string remembered = GRANTFS_TRY(known_->ReadPeer()).checkpoint;
  const std::string text = GRANTFS_TRY(FetchCheckpoint(*vault_));
  const Checkpoint now = GRANTFS_TRY(OpenCheckpoint(text, key, origin));
  TileProver prover(now.size, [this](const TileName& name) { return FetchTile(*vault_, name); });
  AuditProof proof{now.size, now.root, 0, {}};
  if (!remembered.empty()) {
    const Checkpoint before = GRANTFS_TRY(OpenCheckpoint(remembered, key, origin));
    GRANTFS_CHECK(CheckContinues(prover, before, now));
    proof.before = before.size;
  }
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
  GRANTFS_CHECK(known_->RememberCheckpoint(text));
  return proof;
}

}  // namespace grantfs
