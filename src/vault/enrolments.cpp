#include "core_internal.h"

namespace grantfs {
namespace {

api::EnrolmentProgress ProgressOf(const std::optional<StoredEnrolment>& stored) {
  if (!stored) return api::EnrolmentProgress::kNone;
  return stored->state == EnrolmentState::kApproved ? api::EnrolmentProgress::kApproved
                                                    : api::EnrolmentProgress::kPending;
}

Status CheckEnrolment(const VaultState& now, const VaultCaller& caller, const Enrolment& enrolment) {
  if (caller.kind != VaultCaller::Kind::kInvite) return NotVisible();
  const auto& invitations = now.machines->invitations();
  const auto found = invitations.find(caller.key);
  if (found == invitations.end()) return NotVisible();
  return VerifyEnrolment(enrolment, now.vault->vault_id(), found->second.invitation);
}

}  // namespace

void Vault::Enrol(const VaultCaller& caller, const api::EnrolRequest& request,
                  Done<api::EnrolmentStateResponse> done) {
  const StatePtr now = core_->state.Get();
  if (const Status good = CheckEnrolment(*now, caller, request.enrolment); !good) return done(good.error());
  AuditRecord record = MakeRecord(core_->clock(), caller, "enrolment", "", caller.name, kDone);
  record.body.Set("fingerprint", request.enrolment.identity.Fingerprint());
  const std::string text = request.enrolment.ToJson().Dump();
  auto response = std::make_shared<api::EnrolmentStateResponse>();
  core_->store.Write(
      [id = caller.key, text, record, response, when = core_->Now()](StoreWriter& writer) -> Status {
        const auto before = GRANTFS_TRY(writer.FindEnrolment(id));
        if (before && before->enrolment != text)
          return Error{Code::kConflict, "another enrolment waits on this invitation, or used it"};
        response->state = before ? ProgressOf(before) : api::EnrolmentProgress::kPending;
        if (before) return {};
        GRANTFS_CHECK(writer.PutEnrolment(id, text, when));
        GRANTFS_TRY(writer.Audit(record));
        return {};
      },
      [response, done = std::move(done)](Status status) {
        if (!status) return done(status.error());
        done(*response);
      });
}

Result<api::EnrolmentStateResponse> Vault::EnrolmentState(const VaultCaller& caller) const {
  if (caller.kind != VaultCaller::Kind::kInvite) return NotVisible();
  const auto reader = GRANTFS_TRY(core_->store.Read());
  return api::EnrolmentStateResponse{ProgressOf(GRANTFS_TRY(reader->FindEnrolment(caller.key)))};
}

Result<api::EnrolmentsResponse> Vault::ListEnrolments(const VaultCaller& caller) const {
  if (!caller.IsPerson()) return NotVisible();
  if (!core_->state.Get()->IsVaultOwner(caller.id)) return RoleMissing("enrolments");
  const auto reader = GRANTFS_TRY(core_->store.Read());
  api::EnrolmentsResponse response;
  for (const StoredEnrolment& stored :
       GRANTFS_TRY(reader->ListEnrolments(grantfs::EnrolmentState::kPending, api::kMaxNumbers))) {
    auto enrolment = Enrolment::FromJson(GRANTFS_TRY(ParseJson(stored.enrolment)));
    if (enrolment) response.enrolments.push_back(*std::move(enrolment));
  }
  return response;
}

}  // namespace grantfs
