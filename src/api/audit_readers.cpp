#include "fields_internal.h"
#include "grantfs/api/audit.h"

namespace grantfs::api {
namespace {

constexpr std::size_t kMaxActorBytes = 80;

Json WriteReader(const AuditReader& reader) {
  Json json = Json::Object({{"actor", reader.actor}});
  if (!reader.name.empty()) json.Set("name", reader.name);
  if (reader.process) json.Set("uid", reader.uid).Set("executable", reader.executable);
  return json.Set("version", reader.version)
      .Set("time_ms", reader.time_ms)
      .Set("record", reader.record)
      .Set("count", reader.count);
}

AuditReader ReadReader(JsonReader& in) {
  AuditReader reader;
  reader.actor = in.String("actor", kMaxActorBytes);
  reader.name = in.OptionalString("name", kMaxNameBytes);
  reader.process = in.Has("uid");
  if (reader.process) {
    reader.uid = ReadSmall(in, "uid", 0, 0xffffffff);
    reader.executable = in.String("executable", kMaxPathBytes);
  }
  reader.version = ReadVersion(in, 0);
  reader.time_ms = in.Number("time_ms", 0, kMaxLeafTimeMs);
  reader.record = ReadCount(in, "record");
  reader.count = ReadCount(in, "count", 1);
  return reader;
}

}  // namespace

Json AuditReadersRequest::ToJson() const {
  Json json = Json::Object({{"environment", environment}, {"path", path}});
  if (before) json.Set("before", *before);
  return json;
}

Result<AuditReadersRequest> AuditReadersRequest::FromJson(const Json& json) {
  JsonReader in(json, "audit");
  AuditReadersRequest request;
  request.environment = ReadEnvironment(in);
  request.path = ReadPath(in);
  if (in.Has("before")) request.before = ReadCount(in, "before");
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json AuditReadersResponse::ToJson() const {
  Json json = Json::Object({{"readers", WriteAll(readers, WriteReader)}});
  if (next) json.Set("next", *next);
  return json;
}

Result<AuditReadersResponse> AuditReadersResponse::FromJson(const Json& json) {
  JsonReader in(json, "audit");
  AuditReadersResponse response;
  response.readers = ReadObjects<AuditReader>(in, "readers", kMaxAuditReaders, ReadReader);
  if (in.Has("next")) response.next = ReadCount(in, "next");
  GRANTFS_CHECK(in.Finish());
  return response;
}

}  // namespace grantfs::api
