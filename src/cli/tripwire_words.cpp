#include "grantfs/util/clock.h"
#include "owner_internal.h"
#include "table_internal.h"
#include "tripwire_words_internal.h"

namespace grantfs {
namespace {

std::string CanarySentence(const TripwirePolicy& policy) {
  if (policy.canary == TripAction::kAlert) return "alerts";
  return std::string("freezes the ") + TripScopeName(policy.scope) + " and alerts";
}

std::string RateSentence(const TripwirePolicy& policy) {
  if (policy.rate == 0) return "no limit";
  const char* then =
      policy.rate_action == TripAction::kFreeze ? "freezes the machine there and alerts" : "alerts";
  return "more than " + std::to_string(policy.rate) + " distinct secrets a minute by one machine " + then;
}

}  // namespace

void OutTripwire(Context& context, const TripwireInfo& info) {
  const TripwirePolicy& policy = info.policy;
  if (context.json()) {
    context.terminal.OutJson(
        Json::Object({{"environment", info.environment},
                      {"by", info.by},
                      {"time", info.time},
                      {"canary", TripActionName(policy.canary)},
                      {"scope", TripScopeName(policy.scope)},
                      {"rate", policy.rate},
                      {"rate_action", TripActionName(policy.rate_action)},
                      {"pass", Json::Array({policy.passes.begin(), policy.passes.end()})}}));
    return;
  }
  Table table;
  table.Add({"environment", info.environment});
  table.Add({"a canary's reading", CanarySentence(policy)});
  table.Add({"rate", RateSentence(policy)});
  table.Add({"who passes", policy.passes.empty() ? "nobody" : JoinWords(policy.passes)});
  table.Add(
      {"set", info.by.empty() ? "by nobody: as usual" : "by " + info.by + " at " + FormatTime(info.time)});
  context.terminal.Out(table.Text());
}

}  // namespace grantfs
