#pragma once

#include <string>

#include "grantfs/json/json.h"
#include "grantfs/util/result.h"

namespace grantfs::api {

/// The stable codes of problem documents (RFC 9457).
enum class ProblemCode {
  kBadRequest,
  kUnauthenticated,
  kDenied,
  kFrozen,
  kExpired,
  kNotFound,
  kConflict,
  kSuperseded,
  kGone,
  kTooLarge,
  kThrottled,
  kUnrecorded,
  kUnavailable,
  kInternal,
  kIntegrity,
};
inline constexpr ProblemCode kAllProblemCodes[] = {
    ProblemCode::kBadRequest,  ProblemCode::kUnauthenticated, ProblemCode::kDenied,
    ProblemCode::kFrozen,      ProblemCode::kExpired,         ProblemCode::kNotFound,
    ProblemCode::kConflict,    ProblemCode::kSuperseded,      ProblemCode::kGone,
    ProblemCode::kTooLarge,    ProblemCode::kThrottled,       ProblemCode::kUnrecorded,
    ProblemCode::kUnavailable, ProblemCode::kInternal,        ProblemCode::kIntegrity};
const char* ProblemCodeName(ProblemCode code);  ///< "bad-request", ...
int ProblemStatus(ProblemCode code);            ///< HTTP's

inline constexpr char kProblemType[] = "application/problem+json";

// Reasons that have a problem code of their own beside their error code.
inline constexpr char kWhereSuperseded[] =
    "the version is no longer the one that the label points at";                         ///< kConflict
inline constexpr char kWhereGone[] = "the invitation or claim was used or has expired";  ///< kExpired
inline constexpr char kWhereFrozen[] =
    "an owner is removing this identity, or changing its role";  ///< kDenied
inline constexpr char kWhereNotDelivered[] =
    "nothing of it is delivered until that is lifted";                                  ///< kDenied: frozen
inline constexpr char kWhereTooLarge[] = "the request is larger than the vault takes";  ///< kInvalid

struct Problem {
  ProblemCode code = ProblemCode::kInternal;
  std::string detail;  ///< for people; never part of a value or key
  /// The whole document with type, title and status.
  Json ToJson() const;
  static Result<Problem> FromJson(const Json& json);
};

/// Which code an error is told by; with no detail where the failure is the server's own.
ProblemCode CodeOfError(const Error& error);
Problem ToProblem(const Error& error);

}  // namespace grantfs::api
