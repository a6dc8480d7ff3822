#include <cstdlib>

#include "exit_code_internal.h"

namespace grantfs {

ExitCode ExitCodeOf(Code code) {
  switch (code) {
    case Code::kInvalid:
      return ExitCode::kUsage;
    case Code::kDenied:
    case Code::kUnauthentic:
    case Code::kExpired:
      return ExitCode::kDenied;
    case Code::kNotFound:
      return ExitCode::kNotFound;
    case Code::kUnreachable:
    case Code::kThrottled:
    case Code::kUnrecorded:
      return ExitCode::kUnreachable;
    case Code::kConflict:
      return ExitCode::kConflict;
    case Code::kIntegrity:
      return ExitCode::kIntegrity;
    case Code::kUnsupported:
    case Code::kCancelled:
    case Code::kNoSpace:
    case Code::kIo:
      return ExitCode::kFailed;
  }
  std::abort();
}

const char* ExitCodeMeaning(ExitCode code) {
  switch (code) {
    case ExitCode::kDone:
      return "done";
    case ExitCode::kFailed:
      return "failed";
    case ExitCode::kUsage:
      return "usage";
    case ExitCode::kDenied:
      return "denied";
    case ExitCode::kNotFound:
      return "not found";
    case ExitCode::kUnreachable:
      return "unreachable";
    case ExitCode::kConflict:
      return "conflict";
    case ExitCode::kIntegrity:
      return "integrity";
  }
  std::abort();
}

}  // namespace grantfs
