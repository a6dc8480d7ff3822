#include "grantfs/api/audit.h"

#include "fields_internal.h"

namespace grantfs::api {
namespace {

constexpr std::size_t kMaxLeafBytes = 1024;
constexpr std::size_t kMaxSaltBytes = 64;
constexpr std::size_t kMaxOutcomeBytes = 16;

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
  if (!below.empty()) json.Set("below", below);
  if (!actor.empty()) json.Set("actor", actor);
  if (!type.empty()) json.Set("type", type);
  if (!outcome.empty()) json.Set("outcome", outcome);
  if (at_least) json.Set("at_least", AuditSeverityName(*at_least));
  if (since_ms) json.Set("since_ms", *since_ms);
  if (until_ms) json.Set("until_ms", *until_ms);
  json.Set("limit", std::uint64_t{limit});
  if (before) json.Set("before", *before);
  if (from) json.Set("from", *from);
  return json;
}

Result<AuditSearchRequest> AuditSearchRequest::FromJson(const Json& json) {
  JsonReader in(json, "audit");
  AuditSearchRequest request;
  request.environment = in.OptionalString("environment", kMaxNameBytes);
  request.object = in.OptionalString("object", 2 * kMaxNameBytes);
  request.below = in.OptionalString("below", 2 * kMaxNameBytes);
  if (!request.object.empty() && !request.below.empty()) in.Fail("stands beside \"object\"", "below");
  request.actor = in.OptionalString("actor", 64);
  request.type = in.OptionalString("type", 64);
  if (!request.type.empty() && !IsAuditType(request.type)) in.Fail("is no type of a record", "type");
  request.outcome = in.OptionalString("outcome", kMaxOutcomeBytes);
  if (in.Has("at_least")) request.at_least = ReadSeverity(in, "at_least");
  if (in.Has("since_ms")) request.since_ms = in.Number("since_ms", 0, kMaxLeafTimeMs);
  if (in.Has("until_ms")) request.until_ms = in.Number("until_ms", 0, kMaxLeafTimeMs);
  request.limit = ReadLimit(in, kMaxAuditRecords);
  if (in.Has("before")) request.before = ReadCount(in, "before");
  if (in.Has("from")) request.from = ReadCount(in, "from");
  if (request.before && request.from) in.Fail("stands beside \"before\"", "from");
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
