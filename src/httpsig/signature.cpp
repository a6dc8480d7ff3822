#include "grantfs/httpsig/signature.h"

#include <algorithm>
#include <array>

#include "grantfs/crypto/encoding.h"
#include "grantfs/crypto/hash.h"
#include "grantfs/crypto/random.h"
#include "structured_internal.h"

namespace grantfs {
namespace {

using namespace httpsig;

constexpr std::string_view kLabel = "grantfs";
constexpr std::string_view kTag = "grantfs";
constexpr std::string_view kAlgorithm = "ed25519";
constexpr std::string_view kCovered =
    R"(("@method" "@authority" "@path" "@query" "content-digest" "grantfs-vault" "grantfs-instance"))";
constexpr std::size_t kNonceBytes = 16;
constexpr std::int64_t kMaxCreated = 253'402'300'799;  // the end of the year 9999

Error Bad(const char* where) { return Error{Code::kInvalid, where}; }

bool IsVisible(std::string_view text, std::string_view without = {}) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return c > 0x20 && c < 0x7f && without.find(c) == std::string_view::npos;
  });
}

bool IsKeyId(std::string_view text) {
  const auto good = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == ':' || c == '-';
  };
  return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), good);
}

bool IsPlace(std::string_view text) { return text.size() <= 128 && IsVisible(text); }

/// A line end or a space in one of these would let two different requests share a signature base.
Status CheckParts(const SignedParts& parts) {
  const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (parts.method.empty() || !std::all_of(parts.method.begin(), parts.method.end(), upper))
    return Bad("the method is not in capital letters");
  const auto capital = std::any_of(parts.authority.begin(), parts.authority.end(), upper);
  if (parts.authority.empty() || capital || !IsVisible(parts.authority, "/?#@\""))
    return Bad("the authority is not a host in lower case");
  if (!parts.path.starts_with('/') || !IsVisible(parts.path, "?#")) return Bad("the path cannot be signed");
  if (!IsVisible(parts.query, "#")) return Bad("the query cannot be signed");
  return {};
}

std::string BaseFor(const SignedParts& parts, std::string_view digest, std::string_view vault,
                    std::string_view instance, std::string_view params) {
  const std::string query = "?" + std::string(parts.query);
  const std::array<SignatureComponent, 7> components{{{"\"@method\"", parts.method},
                                                      {"\"@authority\"", parts.authority},
                                                      {"\"@path\"", parts.path},
                                                      {"\"@query\"", query},
                                                      {"\"content-digest\"", digest},
                                                      {"\"grantfs-vault\"", vault},
                                                      {"\"grantfs-instance\"", instance}}};
  return SignatureBase(components, params);
}

/// The value of a header that must be there exactly once.
Result<std::string_view> OnlyHeader(std::span<const HttpHeader> headers, std::string_view name) {
  const HttpHeader* found = nullptr;
  for (const HttpHeader& header : headers) {
    if (header.name != name) continue;
    if (found != nullptr) return Bad("a header that is signed stands twice");
    found = &header;
  }
  if (found == nullptr) return Bad("a header that must be signed is missing");
  return std::string_view(found->value);
}

/// The value of the dictionary's one member, which must be ours.
template <typename Kind>
Result<Kind> OurMember(std::string_view field) {
  auto members = GRANTFS_TRY(ParseSfDictionary(field));
  if (members.size() != 1 || members[0].key != kLabel)
    return Bad("there must be one signature, labelled grantfs");
  auto* value = std::get_if<Kind>(&members[0].value);
  if (value == nullptr) return Bad("a signature header is malformed");
  return std::move(*value);
}

Result<Signature> ReadSignature(std::string_view field) {
  const SfItem item = GRANTFS_TRY(OurMember<SfItem>(field));
  const Bytes* bytes = std::get_if<Bytes>(&item.value);
  Signature signature;
  if (bytes == nullptr || bytes->size() != signature.bytes.size() || !item.params.empty())
    return Bad("the signature is not 64 bytes");
  std::copy(bytes->begin(), bytes->end(), signature.bytes.begin());
  return signature;
}

std::string_view TextOf(const SfBare& value) {
  const std::string* text = std::get_if<std::string>(&value);
  return text == nullptr ? std::string_view() : std::string_view(*text);
}

/// Reads one parameter into `info`; false if it is unknown or bad.
bool TakeParameter(const SfParameter& param, SignatureInfo& info) {
  if (param.key == "created") {
    const std::int64_t* created = std::get_if<std::int64_t>(&param.value);
    if (created == nullptr || *created < 0 || *created > kMaxCreated) return false;
    info.created = *created;
    return true;
  }
  const std::string_view text = TextOf(param.value);
  if (param.key == "alg") return text == kAlgorithm;
  if (param.key == "tag") return text == kTag;
  if (param.key == "keyid") {
    info.keyid = text;
    return IsKeyId(text);
  }
  if (param.key == "nonce") {
    info.nonce = text;
    const auto bytes = Base64UrlDecode(text, kNonceBytes);
    return bytes && bytes->size() == kNonceBytes;
  }
  return false;
}

