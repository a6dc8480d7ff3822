#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <thread>

#include "mount/base/priority_internal.h"

namespace grantfs {
namespace {

TEST(PriorityTest, AllThreadsOfAProcessAreNice) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    std::thread([&] {
      if (write(ready[1], "x", 1) == 1)
        for (;;) pause();
    }).join();
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  SetNice(child, 5);
  int threads = 0;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(child) + "/task")) {
    EXPECT_EQ(getpriority(PRIO_PROCESS, static_cast<id_t>(std::stol(thread.path().filename()))), 5);
    ++threads;
  }
  EXPECT_GE(threads, 2);  // a sanitizer has some of its own
  kill(child, SIGKILL);
  EXPECT_EQ(waitpid(child, nullptr, 0), child);
  SetNice(child, 1);  // nobody
}

}  // namespace
}  // namespace grantfs
