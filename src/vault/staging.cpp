#include "core_internal.h"

// What signers send ahead of the statements that need it.

namespace grantfs {
namespace {

bool MayPublishSomewhere(const VaultState& now, const VaultCaller& caller) {
  for (const auto& [name, environment] : now.environments) {
    if (now.CheckMember(caller, name, Operation::kPublish)) return true;
  }
  return false;
}

/// A secret that is to be created has a number and nothing else yet.
Status MayStage(const Vault::Core& core, const VaultCaller& caller, std::uint64_t secret,
                std::uint32_t version) {
  const StatePtr now = core.state.Get();
  const auto reader = GRANTFS_TRY(core.store.Read());
  const auto stored = GRANTFS_TRY(reader->GetSecret(secret));
  if (!stored) {
    const bool reserved = secret < GRANTFS_TRY(reader->NextSecretNumber());
    return reserved && MayPublishSomewhere(*now, caller) ? Status() : Status(NotVisible());
  }
  const bool exists = GRANTFS_TRY(reader->FindVersion(secret, version)).has_value();
  const Operation operation = exists ? Operation::kGrant : Operation::kPublish;
  return now->CheckMember(caller, stored->environment, operation);
}

void Finish(Store& store, Store::Job job, Vault::Done<api::Nothing> done) {
  store.Write(std::move(job), [done = std::move(done)](Status status) {
    if (!status) return done(status.error());
    done(api::Nothing{});
  });
}

}  // namespace

void Vault::StageCiphertext(const VaultCaller& caller, const api::StageCiphertextRequest& request,
                            Done<api::Nothing> done) {
  if (const Status may = MayStage(*core_, caller, request.secret, request.version); !may)
    return done(may.error());
  const StageKey key{caller.id, request.secret, request.version, request.commitment};
  auto bytes = std::make_shared<const Bytes>(request.ciphertext);
  const auto job = [key, bytes, now = core_->Now()](StoreWriter& writer) {
    return writer.StageCiphertext(key, *bytes, now);
  };
  Finish(core_->store, job, std::move(done));
}

void Vault::StageCopies(const VaultCaller& caller, const api::StageCopiesRequest& request,
                        Done<api::Nothing> done) {
  if (const Status may = MayStage(*core_, caller, request.secret, request.version); !may)
    return done(may.error());
  const StageKey key{caller.id, request.secret, request.version, request.commitment};
  auto copies = std::make_shared<const std::vector<api::SealedCopy>>(request.copies);
  const auto job = [key, copies, now = core_->Now()](StoreWriter& writer) -> Status {
    for (const api::SealedCopy& copy : *copies)
      GRANTFS_CHECK(writer.StageCopy(key, copy.recipient, copy.sealed, now));
    return {};
  };
  Finish(core_->store, job, std::move(done));
}

void Vault::StageEpoch(const VaultCaller& caller, const api::StageEpochRequest& request,
                       Done<api::Nothing> done) {
  const StatePtr state = core_->state.Get();
  const bool creates =
      state->FindEnvironment(request.environment) == nullptr && state->IsVaultOwner(caller.id);
  const Status may =
      creates ? Status() : state->CheckMember(caller, request.environment, Operation::kManageMembers);
  if (!may) return done(may.error());
  auto shared = std::make_shared<const api::StageEpochRequest>(request);
  const auto job = [signer = caller.id, shared, now = core_->Now()](StoreWriter& writer) -> Status {
    for (const EpochCopy& copy : shared->copies)
      GRANTFS_CHECK(writer.StageEpochCopy(signer, shared->environment, shared->epoch, copy, now));
    return {};
  };
  Finish(core_->store, job, std::move(done));
}

}  // namespace grantfs
