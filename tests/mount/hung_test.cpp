#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>
#include <vector>

#include "../support/eventually.h"
#include "mount/base/mount_table_internal.h"
#include "mount_fixture.h"
#include "program.h"

namespace grantfs {
namespace {

/// A mount with workers, whose grant names an executable in a filesystem that can be stopped.
class HungTest : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (IsSkipped()) return;
    point_of_hung_ = point_ + "-hung";
    ASSERT_EQ(mkdir(point_of_hung_.c_str(), 0755), 0);
    bare_.emplace(std::vector<std::string>{BARE_FS, point_of_hung_, "64"});
    ASSERT_EQ(bare_->Line(), "ready\n");
  }
  void TearDown() override {
    if (bare_) {
      bare_->Kill(SIGCONT);
      umount2(point_of_hung_.c_str(), MNT_DETACH);
      bare_->Kill(SIGKILL);
      bare_->Wait();
      rmdir(point_of_hung_.c_str());
    }
    MountTest::TearDown();
  }
  int ErrorOfOpening(const std::string& name) const {
    UniqueFd fd(Open(At(name)));
    return fd ? 0 : errno;
  }

  std::string point_of_hung_;
  std::optional<Program> bare_;
};

TEST_F(HungTest, AnExecutableThatCannotBeLookedAtIsRefusedInTimeAndStopsNobodyElse) {
  Program mount({FAKE_MOUNT, "--workers", point_, "exe=" + point_of_hung_ + "/asked-each-time"});
  ASSERT_EQ(mount.Line(), "ready\n");
  EXPECT_EQ(ErrorOfOpening(kName), EACCES) << "this is another program";
  bare_->Kill(SIGSTOP);
  siginfo_t stopped{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(bare_->pid()), &stopped, WSTOPPED), 0) << "all its threads";
  // More of them than the mount has threads, and than it can look at processes at once.
  std::vector<std::thread> openers;
  std::atomic<int> refused{0};
  for (int i = 0; i < 40; ++i) openers.emplace_back([&] { refused += ErrorOfOpening(kName) == EIO ? 1 : 0; });
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Read(At("shop/prod/free")), "content");
  for (std::thread& opener : openers) opener.join();
  EXPECT_EQ(refused, 40);
  EXPECT_EQ(Read(At("shop/prod/free")), "content");
  bare_->Kill(SIGCONT);
  EXPECT_TRUE(Eventually([&] { return ErrorOfOpening(kName) == EACCES; })) << "it can be looked at again";
  mount.Kill(SIGTERM);
  EXPECT_EQ(mount.Wait(), 0);
  EXPECT_FALSE(TopMount(point_));
}

bool Waits(pid_t process) {
  const std::string tasks = "/proc/" + std::to_string(process) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks)) {
    std::string where;
    std::ifstream(task.path() / "wchan") >> where;
    if (where == "request_wait_answer") return true;
  }
  return false;
}

/// Nothing that this mount answers lets it go.
TEST_F(HungTest, AMountWhoseKilledWorkerDoesNotEndIsGivenUp) {
  Program mount({"sh", "-c", "exec " FAKE_MOUNT " --hangs another 400 " + point_ + " 2>&1"});
  std::string said;
  for (std::string line; (line = mount.Line()) != "ready\n" && !line.empty();) said += line;
  const std::string children =
      "/proc/" + std::to_string(mount.pid()) + "/task/" + std::to_string(mount.pid()) + "/children";
  pid_t worker = 0;
  std::ifstream(children) >> worker;
  ASSERT_GT(worker, 1);
  ASSERT_TRUE(Eventually([&] { return Waits(worker); })) << "for an answer";
  ASSERT_EQ(kill(worker, SIGSTOP), 0);
  said += mount.Output();
  EXPECT_EQ(mount.Wait(), 1) << "for a service manager to mount again: " << said;
  EXPECT_NE(said.find("the mount is given up"), std::string::npos) << said;
  EXPECT_FALSE(TopMount(point_));
}

}  // namespace
}  // namespace grantfs
