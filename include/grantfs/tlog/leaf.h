#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "grantfs/crypto/hash.h"
#include "grantfs/util/bytes.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// How much a record matters. Critical bodies are never purged.
enum class AuditSeverity { kInfo, kNotice, kWarning, kCritical };

/// "info", "notice", "warning", "critical".
const char* AuditSeverityName(AuditSeverity severity);
/// Errors: kInvalid.
Result<AuditSeverity> ParseAuditSeverity(std::string_view name);

/// True for 1..64 of [a-z0-9.-]: "secret.read".
bool IsAuditType(std::string_view text);

/// The part of a record that stays for ever; every identity may read it. Its body, which only owners and
/// auditors read, hangs on it by a salted hash, so that a purged body cannot be guessed from what is left.
struct LeafHeader {
  std::uint64_t sequence = 0;  ///< from 0: the leaf's index in the tree, below kMaxTreeSize
  std::int64_t time_ms = 0;    ///< unix milliseconds, 0..kMaxLeafTimeMs
  AuditSeverity severity = AuditSeverity::kInfo;
  std::string type;  ///< see IsAuditType
  Hash body;         ///< SaltedBodyHash
  bool operator==(const LeafHeader&) const = default;
};

inline constexpr std::int64_t kMaxLeafTimeMs = 253'402'300'799'999;  ///< the end of the year 9999
inline constexpr std::size_t kBodySaltBytes = 16;

/// One line of text without its end, the one form that a header has:
///
///     grantfs-audit-leaf-v1 41 1700000000123 notice secret.read <64 hexadecimal digits>
///
/// MerkleLeafHash is taken over these bytes. Errors: kInvalid (sequence, time, type).
Result<Bytes> EncodeLeaf(const LeafHeader& header);

/// Accepts exactly what EncodeLeaf writes. Errors: kInvalid.
Result<LeafHeader> ParseLeaf(ByteView leaf);

/// SHA-256 over the EncodeContext of ("grantfs audit body v1", salt, body).
/// @param salt  kBodySaltBytes random bytes, purged with the body.  Errors: kInvalid (another size).
Result<Hash> SaltedBodyHash(ByteView salt, ByteView body);

}  // namespace grantfs
