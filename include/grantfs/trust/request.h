#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "grantfs/trust/lists.h"

namespace grantfs {

// What somebody asks an environment's owners for. A request changes nothing: it is signed by who asks, so
// that an owner's client acts on it by its own judgement, whatever the vault says.

/// A machine may read secrets / may read them no more.
struct AskGrant {
  std::string machine;             ///< by name: who asks sees no machines; the owner is shown its key
  std::vector<std::string> paths;  ///< 1..kMaxAskedSecrets, ascending
  Grant terms;                     ///< the grantee is left empty
};
struct AskRevoke {
  std::string machine;
  std::vector<std::string> paths;
};
struct AskMember {
  Identity member;  ///< of the vault's list
  Role role = Role::kOperator;
  std::string prefix;
};
/// A new value. One that is to be made by chance says how: then the approval makes it.
struct AskRotation {
  std::string path;
  std::uint32_t length = 0;  ///< 0: somebody sets a value
  std::string alphabet;      ///< crypto's AlphabetNamed; "" = letters
};
/// By an owner: acts that need a second one's signature, with his own (trust/consent.h).
struct AskConsent {
  struct Item {
    ListId list;
    Act act;
    Consent consent;
    Signature signature;
  };
  std::vector<Item> items;      ///< 1..kMaxConsents
  std::optional<Hash> request;  ///< the request that these acts fulfil
};
using AnyAsk = std::variant<AskGrant, AskRevoke, AskMember, AskRotation, AskConsent>;
const char* AskName(const AnyAsk& ask);  ///< "grant", "revoke", "member", "rotation", "consent"

inline constexpr std::size_t kMaxAskedSecrets = 50;
inline constexpr std::size_t kMaxConsents = 50;
inline constexpr std::size_t kMaxAskBytes = 256 * 1024;
inline constexpr std::int64_t kMaxRequestSeconds = 30LL * 86400;
inline constexpr char kRequestType[] = "application/vnd.grantfs.request.v1+json";

struct Request {
  Hash vault;
  std::string environment;
  Hash signer;
  std::int64_t time = 0;
  std::int64_t expires = 0;  ///< at most kMaxRequestSeconds after `time`
  std::string reason;        ///< at most Statement::kMaxReasonBytes
  Head vault_head;           ///< that the signer had seen
  Head environment_head;
  AnyAsk ask;
};

/// One in its DSSE envelope, read strictly; its signature is not yet verified.
class SignedRequest {
 public:
  /// Errors: kInvalid, kUnsupported.
  static Result<SignedRequest> Parse(std::string_view envelope);
  static Result<SignedRequest> Sign(const Request& request, const SigningKey& key);

  const Request& request() const { return request_; }
  /// BLAKE2b-256 of what is signed: one request has one id, however often it is sent.
  const Hash& id() const { return id_; }
  const std::string& envelope() const { return envelope_; }

  /// That it may be acted on, by these lists: this vault's and environment's, over their history, signed by
  /// somebody who has had a role without a break since then that lets him ask (for a consent: an owner), and
  /// not past its end. Errors: kIntegrity (forged), kDenied (the asker may not, or no more), kExpired.
  Status Check(const VaultList& vault, const EnvironmentList& environment, std::int64_t now) const;

 private:
  Request request_;
  Hash id_;
  Signature signature_;
  std::string payload_;
  std::string envelope_;
};

}  // namespace grantfs
