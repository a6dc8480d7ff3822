#include "describe_internal.h"
#include "grantfs/api/alerts.h"
#include "grantfs/api/tripwires.h"

namespace grantfs::api::describe {
namespace {

std::vector<Entry> Freezes() {
  const Json request = Object({{"objects", Array(Named("FrozenObject"), kMaxFrozenAtOnce, 1)},
                               Optional("reason", Text(kMaxFreezeReasonBytes))});
  const Json freezes = Array(Named("Freeze"), kMaxFrozenAtOnce);
  const Json response =
      Object({{"change", About(Count(), "what watches will speak of; 0: nothing has changed")},
              {"freezes", freezes},
              Optional("before", About(freezes, "what was frozen already"))});
  const Json behind = Object({{"machine", Named("IdentityName")}, {"online", Flag()}, {"last_seen", Time()}});
  const Problems denied = {ProblemCode::kDenied};
  return {
      {&kFreezesSet, "freezes", "Freeze machines and environments", "All of them or none.", request, response,
       denied},
      {&kFreezesLift, "freezes", "End that", "All of them or none.", request, response, denied},
      {&kFreezesList, "freezes", "What is frozen",
       "What the caller may know of. No `next`: there is no more.",
       Object({{"limit", Limit(kMaxFreezesListed)}, Optional("after", Named("FrozenObject"))}),
       Object(
           {{"freezes", Array(Named("Freeze"), kMaxFreezesListed)}, Optional("next", Named("FrozenObject"))}),
       denied},
      {&kFreezesFollowed, "freezes", "Which machines have followed a freeze of an environment", "",
       Object({{"environment", Named("Environment")}, {"change", Count()}}),
       Object({{"machines", Count()},
               {"followed", Count()},
               {"pending", Count()},
               {"behind", Array(behind, kMaxBehind)}}),
       denied},
  };
}

std::vector<Entry> Alerts() {
  const Json sink = Object({{"sink", Text(32, 1)},
                            {"reached", Count()},
                            {"waiting", Count()},
                            {"delivered", Count()},
                            {"failures", Count()},
                            Optional("since", Time()),
                            Optional("error", Text(4 * kMaxAlertErrorBytes))});
  return {
      {&kAlertsState,
       "alerts",
       "How far alerts were delivered",
       "",
       Nothing(),
       Object({{"sinks", Array(sink, kMaxAlertSinks)}}),
       {ProblemCode::kDenied}},
      {&kAlertsTest,
       "alerts",
       "Make one",
       "A critical record.",
       Nothing(),
       Object({{"record", Count()}}),
       {ProblemCode::kDenied, ProblemCode::kUnrecorded}},
  };
}

}  // namespace

std::vector<Entry> DescribeTripwires() {
  const Problems denied = {ProblemCode::kDenied};
  const Json policy =
      Object({{"by", Text(kMaxNameBytes)}, {"time", Time()}, {"policy", Named("TripwirePolicy")}});
  const Json canary = Object({{"secret", SecretNumber()},
                              {"path", Named("SecretPath")},
                              {"by", Text(kMaxNameBytes)},
                              {"time", Time()}});
  std::vector<Entry> entries = {
      {&kCanariesSet, "tripwires", "Make a secret a canary, or end that", "",
       Object({{"secret", SecretNumber()}, {"canary", Flag()}}), Object({{"changed", Flag()}}), denied},
      {&kCanariesList, "tripwires", "An environment's canaries", "By number, those above `after`.",
       Object(
           {{"environment", Named("Environment")}, {"after", Count()}, {"limit", Limit(kMaxCanariesListed)}}),
       Object({{"canaries", Array(canary, kMaxCanariesListed)}, {"more", Flag()}}), denied},
      {&kTripwiresSet, "tripwires", "Say what an environment's tripwires do", "",
       Object({{"environment", Named("Environment")}, {"policy", Named("TripwirePolicy")}}), policy, denied},
      {&kTripwiresShow, "tripwires", "What they do", "", Object({{"environment", Named("Environment")}}),
       policy, denied},
  };
  for (auto& part : {Freezes(), Alerts()}) entries.insert(entries.end(), part.begin(), part.end());
  return entries;
}

}  // namespace grantfs::api::describe
