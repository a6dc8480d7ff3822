#include "grantfs/trust/names.h"

#include "grantfs/util/text.h"

namespace grantfs {
namespace {

Error Refused(const char* where, std::string_view name) {
  return Error{Code::kInvalid, where, 0, Printable(name.substr(0, 80))};
}

const char* ComponentFault(std::string_view part) {
  if (part.empty())
    return "a name has an empty component: write project/environment/name without doubled slashes";
  if (part.size() > 255) return "a component of a name is longer than 255 bytes";
  if (part == "." || part == "..") return "a component of a name must not be . or ..";
  if (part == ".grantfs") return "the name .grantfs is taken by the mount's reports";
  if (!IsUtf8(part)) return "a name must be UTF-8";
  unsigned char before = 0;
  for (const char c : part) {
    const auto byte = static_cast<unsigned char>(c);
    const bool second_set = before == 0xC2 && byte < 0xA0;  // U+0080..U+009F
    if (byte < 0x20 || byte == 0x7F || second_set) return "a name must not hold control characters";
    before = byte;
  }
  return nullptr;
}

Status CheckComponents(std::string_view text, std::size_t least, std::size_t most) {
  if (text.size() > kMaxNameBytes) return Refused("the name is longer than 1024 bytes", text);
  const auto parts = Split(text, '/');
  if (parts.size() < least) {
    return Refused(
        "the name is too short: a secret is project/environment/name, an environment project/environment",
        text);
  }
  if (parts.size() > most) return Refused("an environment is project/environment, two components", text);
  for (const auto part : parts) {
    if (const char* fault = ComponentFault(part)) return Refused(fault, text);
  }
  return {};
}

}  // namespace

Status CheckEnvironmentName(std::string_view text) { return CheckComponents(text, 2, 2); }

Status CheckSecretPath(std::string_view text) { return CheckComponents(text, 1, kMaxNameBytes); }

Status CheckPrefix(std::string_view text) {
  if (text.empty()) return {};
  if (text.size() > kMaxNameBytes || text.back() != '/' || !CheckSecretPath(text.substr(0, text.size() - 1)))
    return Refused("a prefix is components that end in a slash", text);
  return {};
}

Result<SecretName> ParseSecretName(std::string_view text) {
  const auto first = text.find('/');
  const auto second = first == std::string_view::npos ? first : text.find('/', first + 1);
  if (second == std::string_view::npos) return Refused("a secret's name is project/environment/name", text);
  GRANTFS_CHECK(CheckEnvironmentName(text.substr(0, second)));
  GRANTFS_CHECK(CheckSecretPath(text.substr(second + 1)));
  return SecretName{std::string(text.substr(0, second)), std::string(text.substr(second + 1))};
}

Status CheckIdentityName(std::string_view text) {
  const auto alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const char* rule =
      "a name of a machine or person is 1 to 63 of a-z 0-9 . _ - and begins with a letter or digit";
  if (text.empty() || text.size() > 63 || !alnum(text[0])) return Refused(rule, text);
  for (const char c : text) {
    if (!alnum(c) && c != '.' && c != '_' && c != '-') return Refused(rule, text);
  }
  return {};
}

Status CheckNamePattern(std::string_view text) {
  const auto star = text.find('*');
  const bool one = star != std::string_view::npos && text.find('*', star + 1) == std::string_view::npos;
  // What the pattern leads to must be a name: with a letter in the star's place it is one.
  std::string example(text);
  if (one) example[star] = 'a';
  if (one && CheckIdentityName(example)) return {};
  return Refused(
      "a pattern of names is such a name with one * in it, which stands for one or more characters: web-*",
      text);
}

bool MatchesNamePattern(std::string_view name, std::string_view pattern) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos || !CheckIdentityName(name) || name.size() < pattern.size())
    return false;
  return name.starts_with(pattern.substr(0, star)) && name.ends_with(pattern.substr(star + 1));
}

Status CheckLabel(std::string_view text) {
  const char* rule = "a label is 1 to 32 of a-z 0-9 - and begins with a letter";
  if (text.empty() || text.size() > 32 || text[0] < 'a' || text[0] > 'z') return Refused(rule, text);
  for (const char c : text) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return Refused(rule, text);
  }
  return {};
}

}  // namespace grantfs
