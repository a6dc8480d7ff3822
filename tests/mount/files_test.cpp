#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <set>

#include "../support/eventually.h"
#include "mount_fixture.h"
#include "program.h"

namespace grantfs {
namespace {

/// Bytes of every value, with no period that a page or a request has.
std::string Binary(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 12345;
  for (char& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

std::string ByMapping(const std::string& path, std::size_t size, int flags) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  void* mapping = mmap(nullptr, size, PROT_READ, flags, fd.get(), 0);
  if (mapping == MAP_FAILED) return "errno " + std::to_string(errno);
  std::string content(static_cast<const char*>(mapping), size);
  munmap(mapping, size);
  return content;
}

std::string BySendfile(const std::string& path) {
  UniqueFd from(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  UniqueFd to(memfd_create("copy", MFD_CLOEXEC));
  ssize_t sent = 0;
  while ((sent = sendfile(to.get(), from.get(), nullptr, 1 << 20)) > 0) {
  }
  std::string content(static_cast<std::size_t>(lseek(to.get(), 0, SEEK_END)), '\0');
  return pread(to.get(), content.data(), content.size(), 0) == static_cast<ssize_t>(content.size()) &&
                 sent == 0
             ? content
             : "cannot copy";
}

class FilesTest : public MountTest {};

class ContentTest : public MountTest, public ::testing::WithParamInterface<std::size_t> {};

TEST_P(ContentTest, IsTheSameForEveryProgram) {
  const std::string content = Binary(GetParam());
  source_.Put("shop/prod/tls/server.key", content);
  Mount();
  const std::string path = At("shop/prod/tls/server.key");
  EXPECT_TRUE(Read(path) == content);
  EXPECT_TRUE(OutputOf({"cat", path}) == content);
  EXPECT_TRUE(OutputOf({"dd", "if=" + path, "bs=777", "status=none"}) == content);
  EXPECT_EQ(OutputOf({"cp", path, directory_ + "/copy"}), "");
  EXPECT_TRUE(Read(directory_ + "/copy") == content);
  EXPECT_TRUE(OutputOf({"tar", "-C", point_, "-cf", directory_ + "/t.tar", "shop"}) == "");
  EXPECT_TRUE(OutputOf({"tar", "-xOf", directory_ + "/t.tar", "shop/prod/tls/server.key"}) == content);
  EXPECT_TRUE(OutputOf({"python3", "-c",
                        "import sys; sys.stdout.buffer.write(open(sys.argv[1], 'rb').read())", path}) ==
              content);
  EXPECT_TRUE(BySendfile(path) == content);
  if (!content.empty()) {
    EXPECT_TRUE(ByMapping(path, content.size(), MAP_PRIVATE) == content);
    EXPECT_TRUE(ByMapping(path, content.size(), MAP_SHARED) == content ||
                Read(At(".grantfs/status")).find("shared mmap no") != std::string::npos);
  }
  EXPECT_EQ(std::filesystem::file_size(path), content.size());
}

INSTANTIATE_TEST_SUITE_P(Sizes, ContentTest, ::testing::Values(0, 1, 4096, 64 * 1024, 1024 * 1024));

TEST_F(FilesTest, LieInTheirEnvironments) {
  source_.Put("shop/prod/db-password", "needle\n");
  source_.Put("shop/prod/tls/server.key", "key");
  source_.Put("shop/test/db-password", "other");
  source_.Put("blog/prod/a b", "x");
  Mount();
  EXPECT_EQ(OutputOf({"sh", "-c", "cd \"$0\" && find . -type f | LC_ALL=C sort", point_}),
            "./.grantfs/denials\n./.grantfs/grants\n./.grantfs/status\n./.grantfs/why/blog/prod/a b\n"
            "./.grantfs/why/shop/prod/db-password\n./.grantfs/why/shop/prod/tls/server.key\n"
            "./.grantfs/why/shop/test/db-password\n./blog/prod/a b\n./shop/prod/db-password\n"
            "./shop/prod/tls/server.key\n./shop/test/db-password\n");
  EXPECT_EQ(OutputOf({"grep", "-r", "needle", At("shop")}), At("shop/prod/db-password") + ":needle\n");
  EXPECT_EQ(OpenError("shop/prod/nothing"), ENOENT);
  EXPECT_EQ(OpenError("shop/nothing/db-password"), ENOENT);
  EXPECT_EQ(OpenError("shop/prod/" + std::string(255, 'n')), ENOENT);
  EXPECT_EQ(OpenError("shop/prod/" + std::string(256, 'n')), ENAMETOOLONG);
  EXPECT_EQ(OpenError("shop/prod/db-password/x"), ENOTDIR);
}

TEST_F(FilesTest, OfOneEnvironmentStandAtTheTopWithRoot) {
  source_.Put("shop/prod/db-password", "one");
  source_.Put("shop/test/other", "two");
  Mount([](MountOptions& options) { options.root = "shop/prod"; });
  EXPECT_EQ(OutputOf({"ls", point_}), "db-password\n");
  EXPECT_EQ(Read(At("db-password")), "one");
}

TEST_F(FilesTest, ManyAreListedWhole) {
  std::set<std::string> names;
  for (int i = 0; i < 1000; ++i) names.insert("secret-with-a-name-that-takes-its-room-" + std::to_string(i));
  for (const std::string& name : names) source_.Put("shop/prod/" + name, "x");
  Mount();
  std::multiset<std::string> seen;
  for (const auto& entry : std::filesystem::directory_iterator(At("shop/prod")))
    seen.insert(entry.path().filename());
  EXPECT_TRUE(std::equal(seen.begin(), seen.end(), names.begin(), names.end())) << seen.size() << " names";
}

TEST_F(FilesTest, HaveOwnerModeAndTimeOfTheGrant) {
  source_.Put("shop/prod/plain", "12345");
  source_.Put("shop/prod/named", "x");
  source_.Change("shop/prod/named", [](GrantedSecret& grant) {
    grant.owner = "nobody";
    grant.group = "4711";
    grant.mode = 0440;
  });
  Mount();
  struct stat info {};
  ASSERT_EQ(stat(At("shop/prod/plain").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode, S_IFREG | 0400U);
  EXPECT_EQ(info.st_uid, geteuid());
  EXPECT_EQ(info.st_gid, getegid());
  EXPECT_EQ(info.st_size, 5);
  EXPECT_EQ(info.st_mtim.tv_sec, 1700000001);
  ASSERT_EQ(stat(At("shop/prod/named").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode, S_IFREG | 0440U);
  EXPECT_EQ(info.st_uid, 65534U);
  EXPECT_EQ(info.st_gid, 4711U);
}

TEST_F(FilesTest, AreReadByTheirOwnerAlone) {
  source_.Put("shop/prod/mine", "x");
  source_.Put("shop/prod/theirs", "content");
  source_.Change("shop/prod/theirs", [](GrantedSecret& grant) { grant.owner = "65534"; });
  Mount();
  const auto as_nobody = [&](const std::string& name) {
    return OutputOf({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "cat", At(name)});
  };
  EXPECT_EQ(as_nobody("shop/prod/theirs"), "content");
  EXPECT_EQ(as_nobody("shop/prod/mine"), "[exit 1]");
  EXPECT_EQ(as_nobody(".grantfs/grants"), "[exit 1]");
  EXPECT_NE(as_nobody(".grantfs/status").find("files       2 shown"), std::string::npos);
}

TEST_F(FilesTest, WithAnUnknownOwnerAreHiddenAndStatusSaysSo) {
  source_.Put("shop/prod/db-password", "x");
  source_.Put("shop/prod/hidden", "x");
  source_.Change("shop/prod/hidden", [](GrantedSecret& grant) { grant.owner = "no-such-user"; });
  Mount();
  EXPECT_EQ(OutputOf({"ls", At("shop/prod")}), "db-password\n");
  EXPECT_EQ(OpenError("shop/prod/hidden"), ENOENT);
  EXPECT_NE(Read(At(".grantfs/status")).find("hidden      1 granted without a file"), std::string::npos);
  EXPECT_NE(
      Read(At(".grantfs/grants")).find("shop/prod/hidden  hidden: this machine has no user \"no-such-user\""),
      std::string::npos);
}

TEST_F(FilesTest, RefuseEveryWrite) {
  source_.Put("shop/prod/file", "x");
  Mount();
  const std::string file = At("shop/prod/file");
  const std::string fresh = At("shop/prod/fresh");
  const auto error = [](int result) { return result < 0 ? errno : 0; };
  EXPECT_EQ(Open(file, O_WRONLY), -EROFS);
  EXPECT_EQ(Open(file, O_RDWR), -EROFS);
  EXPECT_EQ(error(open(fresh.c_str(), O_CREAT | O_WRONLY, 0600)), EROFS);
  EXPECT_EQ(error(mkdir(fresh.c_str(), 0700)), EROFS);
  EXPECT_EQ(error(symlink("x", fresh.c_str())), EROFS);
  EXPECT_EQ(error(link(file.c_str(), fresh.c_str())), EROFS);
  EXPECT_EQ(error(rename(file.c_str(), fresh.c_str())), EROFS);
  EXPECT_EQ(error(unlink(file.c_str())), EROFS);
  EXPECT_EQ(error(rmdir(At("shop/prod").c_str())), EROFS);
  EXPECT_EQ(error(chmod(file.c_str(), 0777)), EROFS);
  EXPECT_EQ(error(chown(file.c_str(), 1, 1)), EROFS);
  EXPECT_EQ(error(truncate(file.c_str(), 0)), EROFS);
  EXPECT_EQ(error(setxattr(file.c_str(), "user.x", "1", 1, 0)), EROFS);
  EXPECT_EQ(error(utimensat(AT_FDCWD, file.c_str(), nullptr, 0)), EROFS);
}

TEST_F(FilesTest, HaveNoExtendedAttributesAndAFilesystemThatCounts) {
  source_.Put("shop/prod/file", "x");
  Mount();
  char value[16];
  EXPECT_EQ(getxattr(At("shop/prod/file").c_str(), "user.x", value, sizeof value), -1);
  EXPECT_EQ(errno, EOPNOTSUPP);
  struct statvfs info {};
  ASSERT_EQ(statvfs(point_.c_str(), &info), 0);
  EXPECT_EQ(info.f_files, 1U);
  EXPECT_TRUE((info.f_flag & ST_RDONLY) && (info.f_flag & ST_NOSUID) && (info.f_flag & ST_NODEV) &&
              (info.f_flag & ST_NOEXEC) && (info.f_flag & ST_NOATIME));
}

TEST_F(FilesTest, AppearChangeAndVanishWithTheListing) {
  source_.Put("shop/prod/first", "x");
  Mount();
  const auto list = [&] { return OutputOf({"sh", "-c", "cd \"$0\" && find shop -type f | sort", point_}); };
  EXPECT_EQ(list(), "shop/prod/first\n");
  source_.Put("shop/prod/second", "y");
  source_.Put("shop/test/third", "z");
  EXPECT_TRUE(Eventually([&] { return list() == "shop/prod/first\nshop/prod/second\nshop/test/third\n"; }))
      << list();
  source_.Revoke("shop/prod/first");
  source_.Revoke("shop/test/third");
  EXPECT_TRUE(Eventually([&] { return list() == "shop/prod/second\n"; })) << list();
  EXPECT_TRUE(Eventually([&] { return access(At("shop/test").c_str(), F_OK) != 0; }));
  source_.Change("shop/prod/second", [](GrantedSecret& grant) { grant.mode = 0444; });
  struct stat info {};
  EXPECT_TRUE(Eventually(
      [&] { return stat(At("shop/prod/second").c_str(), &info) == 0 && info.st_mode == (S_IFREG | 0444); }));
  source_.Put("shop/prod/second", "a longer one");
  EXPECT_TRUE(
      Eventually([&] { return stat(At("shop/prod/second").c_str(), &info) == 0 && info.st_size == 12; }));
}

TEST_F(FilesTest, OfADirectoryThatComesBackAreSeenByWhoStandsInIt) {
  source_.Put("shop/prod/first", "x");
  Mount();
  UniqueFd directory(open(At("shop/prod").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat before {};
  ASSERT_EQ(fstat(directory.get(), &before), 0);
  source_.Revoke("shop/prod/first");
  EXPECT_TRUE(
      Eventually([&] { return faccessat(directory.get(), "first", R_OK, 0) != 0 && errno == ENOENT; }));
  struct stat gone {};
  EXPECT_TRUE(Eventually([&] { return fstat(directory.get(), &gone) == 0 && gone.st_nlink == 0; }));
  source_.Put("shop/prod/first", "y");
  EXPECT_TRUE(Eventually([&] { return faccessat(directory.get(), "first", R_OK, 0) == 0; }));
  struct stat after {};
  ASSERT_EQ(stat(At("shop/prod").c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
}

}  // namespace
}  // namespace grantfs
