#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "grantfs/crypto/keys.h"
#include "grantfs/util/result.h"

namespace grantfs {

using NoteKeyId = std::array<std::uint8_t, 4>;

/// 0x01 and the key, as key ids and verifier keys hold it.
Bytes EncodeNoteKey(const VerifyKey& key);

/// The first bytes of SHA-256(name, newline, 0x01, key). Source: C2SP signed-note.
NoteKeyId MakeNoteKeyId(std::string_view name, const VerifyKey& key);

/// `text`, an empty line, a signature line. `text` ends in a newline.
std::string SignNote(const SigningKey& key, std::string_view name, std::string_view text);

/// The text of a note, a part of `note`, once a signature of this key over it has verified.
/// Errors: kInvalid (malformed, too many signatures), kIntegrity (none of this key, or a wrong one).
Result<std::string_view> OpenNote(std::string_view note, std::string_view name, const VerifyKey& key);

/// The note with one signature of this key and no other. Errors: as OpenNote.
Result<std::string> StripNote(std::string_view note, std::string_view name, const VerifyKey& key);

}  // namespace grantfs
