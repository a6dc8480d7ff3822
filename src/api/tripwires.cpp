#include "grantfs/api/tripwires.h"

#include "fields_internal.h"

namespace grantfs::api {
namespace {

TripwirePolicy ReadPolicy(JsonReader& in) {
  TripwirePolicy policy;
  policy.canary = Taken(in, "canary", ParseTripAction(in.String("canary", 16)));
  policy.scope = Taken(in, "scope", ParseTripScope(in.String("scope", 16)));
  policy.rate = ReadSmall(in, "rate", 0, kMaxRate);
  policy.rate_action = Taken(in, "rate_action", ParseTripAction(in.String("rate_action", 16)));
  for (const Json& item : in.OptionalArray("pass", kMaxPasses)) {
    const bool text = item.is(Json::Kind::kString) && item.AsString().size() <= kMaxPassBytes;
    if (!text || !CheckPass(item.AsString())) {
      in.Fail("who passes is exe=/PATH, uid=NUMBER or unit=NAME", "pass");
      break;
    }
    policy.passes.push_back(item.AsString());
  }
  return policy;
}

}  // namespace

Json CanaryRequest::ToJson() const { return Json::Object({{"secret", secret}, {"canary", canary}}); }

Result<CanaryRequest> CanaryRequest::FromJson(const Json& json) {
  JsonReader in(json, "canary");
  CanaryRequest request;
  request.secret = ReadSecret(in);
  request.canary = in.Bool("canary");
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json CanaryResponse::ToJson() const { return Json::Object({{"changed", changed}}); }

Result<CanaryResponse> CanaryResponse::FromJson(const Json& json) {
  JsonReader in(json, "canary");
  const CanaryResponse response{in.Bool("changed")};
  GRANTFS_CHECK(in.Finish());
  return response;
}

Json CanariesListRequest::ToJson() const {
  return Json::Object({{"environment", environment}, {"after", after}, {"limit", std::uint64_t{limit}}});
}

Result<CanariesListRequest> CanariesListRequest::FromJson(const Json& json) {
  JsonReader in(json, "canaries");
  CanariesListRequest request;
  request.environment = ReadEnvironment(in);
  request.after = ReadCount(in, "after");
  request.limit = ReadLimit(in, kMaxCanariesListed);
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json CanariesListResponse::ToJson() const {
  const auto write = [](const Canary& one) {
    return Json::Object({{"secret", one.secret}, {"path", one.path}, {"by", one.by}, {"time", one.time}});
  };
  return Json::Object({{"canaries", WriteAll(canaries, write)}, {"more", more}});
}

Result<CanariesListResponse> CanariesListResponse::FromJson(const Json& json) {
  JsonReader in(json, "canaries");
  CanariesListResponse response;
  const auto read = [](JsonReader& one) {
    Canary canary;
    canary.secret = ReadSecret(one);
    canary.path = ReadPath(one);
    canary.by = one.String("by", kMaxNameBytes);
    canary.time = ReadTime(one, "time");
    return canary;
  };
  response.canaries = ReadObjects<Canary>(in, "canaries", kMaxCanariesListed, read);
  response.more = in.Bool("more");
  GRANTFS_CHECK(in.Finish());
  return response;
}

Json PolicyToJson(const TripwirePolicy& policy) {
  Json json = Json::Object({{"canary", TripActionName(policy.canary)},
                            {"scope", TripScopeName(policy.scope)},
                            {"rate", policy.rate},
                            {"rate_action", TripActionName(policy.rate_action)}});
  if (!policy.passes.empty()) json.Set("pass", Json::Array({policy.passes.begin(), policy.passes.end()}));
  return json;
}

Result<TripwirePolicy> PolicyFromJson(const Json& json) {
  JsonReader in(json, "policy");
  TripwirePolicy policy = ReadPolicy(in);
  GRANTFS_CHECK(in.Finish());
  return policy;
}

Json TripwireSetRequest::ToJson() const {
  return Json::Object({{"environment", environment}, {"policy", PolicyToJson(policy)}});
}

Result<TripwireSetRequest> TripwireSetRequest::FromJson(const Json& json) {
  JsonReader in(json, "tripwire");
  TripwireSetRequest request;
  request.environment = ReadEnvironment(in);
  request.policy = Taken(in, "policy", PolicyFromJson(in.Object("policy")));
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json TripwireShowRequest::ToJson() const { return Json::Object({{"environment", environment}}); }

Result<TripwireShowRequest> TripwireShowRequest::FromJson(const Json& json) {
  JsonReader in(json, "tripwire");
  const TripwireShowRequest request{ReadEnvironment(in)};
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json TripwireResponse::ToJson() const {
  return Json::Object({{"by", by}, {"time", time}, {"policy", PolicyToJson(policy)}});
}

Result<TripwireResponse> TripwireResponse::FromJson(const Json& json) {
  JsonReader in(json, "tripwire");
  TripwireResponse response;
  response.by = in.String("by", kMaxNameBytes);
  response.time = ReadTime(in, "time");
  response.policy = Taken(in, "policy", PolicyFromJson(in.Object("policy")));
  GRANTFS_CHECK(in.Finish());
  return response;
}

}  // namespace grantfs::api
