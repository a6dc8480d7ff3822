#include "grantfs/api/requests.h"

#include "fields_internal.h"
#include "grantfs/util/text.h"

namespace grantfs::api {
namespace {

constexpr const char* kStates[] = {"open", "fulfilled", "refused", "withdrawn"};

const char* StateName(RequestState state) { return kStates[static_cast<int>(state)]; }

RequestState ReadRequestState(JsonReader& in) {
  const std::string text = in.String("state", 16);
  for (int i = 0; i < 4; ++i) {
    if (text == kStates[i]) return static_cast<RequestState>(i);
  }
  in.Fail("a request is open, fulfilled, refused or withdrawn", "state");
  return RequestState::kOpen;
}

// People read it on a terminal.
std::string ReadWords(JsonReader& in, const char* name) {
  std::string text = in.String(name, kMaxReasonBytes);
  if (Printable(text) != text) in.Fail("has a character that cannot be printed", name);
  return text;
}

std::string ReadRequestEnvelope(JsonReader& in) { return in.String("request", kMaxAskBytes, 1); }

}  // namespace

Json RequestAskRequest::ToJson() const { return Json::Object({{"request", request}}); }

Result<RequestAskRequest> RequestAskRequest::FromJson(const Json& json) {
  JsonReader in(json, "ask");
  RequestAskRequest ask{ReadRequestEnvelope(in)};
  GRANTFS_CHECK(in.Finish());
  return ask;
}

Json RequestAskResponse::ToJson() const { return Json::Object({{"id", id.Hex()}}); }

Result<RequestAskResponse> RequestAskResponse::FromJson(const Json& json) {
  JsonReader in(json, "ask");
  const RequestAskResponse response{ReadHex<Hash>(in, "id")};
  GRANTFS_CHECK(in.Finish());
  return response;
}

Json RequestsListRequest::ToJson() const {
  Json json = Json::Object(
      {{"environment", environment}, {"mine", mine}, {"all", all}, {"limit", std::uint64_t{limit}}});
  if (before) json.Set("before", *before);
  return json;
}

Result<RequestsListRequest> RequestsListRequest::FromJson(const Json& json) {
  JsonReader in(json, "requests");
  RequestsListRequest request;
  request.environment = ReadEnvironment(in);
  request.mine = in.Bool("mine");
  request.all = in.Bool("all");
  request.limit = ReadLimit(in, kMaxRequestsListed);
  if (in.Has("before")) request.before = ReadCount(in, "before");
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json RequestsListResponse::ToJson() const {
  const auto write = [](const Entry& one) {
    return Json::Object({{"number", one.number},
                         {"request", one.request},
                         {"received", one.received},
                         {"state", StateName(one.state)},
                         {"changed", one.changed},
                         {"by", one.by},
                         {"reason", one.reason}});
  };
  return Json::Object({{"requests", WriteAll(requests, write)}, {"more", more}});
}

Result<RequestsListResponse> RequestsListResponse::FromJson(const Json& json) {
  JsonReader in(json, "requests");
  RequestsListResponse response;
  const auto read = [](JsonReader& one) {
    Entry entry;
    entry.number = ReadCount(one, "number");
    entry.request = ReadRequestEnvelope(one);
    entry.received = ReadTime(one, "received");
    entry.state = ReadRequestState(one);
    entry.changed = ReadTime(one, "changed");
    entry.by = ReadWords(one, "by");
    entry.reason = ReadWords(one, "reason");
    return entry;
  };
  response.requests = ReadObjects<Entry>(in, "requests", kMaxRequestsListed, read);
  response.more = in.Bool("more");
  GRANTFS_CHECK(in.Finish());
  return response;
}

Json RequestSettleRequest::ToJson() const {
  return Json::Object({{"id", id.Hex()}, {"state", StateName(state)}, {"reason", reason}});
}

Result<RequestSettleRequest> RequestSettleRequest::FromJson(const Json& json) {
  JsonReader in(json, "settle");
  RequestSettleRequest request;
  request.id = ReadHex<Hash>(in, "id");
  request.state = ReadRequestState(in);
  request.reason = ReadWords(in, "reason");
  if (request.state != RequestState::kRefused && request.state != RequestState::kWithdrawn)
    in.Fail("a request is refused or withdrawn; what fulfils it is an append", "state");
  GRANTFS_CHECK(in.Finish());
  return request;
}

}  // namespace grantfs::api
