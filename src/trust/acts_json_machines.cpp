// The acts of the machines' list.

#include "acts_json_internal.h"
#include "json_fields_internal.h"

namespace grantfs {
namespace {

void WriteEnd(std::int64_t not_after, Json& json) {
  if (not_after != 0) json.Set("not_after", not_after);
}

std::int64_t ReadEnd(JsonReader& in) { return ReadOptionalTime(in, "not_after"); }

}  // namespace

void WriteAct(const MachinesCreate&, Json&) {}

template <>
Result<MachinesCreate> ReadAct<MachinesCreate>(JsonReader& in) {
  GRANTFS_CHECK(in.Finish());
  return MachinesCreate{};
}

void WriteAct(const InvitationCreate& act, Json& json) { json.Set("invitation", act.invitation.ToJson()); }

template <>
Result<InvitationCreate> ReadAct<InvitationCreate>(JsonReader& in) {
  const Json& invitation = in.Object("invitation");
  GRANTFS_CHECK(in.Finish());
  return InvitationCreate{GRANTFS_TRY(Invitation::FromJson(invitation))};
}

void WriteAct(const InvitationStand& act, Json& json) { json.Set("invitation", act.invitation.ToJson()); }

template <>
Result<InvitationStand> ReadAct<InvitationStand>(JsonReader& in) {
  const Json& invitation = in.Object("invitation");
  GRANTFS_CHECK(in.Finish());
  return InvitationStand{GRANTFS_TRY(StandingInvitation::FromJson(invitation))};
}

void WriteAct(const InvitationWithdraw& act, Json& json) { json.Set("id", act.id); }

template <>
Result<InvitationWithdraw> ReadAct<InvitationWithdraw>(JsonReader& in) {
  InvitationWithdraw act{ReadText(in, "id", 32, 32)};
  GRANTFS_CHECK(in.Finish());
  return act;
}

void WriteAct(const MachineApprove& act, Json& json) {
  json.Set("enrolment", act.enrolment.ToJson());
  WriteEnd(act.not_after, json);
}

template <>
Result<MachineApprove> ReadAct<MachineApprove>(JsonReader& in) {
  const Json& enrolment = in.Object("enrolment");
  const std::int64_t not_after = ReadEnd(in);
  GRANTFS_CHECK(in.Finish());
  return MachineApprove{GRANTFS_TRY(Enrolment::FromJsonUnverified(enrolment)), not_after};
}

void WriteAct(const MachineAdmit& act, Json& json) {
  json.Set("request", act.request.ToJson());
  WriteEnd(act.not_after, json);
}

template <>
Result<MachineAdmit> ReadAct<MachineAdmit>(JsonReader& in) {
  const Json& request = in.Object("request");
  const std::int64_t not_after = ReadEnd(in);
  GRANTFS_CHECK(in.Finish());
  return MachineAdmit{GRANTFS_TRY(EnrolmentRequest::FromJsonUnverified(request)), not_after};
}

void WriteAct(const MachineJoin& act, Json& json) {
  json.Set("enrolment", act.enrolment.ToJson());
  WriteEnd(act.not_after, json);
}

template <>
Result<MachineJoin> ReadAct<MachineJoin>(JsonReader& in) {
  const Json& enrolment = in.Object("enrolment");
  const std::int64_t not_after = ReadEnd(in);
  GRANTFS_CHECK(in.Finish());
  return MachineJoin{GRANTFS_TRY(Enrolment::FromJsonUnverified(enrolment)), not_after};
}

void WriteAct(const MachineRemove& act, Json& json) { json.Set("id", act.id.Hex()); }

template <>
Result<MachineRemove> ReadAct<MachineRemove>(JsonReader& in) {
  MachineRemove act{ReadHex<Hash>(in, "id")};
  GRANTFS_CHECK(in.Finish());
  return act;
}

}  // namespace grantfs
