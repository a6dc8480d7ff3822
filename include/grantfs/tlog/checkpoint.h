#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "grantfs/crypto/hash.h"
#include "grantfs/crypto/keys.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// What a log says of itself at one moment.
struct Checkpoint {
  std::string origin;      ///< names the log, and is the name of its key: see IsOrigin
  std::uint64_t size = 0;  ///< leaves, at most kMaxTreeSize
  Hash root;               ///< of the tree of these leaves
  bool operator==(const Checkpoint&) const = default;
};

/// The longest checkpoint that is read, signatures of strangers included.
inline constexpr std::size_t kMaxCheckpointBytes = 128 * 1024;

/// True for 1..255 printable ASCII characters, without space and plus.
bool IsOrigin(std::string_view text);

/// Writes and signs a checkpoint: "origin\nsize\nroot in base64\n", an empty line, and one signature line.
/// Errors: kInvalid (origin, size).  Source: C2SP tlog-checkpoint and signed-note, Ed25519.
Result<std::string> SignCheckpoint(const SigningKey& key, const Checkpoint& checkpoint);

/// Reads a checkpoint of the log `origin`, signed by its key. Signatures of other keys (witnesses) are
/// ignored, at most 16 altogether; nothing else may stand in it, no extension lines either. Errors: kInvalid
/// (malformed), kIntegrity (not signed by that key, or of another log).  Threads: safe.
Result<Checkpoint> OpenCheckpoint(std::string_view text, const VerifyKey& key, std::string_view origin);

/// The same checkpoint with the log's own signature alone: less than 1 KiB, whatever strangers' came with it.
/// Errors: as OpenCheckpoint.
Result<std::string> StripCheckpoint(std::string_view text, const VerifyKey& key, std::string_view origin);

/// A log's key as other tools take it: "origin+key id in hexadecimal+base64 of 0x01 and the key".
std::string VerifierKeyText(std::string_view origin, const VerifyKey& key);

struct LogKey {
  std::string origin;
  VerifyKey key;
};

/// The inverse. Errors: kInvalid (the key id that does not belong to name and key included).
Result<LogKey> ParseVerifierKey(std::string_view text);

}  // namespace grantfs
