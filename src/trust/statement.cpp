#include "grantfs/trust/statement.h"

#include <algorithm>

#include "dsse_internal.h"
#include "grantfs/crypto/encoding.h"
#include "grantfs/trust/consent.h"
#include "grantfs/trust/names.h"
#include "grantfs/util/text.h"
#include "json_fields_internal.h"
#include "packing_internal.h"

namespace grantfs {
namespace {

Bytes PreAuthenticationEncoding(std::string_view payload) { return DssePae(kStatementType, payload); }

Json PayloadToJson(const Statement& statement) {
  Json heads = Json::Object();
  if (statement.heads.vault) heads.Set("vault", statement.heads.vault->ToJson());
  if (statement.heads.environment) heads.Set("environment", statement.heads.environment->ToJson());
  Json json = Json::Object({{"vault", statement.vault.Hex()},
                            {"list", statement.list.Text()},
                            {"sequence", statement.sequence},
                            {"previous", statement.previous.Hex()},
                            {"signer", statement.signer.Hex()},
                            {"time", statement.time}});
  if (!statement.reason.empty()) json.Set("reason", statement.reason);
  json.Set("heads", std::move(heads));
  json.Set("act", ActToJson(statement.act));
  if (statement.state) json.Set("state", statement.state->ToJson());
  if (statement.consent) json.Set("consent", statement.consent->ToJson());
  if (statement.request) json.Set("ext", Json::Object({{"request", statement.request->Hex()}}));
  return json;
}

Result<SeenHeads> ReadHeads(const Json& json) {
  JsonReader in(json, "heads");
  const Json* vault = in.OptionalObject("vault");
  const Json* environment = in.OptionalObject("environment");
  GRANTFS_CHECK(in.Finish());
  SeenHeads heads;
  if (vault != nullptr) heads.vault = GRANTFS_TRY(Head::FromJson(*vault));
  if (environment != nullptr) heads.environment = GRANTFS_TRY(Head::FromJson(*environment));
  return heads;
}

// Which heads and whether a state belong into a statement follows from its list.
Status CheckShape(const Statement& statement) {
  const ListKind kind = statement.list.kind;
  const bool wants_vault = kind != ListKind::kVault;
  const bool wants_environment = statement.list.BelowEnvironment();
  if (statement.heads.vault.has_value() != wants_vault ||
      statement.heads.environment.has_value() != wants_environment) {
    return Error{Code::kInvalid, "the statement does not name the heads that its kind of list needs", 0,
                 statement.list.Text()};
  }
  if (statement.state.has_value() != (kind == ListKind::kSecret)) {
    return Error{Code::kInvalid, "a secret's statement carries its state, and no other does", 0,
                 statement.list.Text()};
  }
  if (!statement.consent) return {};
  if (!MayBeConsentedTo(statement.act) || statement.consent->environment.has_value() != wants_environment) {
    return Error{Code::kInvalid, "the statement names a second signer where it has no place", 0,
                 statement.list.Text()};
  }
  if (statement.consent->signer == statement.signer) {
    return Error{Code::kInvalid, "both signatures of the statement are of one owner", 0,
                 statement.list.Text()};
  }
  return {};
}

// Of what stands in `ext` only this is known, and nothing is judged by it but by who looks for it.
std::optional<Hash> RequestIn(const Json* ext) {
  const Json* request = ext != nullptr ? ext->Find("request") : nullptr;
  if (request == nullptr || !request->is(Json::Kind::kString)) return std::nullopt;
  const auto id = Hash::FromHex(request->AsString());
  return id ? std::optional(*id) : std::nullopt;
}

Result<Statement> PayloadFromJson(const Json& json) {
  JsonReader in(json, "statement");
  Statement statement;
  statement.vault = ReadHex<Hash>(in, "vault");
  const std::string list = in.String("list", kMaxNameBytes + 32);
  statement.sequence = ReadCount(in, "sequence", 0, kMaxSequence);
  statement.previous = ReadHex<Hash>(in, "previous");
  statement.signer = ReadHex<Hash>(in, "signer");
  statement.time = ReadTime(in, "time");
  statement.reason = CheckPrintable(in, in.OptionalString("reason", Statement::kMaxReasonBytes), "reason");
  const Json& heads = in.Object("heads");
  const Json& act = in.Object("act");
  const Json* state = in.OptionalObject("state");
  const Json* consent = in.OptionalObject("consent");
  in.Ignore("ext");
  GRANTFS_CHECK(in.Finish());
  statement.request = RequestIn(json.Find("ext"));
  statement.list = GRANTFS_TRY(ListId::Parse(list));
  statement.heads = GRANTFS_TRY(ReadHeads(heads));
  statement.act = GRANTFS_TRY(ActFromJson(act));
  if (state != nullptr) statement.state = GRANTFS_TRY(SecretState::FromJson(*state));
  if (consent != nullptr) statement.consent = GRANTFS_TRY(Consent::FromJson(*consent));
  GRANTFS_CHECK(CheckShape(statement));
  return statement;
}

struct Signed {
  Hash signer;
  Signature signature;
};

std::string EnvelopeOf(const std::string& payload, const Signed& first, const std::optional<Signed>& second) {
  const auto entry = [](const Signed& one) {
    return Json::Object({{"keyid", one.signer.Hex()}, {"sig", Base64Encode(one.signature.bytes)}});
  };
  Json signatures = Json::Array({entry(first)});
  if (second) signatures.Append(entry(*second));
  return Json::Object({{"payloadType", kStatementType},
                       {"payload", Base64Encode(AsBytes(payload))},
                       {"signatures", std::move(signatures)}})
      .Dump();
}

struct Parts {
  std::string payload;
  Signed first;
  std::optional<Signed> second;
};

Result<Signed> ReadSigned(const Json& json) {
  JsonReader in(json, "signature");
  Signed one;
  one.signer = ReadHex<Hash>(in, "keyid");
  const std::string signature = in.String("sig", 128);
  GRANTFS_CHECK(in.Finish());
  const Bytes bytes = GRANTFS_TRY(Base64Decode(signature, 64));
  if (bytes.size() != 64) return Error{Code::kInvalid, "a signature has 64 bytes"};
  std::copy(bytes.begin(), bytes.end(), one.signature.bytes.begin());
  return one;
}

Result<Parts> ReadEnvelope(std::string_view envelope) {
  if (envelope.size() > kMaxEnvelopeBytes) return Error{Code::kInvalid, "a statement has at most 64 KiB"};
  const Json json = GRANTFS_TRY(ParseJson(envelope));
  JsonReader in(json, "envelope");
  const std::string type = in.String("payloadType", 128);
  const std::string payload = in.String("payload", kMaxEnvelopeBytes);
  const auto& signatures = in.Array("signatures", 8);
  GRANTFS_CHECK(in.Finish());
  if (type != kStatementType)
    return Error{Code::kUnsupported, "the statement's type is not known to this build; upgrade grantfs"};
  if (signatures.empty() || signatures.size() > 2)
    return Error{Code::kUnsupported, "this build takes one or two signatures a statement; upgrade grantfs"};
  Parts parts;
  parts.first = GRANTFS_TRY(ReadSigned(signatures[0]));
  if (signatures.size() == 2) parts.second = GRANTFS_TRY(ReadSigned(signatures[1]));
  parts.payload = ToText(GRANTFS_TRY(Base64Decode(payload, kMaxEnvelopeBytes)));
  return parts;
}

}  // namespace

std::string ListId::Text() const {
  switch (kind) {
    case ListKind::kVault:
      return "vault";
    case ListKind::kMachines:
      return "machines";
    case ListKind::kEnvironment:
      return "environment/" + environment;
    case ListKind::kSecret:
      return "secret/" + std::to_string(number);
    case ListKind::kGroup:
      return "group/" + environment + "/" + std::to_string(number);
  }
  std::abort();
}

Result<ListId> ListId::Parse(std::string_view text) {
  if (text == "vault") return Vault();
  if (text == "machines") return Machines();
  constexpr std::string_view kEnvironmentPrefix = "environment/";
  constexpr std::string_view kSecretPrefix = "secret/";
  if (text.starts_with(kEnvironmentPrefix)) {
    const auto name = text.substr(kEnvironmentPrefix.size());
    GRANTFS_CHECK(CheckEnvironmentName(name));
    return Environment(std::string(name));
  }
  unsigned long long number = 0;
  if (text.starts_with(kSecretPrefix) &&
      ParseNumber(text.substr(kSecretPrefix.size()), kMaxSecretNumber, &number) && number != 0) {
    return Secret(number);
  }
  constexpr std::string_view kGroupPrefix = "group/";
  const auto last = text.rfind('/');
  if (text.starts_with(kGroupPrefix) && last > kGroupPrefix.size() &&
      ParseNumber(text.substr(last + 1), static_cast<std::uint64_t>(kMaxSequence), &number) && number != 0) {
    const auto name = text.substr(kGroupPrefix.size(), last - kGroupPrefix.size());
    GRANTFS_CHECK(CheckEnvironmentName(name));
    return Group(std::string(name), number);
  }
  return Error{Code::kInvalid, "there is no such kind of list", 0, Printable(text.substr(0, 80))};
}

Json Head::ToJson() const { return Json::Object({{"sequence", sequence}, {"hash", hash.Hex()}}); }

Result<Head> Head::FromJson(const Json& json) {
  JsonReader in(json, "head");
  Head head;
  head.sequence = ReadCount(in, "sequence", 0, kMaxSequence);
  head.hash = ReadHex<Hash>(in, "hash");
  GRANTFS_CHECK(in.Finish());
  return head;
}

Json Consent::ToJson() const {
  Json json = Json::Object(
      {{"signer", signer.Hex()}, {"time", time}, {"expires", expires}, {"after", after.ToJson()}});
  if (environment) json.Set("environment", environment->ToJson());
  return json;
}

Result<Consent> Consent::FromJson(const Json& json) {
  JsonReader in(json, "consent");
  Consent consent;
  consent.signer = ReadHex<Hash>(in, "signer");
  consent.time = ReadTime(in, "time");
  consent.expires = ReadTime(in, "expires");
  const Json& after = in.Object("after");
  const Json* environment = in.OptionalObject("environment");
  GRANTFS_CHECK(in.Finish());
  consent.after = GRANTFS_TRY(Head::FromJson(after));
  if (environment != nullptr) consent.environment = GRANTFS_TRY(Head::FromJson(*environment));
  return consent;
}

Bytes ConsentBytes(const Hash& vault, const ListId& list, const Consent& consent, const Act& act) {
  const Json json = Json::Object({{"vault", vault.Hex()},
                                  {"list", list.Text()},
                                  {"consent", consent.ToJson()},
                                  {"act", ActToJson(ConsentedAct(act))}});
  return DssePae(kConsentType, json.Dump());
}

Result<SignedStatement> SignedStatement::Of(std::string payload, const Signature& signature,
                                            std::optional<Signature> consent) {
  SignedStatement made;
  made.statement_ = GRANTFS_TRY(PayloadFromJson(GRANTFS_TRY(ParseJson(payload))));
  if (made.statement_.consent.has_value() != consent.has_value()) {
    return Error{Code::kInvalid, "a statement has a second signature if and only if it names whose", 0,
                 made.statement_.list.Text()};
  }
  made.hash_ = Blake2b256({PreAuthenticationEncoding(payload)});
  made.payload_ = std::move(payload);
  made.payload_.shrink_to_fit();
  made.signature_ = signature;
  made.consent_ = consent;
  return made;
}

Result<SignedStatement> SignedStatement::Parse(std::string_view envelope) {
  Parts parts = GRANTFS_TRY(ReadEnvelope(envelope));
  std::optional<Signature> consent;
  if (parts.second) consent = parts.second->signature;
  SignedStatement made = GRANTFS_TRY(Of(std::move(parts.payload), parts.first.signature, consent));
  const Statement& said = made.statement_;
  if (said.signer != parts.first.signer || (said.consent && said.consent->signer != parts.second->signer)) {
    return Error{Code::kInvalid, "the signature is of another key than the signer's", 0, said.list.Text()};
  }
  return made;
}

Result<SignedStatement> SignedStatement::Sign(const Statement& statement, const SigningKey& key,
                                              const Signature* consent) {
  const std::string payload = PayloadToJson(statement).Dump();
  std::optional<Signed> second;
  if (consent != nullptr && statement.consent) second = Signed{statement.consent->signer, *consent};
  // What we make must pass what we accept.
  return Parse(EnvelopeOf(payload, {statement.signer, key.Sign(PreAuthenticationEncoding(payload))}, second));
}

std::string SignedStatement::envelope() const {
  std::optional<Signed> second;
  if (consent_) second = Signed{statement_.consent->signer, *consent_};
  return EnvelopeOf(payload_, {statement_.signer, signature_}, second);
}

// One byte tells how many signatures come before the payload.
std::string SignedStatement::Packed() const {
  std::string packed(1, consent_ ? '\2' : '\1');
  packed += AsText(signature_.bytes);
  if (consent_) packed += AsText(consent_->bytes);
  packed += PackJson(payload_);
  packed.shrink_to_fit();
  return packed;
}

Result<SignedStatement> SignedStatement::Unpack(std::string_view packed) {
  const std::size_t count = packed.empty() ? 0 : static_cast<unsigned char>(packed[0]);
  if (count < 1 || count > 2 || packed.size() < 1 + count * sizeof(Signature::bytes))
    return Error{Code::kInvalid, "this is no packed statement"};
  packed.remove_prefix(1);
  const auto take = [&packed] {
    Signature signature;
    const ByteView bytes = AsBytes(packed).first(signature.bytes.size());
    std::copy(bytes.begin(), bytes.end(), signature.bytes.begin());
    packed.remove_prefix(bytes.size());
    return signature;
  };
  const Signature first = take();
  std::optional<Signature> second;
  if (count == 2) second = take();
  return Of(UnpackJson(packed), first, second);
}

bool SignedStatement::VerifyConsent(const VerifyKey& key) const {
  return consent_ &&
         Verify(key, ConsentBytes(statement_.vault, statement_.list, *statement_.consent, statement_.act),
                *consent_);
}

void SignedStatement::VerifyAhead(const VerifyKey& key) {
  if (VerifySignature(key)) verified_ = key;
}

bool SignedStatement::VerifySignature(const VerifyKey& key) const {
  return verified_ == key || Verify(key, PreAuthenticationEncoding(payload_), signature_);
}

}  // namespace grantfs
