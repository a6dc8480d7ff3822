#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <fstream>

#include "../support/eventually.h"
#include "mount_fixture.h"
#include "program.h"
#include "versioned_content.h"
#include "watcher.h"

namespace grantfs {
namespace {

constexpr const char* kHelperName = "grantfs-rotate";

class WatchTest : public MountTest {
 protected:
  void BindFile() {
    std::ofstream(Bind()).put('x');
    ASSERT_EQ(mount(At(kName).c_str(), Bind().c_str(), nullptr, MS_BIND, nullptr), 0);
  }
  std::string Bind() const { return directory_ + "/bind"; }
  std::string Status() const { return Read(At(".grantfs/status")); }
  bool SuperblockIsReadOnly() const {
    std::ifstream mounts("/proc/self/mountinfo");
    for (std::string line; std::getline(mounts, line);) {
      if (line.find(" " + point_ + " ") != std::string::npos)
        return line.find(" grantfs ro,") != std::string::npos;
    }
    return false;
  }
};

TEST_F(WatchTest, WatchersOfEveryKindSeeEachOfAHundredRotations) {
  source_.Put(kName, VersionedContent(1));
  Mount();
  BindFile();
  Watcher directory(At("shop/prod"));
  Watcher file(At(kName));
  Watcher bind(Bind());
  // systemd's PathChanged= watches the file and its directory like this.
  Watcher unit(At(kName), IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB | IN_CLOSE_WRITE | IN_MODIFY);
  for (unsigned version = 2; version <= 101; ++version) {
    for (Watcher* watcher : {&directory, &file, &bind, &unit}) watcher->Drain();
    source_.Put(kName, VersionedContent(version));
    ASSERT_TRUE(Eventually([&] {
      return directory.Saw(IN_MOVED_TO, "db-password") && directory.Saw(IN_CLOSE_WRITE, "db-password");
    })) << version
        << " " << directory.Seen();
    ASSERT_TRUE(Eventually([&] { return file.SawAny(IN_DELETE_SELF | IN_ATTRIB); })) << version;
    ASSERT_TRUE(Eventually([&] { return unit.SawAny(IN_DELETE_SELF | IN_ATTRIB); })) << version;
    ASSERT_TRUE(Eventually([&] { return bind.Saw(IN_MODIFY) && bind.Saw(IN_CLOSE_WRITE); }))
        << version << " " << bind.Seen();
    EXPECT_EQ(Read(At(kName)), VersionedContent(version));
    EXPECT_EQ(Read(Bind()), VersionedContent(version));
    EXPECT_TRUE(file.Add() && unit.Add());
  }
  EXPECT_NE(Status().find("watchers    see rotations\n"), std::string::npos) << Status();
}

TEST_F(WatchTest, ABindMountThatNobodyReadsIsToldOfEachRotationToo) {
  source_.Put(kName, "1");
  Mount();
  BindFile();
  Watcher bind(Bind());
  for (int i = 2; i < 12; ++i) {
    bind.Drain();
    source_.Put(kName, std::to_string(i));
    ASSERT_TRUE(Eventually([&] { return bind.Saw(IN_MODIFY) && bind.Saw(IN_CLOSE_WRITE); })) << i;
  }
  EXPECT_EQ(OutputOf({"cat", Bind()}), "11");
}

TEST_F(WatchTest, WhatComesAndGoesIsSeenByWatchersOfItsDirectory) {
  source_.Put(kName, "one");
  Mount();
  Watcher top(point_);
  Watcher directory(At("shop/prod"));
  Watcher file(At(kName));
  source_.Put("shop/prod/token", "t");
  ASSERT_TRUE(Eventually([&] { return directory.Saw(IN_MOVED_TO, "token"); })) << directory.Seen();
  source_.Put("shop/prod/tls/deep/key", "k");
  ASSERT_TRUE(Eventually([&] { return directory.Saw(IN_CREATE | IN_ISDIR, "tls"); })) << directory.Seen();
  source_.Put("bank/live/pin", "p");
  ASSERT_TRUE(Eventually([&] { return top.Saw(IN_CREATE | IN_ISDIR, "bank"); })) << top.Seen();
  ASSERT_TRUE(Eventually([&] { return Read(At("bank/live/pin")) == "p"; }));
  EXPECT_EQ(Read(At("shop/prod/tls/deep/key")), "k");
  Watcher live(At("bank/live"));
  source_.Revoke("bank/live/pin");
  ASSERT_TRUE(Eventually([&] { return live.Saw(IN_DELETE, "pin"); })) << live.Seen();
  ASSERT_TRUE(Eventually([&] { return OpenError("bank") == ENOENT; }));
  source_.Put("bank/live/pin", "back");
  ASSERT_TRUE(Eventually([&] { return Read(At("bank/live/pin")) == "back"; }));
  ASSERT_TRUE(live.Add());
  source_.Put("bank/live/pin", "again");
  ASSERT_TRUE(Eventually([&] { return live.Saw(IN_MOVED_TO, "pin"); })) << live.Seen();
  source_.Revoke(kName);
  ASSERT_TRUE(Eventually([&] { return directory.Saw(IN_DELETE, "db-password"); })) << directory.Seen();
  EXPECT_TRUE(Eventually([&] { return file.Saw(IN_DELETE_SELF); })) << file.Seen();
  EXPECT_EQ(OpenError(kName), ENOENT);
  EXPECT_EQ(Read(At("shop/prod/token")), "t");
  source_.Put(kName, "again");
  ASSERT_TRUE(Eventually([&] { return directory.Saw(IN_MOVED_TO, "db-password"); }));
  EXPECT_EQ(Read(At(kName)), "again");
}

TEST_F(WatchTest, ANameThatTurnsIntoADirectoryAndBackIsFollowed) {
  source_.Put(kName, "one");
  source_.Put("shop/prod/name", "file");
  Mount();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Read(At("shop/prod/name")), "file");
    source_.LetListingLag(true);
    source_.Revoke("shop/prod/name");
    source_.Put("shop/prod/name/inner", "deep");
    source_.LetListingLag(false);
    source_.ShowListing();
    ASSERT_TRUE(Eventually([&] { return Read(At("shop/prod/name/inner")) == "deep"; }));
    source_.LetListingLag(true);
    source_.Revoke("shop/prod/name/inner");
    source_.Put("shop/prod/name", "file");
    source_.LetListingLag(false);
    source_.ShowListing();
    ASSERT_TRUE(Eventually([&] { return Read(At("shop/prod/name")) == "file"; }));
  }
  EXPECT_FALSE(Logged("not visible to watchers"));
}