/// Reads components and parameters; returns their text for the signature base.
Result<std::string> ReadInput(std::string_view field, SignatureInfo& info) {
  const SfInnerList list = GRANTFS_TRY(OurMember<SfInnerList>(field));
  if (SerializeSf(SfInnerList{list.items, {}}) != kCovered)
    return Bad("the signature does not cover exactly what it must");
  // Each of the five is known and none stands twice (the parser sees to it), so five are all of them.
  if (list.params.size() != 5) return Bad("the signature must have created, nonce, keyid, alg and tag");
  for (const SfParameter& param : list.params) {
    if (!TakeParameter(param, info)) return Bad("a parameter of the signature is unknown or out of bounds");
  }
  std::string params = SerializeSf(list);
  if (field != std::string(kLabel) + "=" + params) return Bad("signature-input is not in canonical form");
  return params;
}

Status CheckDigest(std::string_view digest, std::string_view body) {
  if (digest == ContentDigest(body)) return {};
  const auto members = GRANTFS_TRY(ParseSfDictionary(digest));
  const SfItem* item = members.size() == 1 ? std::get_if<SfItem>(&members[0].value) : nullptr;
  const Bytes* bytes = item != nullptr ? std::get_if<Bytes>(&item->value) : nullptr;
  const bool ours =
      bytes != nullptr && members[0].key == "sha-256" && bytes->size() == 32 && item->params.empty();
  if (!ours || digest != "sha-256=" + SerializeSf(*item))
    return Bad("content-digest is not one SHA-256 digest");
  return Error{Code::kIntegrity, "the body does not match its content-digest"};
}

}  // namespace

std::string ContentDigest(std::string_view body) {
  return "sha-256=:" + Base64Encode(Sha256({AsBytes(body)}).View()) + ":";
}

std::string SignatureBase(std::span<const SignatureComponent> components, std::string_view params) {
  std::string base;
  for (const auto& [name, value] : components) base.append(name).append(": ").append(value).append("\n");
  return base.append("\"@signature-params\": ").append(params);
}

Result<std::vector<HttpHeader>> SignRequest(const SignedParts& parts, std::string_view vault,
                                            std::string_view instance, std::int64_t created,
                                            std::string_view keyid, const SigningKey& key) {
  GRANTFS_CHECK(CheckParts(parts));
  if (!IsPlace(vault) || !IsPlace(instance)) return Bad("the vault's or the instance's id cannot be signed");
  if (!IsKeyId(keyid)) return Bad("the key's id cannot be signed");
  if (created < 0 || created > kMaxCreated) return Bad("the time cannot be signed");

  const std::string params = std::string(kCovered) + ";created=" + std::to_string(created) + ";nonce=\"" +
                             Base64UrlEncode(RandomBytes(kNonceBytes)) + "\";keyid=\"" + std::string(keyid) +
                             "\";alg=\"" + std::string(kAlgorithm) + "\";tag=\"" + std::string(kTag) + "\"";
  std::string digest = ContentDigest(parts.body);
  const Signature signature = key.Sign(AsBytes(BaseFor(parts, digest, vault, instance, params)));
  const std::string label = std::string(kLabel) + "=";
  return std::vector<HttpHeader>{{"content-digest", std::move(digest)},
                                 {kVaultHeader, std::string(vault)},
                                 {kInstanceHeader, std::string(instance)},
                                 {"signature-input", label + params},
                                 {"signature", label + ":" + Base64Encode(signature.bytes) + ":"}};
}

Result<SignatureInfo> ParseSignature(const SignedParts& parts, std::span<const HttpHeader> headers) {
  if (FindHeader(headers, "signature") == nullptr && FindHeader(headers, "signature-input") == nullptr)
    return Error{Code::kUnauthentic, "the request is not signed"};
  GRANTFS_CHECK(CheckParts(parts));
  SignatureInfo info;
  info.vault = GRANTFS_TRY(OnlyHeader(headers, kVaultHeader));
  info.instance = GRANTFS_TRY(OnlyHeader(headers, kInstanceHeader));
  if (!IsPlace(info.vault) || !IsPlace(info.instance))
    return Bad("the vault's or the instance's id is malformed");
  const std::string_view signature = GRANTFS_TRY(OnlyHeader(headers, "signature"));
  const std::string_view input = GRANTFS_TRY(OnlyHeader(headers, "signature-input"));
  const std::string_view digest = GRANTFS_TRY(OnlyHeader(headers, "content-digest"));
  info.signature = GRANTFS_TRY(ReadSignature(signature));
  const std::string params = GRANTFS_TRY(ReadInput(input, info));
  GRANTFS_CHECK(CheckDigest(digest, parts.body));
  info.base = BaseFor(parts, digest, info.vault, info.instance, params);
  return info;
}

bool VerifySignature(const SignatureInfo& info, const VerifyKey& key) {
  return Verify(key, AsBytes(info.base), info.signature);
}

}  // namespace grantfs
