#include "grantfs/api/problem.h"

#include <cstdlib>

#include "grantfs/api/routes.h"
#include "grantfs/net/http_client.h"
#include "grantfs/util/text.h"
#include "problem_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMaxProblemBytes = 16 * 1024;

/// What a problem is to a client: its reason where the vault gave no detail, and after one what mends it.
struct Meaning {
  Code code;
  const char* reason;
  const char* mend;
};

Meaning MeaningOf(api::ProblemCode code) {
  using Problem = api::ProblemCode;
  switch (code) {
    case Problem::kBadRequest:
      return {Code::kUnsupported, "the vault does not take this request; it may be of another version",
              "the vault does not take this request; it may be of another version"};
    case Problem::kUnauthenticated:
      return {Code::kUnauthentic, "the vault does not accept this key", "the vault does not accept this key"};
    case Problem::kDenied:
      return {Code::kDenied, "the role does not allow it; an owner can change roles",
              "an owner of it can allow it"};
    case Problem::kFrozen:
      return {Code::kDenied, "it is frozen, or an owner is removing this identity or changing its role",
              "whoever did it, or another owner, can end it (grantfs freezes, grantfs unfreeze)"};
    case Problem::kExpired:
      return {Code::kExpired, "the grant has expired; an owner can grant it again",
              "an owner can grant it again"};
    case Problem::kNotFound:
      return {Code::kNotFound, "there is no such thing, or this identity may not see it",
              "mind the spelling, or ask an owner to let this identity see it"};
    case Problem::kConflict:
      return {Code::kConflict,
              "others changed it at the same moment, or it exists already; look, and try again",
              "look at what is there now, and try again or with another name"};
    case Problem::kSuperseded:
      return {Code::kConflict, "a newer version has taken its place; read again", "read again"};
    case Problem::kGone:
      return {Code::kExpired, "it was used or has expired; ask for a new one", "ask for a new one"};
    case Problem::kTooLarge:
      return {Code::kInvalid, "the request is larger than the vault takes; send less", "send less"};
    case Problem::kThrottled:
      return {Code::kThrottled, "too many requests; wait a moment", "wait a moment"};
    case Problem::kUnrecorded:
      return {Code::kUnrecorded,
              "the vault could not write its audit record and so gave nothing out; see its log and its disk",
              "see the vault's log and its disk"};
    case Problem::kUnavailable:
      return {Code::kUnreachable, "the vault is busy or going down; try again", "try again"};
    case Problem::kInternal:
      return {Code::kIo, "the vault failed; see its log", "see the vault's log"};
    case Problem::kIntegrity:
      return {Code::kIntegrity,
              "the vault refused what does not verify: a statement, a key, or its own database",
              "the vault refused what does not verify; find out why before you go on"};
  }
  std::abort();
}

Error Unauthentic(const std::string& keyid, const std::string& subject) {
  const char* sentence =
      "the vault does not accept this key: never enrolled, not approved yet, removed, replaced by a new one "
      "(which grantfs identity rekey goes on with), or of another vault; an owner can look with grantfs "
      "identity "
      "list";
  if (keyid.starts_with(api::kInviteKeyPrefix)) {
    sentence =
        "the vault does not accept this invitation: never made, withdrawn, or of another vault; an owner can "
        "make a new one with grantfs invite";
  }
  if (keyid.starts_with(api::kClaimKeyPrefix)) {
    sentence =
        "the vault does not accept this claim: it was used already, or is another server's; grantfs serve on "
        "an empty directory prints a new one";
  }
  return Error{Code::kUnauthentic, sentence, 0, subject};
}

}  // namespace

Error ErrorOfResponse(const HttpResponse& response, const std::string& keyid, const std::string& subject) {
  if (response.status == 401) return Unauthentic(keyid, subject);
  const auto json = ParseJson(response.body, {.max_bytes = kMaxProblemBytes});
  const auto problem = json ? api::Problem::FromJson(*json) : Result<api::Problem>(json.error());
  if (!problem && response.status >= 502 && response.status <= 504) {
    return Error{Code::kUnreachable, "what answers in the vault's place says that it is down; try again", 0,
                 subject};
  }
  if (!problem) {
    return Error{Code::kUnsupported, "this is no answer of a grantfs vault; look at the address", 0, subject};
  }
  Meaning meaning = MeaningOf(problem->code);
  // What conflicts with an invitation is somebody else's use of it, and trying again does not end that.
  if (meaning.code == Code::kConflict && keyid.starts_with(api::kInviteKeyPrefix))
    meaning.mend = "ask for a new one, and tell an owner, who sees with grantfs approve who it is";
  if (problem->detail.empty()) return Error{meaning.code, meaning.reason, 0, subject};
  return Error{meaning.code, meaning.mend, 0, Printable(problem->detail)};
}

Error About(Error error, std::string subject) {
  error.subject = std::move(subject);
  return error;
}

bool IsRefusedByVault(const Error& error) {
  if (error.code == Code::kConflict) return true;
  return error.code == Code::kIntegrity && error.where != std::string_view(kWrongPin);
}

}  // namespace grantfs
