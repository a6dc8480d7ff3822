#include "grantfs/util/result.h"

#include <cstring>

namespace grantfs {

const char* CodeName(Code code) {
  switch (code) {
    case Code::kInvalid: return "invalid";
    case Code::kDenied: return "denied";
    case Code::kNotFound: return "not-found";
    case Code::kExpired: return "expired";
    case Code::kConflict: return "conflict";
    case Code::kUnreachable: return "unreachable";
    case Code::kThrottled: return "throttled";
    case Code::kUnrecorded: return "unrecorded";
    case Code::kIntegrity: return "integrity";
    case Code::kUnauthentic: return "unauthentic";
    case Code::kUnsupported: return "unsupported";
    case Code::kCancelled: return "cancelled";
    case Code::kNoSpace: return "no-space";
    case Code::kIo: return "io";
  }
  std::abort();
}

std::string Describe(const Error& error) {
  std::string line = error.subject;
  if (!line.empty()) line += ": ";
  line += error.where;
  if (error.sys != 0) {
    char buffer[128];
    line += " (";
    line += strerror_r(error.sys, buffer, sizeof buffer);
    line += ")";
  }
  return line;
}

}  // namespace grantfs