TEST_F(WatchTest, AnOlderVersionThatComesBackIsSeenToo) {
  source_.Put(kName, "one");
  source_.Put(kName, "second");
  Mount();
  BindFile();
  Watcher directory(At("shop/prod"));
  for (unsigned version : {1U, 2U, 1U, 2U, 1U}) {
    directory.Drain();
    source_.MoveTo(kName, version);
    ASSERT_TRUE(Eventually([&] { return directory.Saw(IN_MOVED_TO, "db-password"); })) << version;
    EXPECT_EQ(Read(At(kName)), version == 1 ? "one" : "second");
    EXPECT_EQ(Read(Bind()), version == 1 ? "one" : "second");
  }
}

TEST_F(WatchTest, ASetOfManySecretsIsSeenOneByOne) {
  const auto name = [](int i) { return "shop/prod/s" + std::to_string(i); };
  for (int i = 0; i < 50; ++i) source_.Put(name(i), "old");
  Mount();
  source_.LetListingLag(true);
  for (int i = 0; i < 50; ++i) source_.Put(name(i), "fresh");
  Watcher directory(At("shop/prod"));
  source_.ShowListing();
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(Eventually([&] { return directory.Saw(IN_MOVED_TO, "s" + std::to_string(i)); })) << i;
    EXPECT_EQ(Read(At(name(i))), "fresh");
  }
}

TEST_F(WatchTest, TheSuperblockIsReadOnlyBetweenRotations) {
  source_.Put(kName, "one");
  Mount();
  ASSERT_TRUE(SuperblockIsReadOnly());
  Watcher directory(At("shop/prod"));
  source_.Put(kName, "second");
  ASSERT_TRUE(Eventually([&] { return directory.Saw(IN_CLOSE_WRITE, "db-password"); }));
  EXPECT_TRUE(Eventually([&] { return SuperblockIsReadOnly(); }));
}

TEST_F(WatchTest, AKilledHelperIsReplacedAndNoRotationIsLost) {
  source_.Put(kName, VersionedContent(1));
  Mount();
  Watcher directory(At("shop/prod"));
  for (unsigned version = 2; version < 8; ++version) {
    std::vector<pid_t> helpers;
    ASSERT_TRUE(Eventually([&] {
      helpers = ChildrenNamed(kHelperName);
      return helpers.size() == 1;
    })) << helpers.size();
    ASSERT_EQ(kill(helpers[0], SIGKILL), 0);
    directory.Drain();
    source_.Put(kName, VersionedContent(version));
    ASSERT_TRUE(Eventually([&] { return Read(At(kName)) == VersionedContent(version); }));
    ASSERT_TRUE(Eventually([&] { return directory.Saw(IN_MOVED_TO, "db-password"); })) << version;
  }
}

