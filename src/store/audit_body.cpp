#include "audit_body_internal.h"
#include "grantfs/crypto/hash.h"

namespace grantfs {
namespace {

constexpr char kEnvironment[] = "environment";
constexpr std::size_t kOpenKeyBytes = 16;

std::optional<std::string> TextMember(const Json& body, const char* name) {
  const Json* const found = body.Find(name);
  if (found == nullptr || !found->is(Json::Kind::kString) || found->AsString().empty()) return std::nullopt;
  return found->AsString();
}

std::string MemberText(const Json& body, const char* name) {
  const Json* const found = body.Find(name);
  return found == nullptr ? std::string() : found->Dump();
}

}  // namespace

AuditNames NamesOf(const Json& body) {
  return {TextMember(body, kEnvironment), TextMember(body, kAuditObject), TextMember(body, kAuditActor),
          TextMember(body, kAuditOutcome)};
}

Result<std::string> BodyText(const AuditRecord& record) {
  if (!record.body.is(Json::Kind::kObject))
    return Error{Code::kInvalid, "an audit body must be an object", 0, record.type};
  std::string text;
  const Json* const named = record.body.Find(kEnvironment);
  if (named == nullptr && !record.environment.empty()) {
    Json body = record.body;
    text = body.Set(kEnvironment, record.environment).Dump();
  } else if (named == nullptr || *named == Json(record.environment)) {
    text = record.body.Dump();
  } else {
    return Error{Code::kInvalid, "an audit body names another environment than its record", 0, record.type};
  }
  if (text.size() <= kMaxAuditBodyBytes) return text;
  return Error{Code::kInvalid, "an audit body is larger than its bound", 0, record.type};
}

Bytes OpenKey(const AuditRecord& record) {
  const std::string actor = MemberText(record.body, kAuditActor);
  const std::string object = MemberText(record.body, kAuditObject);
  const std::string version = MemberText(record.body, "version");
  const std::string outcome = MemberText(record.body, kAuditOutcome);
  const Hash hash = Blake2b256({EncodeContext(
      {AsBytes("grantfs open v1"), AsBytes(record.open_id), AsBytes(record.type), AsBytes(record.environment),
       AsBytes(actor), AsBytes(object), AsBytes(version), AsBytes(outcome)})});
  return Bytes(hash.bytes.begin(), hash.bytes.begin() + kOpenKeyBytes);
}

}  // namespace grantfs
