#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "grantfs/crypto/keys.h"
#include "grantfs/httpsig/header.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// The names of the headers that carry which vault and which server process a request is meant for.
inline constexpr const char* kVaultHeader = "grantfs-vault";
inline constexpr const char* kInstanceHeader = "grantfs-instance";

/// What a signature covers, on both sides. `path` and `query` are as they stand in the request target (the
/// query without its "?"), `authority` as in the Host header; all must be visible ASCII, `authority` in lower
/// case. `vault` and `instance` are 0..128 visible characters.
struct SignedParts {
  std::string_view method;
  std::string_view authority;
  std::string_view path;
  std::string_view query;
  std::string_view body;
};

/// Signs one request with `key`, under a new random nonce.
///
/// @param created  unix seconds.
/// @param keyid    1..128 characters of [0-9A-Za-z._:-]: an identity, "claim:ID" or "invite:ID".
/// @return the five headers to add: content-digest, grantfs-vault, grantfs-instance, signature-input,
/// signature. Errors: kInvalid (a part that cannot be signed).  Threads: safe. Source: RFC 9421 section 3.1,
/// RFC 9530 section 2.
Result<std::vector<HttpHeader>> SignRequest(const SignedParts& parts, std::string_view vault,
                                            std::string_view instance, std::int64_t created,
                                            std::string_view keyid, const SigningKey& key);

/// A request's signature, well formed and not yet verified. Only the content-digest has been compared with
/// the body.
struct SignatureInfo {
  std::string keyid;
  std::int64_t created = 0;  ///< unix seconds
  std::string nonce;         ///< 22 characters: 16 bytes in base64url
  std::string vault;
  std::string instance;
  Signature signature;
  std::string base;  ///< the signature base, which the audit log keeps as evidence
};

/// Reads the signature of a received request: exactly one, labelled `grantfs`, over "@method" "@authority"
/// "@path" "@query" "content-digest" "grantfs-vault" "grantfs-instance" in this order, with the parameters
/// created, nonce, keyid, alg="ed25519" and tag="grantfs", each once in any order, and nothing else; every
/// header concerned exactly once.
///
/// @param headers  all of the request's, names in lower case.
/// Errors: kUnauthentic (no signature at all), kInvalid (malformed, or not this profile), kIntegrity (the
/// body does not match the content-digest).  Threads: safe. Source: RFC 9421 section 3.2, RFC 9530 section 2.
Result<SignatureInfo> ParseSignature(const SignedParts& parts, std::span<const HttpHeader> headers);

/// True if `key` made the signature. Whether created, nonce, vault and instance are acceptable is the
/// caller's to judge.
bool VerifySignature(const SignatureInfo& info, const VerifyKey& key);

/// "sha-256=:...:" of a body (RFC 9530).
std::string ContentDigest(std::string_view body);

/// One line of a signature base: a component's identifier as it stands in the parameters, with its quotes and
/// parameters
/// ("\"@method\""), and its value.
using SignatureComponent = std::pair<std::string_view, std::string_view>;

/// The signature base of RFC 9421 section 2.5 for components whose values were determined by the caller.
/// `params` is the inner list with its parameters, without the label.
std::string SignatureBase(std::span<const SignatureComponent> components, std::string_view params);

}  // namespace grantfs
