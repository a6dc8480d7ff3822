#include "granted_internal.h"

// What a machine's mount refused because of who read.

namespace grantfs {
namespace {

using Records = std::vector<AuditRecord>;

Result<Records> RefusalRecords(const Clock& clock, StoreReader& reader, const VaultCaller& caller,
                               const api::RefusalsRequest& request) {
  Records records;
  for (const auto& refusal : request.refusals) {
    const auto secret = GRANTFS_TRY(reader.GetSecret(refusal.secret));
    // It may have been revoked meanwhile; and nobody writes into the log of an environment that is not his.
    if (!secret || !GRANTFS_TRY(FindGrantedBy(reader, caller, *secret, clock.WallSeconds()))) continue;
    records.push_back(MakeRefusedRecord(clock, caller, secret->environment, secret->path, refusal));
  }
  return records;
}

}  // namespace

void Vault::MachineRefused(const VaultCaller& caller, const api::RefusalsRequest& request,
                           Done<api::Nothing> done) {
  if (const Status room = core_->CheckRoom(); !room) return done(room.error());
  if (!core_->refusals.Take(caller.id, request.refusals.size(), core_->Now()))
    return done(Error{Code::kThrottled, "too many refused reads were reported within a minute"});
  const auto collect = [&]() -> Result<Records> {
    const auto reader = GRANTFS_TRY(core_->store.Read());
    return RefusalRecords(core_->clock(), *reader, caller, request);
  };
  auto records = collect();
  if (!records) return done(records.error());
  if (records->empty()) return done(api::Nothing{});
  core_->store.Write(
      [records = *std::move(records)](StoreWriter& writer) -> Status {
        for (const AuditRecord& record : records) GRANTFS_TRY(writer.Audit(record));
        return {};
      },
      [done = std::move(done)](Status status) {
        if (!status) return done(Unrecorded(status.error()));
        done(api::Nothing{});
      });
}

}  // namespace grantfs