TEST_F(WatchTest, AHungHelperDelaysNoRotationForLong) {
  source_.Put(kName, "one");
  Mount([](MountOptions& options) { options.watcher_bound = std::chrono::milliseconds(300); });
  std::vector<pid_t> helpers;
  ASSERT_TRUE(Eventually([&] {
    helpers = ChildrenNamed(kHelperName);
    return helpers.size() == 1;
  }));
  ASSERT_EQ(kill(helpers[0], SIGSTOP), 0);
  source_.Put(kName, "second");
  EXPECT_TRUE(Eventually([&] { return Read(At(kName)) == "second"; }));
  EXPECT_TRUE(Eventually([&] {
    return Status().find("do not see rotations: the helper") != std::string::npos;
  })) << Status();
  EXPECT_TRUE(Logged("not visible to watchers"));
  Watcher directory(At("shop/prod"));
  ASSERT_TRUE(Eventually([&] {
    source_.Put(kName, "third");
    return directory.Saw(IN_MOVED_TO, "db-password");
  }));
  EXPECT_TRUE(Eventually([&] {
    source_.Put(kName, "fourth");
    return Status().find("watchers    see rotations\n") != std::string::npos;
  }));
}

/// Tries everything that writes. @return the first errno that is not EROFS, -1 if one of it was done.
int WorstOfWrites(int directory) {
  int seen = EROFS;
  const auto check = [&](int result) {
    const int one = result >= 0 ? -1 : errno;
    if (seen == EROFS) seen = one;
  };
  check(openat(directory, "shop/prod/db-password", O_WRONLY | O_CLOEXEC));
  check(openat(directory, "shop/prod/db-password", O_RDWR | O_TRUNC | O_CLOEXEC));
  check(openat(directory, "shop/prod/new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  check(renameat(directory, "shop/prod/token", directory, "shop/prod/db-password"));
  check(renameat(directory, "shop/prod/token", directory, "shop/prod/other"));
  check(unlinkat(directory, "shop/prod/token", 0));
  check(mkdirat(directory, "shop/more", 0755));
  check(unlinkat(directory, "shop/prod", AT_REMOVEDIR));
  check(fchmodat(directory, "shop/prod/token", 0777, 0));
  timespec times[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
  check(utimensat(directory, "shop/prod/token", times, 0));
  return seen;
}

TEST_F(WatchTest, NobodyButTheHelperCanWriteEvenWithAWritableCloneOfItsOwn) {
  source_.Put(kName, "one");
  source_.Put("shop/prod/token", "t");
  Mount();
  UniqueFd clone(open_tree(AT_FDCWD, point_.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  ASSERT_TRUE(clone);
  mount_attr writable{};
  writable.attr_clr = MOUNT_ATTR_RDONLY;
  ASSERT_EQ(mount_setattr(clone.get(), "", AT_EMPTY_PATH, &writable, sizeof writable), 0);
  UniqueFd open_point(Open(point_, O_DIRECTORY));
  Watcher directory(At("shop/prod"));
  for (int i = 0; i < 20; ++i) {
    source_.Put(kName, "version " + std::to_string(i));
    do {  // also while the helper is at it
      UniqueFd context(fspick(clone.get(), "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC));
      ASSERT_EQ(fsconfig(context.get(), FSCONFIG_SET_FLAG, "rw", nullptr, 0), 0);
      ASSERT_EQ(fsconfig(context.get(), FSCONFIG_CMD_RECONFIGURE, nullptr, nullptr, 0), 0);
      EXPECT_EQ(WorstOfWrites(clone.get()), EROFS);
      EXPECT_EQ(WorstOfWrites(open_point.get()), EROFS);
      struct stat info {};
      for (const char* hidden : {".grantfs/.rotation", ".grantfs/.rotation/1"}) {
        EXPECT_EQ(fstatat(clone.get(), hidden, &info, 0), -1);
        EXPECT_EQ(errno, ENOENT);
      }
    } while (!directory.Saw(IN_MOVED_TO, "db-password"));
    directory.Drain();
    EXPECT_EQ(Read(At(kName)), "version " + std::to_string(i));
  }
  EXPECT_EQ(Read(At("shop/prod/token")), "t");
}

}  // namespace
}  // namespace grantfs
