#include "grantfs/api/problem.h"

#include <algorithm>
#include <iterator>

#include "grantfs/util/text.h"

namespace grantfs::api {
namespace {

constexpr std::size_t kMaxDetailBytes = 1024;

/// One row a code: how it is told, and what a client makes of it.
struct Row {
  ProblemCode problem;
  const char* name;
  int status;
  const char* title;
  Code code;
  const char* where;
};

const Row& RowOf(ProblemCode problem) {
  static constexpr Row kRows[] = {
      {ProblemCode::kBadRequest, "bad-request", 400, "Bad request", Code::kInvalid,
       "the vault does not understand the request"},
      {ProblemCode::kUnauthenticated, "unauthenticated", 401, "Not authenticated", Code::kUnauthentic,
       "the vault does not accept this key or its signature"},
      {ProblemCode::kDenied, "denied", 403, "Denied", Code::kDenied, "the vault does not allow this"},
      {ProblemCode::kFrozen, "frozen", 403, "Frozen", Code::kDenied, kWhereFrozen},
      {ProblemCode::kExpired, "expired", 403, "Expired", Code::kExpired, "the grant has expired"},
      {ProblemCode::kNotFound, "not-found", 404, "Not found", Code::kNotFound,
       "there is no such thing, or it is not visible to this identity"},
      {ProblemCode::kConflict, "conflict", 409, "Conflict", Code::kConflict, "the vault's state moved on"},
      {ProblemCode::kSuperseded, "superseded", 409, "Superseded", Code::kConflict, kWhereSuperseded},
      {ProblemCode::kGone, "gone", 410, "Gone", Code::kExpired, kWhereGone},
      {ProblemCode::kTooLarge, "too-large", 413, "Too large", Code::kInvalid, kWhereTooLarge},
      {ProblemCode::kThrottled, "throttled", 429, "Too many requests", Code::kThrottled,
       "the vault takes no more requests at the moment"},
      {ProblemCode::kUnrecorded, "unrecorded", 503, "Not recorded", Code::kUnrecorded,
       "the vault could not record the read, so it released nothing"},
      {ProblemCode::kUnavailable, "unavailable", 503, "Unavailable", Code::kUnreachable,
       "the vault cannot serve this at the moment"},
      {ProblemCode::kInternal, "internal", 500, "Internal error", Code::kIo, "the vault failed"},
      {ProblemCode::kIntegrity, "integrity", 500, "Integrity", Code::kIntegrity,
       "the vault refuses data that does not verify"},
  };
  const auto row =
      std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& r) { return r.problem == problem; });
  if (row == std::end(kRows)) std::abort();
  return *row;
}

ProblemCode FromStatus(int status) {
  const auto code = std::find_if(std::begin(kAllProblemCodes), std::end(kAllProblemCodes),
                                 [&](ProblemCode candidate) { return RowOf(candidate).status == status; });
  if (code != std::end(kAllProblemCodes) && status < 500) return *code;
  return status >= 502 && status <= 504 ? ProblemCode::kUnavailable : ProblemCode::kInternal;
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
      return where == kWhereFrozen ? ProblemCode::kFrozen : ProblemCode::kDenied;
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

Error FromProblem(int status, std::string_view body) {
  Problem problem{FromStatus(status), {}};
  if (const auto json = ParseJson(body, {.max_bytes = std::size_t{64} << 10, .max_items = 100})) {
    if (auto told = Problem::FromJson(*json)) problem = *std::move(told);
  }
  const Row& row = RowOf(problem.code);
  return Error{row.code, row.where, 0, Printable(problem.detail)};
}

}  // namespace grantfs::api
