#pragma once

#include <vector>

#include "grantfs/json/json.h"
#include "grantfs/trust/invitation.h"

namespace grantfs::api {

/// How far an invitation has come.
enum class EnrolmentProgress { kNone, kPending, kApproved };
const char* EnrolmentProgressName(EnrolmentProgress progress);  ///< "none", "pending", "approved"

/// POST /v1/enrolments.
struct EnrolRequest {
  Enrolment enrolment;
  Json ToJson() const;
  static Result<EnrolRequest> FromJson(const Json& json);
};
/// Of /v1/enrolments and /v1/enrolments/state.
struct EnrolmentStateResponse {
  EnrolmentProgress state = EnrolmentProgress::kNone;
  Json ToJson() const;
  static Result<EnrolmentStateResponse> FromJson(const Json& json);
};

/// POST /v1/enrolments/list: those that wait, oldest first, at most kMaxNumbers.
struct EnrolmentsResponse {
  std::vector<Enrolment> enrolments;
  Json ToJson() const;
  static Result<EnrolmentsResponse> FromJson(const Json& json);
};

}  // namespace grantfs::api
