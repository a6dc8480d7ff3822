#include "grantfs/api/alerts.h"

#include "fields_internal.h"

namespace grantfs::api {
namespace {

AlertState ReadState(JsonReader& in) {
  AlertState state;
  state.sink = in.String("sink", 32, 1);
  state.reached = ReadCount(in, "reached");
  state.waiting = ReadCount(in, "waiting");
  state.delivered = ReadCount(in, "delivered");
  state.failures = ReadCount(in, "failures");
  state.since = static_cast<std::int64_t>(in.OptionalNumber("since", 0, kMaxTime, 0));
  state.error = in.OptionalString("error", 4 * kMaxAlertErrorBytes);
  return state;
}

Status ReadNothing(const Json& json, const char* what) {
  JsonReader in(json, what);
  return in.Finish();
}

}  // namespace

Json AlertState::ToJson() const {
  Json json = Json::Object({{"sink", sink},
                            {"reached", reached},
                            {"waiting", waiting},
                            {"delivered", delivered},
                            {"failures", failures}});
  if (since != 0) json.Set("since", since);
  if (!error.empty()) json.Set("error", error);
  return json;
}

Result<AlertState> AlertState::FromJson(const Json& json) {
  JsonReader in(json, "sink");
  AlertState state = ReadState(in);
  GRANTFS_CHECK(in.Finish());
  return state;
}

Json AlertsStateRequest::ToJson() const { return Json::Object(); }

Result<AlertsStateRequest> AlertsStateRequest::FromJson(const Json& json) {
  GRANTFS_CHECK(ReadNothing(json, "alerts"));
  return AlertsStateRequest{};
}

Json AlertsStateResponse::ToJson() const {
  return Json::Object({{"sinks", WriteAll(sinks, [](const AlertState& one) { return one.ToJson(); })}});
}

Result<AlertsStateResponse> AlertsStateResponse::FromJson(const Json& json) {
  JsonReader in(json, "alerts");
  AlertsStateResponse response;
  response.sinks = ReadAll<AlertState>(in, "sinks", kMaxAlertSinks);
  GRANTFS_CHECK(in.Finish());
  return response;
}

Json AlertTestRequest::ToJson() const { return Json::Object(); }

Result<AlertTestRequest> AlertTestRequest::FromJson(const Json& json) {
  GRANTFS_CHECK(ReadNothing(json, "alert"));
  return AlertTestRequest{};
}

Json AlertTestResponse::ToJson() const { return Json::Object({{"record", record}}); }

Result<AlertTestResponse> AlertTestResponse::FromJson(const Json& json) {
  JsonReader in(json, "alert");
  const AlertTestResponse response{ReadCount(in, "record")};
  GRANTFS_CHECK(in.Finish());
  return response;
}

}  // namespace grantfs::api
