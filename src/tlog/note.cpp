#include <algorithm>

#include "grantfs/crypto/encoding.h"
#include "grantfs/util/text.h"
#include "note_internal.h"

namespace grantfs {
namespace {

constexpr std::string_view kDash = "\xE2\x80\x94 ";  // U+2014 and a space
constexpr std::uint8_t kEd25519 = 1;
constexpr std::size_t kMostSignatures = 16;
constexpr std::size_t kMostSignatureBytes = 8192;  // the post-quantum ones of witnesses are near 5 kB

struct SignatureLine {
  std::string_view name;
  Bytes blob;  // key id and signature
};

Error MalformedNote() { return {Code::kInvalid, "a signed note is malformed"}; }

bool HasControls(std::string_view note) {
  return std::any_of(note.begin(), note.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; });
}

Result<SignatureLine> ParseLine(std::string_view line) {
  if (!line.starts_with(kDash)) return MalformedNote();
  line.remove_prefix(kDash.size());
  const auto space = line.find(' ');
  if (space == 0 || space == std::string_view::npos) return MalformedNote();
  SignatureLine parsed{line.substr(0, space),
                       GRANTFS_TRY(Base64Decode(line.substr(space + 1), kMostSignatureBytes))};
  const bool has_plus = parsed.name.find('+') != std::string_view::npos;
  if (has_plus || parsed.blob.size() <= std::tuple_size_v<NoteKeyId>) return MalformedNote();
  return parsed;
}

// `blob` is of a line with our name and key id.
bool IsSignatureOf(const VerifyKey& key, ByteView blob, std::string_view text) {
  const ByteView given = blob.subspan(std::tuple_size_v<NoteKeyId>);
  Signature signature;
  if (given.size() != signature.bytes.size()) return false;
  std::copy(given.begin(), given.end(), signature.bytes.begin());
  return Verify(key, AsBytes(text), signature);
}

// Where the signature lines begin: after the last empty line. 0 where there is none.
std::size_t FindSignatures(std::string_view note) {
  const auto empty_line = note.rfind("\n\n");
  return empty_line == std::string_view::npos ? 0 : empty_line + 2;
}

}  // namespace

Bytes EncodeNoteKey(const VerifyKey& key) {
  Bytes encoded = {kEd25519};
  encoded.insert(encoded.end(), key.bytes.begin(), key.bytes.end());
  return encoded;
}

NoteKeyId MakeNoteKeyId(std::string_view name, const VerifyKey& key) {
  const Hash hash = Sha256({AsBytes(name), AsBytes("\n"), EncodeNoteKey(key)});
  NoteKeyId id;
  std::copy_n(hash.bytes.begin(), id.size(), id.begin());
  return id;
}

std::string SignNote(const SigningKey& key, std::string_view name, std::string_view text) {
  const NoteKeyId id = MakeNoteKeyId(name, key.verify_key());
  const Signature signature = key.Sign(AsBytes(text));
  Bytes blob(id.begin(), id.end());
  blob.insert(blob.end(), signature.bytes.begin(), signature.bytes.end());
  std::string note(text);
  note.append("\n").append(kDash).append(name).append(" ").append(Base64Encode(blob)).append("\n");
  return note;
}

Result<std::string> StripNote(std::string_view note, std::string_view name, const VerifyKey& key) {
  const std::string_view text = GRANTFS_TRY(OpenNote(note, name, key));
  const NoteKeyId id = MakeNoteKeyId(name, key);
  const std::size_t at = FindSignatures(note);
  for (const std::string_view line : Split(note.substr(at, note.size() - at - 1), '\n')) {
    const SignatureLine parsed = GRANTFS_TRY(ParseLine(line));
    if (parsed.name != name || !std::equal(id.begin(), id.end(), parsed.blob.begin())) continue;
    return std::string(text) + "\n" + std::string(line) + "\n";
  }
  return MalformedNote();
}

Result<std::string_view> OpenNote(std::string_view note, std::string_view name, const VerifyKey& key) {
  const std::size_t at = FindSignatures(note);
  if (at == 0 || at == note.size() || !note.ends_with('\n') || !IsUtf8(note) || HasControls(note)) {
    return MalformedNote();
  }
  const std::string_view text = note.substr(0, at - 1);
  const auto lines = Split(note.substr(at, note.size() - at - 1), '\n');
  if (lines.size() > kMostSignatures) {
    return Error{Code::kInvalid, "a signed note has more than 16 signatures"};
  }
  const NoteKeyId id = MakeNoteKeyId(name, key);
  bool signed_by_key = false;
  for (const std::string_view line : lines) {
    const SignatureLine parsed = GRANTFS_TRY(ParseLine(line));
    if (parsed.name != name || !std::equal(id.begin(), id.end(), parsed.blob.begin())) continue;
    if (!IsSignatureOf(key, parsed.blob, text)) {
      return Error{Code::kIntegrity, "the signature of a note is wrong"};
    }
    signed_by_key = true;
  }
  if (!signed_by_key) return Error{Code::kIntegrity, "a note is not signed by the expected key"};
  return text;
}

}  // namespace grantfs
