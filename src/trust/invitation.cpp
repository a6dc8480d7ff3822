#include "grantfs/trust/invitation.h"

#include <cstring>

#include "grantfs/crypto/random.h"
#include "grantfs/trust/names.h"
#include "json_fields_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kSecretBytes = 16;
constexpr std::size_t kChecksumBytes = 4;
constexpr char kInviteDerivation[] = "grantfsI";

Result<SecretMemory> Master(std::span<const std::uint8_t> secret) {
  auto master = GRANTFS_TRY(SecretMemory::Allocate(32));
  const Hash hash = Blake2b256({AsBytes("grantfs-invite"), secret});
  std::memcpy(master.Expose().data(), hash.bytes.data(), 32);
  return master;
}

void Checksum(std::span<const std::uint8_t> secret, std::uint8_t* out) {
  const Hash hash = Blake2b256({AsBytes("grantfs-invite-checksum"), secret});
  std::memcpy(out, hash.bytes.data(), kChecksumBytes);
}

Bytes EnrolmentContext(const Enrolment& enrolment) {
  const Identity& who = enrolment.identity;
  const std::string end = std::to_string(who.not_after);  // its binding does not cover it
  return EncodeContext({AsBytes("grantfs-enrolment"), enrolment.vault.View(), AsBytes(enrolment.invitation),
                        AsBytes(IdentityKindName(who.kind)), AsBytes(who.name), who.sign.bytes,
                        who.seal.bytes, AsBytes(end)});
}

}  // namespace

Status CheckInviteId(std::string_view id) {
  const auto bytes = HexDecode(id, 16);
  if (!bytes || bytes->size() != 16)
    return Error{Code::kInvalid, "an invitation's id is 32 hexadecimal digits"};
  return {};
}

Result<InviteSecret> InviteSecret::Generate() {
  auto bytes = GRANTFS_TRY(SecretMemory::Allocate(kSecretBytes + kChecksumBytes));
  const auto random = GRANTFS_TRY(RandomKey());
  std::memcpy(bytes.Expose().data(), random.Expose().data(), kSecretBytes);
  Checksum(bytes.Expose().first(kSecretBytes), bytes.Expose().data() + kSecretBytes);
  return FromBytes(bytes);
}

Result<InviteSecret> InviteSecret::FromBytes(const SecretMemory& twenty_bytes) {
  const auto bytes = twenty_bytes.Expose();
  std::uint8_t checksum[kChecksumBytes];
  if (bytes.size() == kSecretBytes + kChecksumBytes) Checksum(bytes.first(kSecretBytes), checksum);
  if (bytes.size() != kSecretBytes + kChecksumBytes ||
      std::memcmp(checksum, bytes.data() + kSecretBytes, kChecksumBytes) != 0) {
    return Error{Code::kInvalid, "the secret is mistyped or cut off: its checksum does not match"};
  }
  InviteSecret made;
  made.secret_ = GRANTFS_TRY(twenty_bytes.Clone());
  const auto master = GRANTFS_TRY(Master(bytes.first(kSecretBytes)));
  made.id_ = HexEncode(GRANTFS_TRY(DeriveKey(master, 1, kInviteDerivation, 16)).Expose());
  made.signing_ = GRANTFS_TRY(SigningKey::FromSeed(GRANTFS_TRY(DeriveKey(master, 2, kInviteDerivation))));
  made.unseal_ = GRANTFS_TRY(UnsealKey::FromSeed(GRANTFS_TRY(DeriveKey(master, 3, kInviteDerivation))));
  return made;
}

Result<SecretMemory> InviteSecret::ToBytes() const { return secret_.Clone(); }

Json Invitation::ToJson() const {
  Json json = Json::Object({{"id", id},
                            {"kind", IdentityKindName(kind)},
                            {"name", name},
                            {"sign", sign.Hex()},
                            {"seal", seal.Hex()},
                            {"expires", expires}});
  if (lives != 0) json.Set("lives", lives);
  return json;
}

