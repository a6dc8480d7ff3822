#pragma once

#include <signal.h>

#include <fstream>
#include <sstream>
#include <string>

#include "../support/eventually.h"
#include "grantfs/util/text.h"
#include "mount/base/mount_table_internal.h"
#include "mount_fixture.h"
#include "program.h"

namespace grantfs {

/// fake_mount with workers: each of them shows the same secrets.
class SupervisorTest : public MountTest {
 protected:
  Program MountWithWorkers() {
    Program program({FAKE_MOUNT, "--workers", point_});
    EXPECT_EQ(program.Line(), "ready\n");
    return program;
  }
  void End(Program* program) {
    program->Kill(SIGTERM);
    EXPECT_EQ(program->Wait(), 0);
    EXPECT_FALSE(TopMount(point_));
  }
  std::string StatusLine(const std::string& name) const {
    std::istringstream report(Read(At(".grantfs/status")));
    for (std::string line; std::getline(report, line);) {
      if (line.starts_with(name + " ")) return line;
    }
    return "";
  }
  /// The process that serves.
  pid_t Worker() const {
    const std::string line = StatusLine("worker");
    unsigned long long pid = 0;
    const std::size_t at = line.find("process ");
    if (at == std::string::npos) return -1;
    const std::string rest = line.substr(at + 8);
    return ParseNumber(rest.substr(0, rest.find_first_not_of("0123456789")), 1U << 30, &pid) && pid > 1
               ? static_cast<pid_t>(pid)
               : -1;
  }
  /// Once the next one stands ready, as it nearly always does.
  void KillWorker(int signal = SIGKILL) const {
    const pid_t worker = Worker();
    ASSERT_GT(worker, 1);
    ASSERT_EQ(kill(worker, signal), 0);
    ASSERT_TRUE(Eventually([&] {
      const pid_t now = Worker();
      return now > 1 && now != worker;
    }));
  }
};

inline std::string ProcLine(pid_t process, const std::string& name) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":")) return line.substr(name.size() + 1);
  }
  return "";
}

inline pid_t ChildOf(pid_t parent, const std::string& name, pid_t but = -1) {
  const std::string process = std::to_string(parent);
  std::ifstream children("/proc/" + process + "/task/" + process + "/children");
  for (pid_t child = 0; children >> child;) {
    if (child != but && ProcLine(child, "Name") == "\t" + name) return child;
  }
  return -1;
}

}  // namespace grantfs
