#include "grantfs/api/lists.h"

#include "fields_internal.h"

namespace grantfs::api {

std::vector<std::string> ReadEnvelopes(JsonReader& in, const char* name, std::size_t min) {
  std::vector<std::string> envelopes;
  const std::vector<Json>& items = in.Array(name, kMaxStatements);
  if (items.size() < min) in.Fail("an array is empty", name);
  for (const Json& item : items) {
    if (!item.is(Json::Kind::kString) || item.AsString().empty() ||
        item.AsString().size() > kMaxEnvelopeBytes) {
      in.Fail("a statement is the text of its envelope, within its bound", name);
      return {};
    }
    envelopes.push_back(item.AsString());
  }
  return envelopes;
}

Json WriteTexts(const std::vector<std::string>& texts) {
  return WriteAll(texts, [](const std::string& text) { return Json(text); });
}

Json WriteVaultHead(const Head& head) { return Json::Object({{"vault", head.ToJson()}}); }

Head ReadVaultHead(JsonReader& in) {
  JsonReader heads(in.Object("heads"), "heads");
  const Head head = ReadHead(heads, "vault");
  if (const Status good = heads.Finish(); !good) in.Fail(good.error().where, "heads");
  return head;
}

Json ClaimInfo::ToJson() const {
  return Json::Object(
      {{"pin", pin.Hex()}, {"log_origin", log_origin}, {"log_key", log_key.Hex()}, {"name", name}});
}

Result<ClaimInfo> ClaimInfo::FromJson(const Json& json) {
  JsonReader in(json, "claim");
  ClaimInfo info;
  info.pin = ReadHex<Hash>(in, "pin");
  info.log_origin = in.String("log_origin", kMaxServerNameBytes, 1);
  info.log_key = ReadHex<VerifyKey>(in, "log_key");
  info.name = in.String("name", kMaxServerNameBytes, 1);
  GRANTFS_CHECK(in.Finish());
  return info;
}

Json ClaimRequest::ToJson() const {
  return Json::Object({{"vault", WriteTexts(vault)}, {"machines", WriteTexts(machines)}});
}

Result<ClaimRequest> ClaimRequest::FromJson(const Json& json) {
  JsonReader in(json, "claim");
  ClaimRequest request;
  request.vault = ReadEnvelopes(in, "vault", 1);
  request.machines = ReadEnvelopes(in, "machines", 1);
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json ClaimResponse::ToJson() const { return Json::Object({{"vault", vault.Hex()}}); }

Result<ClaimResponse> ClaimResponse::FromJson(const Json& json) {
  JsonReader in(json, "claim");
  ClaimResponse response{ReadHex<Hash>(in, "vault")};
  GRANTFS_CHECK(in.Finish());
  return response;
}

Json StatusResponse::ToJson() const {
  Json json = Json::Object({{"vault", vault.Hex()},
                            {"name", name},
                            {"version", version},
                            {"time", time},
                            {"heads", WriteVaultHead(vault_head)},
                            {"level", level},
                            {"checkpoint", checkpoint}});
  if (not_after != 0) json.Set("not_after", not_after);  // a client of before knows no such thing
  return json;
}

Result<StatusResponse> StatusResponse::FromJson(const Json& json) {
  JsonReader in(json, "status");
  StatusResponse status;
  status.vault = ReadHex<Hash>(in, "vault");
  status.name = in.String("name", kMaxServerNameBytes);
  status.version = in.String("version", 64);
  status.time = ReadTime(in, "time");
  status.vault_head = ReadVaultHead(in);
  status.level = in.Number("level", 1, 1'000'000);
  status.checkpoint = in.String("checkpoint", kMaxSentCheckpointBytes);
  if (in.Has("not_after")) status.not_after = ReadTime(in, "not_after");
  GRANTFS_CHECK(in.Finish());
  return status;
}

Json ListReadRequest::ToJson() const {
  return Json::Object({{"list", list.Text()}, {"from", from}, {"limit", std::uint64_t{limit}}});
}

Result<ListReadRequest> ListReadRequest::FromJson(const Json& json) {
  JsonReader in(json, "read");
  ListReadRequest request;
  request.list = ReadList(in);
  request.from = ReadCount(in, "from");
  request.limit = ReadLimit(in, kMaxStatements);
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json ListReadResponse::ToJson() const {
  return Json::Object({{"list", list.Text()},
                       {"head", head ? head->ToJson() : Json()},
                       {"statements", WriteTexts(statements)}});
}

Result<ListReadResponse> ListReadResponse::FromJson(const Json& json) {
  JsonReader in(json, "list");
  ListReadResponse response;
  response.list = ReadList(in);
  const Json* head = json.Find("head");
  if (head != nullptr && head->is(Json::Kind::kNull)) {
    in.Ignore("head");
  } else {
    response.head = ReadHead(in, "head");
  }
  response.statements = ReadEnvelopes(in, "statements");
  GRANTFS_CHECK(in.Finish());
  return response;
}

Json TailsRequest::ToJson() const {
  return Json::Object(
      {{"environment", environment}, {"secrets", WriteAll(secrets, [](const From& one) {
                                        return Json::Object({{"secret", one.secret}, {"from", one.from}});
                                      })}});
}

Result<TailsRequest> TailsRequest::FromJson(const Json& json) {
  JsonReader in(json, "tails");
  TailsRequest request;
  request.environment = ReadEnvironment(in);
  request.secrets = ReadObjects<From>(
      in, "secrets", kMaxTails,
      [](JsonReader& one) {
        From from;
        from.secret = ReadSecret(one);
        from.from = ReadCount(one, "from");
        return from;
      },
      1);
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json TailsResponse::ToJson() const {
  return Json::Object(
      {{"lists", WriteAll(lists, [](const ListReadResponse& list) { return list.ToJson(); })}});
}

Result<TailsResponse> TailsResponse::FromJson(const Json& json) {
  JsonReader in(json, "tails");
  TailsResponse response;
  response.lists = ReadAll<ListReadResponse>(in, "lists", kMaxTails);
  if (response.lists.empty()) in.Fail("an array is empty", "lists");
  GRANTFS_CHECK(in.Finish());
  return response;
}

Json AppendRequest::ToJson() const {
  return Json::Object(
      {{"appends", WriteAll(appends, [](const ListAppend& append) {
          return Json::Object({{"list", append.list.Text()}, {"statements", WriteTexts(append.statements)}});
        })}});
}

Result<AppendRequest> AppendRequest::FromJson(const Json& json) {
  JsonReader in(json, "append");
  AppendRequest request;
  request.appends = ReadObjects<ListAppend>(
      in, "appends", kMaxAppends,
      [](JsonReader& one) {
        ListAppend append;
        append.list = ReadList(one);
        append.statements = ReadEnvelopes(one, "statements", 1);
        return append;
      },
      1);
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json AppendResponse::ToJson() const {
  return Json::Object(
      {{"change", change}, {"heads", WriteAll(heads, [](const ListHead& head) {
                              return Json::Object({{"list", head.list.Text()}, {"head", head.head.ToJson()}});
                            })}});
}

Result<AppendResponse> AppendResponse::FromJson(const Json& json) {
  JsonReader in(json, "append");
  AppendResponse response;
  response.change = ReadCount(in, "change");
  response.heads = ReadObjects<ListHead>(in, "heads", kMaxAppends, [](JsonReader& one) {
    ListHead head;
    head.list = ReadList(one);
    head.head = ReadHead(one, "head");
    return head;
  });
  GRANTFS_CHECK(in.Finish());
  return response;
}

Result<Nothing> Nothing::FromJson(const Json& json) {
  JsonReader in(json, "body");
  GRANTFS_CHECK(in.Finish());
  return Nothing{};
}

}  // namespace grantfs::api
