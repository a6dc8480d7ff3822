// The examples of contrib/FORMATS.md, "Wire": each is read by its shape, written again to the same, and
// refused with a member too many.

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "grantfs/api/alerts.h"
#include "grantfs/api/audit.h"
#include "grantfs/api/enrolments.h"
#include "grantfs/api/freezes.h"
#include "grantfs/api/lists.h"
#include "grantfs/api/log.h"
#include "grantfs/api/machine.h"
#include "grantfs/api/problem.h"
#include "grantfs/api/requests.h"
#include "grantfs/api/routes.h"
#include "grantfs/api/secrets.h"
#include "grantfs/api/tls.h"
#include "grantfs/api/tripwires.h"
#include "grantfs/api/watch.h"
#include "grantfs/crypto/random.h"
#include "grantfs/util/file.h"
#include "shapes.h"

namespace grantfs::api {
namespace {

using Again = Result<Json> (*)(const Json&);

template <typename Shape>
Result<Json> ReadAndWrite(const Json& json) {
  return GRANTFS_TRY(Shape::FromJson(json)).ToJson();
}

#define GRANTFS_SHAPE(name) \
  { #name, &ReadAndWrite < name> }
const std::map<std::string, Again> kShapes = {
    GRANTFS_SHAPE(Problem),
    GRANTFS_SHAPE(Nothing),
    GRANTFS_SHAPE(ClaimInfo),
    GRANTFS_SHAPE(ClaimRequest),
    GRANTFS_SHAPE(ClaimResponse),
    GRANTFS_SHAPE(StatusResponse),
    GRANTFS_SHAPE(ListReadRequest),
    GRANTFS_SHAPE(ListReadResponse),
    GRANTFS_SHAPE(TailsRequest),
    GRANTFS_SHAPE(TailsResponse),
    GRANTFS_SHAPE(AppendRequest),
    GRANTFS_SHAPE(AppendResponse),
    GRANTFS_SHAPE(ReserveRequest),
    GRANTFS_SHAPE(ReserveResponse),
    GRANTFS_SHAPE(SecretsListRequest),
    GRANTFS_SHAPE(SecretsListResponse),
    GRANTFS_SHAPE(SecretFindRequest),
    GRANTFS_SHAPE(SecretFindResponse),
    GRANTFS_SHAPE(StageCiphertextRequest),
    GRANTFS_SHAPE(StageCopiesRequest),
    GRANTFS_SHAPE(StageEpochRequest),
    GRANTFS_SHAPE(StageGroupRequest),
    GRANTFS_SHAPE(GroupKeysRequest),
    GRANTFS_SHAPE(GroupKeysResponse),
    GRANTFS_SHAPE(EpochCopiesRequest),
    GRANTFS_SHAPE(EpochCopiesResponse),
    GRANTFS_SHAPE(SecretCopiesRequest),
    GRANTFS_SHAPE(SecretCopiesResponse),
    GRANTFS_SHAPE(ValueRequest),
    GRANTFS_SHAPE(ValueResponse),
    GRANTFS_SHAPE(EnrolRequest),
    GRANTFS_SHAPE(EnrolmentStateResponse),
    GRANTFS_SHAPE(JoinRequest),
    GRANTFS_SHAPE(JoinResponse),
    GRANTFS_SHAPE(EnrolmentsResponse),
    GRANTFS_SHAPE(FreezeRequest),
    GRANTFS_SHAPE(FreezeResponse),
    GRANTFS_SHAPE(FollowedRequest),
    GRANTFS_SHAPE(FollowedResponse),
    GRANTFS_SHAPE(FreezesListRequest),
    GRANTFS_SHAPE(FreezesListResponse),
    GRANTFS_SHAPE(CanaryRequest),
    GRANTFS_SHAPE(CanaryResponse),
    GRANTFS_SHAPE(CanariesListRequest),
    GRANTFS_SHAPE(CanariesListResponse),
    GRANTFS_SHAPE(RequestAskRequest),
    GRANTFS_SHAPE(RequestAskResponse),
    GRANTFS_SHAPE(RequestsListRequest),
    GRANTFS_SHAPE(RequestsListResponse),
    GRANTFS_SHAPE(RequestSettleRequest),
    GRANTFS_SHAPE(AlertsStateRequest),
    GRANTFS_SHAPE(AlertsStateResponse),
    GRANTFS_SHAPE(AlertTestRequest),
    GRANTFS_SHAPE(AlertTestResponse),
    GRANTFS_SHAPE(TripwireSetRequest),
    GRANTFS_SHAPE(TripwireShowRequest),
    GRANTFS_SHAPE(TripwireResponse),
    GRANTFS_SHAPE(TlsResponse),
    GRANTFS_SHAPE(TlsNextRequest),
    GRANTFS_SHAPE(TlsSwitchRequest),
    GRANTFS_SHAPE(GrantsRequest),
    GRANTFS_SHAPE(GrantsResponse),
    GRANTFS_SHAPE(ReadRequest),
    GRANTFS_SHAPE(ReadResponse),
    GRANTFS_SHAPE(CheckRequest),
    GRANTFS_SHAPE(RefusalsRequest),
    GRANTFS_SHAPE(JournalRequest),
    GRANTFS_SHAPE(JournalResponse),
    GRANTFS_SHAPE(MachineRecordsRequest),
    GRANTFS_SHAPE(MachineRecordsResponse),
    GRANTFS_SHAPE(LogComplaintRequest),
    GRANTFS_SHAPE(LogComplaintResponse),
    GRANTFS_SHAPE(AckRequest),
    GRANTFS_SHAPE(PresenceRequest),
    GRANTFS_SHAPE(PresenceResponse),
    GRANTFS_SHAPE(WatchLine),
    GRANTFS_SHAPE(AuditRecordsRequest),
    GRANTFS_SHAPE(AuditRecordsResponse),
    GRANTFS_SHAPE(AuditSearchRequest),
    GRANTFS_SHAPE(AuditSearchResponse),
    GRANTFS_SHAPE(AuditReadersRequest),
    GRANTFS_SHAPE(AuditReadersResponse),
};
#undef GRANTFS_SHAPE

std::string Wire() {
  const auto file = ReadFile(GRANTFS_SOURCE_ROOT "/contrib/FORMATS.md", 1 << 20);
  if (!file) return {};
  const std::string text = ToText(*file);
  return text.substr(text.find("\n## Wire\n"));
}

/// The fenced examples: the shape's name, the JSON.
std::vector<std::pair<std::string, std::string>> Examples() {
  const std::string text = Wire();
  const std::string open = "\n```json ";
  std::vector<std::pair<std::string, std::string>> examples;
  for (std::size_t at = text.find(open); at != std::string::npos; at = text.find(open, at)) {
    at += open.size();
    const std::size_t line = text.find('\n', at);
    examples.emplace_back(text.substr(at, line - at), text.substr(line, text.find("```", line) - line));
  }
  return examples;
}

TEST(WireFormatsTest, EveryShapeStandsThereAndReadsBackTheSame) {
  ASSERT_TRUE(InitCrypto());
  std::set<std::string> shown;
  for (const auto& [name, text] : Examples()) {
    ASSERT_TRUE(kShapes.contains(name)) << name;
    const auto json = ParseJson(text);
    ASSERT_TRUE(json) << name << ": " << Describe(json.error());
    const auto again = kShapes.at(name)(*json);
    ASSERT_TRUE(again) << name << ": " << Describe(again.error());
    EXPECT_EQ(again->DumpPretty(), json->DumpPretty());
    shown.insert(name);
  }
  for (const auto& [name, again] : kShapes) EXPECT_TRUE(shown.contains(name)) << name << " has no example";
}

TEST(WireFormatsTest, UnknownAndMissingMembersAreRefused) {
  ASSERT_TRUE(InitCrypto());
  for (const auto& [name, text] : Examples()) {
    const Json json = *ParseJson(text);
    Json more = json;
    more.Set("surprise", 1);
    EXPECT_FALSE(kShapes.at(name)(more)) << name;
    for (const auto& [member, value] : json.Members()) {
      Json fewer = Json::Object();
      for (const auto& [other, kept] : json.Members()) {
        if (other != member) fewer.Set(other, kept);
      }
      const auto read = kShapes.at(name)(fewer);
      const bool optional =
          name == "Problem" && (member == "type" || member == "title");  // RFC 9457 section 3.1
      if (!read || optional) continue;
      EXPECT_EQ(read->DumpPretty(), fewer.DumpPretty()) << name << " without " << member;
    }
  }
}

TEST(WireFormatsTest, EveryRouteStandsThere) {
  const std::string text = Wire();
  for (const Route* route : kRoutes) {
    const std::string heading = std::string("\n### ") + route->method + " " + route->path + "\n";
    EXPECT_NE(text.find(heading), std::string::npos) << heading;
  }
}

TEST(WireFormatsTest, EveryProblemStandsThere) {
  const std::string text = Wire();
  for (const ProblemCode code : kAllProblemCodes)
    EXPECT_NE(text.find(std::string("`") + ProblemCodeName(code) + "`"), std::string::npos)
        << ProblemCodeName(code);
}

}  // namespace

Result<Json> ReadShape(const std::string& name, const Json& json) {
  const auto shape = kShapes.find(name);
  if (shape == kShapes.end()) return Error{Code::kNotFound, "there is no such shape", 0, name};
  return shape->second(json);
}

std::string WireFormats() { return Wire(); }

}  // namespace grantfs::api
