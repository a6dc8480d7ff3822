#pragma once

#include <cstdint>
#include <string>

#include "grantfs/crypto/keys.h"
#include "grantfs/trust/identity.h"

namespace grantfs {

/// Who signed a request, authenticated, and the evidence of it.
struct VaultCaller {
  enum class Kind { kIdentity, kInvite, kClaim };
  Kind kind = Kind::kIdentity;
  Hash id;          ///< kIdentity: Identity::Id
  std::string key;  ///< id of the invitation or claim
  IdentityKind identity_kind = IdentityKind::kUser;
  std::string name;            ///< as the vault knows it
  std::uint64_t machine = 0;   ///< of a machine: the sequence of its approval
  std::string remote;          ///< address that the request came from
  Signature signature;         ///< of the request
  std::string signature_base;  ///< what it covers

  bool IsMachine() const { return kind == Kind::kIdentity && identity_kind == IdentityKind::kMachine; }
  bool IsPerson() const { return kind == Kind::kIdentity && !IsMachine(); }
  /// How the audit log names it: the identity's digits, "invite:ID", "claim:ID".
  std::string Actor() const;
};

}  // namespace grantfs
