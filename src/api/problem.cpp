#include "grantfs/api/problem.h"

#include <algorithm>
#include <iterator>

#include "grantfs/util/text.h"

namespace grantfs::api {
namespace {

constexpr std::size_t kMaxDetailBytes = 1024;

struct Row {
  ProblemCode problem;
  const char* name;
  int status;
  const char* title;
};

const Row& RowOf(ProblemCode problem) {
  static constexpr Row kRows[] = {
      {ProblemCode::kBadRequest, "bad-request", 400, "Bad request"},
      {ProblemCode::kUnauthenticated, "unauthenticated", 401, "Not authenticated"},
      {ProblemCode::kDenied, "denied", 403, "Denied"},
      {ProblemCode::kFrozen, "frozen", 403, "Frozen"},
      {ProblemCode::kExpired, "expired", 403, "Expired"},
      {ProblemCode::kNotFound, "not-found", 404, "Not found"},
      {ProblemCode::kConflict, "conflict", 409, "Conflict"},
      {ProblemCode::kSuperseded, "superseded", 409, "Superseded"},
      {ProblemCode::kGone, "gone", 410, "Gone"},
      {ProblemCode::kTooLarge, "too-large", 413, "Too large"},
      {ProblemCode::kThrottled, "throttled", 429, "Too many requests"},
      {ProblemCode::kUnrecorded, "unrecorded", 503, "Not recorded"},
      {ProblemCode::kUnavailable, "unavailable", 503, "Unavailable"},
      {ProblemCode::kInternal, "internal", 500, "Internal error"},
      {ProblemCode::kIntegrity, "integrity", 500, "Integrity"},
  };
  const auto row =
      std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& r) { return r.problem == problem; });
  if (row == std::end(kRows)) std::abort();
  return *row;
}

bool OwnFailure(ProblemCode code) { return RowOf(code).status == 500 && code != ProblemCode::kIntegrity; }

}  // namespace

const char* ProblemCodeName(ProblemCode code) { return RowOf(code).name; }

int ProblemStatus(ProblemCode code) { return RowOf(code).status; }

ProblemCode CodeOfError(const Error& error) {
  const std::string_view where = error.where;
  switch (error.code) {
    case Code::kInvalid:
      return where == kWhereTooLarge ? ProblemCode::kTooLarge : ProblemCode::kBadRequest;
    case Code::kDenied:
      return where == kWhereFrozen || where == kWhereNotDelivered ? ProblemCode::kFrozen
                                                                  : ProblemCode::kDenied;
    case Code::kNotFound:
      return ProblemCode::kNotFound;
    case Code::kExpired:
      return where == kWhereGone ? ProblemCode::kGone : ProblemCode::kExpired;
    case Code::kConflict:
      return where == kWhereSuperseded ? ProblemCode::kSuperseded : ProblemCode::kConflict;
    case Code::kUnreachable:
    case Code::kCancelled:
    case Code::kNoSpace:
      return ProblemCode::kUnavailable;
    case Code::kThrottled:
      return ProblemCode::kThrottled;
    case Code::kUnrecorded:
      return ProblemCode::kUnrecorded;
    case Code::kIntegrity:
      return ProblemCode::kIntegrity;
    case Code::kUnauthentic:
      return ProblemCode::kUnauthenticated;
    case Code::kUnsupported:
      return ProblemCode::kBadRequest;
    case Code::kIo:
      return ProblemCode::kInternal;
  }
  std::abort();
}

Problem ToProblem(const Error& error) {
  const ProblemCode code = CodeOfError(error);
  // Where the server keeps its files is no business of the network's.
  if (error.code == Code::kNoSpace) return {code, "the vault's disk is full"};
  const bool silent = OwnFailure(code) || code == ProblemCode::kUnauthenticated;
  return {code, silent ? std::string() : Printable(Describe(error)).substr(0, kMaxDetailBytes)};
}

Json Problem::ToJson() const {
  const Row& row = RowOf(code);
  Json json = Json::Object(
      {{"type", "about:blank"}, {"title", row.title}, {"status", row.status}, {"code", row.name}});
  if (!detail.empty()) json.Set("detail", detail);
  return json;
}

Result<Problem> Problem::FromJson(const Json& json) {
  JsonReader in(json, "problem");
  Problem problem;
  in.Ignore("type");
  in.Ignore("title");
  const auto status = in.Number("status", 400, 599);
  const std::string name = in.String("code", 32);
  problem.detail = in.OptionalString("detail", 4 * kMaxDetailBytes);
  GRANTFS_CHECK(in.Finish());
  for (const ProblemCode code : kAllProblemCodes) {
    if (name != ProblemCodeName(code)) continue;
    if (status != ProblemStatus(code)) break;
    problem.code = code;
    return problem;
  }
  return Error{Code::kUnsupported, "the vault answered with a problem that this build does not know"};
}

}  // namespace grantfs::api
