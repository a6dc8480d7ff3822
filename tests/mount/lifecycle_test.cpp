#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "../support/eventually.h"
#include "mount/base/mount_point_internal.h"
#include "mount/base/mount_table_internal.h"
#include "mount_fixture.h"
#include "program.h"

namespace grantfs {
namespace {

class LifecycleTest : public MountTest {
 protected:
  /// A process of its own that mounts, so that it can be killed.
  Program MountInAProcess() {
    Program program({FAKE_MOUNT, point_});
    EXPECT_EQ(program.Line(), "ready\n");
    return program;
  }
  /// What RunMount says where it must refuse at once.
  Status MountError() {
    MountOptions options;
    options.mount_point = point_;
    options.source = &source_;
    options.log = [](LogLevel, std::string_view) {};
    return RunMount(options);
  }
};

TEST_F(LifecycleTest, EndsCleanlyOnTerm) {
  Program program = MountInAProcess();
  EXPECT_EQ(Read(At(kName)), "content");
  program.Kill(SIGTERM);
  EXPECT_EQ(program.Wait(), 0);
  EXPECT_FALSE(TopMount(point_));
}

TEST_F(LifecycleTest, EndsCleanlyWhenItsTerminalIsClosedUnlessToldToGoOn) {
  Program program = MountInAProcess();
  program.Kill(SIGHUP);
  EXPECT_EQ(program.Wait(), 0);
  EXPECT_FALSE(TopMount(point_));
  Program stays({"nohup", FAKE_MOUNT, point_});
  EXPECT_EQ(stays.Line(), "ready\n");
  stays.Kill(SIGHUP);
  EXPECT_EQ(Read(At(kName)), "content");
  stays.Kill(SIGTERM);
  EXPECT_EQ(stays.Wait(), 0);
}

TEST_F(LifecycleTest, EndsOnTermThoughFilesAreOpen) {
  Program program = MountInAProcess();
  UniqueFd fd(Open(At(kName)));
  program.Kill(SIGTERM);
  EXPECT_TRUE(Eventually([&] { return !TopMount(point_); }));
  EXPECT_EQ(program.Wait(), 0);
  char byte = 0;
  EXPECT_EQ(pread(fd.get(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, ENOTCONN);
}

TEST_F(LifecycleTest, SaysSoIfItCannotBeUnmounted) {
  Mount();
  ASSERT_EQ(mount("none", point_.c_str(), "tmpfs", 0, nullptr), 0);
  ASSERT_EQ(kill(getpid(), SIGTERM), 0);
  EXPECT_TRUE(Join());
  EXPECT_TRUE(Logged("could not unmount " + point_));
  EXPECT_FALSE(Logged("unmounted"));
  EXPECT_EQ(umount2(point_.c_str(), 0), 0);
  EXPECT_EQ(umount2(point_.c_str(), MNT_DETACH), 0);  // the dead mount that was under it
}

TEST_F(LifecycleTest, MendsAMountThatAKilledProcessLeft) {
  Program program = MountInAProcess();
  program.Kill(SIGKILL);
  EXPECT_EQ(program.Wait(), 128 + SIGKILL);
  // What was asked in the moment of its end says ECONNABORTED.
  ASSERT_TRUE(Eventually([&] {
    struct stat info {};
    return stat(point_.c_str(), &info) == -1 && errno == ENOTCONN;
  }));
  source_.Put(kName, "again");
  Mount();
  EXPECT_EQ(Read(At(kName)), "again");
  EXPECT_TRUE(Logged("killed grantfs"));
}

TEST_F(LifecycleTest, UnmountsAStaleMountOnRequest) {
  Program program = MountInAProcess();
  program.Kill(SIGKILL);
  program.Wait();
  EXPECT_TRUE(Unmount(point_));
  EXPECT_FALSE(TopMount(point_));
}

TEST_F(LifecycleTest, FindsAStaleMountThoughChildrenAreIgnored) {
  Program program = MountInAProcess();
  program.Kill(SIGKILL);
  program.Wait();
  const auto before = ::signal(SIGCHLD, SIG_IGN);
  EXPECT_TRUE(Unmount(point_));
  ::signal(SIGCHLD, before);
  EXPECT_FALSE(TopMount(point_));
}

TEST_F(LifecycleTest, RefusesALiveMount) {
  Mount();
  const Status status = MountError();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kConflict);
  EXPECT_NE(Describe(status.error()).find("grantfs is mounted there already"), std::string::npos);
}

TEST_F(LifecycleTest, RefusesAnotherFilesystemAndNeverUnmountsIt) {
  std::filesystem::create_directory(point_);
  ASSERT_EQ(mount("none", point_.c_str(), "tmpfs", 0, nullptr), 0);
  EXPECT_EQ(MountError().error().code, Code::kConflict);
  EXPECT_EQ(Unmount(point_).error().code, Code::kNotFound);
  EXPECT_EQ(TopMount(point_)->type, "tmpfs");
  ASSERT_EQ(umount2(point_.c_str(), 0), 0);
  EXPECT_EQ(Unmount(point_).error().code, Code::kNotFound);
}

TEST_F(LifecycleTest, RefusesAPlaceThatIsNoEmptyDirectory) {
  std::filesystem::create_directories(point_ + "/sub");
  EXPECT_EQ(MountError().error().code, Code::kInvalid);
  std::filesystem::remove_all(point_);
  std::ofstream(point_).put('x');
  EXPECT_EQ(MountError().error().code, Code::kInvalid);
  EXPECT_FALSE(TopMount(point_));
}

TEST_F(LifecycleTest, RefusesOptionsThatCannotBe) {
  MountOptions options;
  options.mount_point = point_;
  EXPECT_EQ(RunMount(options).error().code, Code::kInvalid);
  options.source = &source_;
  options.root = "shop";
  EXPECT_EQ(RunMount(options).error().code, Code::kInvalid);
  options.root = "";
  options.threads = 0;
  EXPECT_EQ(RunMount(options).error().code, Code::kInvalid);
  EXPECT_FALSE(std::filesystem::exists(point_));
}

TEST_F(LifecycleTest, MakesAMissingMountPointAndFollowsALink) {
  std::filesystem::create_symlink(directory_ + "/real", directory_ + "/link");
  std::filesystem::create_directory(directory_ + "/real");
  source_.Put(kName, "content");
  Mount([&](MountOptions& options) { options.mount_point = directory_ + "/link"; });
  EXPECT_EQ(Read(directory_ + "/real/" + kName), "content");
  EXPECT_TRUE(Unmount(directory_ + "/link"));
  EXPECT_TRUE(Join());
  EXPECT_FALSE(TopMount(directory_ + "/real"));
}

TEST_F(LifecycleTest, NeverFollowsALinkThatReplacedItsMountPoint) {
  std::filesystem::create_directories(directory_ + "/other/m");
  std::filesystem::create_symlink(directory_ + "/other/m", point_);
  std::filesystem::create_symlink(directory_ + "/other", directory_ + "/parent");
  for (const std::string& point : {point_, directory_ + "/parent/m"}) {
    const auto mounted = MountFuse(point);
    ASSERT_FALSE(mounted) << point;
    EXPECT_EQ(mounted.error().code, Code::kConflict);
  }
  EXPECT_FALSE(TopMount(directory_ + "/other/m"));
}

TEST_F(LifecycleTest, EndsWhenItIsUnmountedAndNotWhileFilesAreOpen) {
  source_.Put(kName, "content");
  Mount();
  {
    UniqueFd fd(Open(At(kName)));
    const Status status = Unmount(point_);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, Code::kConflict);
    EXPECT_EQ(ReadFrom(fd.get()), "content");
  }
  EXPECT_TRUE(Eventually([&] { return Unmount(point_).has_value(); }));
  EXPECT_TRUE(Join());
  Mount();
  EXPECT_EQ(Read(At(kName)), "content");
}

TEST_F(LifecycleTest, LinksFromTheCustomaryPlaceOnlyIfItIsFree) {
  const std::string link = directory_ + "/secrets";
  EXPECT_TRUE(*MakeConvenienceLink(point_, link));
  EXPECT_EQ(std::filesystem::read_symlink(link), point_);
  EXPECT_TRUE(*MakeConvenienceLink(point_, link));
  EXPECT_FALSE(*MakeConvenienceLink("/elsewhere", link));
  std::filesystem::remove(link);
  std::filesystem::create_directory(link);
  EXPECT_FALSE(*MakeConvenienceLink(point_, link));
  EXPECT_TRUE(std::filesystem::is_directory(link));
}

}  // namespace
}  // namespace grantfs
