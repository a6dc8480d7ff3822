#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "mount/watchers/rotation_helper_internal.h"
#include "mount_fixture.h"

namespace grantfs {
namespace {

namespace fs = std::filesystem;

/// The helper at work on a filesystem that lets everything happen: what it does not do, it refused itself.
class RotationHelperTest : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (IsSkipped()) return;
    fs::create_directory(point_);
    ASSERT_EQ(mount("none", point_.c_str(), "tmpfs", 0, "size=1m"), 0);
    fs::create_directories(At(".grantfs/.rotation"));
    fs::create_directory(At("dir"));
    fs::create_directory(directory_ + "/beside");
    Write(directory_ + "/outside");
    Write(directory_ + "/beside/file");
    Write(At("dir/file"));
    Write(At(".grantfs/.rotation/7"));
    fs::create_directory_symlink(directory_, At("link"));
    fs::create_directory_symlink("..", At("dir/up"));
    fs::create_directory_symlink("dir", At("within"));
    fs::create_symlink(directory_ + "/outside", At("to-outside"));
    struct stat info {};
    ASSERT_EQ(stat(point_.c_str(), &info), 0);
    helper_ = *RotationHelper::Start(point_, info.st_dev);
    ASSERT_EQ(Do(HelperAct::kBegin), 0);
  }
  void TearDown() override {
    helper_.reset();
    if (!point_.empty()) umount2(point_.c_str(), MNT_DETACH);
    MountTest::TearDown();
  }
  static void Write(const std::string& path) { std::ofstream(path) << "text"; }
  int Do(HelperAct act, const std::string& path = {}, const std::string& name = {}) {
    return helper_->Do({.act = act, .node = 0, .name = name, .path = path},
                       std::chrono::steady_clock::now() + std::chrono::seconds(20));
  }
  static time_t ChangedAt(const std::string& path) {
    struct stat info {};
    return lstat(path.c_str(), &info) == 0 ? info.st_mtim.tv_sec : -1;
  }
  static void Age(const std::string& path) {
    const timespec times[2] = {{1000, 0}, {1000, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }

  std::unique_ptr<RotationHelper> helper_;
};

TEST_F(RotationHelperTest, DoesWhatItIsAskedBelowTheMount) {
  Age(At("dir/file"));
  EXPECT_EQ(Do(HelperAct::kTouch, "dir/file"), 0);
  EXPECT_GT(ChangedAt(At("dir/file")), 1000);
  EXPECT_EQ(Do(HelperAct::kMakeDirectory, "dir/new"), 0);
  EXPECT_EQ(Do(HelperAct::kRename, "dir/new/7", "7"), 0);
  EXPECT_TRUE(fs::exists(At("dir/new/7")));
  EXPECT_EQ(Do(HelperAct::kRemove, "dir/file"), 0);
  EXPECT_FALSE(fs::exists(At("dir/file")));
}

TEST_F(RotationHelperTest, NoPathLeadsOutOfTheMount) {
  const std::string outside = directory_ + "/outside";
  const std::string beside = directory_ + "/beside/file";
  Age(outside);
  Age(beside);
  for (const std::string& path :
       {outside, "/" + outside, std::string("../outside"), std::string("dir/../../outside"),
        std::string("dir/up/../outside"), std::string("link/outside"), std::string("link/beside/file"),
        std::string("dir/up/link/outside"), std::string("to-outside"), std::string("./../outside"),
        std::string(".."), std::string("."), std::string("/"), std::string(""), std::string("dir/"),
        std::string("dir/.."), "/proc/self/root" + outside}) {
    for (const HelperAct act : {HelperAct::kTouch, HelperAct::kRemove, HelperAct::kMakeDirectory}) {
      // A link of the mount itself may go.
      if (path == "to-outside" && act == HelperAct::kRemove) continue;
      EXPECT_NE(Do(act, path), 0) << path << " " << static_cast<int>(act);
    }
    EXPECT_NE(Do(HelperAct::kRename, path == "to-outside" ? "link/x" : path, "7"), 0) << path;
  }
  for (const char* path : {"link/new", "../new", "dir/up/up/new", "within/new"}) {
    EXPECT_NE(Do(HelperAct::kMakeDirectory, path), 0) << path;
    EXPECT_NE(Do(HelperAct::kRename, path, "7"), 0) << path;
  }
  EXPECT_EQ(ChangedAt(outside), 1000);
  EXPECT_EQ(ChangedAt(beside), 1000);
  EXPECT_FALSE(fs::exists(directory_ + "/new"));
  EXPECT_TRUE(fs::exists(At(".grantfs/.rotation/7")));
}

TEST_F(RotationHelperTest, ItRenamesWhatLiesInItsDirectoryAlone) {
  fs::create_symlink(directory_ + "/outside", At(".grantfs/.rotation/9"));
  for (const char* name : {"../../dir/file", "/etc/passwd", "..", ".", "", "7/../7", "../.rotation/7"})
    EXPECT_NE(Do(HelperAct::kRename, "dir/other", name), 0) << name;
  EXPECT_TRUE(fs::exists(At("dir/file")));
  fs::remove_all(At(".grantfs/.rotation"));
  fs::create_directory_symlink(directory_ + "/beside", At(".grantfs/.rotation"));
  EXPECT_NE(Do(HelperAct::kRename, "dir/other", "file"), 0);
  EXPECT_TRUE(fs::exists(directory_ + "/beside/file"));
}

TEST_F(RotationHelperTest, AnotherFilesystemThereIsLeftAlone) {
  ASSERT_EQ(mount("none", point_.c_str(), "tmpfs", 0, "size=1m"), 0);
  EXPECT_EQ(Do(HelperAct::kBegin), EXDEV);
  EXPECT_EQ(Do(HelperAct::kMakeDirectory, "new"), EBADF);
  EXPECT_FALSE(fs::exists(At("new")));
  ASSERT_EQ(umount2(point_.c_str(), MNT_DETACH), 0);
}

TEST_F(RotationHelperTest, WhatItIsNotAskedForItRefusesAndGoesOn) {
  EXPECT_EQ(Do(HelperAct::kTouch, std::string(9000, 'x')), ENAMETOOLONG) << "it is not sent";
  EXPECT_EQ(Do(static_cast<HelperAct>(99), "dir/file"), EINVAL);
  EXPECT_EQ(Do(HelperAct::kTouch, "dir/file"), 0) << "it goes on";
}

TEST_F(RotationHelperTest, AMessageThatIsNoneEndsIt) {
  struct stat info {};
  ASSERT_EQ(stat(point_.c_str(), &info), 0);
  const auto act = static_cast<std::uint32_t>(HelperAct::kTouch);
  const std::string head =
      std::string(reinterpret_cast<const char*>(&act), sizeof act) + std::string(8, '\0');
  using std::string_literals::operator""s;
  Age(At("dir/file"));
  for (const std::string& message : {"x"s, head, head + "\0"s, head + "name\0dir/file"s, head + "dir/file\0"s,
                                     std::string(20, '\xff'), head + std::string(20000, 'x') + "\0"s}) {
    const auto process = RotationHelper::StartProcess(point_, info.st_dev, false);
    ASSERT_TRUE(process);
    ASSERT_EQ(send(process->socket.get(), message.data(), message.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(message.size()));
    std::int32_t answer = 0;
    EXPECT_EQ(recv(process->socket.get(), &answer, sizeof answer, 0), 0) << message.size();
    int status = -1;
    EXPECT_EQ(waitpid(process->pid, &status, 0), process->pid);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  EXPECT_EQ(ChangedAt(At("dir/file")), 1000) << "nothing was done";
}

}  // namespace
}  // namespace grantfs
