#include <algorithm>
#include <array>

#include "grantfs/crypto/encoding.h"
#include "packing_internal.h"

// Hashes, keys and the names of fields make most of a payload. Packed, each is a mark, which no JSON text
// holds, and of a hash or key its bytes: a machine keeps the statements about ten thousand secrets so.

namespace grantfs {
namespace {

constexpr char kDigestMark = '\x01';
constexpr std::size_t kDigestDigits = 64;

struct Word {
  char mark;
  std::string_view text;
};

/// What stands in the statements that machines keep; what is longer comes first. Each begins with a quote.
constexpr std::array<Word, 26> kWords{{
    {'\x02', R"("offline":0,"record":"each","expires":0,"strict":false},"state":{"path":")"},
    {'\x03', R"("}},"act":{"type":"grant.add","grantee":{"kind":"machine","number":)"},
    {'\x04', R"("not_after":0},"label":"current","owner":"","group":"","mode":)"},
    {'\x05', R"("}},"act":{"type":"version.publish","environment":")"},
    {'\x06', R"("},"environment":{"sequence":)"},
    {'\x07', R"("heads":{"vault":{"sequence":)"},
    {'\x08', R"("set":""},"state":{"path":")"},
    {'\x0b', R"("strict":false},"state":{"path":")"},
    {'\x0c', R"("conditions":[],"lease":)"},
    {'\x0e', R"("labels":{"current":")"},
    {'\x0f', R"("}},"act":{"type":")"},
    {'\x10', R"(","commitment":")"},
    {'\x11', R"(","list":"secret/)"},
    {'\x12', R"(","previous":")"},
    {'\x13', R"("ciphertext":")"},
    {'\x14', R"("},"grants":")"},
    {'\x15', R"(","version":)"},
    {'\x16', R"(","sequence":)"},
    {'\x17', R"(","signer":")"},
    {'\x18', R"("previous":")"},
    {'\x19', R"("vault":")"},
    {'\x1a', R"(","epoch":)"},
    {'\x1b', R"(","time":)"},
    {'\x1c', R"(","name":")"},
    {'\x1d', R"(","path":")"},
    {'\x1e', R"("hash":")"},
}};

const Word* WordAt(std::string_view text) {
  if (text.front() != '"') return nullptr;
  const auto found = std::find_if(kWords.begin(), kWords.end(),
                                  [&](const Word& word) { return text.starts_with(word.text); });
  return found == kWords.end() ? nullptr : &*found;
}

const Word* WordOf(char mark) {
  const auto found =
      std::find_if(kWords.begin(), kWords.end(), [&](const Word& word) { return word.mark == mark; });
  return found == kWords.end() ? nullptr : &*found;
}

bool BeginsWithDigest(std::string_view text) {
  return text.size() >= kDigestDigits && std::all_of(text.begin(), text.begin() + kDigestDigits, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool IsMark(char c) { return c == kDigestMark || WordOf(c) != nullptr; }

}  // namespace

std::string PackJson(std::string_view json) {
  std::string packed;
  while (!json.empty()) {
    if (const Word* word = WordAt(json)) {
      packed += word->mark;
      json.remove_prefix(word->text.size());
    } else if (const auto digest = BeginsWithDigest(json)
                                       ? HexDecode(json.substr(0, kDigestDigits), kDigestDigits / 2)
                                       : Result<Bytes>(Bytes());
               digest && !digest->empty()) {
      packed += kDigestMark;
      packed += AsText(*digest);
      json.remove_prefix(kDigestDigits);
    } else {
      // Up to a quote, where a word may begin, or behind one, where a digest may.
      const std::size_t plain = json.front() == '"' ? 1 : std::min(json.find('"'), json.size());
      packed += json.substr(0, plain);
      json.remove_prefix(plain);
    }
  }
  return packed;
}

std::string UnpackJson(std::string_view packed) {
  std::string json;
  while (!packed.empty()) {
    const auto at =
        static_cast<std::size_t>(std::find_if(packed.begin(), packed.end(), IsMark) - packed.begin());
    json += packed.substr(0, at);
    packed.remove_prefix(at);
    if (packed.empty()) break;
    const char mark = packed.front();
    packed.remove_prefix(1);
    if (const Word* word = WordOf(mark)) {
      json += word->text;
    } else {
      const std::string_view digest = packed.substr(0, kDigestDigits / 2);
      json += HexEncode(AsBytes(digest));
      packed.remove_prefix(digest.size());
    }
  }
  return json;
}

}  // namespace grantfs
