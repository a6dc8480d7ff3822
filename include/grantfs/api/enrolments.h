#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "grantfs/api/machine.h"
#include "grantfs/json/json.h"
#include "grantfs/trust/invitation.h"
#include "grantfs/trust/statement.h"

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

/// POST /v1/enrolments/join: how a machine lets itself in by a standing invitation. Without a statement, and
/// where somebody else's came first, it is told what its own has to follow.
struct JoinRequest {
  std::string statement;  ///< the envelope of a machine.join, or ""
  std::vector<OwnGroupKey>
      groups;  ///< of each group that the invitation leads into: the key, sealed to itself
  Json ToJson() const;
  static Result<JoinRequest> FromJson(const Json& json);
};
struct JoinResponse {
  EnrolmentProgress state = EnrolmentProgress::kNone;  ///< kApproved: it is in
  Head head;                                           ///< of the machines list
  std::int64_t lives = 0;                              ///< as the invitation says: seconds, 0 = for ever
  std::vector<OwnGroupKey> groups;                     ///< the same keys, sealed to the invitation
  Json ToJson() const;
  static Result<JoinResponse> FromJson(const Json& json);
};

/// POST /v1/enrolments/list: those that wait, oldest first, at most kMaxNumbers.
struct EnrolmentsResponse {
  std::vector<Enrolment> enrolments;
  Json ToJson() const;
  static Result<EnrolmentsResponse> FromJson(const Json& json);
};

}  // namespace grantfs::api
