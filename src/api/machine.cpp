#include "grantfs/api/machine.h"

#include "fields_internal.h"
#include "grantfs/journal/entry.h"

namespace grantfs::api {

Json CallerInfo::ToJson() const {
  return Json::Object(
      {{"pid", pid}, {"uid", uid}, {"gid", gid}, {"executable", executable}, {"cgroup", cgroup}});
}

Result<CallerInfo> CallerInfo::FromJson(const Json& json) {
  JsonReader in(json, "caller");
  CallerInfo caller;
  caller.pid = ReadSmall(in, "pid", 0, 0xffffffff);
  caller.uid = ReadSmall(in, "uid", 0, 0xffffffff);
  caller.gid = ReadSmall(in, "gid", 0, 0xffffffff);
  caller.executable = in.String("executable", kMaxPathBytes);
  caller.cgroup = in.String("cgroup", kMaxPathBytes);
  GRANTFS_CHECK(in.Finish());
  return caller;
}

Json ReadRequest::ToJson() const {
  return Json::Object({{"secret", secret},
                       {"version", version},
                       {"grace", grace},
                       {"open", open},
                       {"caller", caller.ToJson()}});
}

Result<ReadRequest> ReadRequest::FromJson(const Json& json) {
  JsonReader in(json, "read");
  ReadRequest request;
  request.secret = ReadSecret(in);
  request.version = ReadVersion(in, 0);
  request.grace = in.Bool("grace");
  request.open = ReadOpenId(in);
  request.caller = Taken(in, "caller", CallerInfo::FromJson(in.Object("caller")));
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json ReadResponse::ToJson() const {
  Json json = Json::Object({{"secret", secret},
                            {"version", version},
                            {"statement", statement.Hex()},
                            {"ciphertext", Base64Encode(ciphertext)},
                            {"sealed", Base64Encode(sealed)},
                            {"heads", Json::Object({{"vault", vault_head.ToJson()},
                                                    {"environment", environment_head.ToJson()},
                                                    {"secret", secret_head.ToJson()}})},
                            {"record", record}});
  if (group != 0) json.Set("group", group).Set("group_epoch", group_epoch);
  return json;
}

Result<ReadResponse> ReadResponse::FromJson(const Json& json) {
  JsonReader in(json, "read");
  ReadResponse response;
  response.secret = ReadSecret(in);
  response.version = ReadVersion(in, 1);
  response.statement = ReadHex<Hash>(in, "statement");
  response.ciphertext = ReadBlob(in, "ciphertext", kMaxCiphertextBytes);
  response.sealed = ReadBlob(in, "sealed", kMaxSealedBytes);
  JsonReader heads(in.Object("heads"), "heads");
  response.vault_head = ReadHead(heads, "vault");
  response.environment_head = ReadHead(heads, "environment");
  response.secret_head = ReadHead(heads, "secret");
  response.record = ReadCount(in, "record");
  if (in.Has("group")) {
    response.group = ReadCount(in, "group", 1);
    response.group_epoch = ReadSmall(in, "group_epoch", 1, 0xffffffff);
  }
  GRANTFS_CHECK(in.Finish());
  GRANTFS_CHECK(heads.Finish());
  return response;
}

Json CheckRequest::ToJson() const { return Json::Object({{"secret", secret}, {"version", version}}); }

Result<CheckRequest> CheckRequest::FromJson(const Json& json) {
  JsonReader in(json, "check");
  CheckRequest request;
  request.secret = ReadSecret(in);
  request.version = ReadVersion(in, 0);
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json RefusalsRequest::ToJson() const {
  return Json::Object({{"refusals", WriteAll(refusals, [](const Refusal& refusal) {
                          return Json::Object({{"id", refusal.id},
                                               {"secret", refusal.secret},
                                               {"version", refusal.version},
                                               {"reason", refusal.reason},
                                               {"count", refusal.count},
                                               {"first", refusal.first},
                                               {"last", refusal.last},
                                               {"caller", refusal.caller.ToJson()}});
                        })}});
}

Result<RefusalsRequest> RefusalsRequest::FromJson(const Json& json) {
  JsonReader in(json, "refusals");
  RefusalsRequest request;
  request.refusals = ReadObjects<Refusal>(
      in, "refusals", kMaxRefusals,
      [](JsonReader& one) {
        Refusal refusal;
        refusal.id = ReadOpenId(one, "id");
        refusal.secret = ReadSecret(one);
        refusal.version = ReadVersion(one, 0);  // 0: of a file that the mount makes
        refusal.reason = one.String("reason", kMaxReasonBytes, 1);
        refusal.count = ReadCount(one, "count", 1);
        refusal.first = ReadTime(one, "first");
        refusal.last = ReadTime(one, "last");
        refusal.caller = Taken(one, "caller", CallerInfo::FromJson(one.Object("caller")));
        return refusal;
      },
      1);
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json JournalRequest::ToJson() const {
  Json json = Json::Object(
      {{"journal", journal}, {"entries", WriteTexts(entries)}, {"signature", HexEncode(signature.bytes)}});
  if (places) json.Set("places", true);
  return json;
}

Result<JournalRequest> JournalRequest::FromJson(const Json& json) {
  JsonReader in(json, "journal");
  JournalRequest request;
  request.journal = in.String("journal", 32, 32);
  if (!HexDecode(request.journal, 16)) in.Fail("a journal's id has 32 hexadecimal digits", "journal");
  const std::vector<Json>& entries = in.Array("entries", kMaxJournalEntries);
  if (entries.empty()) in.Fail("an array is empty", "entries");
  for (const Json& entry : entries) {
    if (!entry.is(Json::Kind::kString) || entry.AsString().size() > kMaxJournalEntryBytes)
      in.Fail("is no entry", "entries");
    else
      request.entries.push_back(entry.AsString());
  }
  const Bytes bytes = Taken(in, "signature", HexDecode(in.String("signature", 128, 128), 64));
  if (bytes.size() == request.signature.bytes.size())
    std::copy(bytes.begin(), bytes.end(), request.signature.bytes.begin());
  if (in.Has("places")) request.places = in.Bool("places");
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json JournalResponse::ToJson() const {
  Json json = Json::Object({{"sequence", sequence}});
  if (!places.empty()) json.Set("places", WriteAll(places, [](std::uint64_t place) { return Json(place); }));
  return json;
}

Result<JournalResponse> JournalResponse::FromJson(const Json& json) {
  JsonReader in(json, "journal");
  JournalResponse response;
  response.sequence = ReadCount(in, "sequence");
  if (in.Has("places")) {
    for (const Json& place : in.Array("places", kMaxJournalEntries)) {
      if (place.is(Json::Kind::kNumber) && place.AsNumber() >= 0 && place.AsNumber() <= kMaxSequence)
        response.places.push_back(static_cast<std::uint64_t>(place.AsNumber()));
      else
        in.Fail("is no record's number", "places");
    }
  }
  GRANTFS_CHECK(in.Finish());
  return response;
}

Json AckRequest::ToJson() const { return Json::Object({{"change", change}}); }

Result<AckRequest> AckRequest::FromJson(const Json& json) {
  JsonReader in(json, "ack");
  AckRequest request{ReadCount(in, "change")};
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json PresenceRequest::ToJson() const {
  return Json::Object({{"machine", machine.Hex()}, {"change", change}, {"wait_ms", wait_ms}});
}

Result<PresenceRequest> PresenceRequest::FromJson(const Json& json) {
  JsonReader in(json, "presence");
  PresenceRequest request;
  request.machine = ReadHex<Hash>(in, "machine");
  request.change = ReadCount(in, "change");
  request.wait_ms = static_cast<int>(in.Number("wait_ms", 0, kMaxPresenceWaitMs));
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json PresenceResponse::ToJson() const {
  return Json::Object({{"online", online}, {"acknowledged", acknowledged}, {"last_seen", last_seen}});
}

Result<PresenceResponse> PresenceResponse::FromJson(const Json& json) {
  JsonReader in(json, "presence");
  PresenceResponse response;
  response.online = in.Bool("online");
  response.acknowledged = ReadCount(in, "acknowledged");
  response.last_seen = ReadTime(in, "last_seen");
  GRANTFS_CHECK(in.Finish());
  return response;
}

}  // namespace grantfs::api
