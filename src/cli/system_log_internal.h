#pragma once

#include <thread>

#include "grantfs/util/unique_fd.h"

namespace grantfs {

/// While it lives, what the process writes to standard error goes to the system's log, line by line. Threads:
/// one makes and destroys it; all may write.
class SystemLog {
 public:
  SystemLog();
  ~SystemLog();
  SystemLog(const SystemLog&) = delete;
  SystemLog& operator=(const SystemLog&) = delete;

 private:
  void Forward();
  UniqueFd reading_;
  std::thread thread_;
};

/// The priority (syslog(3)) of a line as grantfs::Log writes it: "2026-01-31T12:00:00.123Z warning MESSAGE".
int SystemLogPriority(const char* line);

}  // namespace grantfs
