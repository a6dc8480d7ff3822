#include "grantfs/trust/identity.h"

#include "grantfs/trust/names.h"
#include "json_fields_internal.h"

namespace grantfs {
namespace {

constexpr char kIdentityDerivation[] = "grantfs1";

Bytes BindingContext(const Identity& identity) {
  const std::uint8_t suite = kSuite;
  return EncodeContext({AsBytes("grantfs-identity"), ByteView(&suite, 1),
                        AsBytes(IdentityKindName(identity.kind)), AsBytes(identity.name), identity.sign.bytes,
                        identity.seal.bytes});
}

}  // namespace

const char* IdentityKindName(IdentityKind kind) {
  switch (kind) {
    case IdentityKind::kUser:
      return "user";
    case IdentityKind::kMachine:
      return "machine";
    case IdentityKind::kAgent:
      return "agent";
  }
  std::abort();
}

Result<IdentityKind> ParseIdentityKind(std::string_view text) {
  for (const auto kind : {IdentityKind::kUser, IdentityKind::kMachine, IdentityKind::kAgent}) {
    if (text == IdentityKindName(kind)) return kind;
  }
  return Error{Code::kInvalid, "an identity is a user, a machine or an agent"};
}

Hash Identity::Id() const {
  const std::uint8_t suite = kSuite;
  return Blake2b256({ByteView(&suite, 1), sign.bytes});
}

std::string Identity::Fingerprint() const {
  static constexpr char kDigits[] = "abcdefghijklmnopqrstuvwxyz234567";
  const Hash hash = Blake2b256({AsBytes("grantfs-fingerprint"), sign.bytes, seal.bytes});
  std::string text;
  for (std::size_t i = 0; i < 20; ++i) {
    if (i != 0 && i % 4 == 0) text += '-';
    const std::size_t bit = i * 5;
    const unsigned two = static_cast<unsigned>(hash.bytes[bit / 8]) << 8 | hash.bytes[bit / 8 + 1];
    text += kDigits[(two >> (11 - bit % 8)) & 31u];
  }
  return text;
}

Json Identity::ToJson() const {
  return Json::Object({{"suite", int{kSuite}},
                       {"kind", IdentityKindName(kind)},
                       {"name", name},
                       {"sign", sign.Hex()},
                       {"seal", seal.Hex()},
                       {"binding", HexEncode(binding.bytes)},
                       {"not_after", not_after}});
}

Result<Identity> Identity::FromJson(const Json& json) {
  Identity identity = GRANTFS_TRY(FromJsonUnbound(json));
  GRANTFS_CHECK(identity.CheckBinding());
  return identity;
}

Result<Identity> Identity::FromJsonUnbound(const Json& json) {
  JsonReader in(json, "identity");
  Identity identity;
  const auto suite = in.Number("suite", 0, 255);
  const std::string kind = in.String("kind", 16);
  identity.name = ReadChecked(in, "name", 63, CheckIdentityName);
  identity.sign = ReadHex<VerifyKey>(in, "sign");
  identity.seal = ReadHex<SealKey>(in, "seal");
  identity.binding = ReadSignature(in, "binding");
  identity.not_after = ReadTime(in, "not_after");
  GRANTFS_CHECK(in.Finish());
  if (suite != kSuite)
    return Error{Code::kUnsupported, "the key's suite is not known to this build; upgrade grantfs", 0,
                 identity.name};
  identity.kind = GRANTFS_TRY(ParseIdentityKind(kind));
  return identity;
}

Status Identity::CheckBinding() const {
  if (Verify(sign, BindingContext(*this), binding)) return {};
  return Error{Code::kIntegrity, "the sealing key is not signed by the identity's own key", 0, name};
}

Result<PrivateIdentity> PrivateIdentity::FromSeed(const SecretMemory& seed, IdentityKind kind,
                                                  std::string name) {
  GRANTFS_CHECK(CheckIdentityName(name));
  if (seed.size() != 32) return Error{Code::kInvalid, "a seed has 32 bytes"};
  PrivateIdentity made;
  made.signing_ = GRANTFS_TRY(SigningKey::FromSeed(GRANTFS_TRY(DeriveKey(seed, 1, kIdentityDerivation))));
  made.unseal_ = GRANTFS_TRY(UnsealKey::FromSeed(GRANTFS_TRY(DeriveKey(seed, 2, kIdentityDerivation))));
  made.identity_.kind = kind;
  made.identity_.name = std::move(name);
  made.identity_.sign = made.signing_.verify_key();
  made.identity_.seal = made.unseal_.seal_key();
  made.identity_.binding = made.signing_.Sign(BindingContext(made.identity_));
  return made;
}

}  // namespace grantfs