Result<Invitation> Invitation::FromJson(const Json& json) {
  JsonReader in(json, "invitation");
  Invitation invitation;
  invitation.id = ReadChecked(in, "id", 32, CheckInviteId);
  const std::string kind = in.String("kind", 16);
  invitation.name = ReadChecked(in, "name", 63, CheckIdentityName);
  invitation.sign = ReadHex<VerifyKey>(in, "sign");
  invitation.seal = ReadHex<SealKey>(in, "seal");
  invitation.expires = ReadTime(in, "expires");
  invitation.lives = ReadLife(in, "lives");
  GRANTFS_CHECK(in.Finish());
  invitation.kind = GRANTFS_TRY(ParseIdentityKind(kind));
  if (invitation.lives != 0 && invitation.kind != IdentityKind::kMachine)
    return Error{Code::kInvalid, "only a machine is let in for some time", 0, invitation.name};
  return invitation;
}

Json Enrolment::ToJson() const {
  return Json::Object({{"vault", vault.Hex()},
                       {"invitation", invitation},
                       {"identity", identity.ToJson()},
                       {"by_invitation", HexEncode(by_invitation.bytes)},
                       {"by_identity", HexEncode(by_identity.bytes)}});
}

Result<Enrolment> Enrolment::FromJson(const Json& json) {
  JsonReader in(json, "enrolment");
  Enrolment enrolment;
  enrolment.vault = ReadHex<Hash>(in, "vault");
  enrolment.invitation = ReadChecked(in, "invitation", 32, CheckInviteId);
  const Json& identity = in.Object("identity");
  enrolment.by_invitation = ReadSignature(in, "by_invitation");
  enrolment.by_identity = ReadSignature(in, "by_identity");
  GRANTFS_CHECK(in.Finish());
  enrolment.identity = GRANTFS_TRY(Identity::FromJson(identity));
  if (!Verify(enrolment.identity.sign, EnrolmentContext(enrolment), enrolment.by_identity)) {
    return Error{Code::kIntegrity, "the enrolment is not signed by the machine's own key", 0,
                 enrolment.identity.name};
  }
  return enrolment;
}

Result<Enrolment> MakeEnrolment(const Hash& vault, const InviteSecret& invite,
                                const PrivateIdentity& identity) {
  Enrolment enrolment{vault, invite.id(), identity.identity(), {}, {}};
  const Bytes context = EnrolmentContext(enrolment);
  enrolment.by_invitation = invite.signing_key().Sign(context);
  enrolment.by_identity = identity.signing_key().Sign(context);
  return enrolment;
}

Status VerifyEnrolment(const Enrolment& enrolment, const Hash& vault, const Invitation& invitation,
                       OwnSignature own) {
  const Identity& who = enrolment.identity;
  if (who.kind != invitation.kind || who.name != invitation.name) {
    return Error{Code::kIntegrity, "the enrolment has another name or kind than the invitation", 0, who.name};
  }
  return VerifyEnrolmentKeys(enrolment, vault, invitation.id, invitation.sign, own);
}

Status VerifyEnrolmentKeys(const Enrolment& enrolment, const Hash& vault, const std::string& invitation,
                           const VerifyKey& invite_key, OwnSignature own) {
  const Identity& who = enrolment.identity;
  const Bytes context = EnrolmentContext(enrolment);
  const auto refuse = [&](const char* where) { return Error{Code::kIntegrity, where, 0, who.name}; };
  if (enrolment.vault != vault) return refuse("the enrolment is for another vault");
  if (enrolment.invitation != invitation) return refuse("the enrolment is for another invitation");
  if (!Verify(invite_key, context, enrolment.by_invitation)) {
    return refuse(
        "the enrolment is not signed with the invitation's key: whoever made it did not have the invitation");
  }
  if (own == OwnSignature::kVerify && !Verify(who.sign, context, enrolment.by_identity))
    return refuse("the enrolment is not signed by its own key");
  return {};
}

}  // namespace grantfs
