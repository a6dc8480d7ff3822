#include "grantfs/tlog/checkpoint.h"

#include <algorithm>

#include "grantfs/crypto/encoding.h"
#include "grantfs/crypto/merkle.h"
#include "grantfs/tlog/tree.h"
#include "grantfs/util/text.h"
#include "note_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMaxOriginBytes = 255;

// The signed text of a checkpoint. Errors: kInvalid.
Result<Checkpoint> ParseText(std::string_view text) {
  const Error malformed{Code::kInvalid, "a checkpoint is malformed"};
  const auto lines = Split(text, '\n');
  // Each of the three lines has its end, so a fourth, empty part follows.
  if (lines.size() != 4 || !lines[3].empty() || !IsOrigin(lines[0])) return malformed;
  unsigned long long size = 0;
  if (!ParseNumber(lines[1], kMaxTreeSize, &size)) return malformed;
  const Bytes root_bytes = GRANTFS_TRY(Base64Decode(lines[2], 32));
  const Hash root = GRANTFS_TRY(Hash::FromBytes(root_bytes));
  if (size == 0 && root != MerkleRoot({})) return malformed;
  return Checkpoint{std::string(lines[0]), size, root};
}

}  // namespace

bool IsOrigin(std::string_view text) {
  return !text.empty() && text.size() <= kMaxOriginBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f' && c != '+'; });
}

Result<std::string> SignCheckpoint(const SigningKey& key, const Checkpoint& checkpoint) {
  const std::string text = checkpoint.origin + "\n" + std::to_string(checkpoint.size) + "\n" +
                           Base64Encode(checkpoint.root.View()) + "\n";
  GRANTFS_TRY(ParseText(text));  // never sign what no reader takes
  return SignNote(key, checkpoint.origin, text);
}

Result<Checkpoint> OpenCheckpoint(std::string_view text, const VerifyKey& key, std::string_view origin) {
  if (text.size() > kMaxCheckpointBytes) {
    return Error{Code::kInvalid, "a checkpoint is longer than the bound"};
  }
  const std::string_view note_text = GRANTFS_TRY(OpenNote(text, origin, key));
  Checkpoint checkpoint = GRANTFS_TRY(ParseText(note_text));
  if (checkpoint.origin != origin) return Error{Code::kIntegrity, "a checkpoint is of another log"};
  return checkpoint;
}

Result<std::string> StripCheckpoint(std::string_view text, const VerifyKey& key, std::string_view origin) {
  GRANTFS_TRY(OpenCheckpoint(text, key, origin));
  return StripNote(text, origin, key);
}

std::string VerifierKeyText(std::string_view origin, const VerifyKey& key) {
  return std::string(origin) + "+" + HexEncode(MakeNoteKeyId(origin, key)) + "+" +
         Base64Encode(EncodeNoteKey(key));
}

Result<LogKey> ParseVerifierKey(std::string_view text) {
  const Error malformed{Code::kInvalid, "not a verifier key"};
  const auto first = text.find('+');
  const auto second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos) return malformed;
  LogKey log{std::string(text.substr(0, first)), {}};
  const Bytes encoded = GRANTFS_TRY(Base64Decode(text.substr(second + 1), 1 + log.key.bytes.size()));
  if (encoded.size() != 1 + log.key.bytes.size()) return malformed;
  std::copy(encoded.begin() + 1, encoded.end(), log.key.bytes.begin());
  // Also says no to another type of key and to a key id that does not fit.
  if (!IsOrigin(log.origin) || VerifierKeyText(log.origin, log.key) != text) return malformed;
  return log;
}

}  // namespace grantfs
