#pragma once

#include <cstdint>
#include <string>

#include "grantfs/crypto/keys.h"
#include "grantfs/trust/identity.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// 128 random bits that a person carries from one machine to another. A lookup id, an Ed25519 and an X25519
/// key derive from them (crypto_kdf over their BLAKE2b-256, context "grantfsI"), so that neither the vault
/// nor who sees the id can use it. The same form serves invitations and the claim of a new vault.
class InviteSecret {
 public:
  static Result<InviteSecret> Generate();
  /// From 16 bytes and their 4-byte checksum. Errors: kInvalid: "mistyped".
  static Result<InviteSecret> FromBytes(const SecretMemory& twenty_bytes);
  /// 20 bytes: the secret and its checksum. For the line that a person carries, nothing else.
  Result<SecretMemory> ToBytes() const;
  const std::string& id() const { return id_; }  ///< 32 hexadecimal digits
  const SigningKey& signing_key() const { return signing_; }
  const UnsealKey& unseal_key() const { return unseal_; }

 private:
  SecretMemory secret_;
  std::string id_;
  SigningKey signing_;
  UnsealKey unseal_;
};

/// How long a machine can be let in for: ten years, or for ever.
inline constexpr std::int64_t kMaxLifeSeconds = 10LL * 366 * 86400;

/// What the inviter signs into the machines list.
struct Invitation {
  std::string id;
  IdentityKind kind = IdentityKind::kMachine;
  std::string name;
  VerifyKey sign;
  SealKey seal;
  std::int64_t expires = 0;  ///< unix seconds
  std::int64_t lives = 0;    ///< how long a machine lives from its approval on, in seconds; 0 = for ever
  Json ToJson() const;
  static Result<Invitation> FromJson(const Json& json);
};

/// A machine's answer to an invitation: its new keys, signed with the invitation's key and with its own.
struct Enrolment {
  Hash vault;
  std::string invitation;
  Identity identity;
  Signature by_invitation;
  Signature by_identity;
  Json ToJson() const;
  /// Checks the identity's own signature; that of the invitation needs the invitation (VerifyEnrolment).
  static Result<Enrolment> FromJson(const Json& json);
};
Result<Enrolment> MakeEnrolment(const Hash& vault, const InviteSecret& invite,
                                const PrivateIdentity& identity);
/// Whether an enrolment's signature by its own key is still to be verified: FromJson has done so for what
/// came in a statement.
enum class OwnSignature { kVerify, kWasVerified };
/// Errors: kIntegrity.
Status VerifyEnrolment(const Enrolment& enrolment, const Hash& vault, const Invitation& invitation,
                       OwnSignature own = OwnSignature::kVerify);
/// Its two signatures alone. Errors: kIntegrity.
Status VerifyEnrolmentKeys(const Enrolment& enrolment, const Hash& vault, const std::string& invitation,
                           const VerifyKey& invite_key, OwnSignature own = OwnSignature::kVerify);

/// The line that a person pastes: where the vault is, which key it shows, what it is, and the secret.
/// "grantfs-invite-1.<base64url>", "grantfs-standing-1.<base64url>" or "grantfs-claim-1.<base64url>". Held in
/// locked memory: it is a secret.
struct InviteLine {
  std::string address;  ///< host:port
  Hash pin;
  Hash vault;                       ///< all zero in a claim
  std::uint64_t head_sequence = 0;  ///< of the vault list, as the inviter knew it
  Hash head_hash;
  InviteSecret secret;
  IdentityKind kind = IdentityKind::kMachine;  ///< whom the invitation is for; of no meaning in a claim
  std::string name;                            ///< "" in a claim; the pattern of a standing invitation
  bool standing = false;
};
Result<SecretMemory> EncodeInviteLine(const InviteLine& line, bool claim);
/// Leading and trailing white space is let go. Errors: kInvalid: "mistyped or cut off", or the other kind.
Result<InviteLine> DecodeInviteLine(const SecretMemory& text, bool claim);

}  // namespace grantfs
