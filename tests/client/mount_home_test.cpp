#include "grantfs/client/mount_home.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "client/homes/mount_home_internal.h"
#include "client_test.h"
#include "support/temp_dir.h"

namespace grantfs::testing {
namespace {

namespace fs = std::filesystem;
constexpr uid_t kFormer = 60841;
constexpr uid_t kUser = 60843;
constexpr uid_t kOther = 60845;

/// HOME/journal, which was another user's before. Who that was may have put anything there.
class WorkersDirectoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root gives files away";
    fs::create_directory(path_);
    Own(path_, kFormer);
  }
  std::string In(const std::string& name) const { return path_ + "/" + name; }
  std::string Out(const std::string& name) const { return dir_.path() + "/" + name; }
  static void Own(const std::string& path, uid_t user) {
    ASSERT_EQ(lchown(path.c_str(), user, user), 0) << path;
  }
  static void Make(const std::string& path, uid_t user) {
    std::ofstream(path) << "text";
    Own(path, user);
  }
  static uid_t OwnerOf(const std::string& path) {
    struct stat info {};
    EXPECT_EQ(lstat(path.c_str(), &info), 0) << path;
    EXPECT_EQ(info.st_uid, info.st_gid) << path;
    return info.st_uid;
  }

  Result<UniqueFd> Directory() const {
    const UniqueFd home(open(dir_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return WorkersDirectory(home.get(), "journal", kUser, kUser);
  }

  TempDir dir_;
  const std::string path_ = dir_.path() + "/journal";
};

TEST_F(WorkersDirectoryTest, IsMadeWhereItIsMissing) {
  fs::remove_all(path_);
  Must(Directory());
  EXPECT_EQ(OwnerOf(path_), kUser);
  struct stat info {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700U);
}

TEST_F(WorkersDirectoryTest, WhatTheFormerUserKeptIsTheNewOnes) {
  Make(In("1.journal"), kFormer);
  Make(In("1.counts"), kFormer);
  Must(Directory());
  for (const std::string& path : {path_, In("1.journal"), In("1.counts")})
    EXPECT_EQ(OwnerOf(path), kUser) << path;
}

TEST_F(WorkersDirectoryTest, LinksDirectoriesAndFilesOfOthersStayWhoseTheyAre) {
  Make(Out("shadow"), 0);
  Make(Out("former's"), kFormer);
  fs::create_symlink(Out("shadow"), In("link"));
  fs::create_symlink(Out("former's"), In("own-link"));
  Own(In("link"), kFormer);
  Own(In("own-link"), kFormer);
  fs::create_hard_link(Out("shadow"), In("hard"));
  fs::create_hard_link(Out("former's"), In("own-hard"));
  Make(In("other's"), kOther);
  Make(In("root's"), 0);
  fs::create_directories(In("deeper/still"));
  Make(In("deeper/file"), kFormer);
  ASSERT_EQ(mkfifo(In("pipe").c_str(), 0600), 0);
  Own(In("pipe"), kFormer);
  Make(In("good"), kFormer);
  Must(Directory());
  EXPECT_EQ(OwnerOf(In("good")), kUser);
  EXPECT_EQ(OwnerOf(path_), kUser);
  for (const std::string& path : {Out("shadow"), In("hard"), In("root's"), In("deeper")})
    EXPECT_EQ(OwnerOf(path), 0U) << path;
  for (const std::string& path :
       {Out("former's"), In("own-hard"), In("link"), In("own-link"), In("deeper/file"), In("pipe")})
    EXPECT_EQ(OwnerOf(path), kFormer) << path;
  EXPECT_EQ(OwnerOf(In("other's")), kOther);
}

TEST_F(WorkersDirectoryTest, ALinkOrAFileInItsPlaceIsRefused) {
  fs::rename(path_, Out("elsewhere"));
  fs::create_directory_symlink(Out("elsewhere"), path_);
  EXPECT_FALSE(Directory());
  EXPECT_EQ(OwnerOf(Out("elsewhere")), kFormer);
  fs::remove(path_);
  Make(path_, kFormer);
  EXPECT_FALSE(Directory());
  EXPECT_EQ(OwnerOf(path_), kFormer);
  fs::remove(path_);
  fs::create_symlink(Out("missing"), path_);
  EXPECT_FALSE(Directory());
  EXPECT_FALSE(fs::exists(Out("missing")));
}

TEST_F(WorkersDirectoryTest, WhatIsTheUsersAlreadyIsNotLookedInto) {
  Own(path_, kUser);
  Make(In("other's"), kOther);
  Make(In("own"), kUser);
  Must(Directory());
  EXPECT_EQ(OwnerOf(In("other's")), kOther);
  EXPECT_EQ(OwnerOf(In("own")), kUser);
}

TEST_F(WorkersDirectoryTest, WhatIsRootsInAHomeOfAnotherUserIsNotGivenAway) {
  Own(dir_.path(), kOther);
  Own(path_, 0);
  Make(In("root's"), 0);
  const auto given = Directory();
  ASSERT_FALSE(given);
  EXPECT_EQ(given.error().code, Code::kDenied);
  EXPECT_EQ(given.error().subject, path_);
  EXPECT_EQ(OwnerOf(path_), 0U);
  EXPECT_EQ(OwnerOf(In("root's")), 0U);
  Own(path_, kOther);
  Must(Directory());
  EXPECT_EQ(OwnerOf(path_), kUser);
}

TEST(LeftCopiesTest, OfProcessesThatAreGoneAreTakenAway) {
  const TempDir dir;
  const pid_t gone = fork();
  if (gone == 0) _exit(0);
  ASSERT_EQ(waitpid(gone, nullptr, 0), gone);
  const std::string known = dir.path() + "/known.db";
  const std::string own = known + "." + std::to_string(getpid());
  const std::string left = known + "." + std::to_string(gone);
  for (const auto& path : {known, known + "-journal", known + ".x", own, own + ".abcdef", left,
                           left + "-journal", left + ".aBc123", known + "." + std::to_string(gone) + "x"})
    std::ofstream(path) << "x";
  RemoveLeftCopies(dir.path());
  for (const auto& path : {left, left + "-journal", left + ".aBc123"}) EXPECT_FALSE(fs::exists(path)) << path;
  for (const auto& path : {known, known + "-journal", known + ".x", own, own + ".abcdef",
                           known + "." + std::to_string(gone) + "x"})
    EXPECT_TRUE(fs::exists(path)) << path;
}

}  // namespace
}  // namespace grantfs::testing
