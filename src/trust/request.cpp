#include "grantfs/trust/request.h"

#include "dsse_internal.h"
#include "grantfs/trust/consent.h"
#include "request_json_internal.h"

namespace grantfs {
namespace {

/// A clock that is ahead of ours by no more than this is let pass.
constexpr std::int64_t kClockSlack = 300;

std::string EnvelopeOf(const std::string& payload, const Hash& signer, const Signature& signature) {
  return Json::Object({{"payloadType", kRequestType},
                       {"payload", Base64Encode(AsBytes(payload))},
                       {"signatures", Json::Array({Json::Object({{"keyid", signer.Hex()},
                                                                 {"sig", Base64Encode(signature.bytes)}})})}})
      .Dump();
}

bool IsKnown(const Head& head, const SignedList& list) { return list.HashAt(head.sequence) == head.hash; }

}  // namespace

const char* AskName(const AnyAsk& ask) {
  static constexpr const char* kNames[] = {"grant", "revoke", "member", "rotation", "consent"};
  return kNames[ask.index()];
}

Result<SignedRequest> SignedRequest::Parse(std::string_view envelope) {
  if (envelope.size() > kMaxAskBytes) return Error{Code::kInvalid, "a request has at most 256 KiB"};
  const Json json = GRANTFS_TRY(ParseJson(envelope));
  JsonReader in(json, "envelope");
  const std::string type = in.String("payloadType", 128);
  const std::string payload = in.String("payload", kMaxAskBytes);
  const auto& signatures = in.Array("signatures", 1);
  GRANTFS_CHECK(in.Finish());
  if (type != kRequestType)
    return Error{Code::kUnsupported, "the request's type is not known to this build; upgrade grantfs"};
  if (signatures.size() != 1) return Error{Code::kInvalid, "a request has one signature"};
  JsonReader signature_in(signatures[0], "signature");
  const Hash keyid = ReadHex<Hash>(signature_in, "keyid");
  const std::string signature = signature_in.String("sig", 128);
  GRANTFS_CHECK(signature_in.Finish());
  const Bytes bytes = GRANTFS_TRY(Base64Decode(signature, 64));
  if (bytes.size() != 64) return Error{Code::kInvalid, "a signature has 64 bytes"};
  SignedRequest made;
  std::copy(bytes.begin(), bytes.end(), made.signature_.bytes.begin());
  made.payload_ = ToText(GRANTFS_TRY(Base64Decode(payload, kMaxAskBytes)));
  made.request_ = GRANTFS_TRY(RequestFromJson(GRANTFS_TRY(ParseJson(made.payload_))));
  if (made.request_.signer != keyid)
    return Error{Code::kInvalid, "the signature is of another key than the signer's"};
  made.id_ = Blake2b256({DssePae(kRequestType, made.payload_)});
  made.envelope_ = EnvelopeOf(made.payload_, keyid, made.signature_);
  return made;
}

Result<SignedRequest> SignedRequest::Sign(const Request& request, const SigningKey& key) {
  const std::string payload = RequestToJson(request).Dump();
  return Parse(EnvelopeOf(payload, request.signer, key.Sign(DssePae(kRequestType, payload))));
}

Status SignedRequest::Check(const VaultList& vault, const EnvironmentList& environment,
                            std::int64_t now) const {
  const auto refuse = [&](Code code, const char* why) { return Error{code, why, 0, id_.Hex()}; };
  if (request_.vault != vault.vault_id() || request_.environment != environment.name())
    return refuse(Code::kIntegrity, "the request is for another vault or environment");
  const Identity* asker = environment.FindIdentity(request_.signer);
  if (asker == nullptr)
    return refuse(Code::kDenied, "the request is of somebody who never had a role in this environment");
  if (!Verify(asker->sign, DssePae(kRequestType, payload_), signature_))
    return refuse(Code::kIntegrity, "the request's signature does not match");
  if (!IsKnown(request_.vault_head, vault) || !IsKnown(request_.environment_head, environment))
    return refuse(Code::kIntegrity, "the request was made over another history than the one known here");
  const auto role = environment.RoleOf(request_.signer);
  const bool owns = std::holds_alternative<AskConsent>(request_.ask);
  const bool may = role && (owns ? *role == Role::kOwner : RoleAllows(*role, Operation::kAsk));
  if (!may || vault.IsRemoved(request_.signer) ||
      !environment.WasMemberThrough(request_.signer, request_.environment_head.sequence,
                                    environment.next_sequence())) {
    return refuse(Code::kDenied,
                  "who asked may not ask, or has lost the role since: the request counts no more");
  }
  if (request_.time > now + kClockSlack)
    return refuse(Code::kInvalid, "the request is of the future: its signer's clock is wrong, or this one");
  if (request_.expires <= now) return refuse(Code::kExpired, "the request has expired: it must be made anew");
  return {};
}

}  // namespace grantfs
