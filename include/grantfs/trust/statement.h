#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "grantfs/crypto/keys.h"
#include "grantfs/trust/acts.h"
#include "grantfs/util/result.h"

namespace grantfs {

enum class ListKind { kVault, kMachines, kEnvironment, kSecret, kGroup };

/// Which signed list: "vault", "machines", "environment/shop/prod", "secret/17", "group/shop/prod/4".
struct ListId {
  ListKind kind = ListKind::kVault;
  std::string environment;   ///< of kEnvironment and kGroup
  std::uint64_t number = 0;  ///< of kSecret and kGroup
  static ListId Vault() { return {ListKind::kVault, {}, 0}; }
  static ListId Machines() { return {ListKind::kMachines, {}, 0}; }
  static ListId Environment(std::string name) { return {ListKind::kEnvironment, std::move(name), 0}; }
  static ListId Secret(std::uint64_t number) { return {ListKind::kSecret, {}, number}; }
  static ListId Group(std::string environment, std::uint64_t number) {
    return {ListKind::kGroup, std::move(environment), number};
  }
  /// Whether its statements name a head of their environment's list.
  bool BelowEnvironment() const { return kind == ListKind::kSecret || kind == ListKind::kGroup; }
  std::string Text() const;
  static Result<ListId> Parse(std::string_view text);  ///< Errors: kInvalid.
  auto operator<=>(const ListId&) const = default;
};

/// The heads of the lists above a list that its signer had seen: known ancestors, not necessarily the newest.
/// machines and environment: vault. secret and group: vault and environment. vault: none.
struct SeenHeads {
  std::optional<Head> vault;
  std::optional<Head> environment;
  bool operator==(const SeenHeads&) const = default;
};

/// A second owner's agreement to an act, given before its statement is made: he signs the act and not its
/// place in the list, so that whoever else appends meanwhile does not void it. It names where its list and
/// the environment's ended then, and is good for one statement: until the next one about the same subject
/// (trust/consent.h).
struct Consent {
  Hash signer;  ///< Identity::Id of an owner who is not the statement's signer
  std::int64_t time = 0;
  std::int64_t expires = 0;         ///< unix seconds: nothing new is made of it after that
  Head after;                       ///< of the statement's list
  std::optional<Head> environment;  ///< of the environment's list, for a secret's statement
  Json ToJson() const;
  static Result<Consent> FromJson(const Json& json);
  bool operator==(const Consent&) const = default;
};

/// What a statement says: the payload of its envelope.
struct Statement {
  Hash vault;  ///< the vault's id; all zero in the genesis, whose hash it is
  ListId list;
  std::uint64_t sequence = 0;
  Hash previous;          ///< hash of the statement before; all zero at sequence 0
  Hash signer;            ///< Identity::Id
  std::int64_t time = 0;  ///< unix seconds, by the signer's clock: shown, never judged by
  std::string reason;     ///< optional, at most kMaxReasonBytes
  SeenHeads heads;
  Act act;
  std::optional<SecretState> state;  ///< in every statement of a secret's list, in no other
  std::optional<Consent> consent;    ///< whose signature is the second of the envelope
  std::optional<Hash> request;       ///< the request that it fulfils (trust/request.h), in `ext`

  static constexpr std::size_t kMaxReasonBytes = 1024;
};

/// The largest envelope, in bytes of its JSON.
inline constexpr std::size_t kMaxEnvelopeBytes = 64 * 1024;
inline constexpr char kStatementType[] = "application/vnd.grantfs.statement.v1+json";
inline constexpr char kConsentType[] = "application/vnd.grantfs.consent.v1+json";

/// What a second owner signs: vault, list, consent and act, under a payload type of its own. Of an owner's
/// addition all but the sealed copy of the environment's key, which whoever publishes it makes.
Bytes ConsentBytes(const Hash& vault, const ListId& list, const Consent& consent, const Act& act);

/// What a DSSE envelope (https://github.com/secure-systems-lab/dsse) holds, its payload read strictly but its
/// signature not yet verified: that needs the signer's key, which a verified list has (lists.h).
class SignedStatement {
 public:
  /// Reads an envelope: strict JSON, exactly the known fields, one signature by the payload's signer, and
  /// a second by who consents, where the payload names one.
  /// Errors: kInvalid, kUnsupported (payload type, unknown act).
  static Result<SignedStatement> Parse(std::string_view envelope);
  /// Makes one. `statement.signer` must be `key`'s owner. Errors: kInvalid (out of bounds).
  /// @param consent  the second owner's signature, where `statement.consent` is there.
  static Result<SignedStatement> Sign(const Statement& statement, const SigningKey& key,
                                      const Signature* consent = nullptr);
  /// What Packed() made. Errors: as Parse.
  static Result<SignedStatement> Unpack(std::string_view packed);

  const Statement& statement() const { return statement_; }
  /// BLAKE2b-256 of DSSE's pre-authentication encoding of type and payload. The signatures are not in it:
  /// two over one payload are the same statement.
  const Hash& hash() const { return hash_; }
  Head head() const { return {statement_.sequence, hash_}; }
  /// Made anew of payload and signature, whatever white space it came with.
  std::string envelope() const;
  /// For who keeps thousands: payload and signature in as few bytes as is simple, about half of the
  /// envelope. A form for memory alone, which no other program reads.
  std::string Packed() const;
  bool VerifySignature(const VerifyKey& key) const;
  /// Verifies it before others see this object: with the same key, VerifySignature then knows the answer.
  void VerifyAhead(const VerifyKey& key);
  /// The second signature, of a statement that has one.
  bool VerifyConsent(const VerifyKey& key) const;

 private:
  static Result<SignedStatement> Of(std::string payload, const Signature& signature,
                                    std::optional<Signature> consent);

  Statement statement_;
  Hash hash_;
  std::string payload_;  ///< as signed
  Signature signature_;
  std::optional<Signature> consent_;   ///< there if and only if the payload names whose
  std::optional<VerifyKey> verified_;  ///< with which it was found to be good
};

}  // namespace grantfs
