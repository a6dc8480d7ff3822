#include "grantfs/trust/standing.h"

#include "grantfs/trust/names.h"
#include "json_fields_internal.h"

namespace grantfs {

Json StandingInvitation::ToJson() const {
  Json json = Json::Object({{"id", id},
                            {"pattern", pattern},
                            {"uses", uses},
                            {"sign", sign.Hex()},
                            {"seal", seal.Hex()},
                            {"expires", expires}});
  if (lives != 0) json.Set("lives", lives);
  return json;
}

Result<StandingInvitation> StandingInvitation::FromJson(const Json& json) {
  JsonReader in(json, "standing invitation");
  StandingInvitation invitation;
  invitation.id = ReadChecked(in, "id", 32, CheckInviteId);
  invitation.pattern = ReadChecked(in, "pattern", 63, CheckNamePattern);
  invitation.uses = static_cast<std::uint32_t>(ReadCount(in, "uses", 1, kMaxStandingUses));
  invitation.sign = ReadHex<VerifyKey>(in, "sign");
  invitation.seal = ReadHex<SealKey>(in, "seal");
  invitation.expires = ReadTime(in, "expires");
  invitation.lives = ReadLife(in, "lives");
  GRANTFS_CHECK(in.Finish());
  return invitation;
}

Status VerifyStandingEnrolment(const Enrolment& enrolment, const Hash& vault,
                               const StandingInvitation& invitation) {
  const Identity& who = enrolment.identity;
  if (who.kind != IdentityKind::kMachine)
    return Error{Code::kInvalid, "a standing invitation is for machines", 0, who.name};
  if (!MatchesNamePattern(who.name, invitation.pattern)) {
    return Error{Code::kInvalid, "the name does not match the pattern of the standing invitation", 0,
                 who.name + " (" + invitation.pattern + ")"};
  }
  return VerifyEnrolmentKeys(enrolment, vault, invitation.id, invitation.sign, OwnSignature::kWasVerified);
}

bool LifeMayEnd(std::int64_t lives, std::int64_t from, std::int64_t not_after) {
  if (lives == 0 && not_after == 0) return true;
  return not_after > from && (lives == 0 || not_after - from <= lives);
}

}  // namespace grantfs
