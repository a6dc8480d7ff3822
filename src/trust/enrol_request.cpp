#include "grantfs/trust/enrol_request.h"

#include "grantfs/crypto/encoding.h"
#include "json_fields_internal.h"
#include "plain_line_internal.h"

namespace grantfs {
namespace {

constexpr std::string_view kRequestPrefix = "grantfs-request-1.";

Bytes RequestContext(const EnrolmentRequest& request) {
  const Identity& who = request.identity;
  const std::string made = std::to_string(request.made);
  const std::string expires = std::to_string(request.expires);
  return EncodeContext({AsBytes("grantfs-enrolment-request"), AsBytes(IdentityKindName(who.kind)),
                        AsBytes(who.name), who.sign.bytes, who.seal.bytes, AsBytes(made), AsBytes(expires)});
}

}  // namespace

Json EnrolmentRequest::ToJson() const {
  return Json::Object({{"identity", identity.ToJson()},
                       {"made", made},
                       {"expires", expires},
                       {"by_identity", HexEncode(by_identity.bytes)}});
}

Result<EnrolmentRequest> EnrolmentRequest::FromJson(const Json& json) {
  EnrolmentRequest request = GRANTFS_TRY(FromJsonUnverified(json));
  GRANTFS_CHECK(request.CheckOwn());
  return request;
}

Result<EnrolmentRequest> EnrolmentRequest::FromJsonUnverified(const Json& json) {
  JsonReader in(json, "request");
  EnrolmentRequest request;
  const Json& identity = in.Object("identity");
  request.made = ReadTime(in, "made");
  request.expires = ReadTime(in, "expires");
  request.by_identity = ReadSignature(in, "by_identity");
  GRANTFS_CHECK(in.Finish());
  request.identity = GRANTFS_TRY(Identity::FromJsonUnbound(identity));
  const Identity& who = request.identity;
  if (who.kind != IdentityKind::kMachine || who.not_after != 0)
    return Error{Code::kInvalid, "a request to enrol is a machine's, and does not say when it ends", 0,
                 who.name};
  if (request.expires <= request.made || request.expires - request.made > kMaxEnrolRequestSeconds)
    return Error{Code::kInvalid, "a request to enrol holds for 1s to 30d", 0, who.name};
  return request;
}

Status EnrolmentRequest::CheckOwn() const {
  GRANTFS_CHECK(identity.CheckBinding());
  if (Verify(identity.sign, RequestContext(*this), by_identity)) return {};
  return Error{Code::kIntegrity, "the request is not signed by the machine's own key", 0, identity.name};
}

EnrolmentRequest MakeEnrolmentRequest(const PrivateIdentity& identity, std::int64_t made,
                                      std::int64_t expires) {
  EnrolmentRequest request{identity.identity(), made, expires, {}};
  request.by_identity = identity.signing_key().Sign(RequestContext(request));
  return request;
}

std::string EncodeRequestLine(const EnrolmentRequest& request) {
  return EncodePlainLine(kRequestPrefix, request.ToJson());
}

Result<EnrolmentRequest> DecodeRequestLine(std::string_view text) {
  return EnrolmentRequest::FromJson(GRANTFS_TRY(DecodePlainLine(kRequestPrefix, text)));
}

}  // namespace grantfs
