#pragma once

#include <optional>
#include <string>

#include "core_internal.h"

namespace grantfs {

/// By what a machine may read a secret.
struct GrantedBy {
  GranteeKind kind = GranteeKind::kMachine;
  std::uint64_t number = 0;           ///< of the machine or group
  std::optional<std::string> prefix;  ///< of a grant by prefix
  std::string label;
  std::int64_t expires = 0;  ///< unix seconds, 0 = never
  RecipientKind recipient() const {
    return kind == GranteeKind::kMachine ? RecipientKind::kMachine : RecipientKind::kGroup;
  }
  bool operator==(const GrantedBy&) const = default;
};

/// Of several the one that counts: of those that have not expired (or of all, if all have) its own before its
/// groups', a grant in the secret's list before one by prefix, a longer prefix before a shorter, the older group
/// before the younger.
Result<std::optional<GrantedBy>> FindGrantedBy(StoreReader& reader, const VaultCaller& machine,
                                               const StoredSecret& secret, std::int64_t now);

}  // namespace grantfs
