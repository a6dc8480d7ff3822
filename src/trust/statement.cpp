#include "grantfs/trust/statement.h"

#include <algorithm>

#include "grantfs/crypto/encoding.h"
#include "grantfs/trust/names.h"
#include "grantfs/util/text.h"
#include "json_fields_internal.h"
#include "packing_internal.h"

namespace grantfs {
namespace {

// DSSE's PAE: "DSSEv1" SP len(type) SP type SP len(payload) SP payload.
Bytes PreAuthenticationEncoding(std::string_view payload) {
  std::string text = "DSSEv1 " + std::to_string(sizeof(kStatementType) - 1) + " " + kStatementType + " " +
                     std::to_string(payload.size()) + " ";
  text += payload;
  return ToBytes(AsBytes(text));
}

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
  const bool wants_environment = kind == ListKind::kSecret;
  if (statement.heads.vault.has_value() != wants_vault ||
      statement.heads.environment.has_value() != wants_environment) {
    return Error{Code::kInvalid, "the statement does not name the heads that its kind of list needs", 0,
                 statement.list.Text()};
  }
  if (statement.state.has_value() != (kind == ListKind::kSecret)) {
    return Error{Code::kInvalid, "a secret's statement carries its state, and no other does", 0,
                 statement.list.Text()};
  }
  return {};
}

Result<Statement> PayloadFromJson(const Json& json) {
  JsonReader in(json, "statement");
  Statement statement;
  statement.vault = ReadHex<Hash>(in, "vault");
  const std::string list = in.String("list", kMaxNameBytes + 16);
  statement.sequence = ReadCount(in, "sequence", 0, kMaxSequence);
  statement.previous = ReadHex<Hash>(in, "previous");
  statement.signer = ReadHex<Hash>(in, "signer");
  statement.time = ReadTime(in, "time");
  statement.reason = CheckPrintable(in, in.OptionalString("reason", Statement::kMaxReasonBytes), "reason");
  const Json& heads = in.Object("heads");
  const Json& act = in.Object("act");
  const Json* state = in.OptionalObject("state");
  in.Ignore("ext");
  GRANTFS_CHECK(in.Finish());
  statement.list = GRANTFS_TRY(ListId::Parse(list));
  statement.heads = GRANTFS_TRY(ReadHeads(heads));
  statement.act = GRANTFS_TRY(ActFromJson(act));
  if (state != nullptr) statement.state = GRANTFS_TRY(SecretState::FromJson(*state));
  GRANTFS_CHECK(CheckShape(statement));
  return statement;
}

std::string EnvelopeOf(const std::string& payload, const Hash& signer, const Signature& signature) {
  return Json::Object({{"payloadType", kStatementType},
                       {"payload", Base64Encode(AsBytes(payload))},
                       {"signatures", Json::Array({Json::Object({{"keyid", signer.Hex()},
                                                                 {"sig", Base64Encode(signature.bytes)}})})}})
      .Dump();
}

struct Parts {
  std::string payload;
  Hash signer;
  Signature signature;
};

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
  if (signatures.size() != 1)
    return Error{Code::kUnsupported, "this build takes one signature a statement; upgrade grantfs"};
  JsonReader signature_in(signatures[0], "signature");
  Parts parts;
  parts.signer = ReadHex<Hash>(signature_in, "keyid");
  const std::string signature = signature_in.String("sig", 128);
  GRANTFS_CHECK(signature_in.Finish());
  parts.payload = ToText(GRANTFS_TRY(Base64Decode(payload, kMaxEnvelopeBytes)));
  const Bytes bytes = GRANTFS_TRY(Base64Decode(signature, 64));
  if (bytes.size() != 64) return Error{Code::kInvalid, "a signature has 64 bytes"};
  std::copy(bytes.begin(), bytes.end(), parts.signature.bytes.begin());
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

Result<SignedStatement> SignedStatement::Of(std::string payload, const Signature& signature) {
  SignedStatement made;
  made.statement_ = GRANTFS_TRY(PayloadFromJson(GRANTFS_TRY(ParseJson(payload))));
  made.hash_ = Blake2b256({PreAuthenticationEncoding(payload)});
  made.payload_ = std::move(payload);
  made.payload_.shrink_to_fit();
  made.signature_ = signature;
  return made;
}

Result<SignedStatement> SignedStatement::Parse(std::string_view envelope) {
  Parts parts = GRANTFS_TRY(ReadEnvelope(envelope));
  SignedStatement made = GRANTFS_TRY(Of(std::move(parts.payload), parts.signature));
  if (made.statement_.signer != parts.signer) {
    return Error{Code::kInvalid, "the signature is of another key than the signer's", 0,
                 made.statement_.list.Text()};
  }
  return made;
}

Result<SignedStatement> SignedStatement::Sign(const Statement& statement, const SigningKey& key) {
  const std::string payload = PayloadToJson(statement).Dump();
  const Signature signature = key.Sign(PreAuthenticationEncoding(payload));
  return Parse(EnvelopeOf(payload, statement.signer, signature));  // what we make must pass what we accept
}

std::string SignedStatement::envelope() const { return EnvelopeOf(payload_, statement_.signer, signature_); }

std::string SignedStatement::Packed() const {
  std::string packed(AsText(signature_.bytes));
  packed += PackJson(payload_);
  packed.shrink_to_fit();
  return packed;
}

Result<SignedStatement> SignedStatement::Unpack(std::string_view packed) {
  Signature signature;
  if (packed.size() < signature.bytes.size()) return Error{Code::kInvalid, "this is no packed statement"};
  const ByteView first = AsBytes(packed).first(signature.bytes.size());
  std::copy(first.begin(), first.end(), signature.bytes.begin());
  return Of(UnpackJson(packed.substr(first.size())), signature);
}

bool SignedStatement::VerifySignature(const VerifyKey& key) const {
  return Verify(key, PreAuthenticationEncoding(payload_), signature_);
}

}  // namespace grantfs
