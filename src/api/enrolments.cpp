#include "grantfs/api/enrolments.h"

#include "fields_internal.h"

namespace grantfs::api {
namespace {

constexpr EnrolmentProgress kAllProgress[] = {EnrolmentProgress::kNone, EnrolmentProgress::kPending,
                                              EnrolmentProgress::kApproved};

Result<EnrolmentProgress> ParseProgress(std::string_view text) {
  for (const auto progress : kAllProgress) {
    if (text == EnrolmentProgressName(progress)) return progress;
  }
  return Error{Code::kInvalid, "an enrolment's state is none, pending or approved"};
}

Json WriteGroupKeys(const std::vector<OwnGroupKey>& keys) {
  return WriteAll(keys, [](const OwnGroupKey& key) { return key.ToJson(); });
}

}  // namespace

const char* EnrolmentProgressName(EnrolmentProgress progress) {
  switch (progress) {
    case EnrolmentProgress::kNone:
      return "none";
    case EnrolmentProgress::kPending:
      return "pending";
    case EnrolmentProgress::kApproved:
      return "approved";
  }
  std::abort();
}

Json EnrolRequest::ToJson() const { return Json::Object({{"enrolment", enrolment.ToJson()}}); }

Result<EnrolRequest> EnrolRequest::FromJson(const Json& json) {
  JsonReader in(json, "enrol");
  const Json& enrolment = in.Object("enrolment");
  GRANTFS_CHECK(in.Finish());
  return EnrolRequest{GRANTFS_TRY(Enrolment::FromJson(enrolment))};
}

Json EnrolmentStateResponse::ToJson() const {
  return Json::Object({{"state", EnrolmentProgressName(state)}});
}

Result<EnrolmentStateResponse> EnrolmentStateResponse::FromJson(const Json& json) {
  JsonReader in(json, "enrolment");
  EnrolmentStateResponse response;
  response.state = Taken(in, "state", ParseProgress(in.String("state", 16)));
  GRANTFS_CHECK(in.Finish());
  return response;
}

Json JoinRequest::ToJson() const {
  return Json::Object({{"statement", statement}, {"groups", WriteGroupKeys(groups)}});
}

Result<JoinRequest> JoinRequest::FromJson(const Json& json) {
  JsonReader in(json, "join");
  JoinRequest request;
  request.statement = in.String("statement", kMaxEnvelopeBytes);
  request.groups = ReadAll<OwnGroupKey>(in, "groups", kMaxOwnGroups);
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json JoinResponse::ToJson() const {
  return Json::Object({{"state", EnrolmentProgressName(state)},
                       {"head", head.ToJson()},
                       {"lives", lives},
                       {"groups", WriteGroupKeys(groups)}});
}

Result<JoinResponse> JoinResponse::FromJson(const Json& json) {
  JsonReader in(json, "join");
  JoinResponse response;
  response.state = Taken(in, "state", ParseProgress(in.String("state", 16)));
  const Json& head = in.Object("head");
  response.lives = in.Number("lives", 0, kMaxLifeSeconds);
  response.groups = ReadAll<OwnGroupKey>(in, "groups", kMaxOwnGroups);
  GRANTFS_CHECK(in.Finish());
  response.head = GRANTFS_TRY(Head::FromJson(head));
  return response;
}

Json EnrolmentsResponse::ToJson() const {
  return Json::Object(
      {{"enrolments", WriteAll(enrolments, [](const Enrolment& enrolment) { return enrolment.ToJson(); })}});
}

Result<EnrolmentsResponse> EnrolmentsResponse::FromJson(const Json& json) {
  JsonReader in(json, "enrolments");
  EnrolmentsResponse response;
  response.enrolments = ReadAll<Enrolment>(in, "enrolments", kMaxNumbers);
  GRANTFS_CHECK(in.Finish());
  return response;
}

}  // namespace grantfs::api
