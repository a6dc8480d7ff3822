#include "describe_internal.h"
#include "grantfs/api/requests.h"

namespace grantfs::api::describe {
namespace {

Json AskText() { return About(Text(kMaxAskBytes, 1), "the text of a DSSE envelope (contrib/FORMATS.md)"); }

Json RequestEntry() {
  return Object({{"number", Count()},
                 {"request", AskText()},
                 {"received", Time()},
                 {"state", Words({"open", "fulfilled", "refused", "withdrawn"})},
                 {"changed", Time()},
                 {"by", Text(kMaxReasonBytes)},
                 {"reason", Text(kMaxReasonBytes)}});
}

}  // namespace

std::vector<Entry> DescribeRequests() {
  const Problems problems = {ProblemCode::kDenied, ProblemCode::kFrozen, ProblemCode::kConflict};
  return {
      {&kRequestsAsk, "requests", "Ask an environment's owners for something",
       "What fulfils a request is an append whose statements name it.", Object({{"request", AskText()}}),
       Object({{"id", Digits(64)}}), problems},
      {&kRequestsList,
       "requests",
       "What was asked for, and what became of it",
       "Newest first: all of an environment for its owners, one's own for who may ask. Go on with `before` "
       "the last.",
       Object({{"environment", Named("Environment")},
               {"mine", Flag()},
               {"all", Flag()},
               {"limit", Limit(kMaxRequestsListed)},
               Optional("before", Count())}),
       Object({{"requests", Array(RequestEntry(), kMaxRequestsListed)}, {"more", Flag()}}),
       {ProblemCode::kDenied}},
      {&kRequestsSettle, "requests", "Refuse a request, or withdraw one's own", "",
       Object({{"id", Digits(64)},
               {"state", Words({"refused", "withdrawn"})},
               {"reason", Text(kMaxReasonBytes)}}),
       Nothing(), problems},
  };
}

}  // namespace grantfs::api::describe
