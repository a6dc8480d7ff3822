#include <algorithm>

#include "core_internal.h"
#include "grantfs/crypto/encoding.h"
#include "grantfs/tlog/checkpoint.h"
#include "grantfs/util/text.h"

// What machines hold the vault to: that their reads are in the log, and that the log goes on from what was
// seen.

namespace grantfs {
namespace {

constexpr std::size_t kMaxProvenBytes = std::size_t{1} << 20;
constexpr std::int64_t kSecondsOfHour = 3600;
constexpr std::int64_t kSecondsOfMinute = 60;

std::string PrintedCheckpoint(const Checkpoint& checkpoint) {
  return std::to_string(checkpoint.size) + " records with root " + checkpoint.root.Hex();
}

/// What the complaint says, as far as its evidence bears it. Errors: kInvalid.
Result<std::string> ReasonOf(const VaultList& vault, const api::LogComplaintRequest& complaint) {
  using Kind = api::LogComplaintRequest::Kind;
  const Error bad{Code::kInvalid, "the complaint's checkpoints are not this log's, or do not contradict"};
  const auto open = [&](const std::string& text) {
    return OpenCheckpoint(text, vault.log_key(), vault.log_origin());
  };
  const auto shown = open(complaint.shown);
  if (!shown) return bad;
  if (complaint.kind == Kind::kRecord) {
    return "the machine's read of secret " + std::to_string(complaint.secret) + " (version " +
           std::to_string(complaint.version) + ") is not in the log as it was told, in record " +
           std::to_string(complaint.record) + ": " + Printable(complaint.what);
  }
  const auto remembered = open(complaint.remembered);
  if (!remembered) return bad;
  if (complaint.kind == Kind::kLower && shown->size < remembered->size)
    return "the audit log has shrunk: it was shown with " + PrintedCheckpoint(*shown) +
           " to one who had seen " + PrintedCheckpoint(*remembered);
  if (complaint.kind == Kind::kForked && shown->size >= remembered->size)
    return "the audit log was shown with " + PrintedCheckpoint(*shown) + ", which do not continue the " +
           PrintedCheckpoint(*remembered) + " that were seen before";
  return bad;
}

AuditRecord RecordOfComplaint(const Clock& clock, const VaultCaller& caller, std::string reason,
                              const api::LogComplaintRequest& complaint) {
  AuditRecord record = MakeRecord(clock, caller, kLogContradicted, {}, caller.name, kDone);
  record.severity = AuditSeverity::kCritical;
  record.body.Set("reason", std::move(reason)).Set("complaint", complaint.ToJson());
  // Told again after a lost answer, or with a log that has grown, it is the same.
  const Hash same = Blake2b256({EncodeContext(
      {AsBytes("grantfs complaint v1"), AsBytes(api::ComplaintKindName(complaint.kind)),
       AsBytes(complaint.remembered), AsBytes(std::to_string(complaint.record)), AsBytes(complaint.open)})});
  record.open_id = "complaint-" + same.Hex().substr(0, 32);
  return record;
}

}  // namespace

Result<api::MachineRecordsResponse> Vault::MachineRecords(const VaultCaller& caller,
                                                          const api::MachineRecordsRequest& request) const {
  if (!core_->proofs.Take(caller.id, request.records.size(), core_->Now()))
    return Error{Code::kThrottled, "this machine has asked for too many proofs within a minute"};
  const auto reader = GRANTFS_TRY(core_->store.Read());
  api::MachineRecordsResponse response;
  response.checkpoint = GRANTFS_TRY(reader->LatestCheckpoint()).value_or("");
  const std::uint64_t size = GRANTFS_TRY(reader->AuditSize());
  TileProver prover(size, [&](const TileName& name) {
    return reader->AuditNodes(name.level, name.number * kTileWidth, name.width);
  });
  if (request.before > 0 && request.before < size)
    response.consistency = GRANTFS_TRY(prover.Consistency(request.before));
  std::size_t bytes = 0;
  for (const std::uint64_t record : request.records) {
    api::ProvenRecord proven;
    proven.record = record;
    auto found = record < size ? GRANTFS_TRY(reader->ReadAudit(record, 1, kMaxProvenBytes, true))
                               : std::vector<AuditEntry>();
    if (!found.empty() && found[0].sequence == record) {
      proven.leaf = std::move(found[0].leaf);
      proven.proof = GRANTFS_TRY(prover.Inclusion(record));
      if (found[0].columns && found[0].columns->actor == caller.Actor()) {
        proven.salt = std::move(found[0].salt);
        proven.body = std::move(found[0].body);
      }
    }
    bytes +=
        proven.leaf.size() + (proven.body ? proven.body->size() : 0) + proven.proof.size() * 2 * sizeof(Hash);
    if (bytes > kMaxProvenBytes && !response.records.empty()) break;
    response.records.push_back(std::move(proven));
  }
  return response;
}

void Vault::ComplainOfLog(const VaultCaller& caller, const api::LogComplaintRequest& request,
                          Done<api::LogComplaintResponse> done) {
  // They are kept for ever, and alert.
  if (!core_->complaints.Take(caller.id, 1, core_->Now() / (kSecondsOfHour / kSecondsOfMinute)))
    return done(Error{Code::kThrottled, "too many complaints of the log within an hour"});
  const StatePtr now = core_->state.Get();
  if (!now->claimed()) return done(NotVisible());
  auto reason = ReasonOf(*now->vault, request);
  if (!reason) return done(reason.error());
  const auto response = std::make_shared<api::LogComplaintResponse>();
  core_->store.Write(
      [response, record = RecordOfComplaint(core_->clock(), caller, *std::move(reason), request)](
          StoreWriter& writer) -> Status {
        response->record = GRANTFS_TRY(writer.Audit(record));
        return {};
      },
      [response, done = std::move(done)](Status status) {
        if (status)
          done(*response);
        else
          done(Unrecorded(status.error()));
      });
}

}  // namespace grantfs
