#include "grantfs/api/log.h"

#include "fields_internal.h"
#include "grantfs/store/audit.h"

namespace grantfs::api {
namespace {

constexpr LogComplaintRequest::Kind kKinds[] = {LogComplaintRequest::Kind::kLower,
                                                LogComplaintRequest::Kind::kForked,
                                                LogComplaintRequest::Kind::kRecord};

Json WriteHashes(const std::vector<Hash>& hashes) {
  return WriteAll(hashes, [](const Hash& hash) { return Json(hash.Hex()); });
}

std::vector<Hash> ReadHashes(JsonReader& in, const char* name) {
  std::vector<Hash> hashes;
  for (const Json& item : in.Array(name, kMaxProofHashes)) {
    if (item.is(Json::Kind::kString))
      hashes.push_back(Taken(in, name, Hash::FromHex(item.AsString())));
    else
      in.Fail("is no hash", name);
  }
  return hashes;
}

Json WriteProven(const ProvenRecord& record) {
  Json json = Json::Object({{"record", record.record}});
  if (!record.leaf.empty()) json.Set("leaf", Base64Encode(record.leaf));
  if (record.salt) json.Set("salt", Base64Encode(*record.salt));
  if (record.body) json.Set("body", *record.body);
  if (!record.leaf.empty()) json.Set("proof", WriteHashes(record.proof));
  return json;
}

ProvenRecord ReadProven(JsonReader& in) {
  ProvenRecord record;
  record.record = ReadCount(in, "record");
  if (!in.Has("leaf")) return record;
  record.leaf = ReadBlob(in, "leaf", kMaxLogLeafBytes);
  if (in.Has("salt")) record.salt = ReadBlob(in, "salt", kMaxLogSaltBytes);
  if (in.Has("body")) record.body = in.String("body", kMaxAuditBodyBytes);
  record.proof = ReadHashes(in, "proof");
  return record;
}

}  // namespace

Json MachineRecordsRequest::ToJson() const {
  return Json::Object({{"records", WriteAll(records, [](std::uint64_t record) { return Json(record); })},
                       {"before", before}});
}

Result<MachineRecordsRequest> MachineRecordsRequest::FromJson(const Json& json) {
  JsonReader in(json, "records");
  MachineRecordsRequest request;
  const std::vector<Json>& records = in.Array("records", kMaxProvenRecords);
  if (records.empty()) in.Fail("an array is empty", "records");
  for (const Json& item : records) {
    const std::int64_t record = item.is(Json::Kind::kNumber) ? item.AsNumber() : -1;
    const bool follows =
        request.records.empty() || record > static_cast<std::int64_t>(request.records.back());
    if (record < 0 || record > kMaxSequence || !follows) {
      in.Fail("is not a row of records, each above the one before", "records");
      break;
    }
    request.records.push_back(static_cast<std::uint64_t>(record));
  }
  request.before = ReadCount(in, "before");
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json MachineRecordsResponse::ToJson() const {
  return Json::Object({{"checkpoint", checkpoint},
                       {"consistency", WriteHashes(consistency)},
                       {"records", WriteAll(records, WriteProven)}});
}

Result<MachineRecordsResponse> MachineRecordsResponse::FromJson(const Json& json) {
  JsonReader in(json, "records");
  MachineRecordsResponse response;
  response.checkpoint = in.String("checkpoint", kMaxSentCheckpointBytes);
  response.consistency = ReadHashes(in, "consistency");
  response.records = ReadObjects<ProvenRecord>(in, "records", kMaxProvenRecords, ReadProven, 1);
  GRANTFS_CHECK(in.Finish());
  return response;
}

const char* ComplaintKindName(LogComplaintRequest::Kind kind) {
  switch (kind) {
    case LogComplaintRequest::Kind::kLower:
      return "lower";
    case LogComplaintRequest::Kind::kForked:
      return "forked";
    case LogComplaintRequest::Kind::kRecord:
      return "record";
  }
  std::abort();
}

Json LogComplaintRequest::ToJson() const {
  Json json = Json::Object(
      {{"kind", ComplaintKindName(kind)}, {"remembered", remembered}, {"shown", shown}, {"time", time}});
  if (kind != Kind::kRecord) return json;
  json.Set("record", record).Set("secret", secret).Set("version", version);
  return json.Set("open", open).Set("what", what);
}

Result<LogComplaintRequest> LogComplaintRequest::FromJson(const Json& json) {
  JsonReader in(json, "complaint");
  LogComplaintRequest request;
  const std::string kind = in.String("kind", 16);
  const auto* const known = std::find_if(std::begin(kKinds), std::end(kKinds),
                                         [&](Kind one) { return kind == ComplaintKindName(one); });
  if (known == std::end(kKinds))
    in.Fail("is no kind of a complaint", "kind");
  else
    request.kind = *known;
  request.remembered = in.String("remembered", kMaxComplaintCheckpointBytes);
  request.shown = in.String("shown", kMaxComplaintCheckpointBytes, 1);
  request.time = ReadTime(in, "time");
  if (request.kind == Kind::kRecord) {
    request.record = ReadCount(in, "record");
    request.secret = ReadSecret(in);
    request.version = ReadVersion(in, 1);
    request.open = ReadOpenId(in);
    request.what = in.String("what", kMaxReasonBytes);
  } else if (request.remembered.empty()) {
    in.Fail("a member is too short", "remembered");
  }
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json LogComplaintResponse::ToJson() const { return Json::Object({{"record", record}}); }

Result<LogComplaintResponse> LogComplaintResponse::FromJson(const Json& json) {
  JsonReader in(json, "complaint");
  const LogComplaintResponse response{ReadCount(in, "record")};
  GRANTFS_CHECK(in.Finish());
  return response;
}

}  // namespace grantfs::api
