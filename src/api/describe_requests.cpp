#include "describe_internal.h"
#include "grantfs/api/requests.h"

namespace grantfs::api::describe {

std::vector<Entry> DescribeRequests() {
  const Problems denied = {ProblemCode::kDenied};
  const Problems settled = {ProblemCode::kDenied, ProblemCode::kConflict};
  const Json envelope =
      About(Text(kMaxAskBytes, 1), "a request: the text of a DSSE envelope (contrib/FORMATS.md)");
  const Json one = Object({{"number", Count()},
                           {"request", envelope},
                           {"received", Time()},
                           {"state", Words({"open", "fulfilled", "refused", "withdrawn"})},
                           {"changed", Time()},
                           {"by", About(Text(kMaxReasonBytes), "who settled it, by name; empty: nobody")},
                           {"reason", Text(kMaxReasonBytes)}});
  return {
      {&kRequestsAsk, "requests", "Ask an environment's owners for something",
       "By who has signed it. The same again is answered as before.", Object({{"request", envelope}}),
       Object({{"id", Digits(64)}}), settled},
      {&kRequestsList, "requests", "What was asked for, and what became of it",
       "Newest first: all of an environment for its owners, one's own for who may ask.",
       Object({{"environment", Named("Environment")},
               {"mine", Flag()},
               {"all", About(Flag(), "also what is settled or has expired")},
               {"limit", Limit(kMaxRequestsListed)},
               Optional("before", Count())}),
       Object({{"requests", Array(one, kMaxRequestsListed)}, {"more", Flag()}}), denied},
      {&kRequestsSettle, "requests", "Refuse a request, or withdraw one's own",
       "What fulfils one is an append whose statements name it.",
       Object({{"id", Digits(64)},
               {"state", Words({"refused", "withdrawn"})},
               {"reason", Text(kMaxReasonBytes)}}),
       Nothing(), settled},
  };
}

}  // namespace grantfs::api::describe
