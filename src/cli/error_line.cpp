#include "command_internal.h"

namespace grantfs {

std::string ErrorLine(const Command& command, const Error& error) {
  std::string line = std::string("grantfs: ") + command.failure + ": " + Describe(error);
  if (line.find("; ") != std::string::npos) return line;  // it names what mends it
  if (error.code == Code::kInvalid) return line + "; grantfs " + command.name + " --help shows how";
  if (error.code == Code::kUnreachable) return line + "; grantfs doctor says what is in the way";
  return line;
}

}  // namespace grantfs
