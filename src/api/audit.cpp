#include "grantfs/api/audit.h"

#include "fields_internal.h"

namespace grantfs::api {
namespace {

constexpr std::size_t kMaxLeafBytes = 1024;
constexpr std::size_t kMaxSaltBytes = 64;

Json WriteEntry(const AuditEntry& entry) {
  Json json = Json::Object({{"sequence", entry.sequence}, {"leaf", Base64Encode(entry.leaf)}});
  if (entry.salt) json.Set("salt", Base64Encode(*entry.salt));
  if (entry.body) json.Set("body", *entry.body);
  return json;
}

AuditEntry ReadEntry(JsonReader& in) {
  AuditEntry entry;
  entry.sequence = ReadCount(in, "sequence");
  entry.leaf = ReadBlob(in, "leaf", kMaxLeafBytes);
  if (in.Has("salt")) entry.salt = ReadBlob(in, "salt", kMaxSaltBytes);
  if (in.Has("body")) entry.body = in.String("body", kMaxAuditBodyBytes);
  return entry;
}

AuditSeverity ReadSeverity(JsonReader& in, const char* name) {
  const auto severity = ParseAuditSeverity(in.String(name, 16));
  if (!severity) in.Fail("is no severity", name);
  return severity ? *severity : AuditSeverity::kInfo;
}

}  // namespace

Json AuditRecordsRequest::ToJson() const {
  return Json::Object({{"from", from}, {"limit", std::uint64_t{limit}}, {"bodies", bodies}});
}

Result<AuditRecordsRequest> AuditRecordsRequest::FromJson(const Json& json) {
  JsonReader in(json, "audit");
  AuditRecordsRequest request;
  request.from = ReadCount(in, "from");
  request.limit = ReadLimit(in, kMaxAuditRecords);
  request.bodies = in.Bool("bodies");
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json AuditRecordsResponse::ToJson() const {
  return Json::Object({{"checkpoint", checkpoint}, {"records", WriteAll(records, WriteEntry)}});
}

Result<AuditRecordsResponse> AuditRecordsResponse::FromJson(const Json& json) {
  JsonReader in(json, "audit");
  AuditRecordsResponse response;
  response.checkpoint = in.String("checkpoint", kMaxSentCheckpointBytes);
  response.records = ReadObjects<AuditEntry>(in, "records", kMaxAuditRecords, ReadEntry);
  GRANTFS_CHECK(in.Finish());
  return response;
}

Json AuditSearchRequest::ToJson() const {
  Json json = Json::Object();
  if (!environment.empty()) json.Set("environment", environment);
  if (!object.empty()) json.Set("object", object);
  if (!actor.empty()) json.Set("actor", actor);
  if (at_least) json.Set("at_least", AuditSeverityName(*at_least));
  json.Set("limit", std::uint64_t{limit});
  if (before) json.Set("before", *before);
  return json;
}

Result<AuditSearchRequest> AuditSearchRequest::FromJson(const Json& json) {
  JsonReader in(json, "audit");
  AuditSearchRequest request;
  request.environment = in.OptionalString("environment", kMaxNameBytes);
  request.object = in.OptionalString("object", 2 * kMaxNameBytes);
  request.actor = in.OptionalString("actor", 64);
  if (in.Has("at_least")) request.at_least = ReadSeverity(in, "at_least");
  request.limit = ReadLimit(in, kMaxAuditRecords);
  if (in.Has("before")) request.before = ReadCount(in, "before");
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json AuditSearchResponse::ToJson() const {
  Json json = Json::Object({{"records", WriteAll(records, WriteEntry)}});
  if (next) json.Set("next", *next);
  return json;
}

Result<AuditSearchResponse> AuditSearchResponse::FromJson(const Json& json) {
  JsonReader in(json, "audit");
  AuditSearchResponse response;
  response.records = ReadObjects<AuditEntry>(in, "records", kMaxAuditRecords, ReadEntry);
  if (in.Has("next")) response.next = ReadCount(in, "next");
  GRANTFS_CHECK(in.Finish());
  return response;
}

}  // namespace grantfs::api
