#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "grantfs/util/result.h"

namespace grantfs {

/// The longest name of a secret within its environment, in bytes.
inline constexpr std::size_t kMaxNameBytes = 1024;
/// A secret's number has 38 bits, a version 24 (they make up a node id of the mount). Both start at 1.
inline constexpr std::uint64_t kMaxSecretNumber = (std::uint64_t{1} << 38) - 1;
inline constexpr std::uint32_t kMaxVersion = (std::uint32_t{1} << 24) - 1;

/// "shop/prod/tls/server.key", taken apart: the first two components are the environment.
struct SecretName {
  std::string environment;  ///< "shop/prod"
  std::string path;         ///< "tls/server.key"
  std::string Full() const { return environment + "/" + path; }
  auto operator<=>(const SecretName&) const = default;
};

/// Each component: 1..255 bytes of UTF-8 without NUL or control characters, not ".", ".." or ".grantfs".
/// Errors of all three: kInvalid; `where` names the rule that was broken, `subject` is the printable name.
Status CheckEnvironmentName(std::string_view text);  ///< exactly two components
Status CheckSecretPath(std::string_view text);       ///< one or more, kMaxNameBytes in all
Result<SecretName> ParseSecretName(std::string_view text);

/// What a grant covers, or a writer may publish: "" for the whole environment, or components that end in a
/// slash. Errors: kInvalid.
Status CheckPrefix(std::string_view text);

/// Names of machines, users and agents: 1..63 of [a-z0-9._-], beginning with a letter or digit. Errors:
/// kInvalid.
Status CheckIdentityName(std::string_view text);

/// A pattern of such names, as a standing invitation has it: one `*`, which stands for one or more
/// characters. Errors: kInvalid.
Status CheckNamePattern(std::string_view text);
/// Whether it is such a name, and the pattern's.
bool MatchesNamePattern(std::string_view name, std::string_view pattern);

/// Names of labels: 1..32 of [a-z0-9-], beginning with a letter. Errors: kInvalid.
Status CheckLabel(std::string_view text);

}  // namespace grantfs
