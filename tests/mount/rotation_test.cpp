#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <thread>

#include "../support/eventually.h"
#include "mount_fixture.h"
#include "program.h"
#include "versioned_content.h"
#include "watcher.h"

namespace grantfs {
namespace {

class RotationTest : public MountTest {
 protected:
  off_t SizeOf(int fd) {
    struct stat info {};
    return fstat(fd, &info) == 0 ? info.st_size : -errno;
  }
  /// A private mapping's content; the mapping itself in `*mapping`.
  static std::string Mapped(int fd, std::size_t size, void** mapping) {
    *mapping = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    return *mapping == MAP_FAILED ? "errno " + std::to_string(errno)
                                  : std::string(static_cast<char*>(*mapping), size);
  }
};

TEST_F(RotationTest, IsSeenByTheNextOpenEvenWhereTheListingLags) {
  source_.Put(kName, "one");
  Mount();
  EXPECT_EQ(Read(At(kName)), "one");
  source_.LetListingLag(true);
  for (int i = 2; i < 20; ++i) {
    const std::string content =
        "version " + std::to_string(i) + std::string(static_cast<std::size_t>(i), '.');
    source_.Put(kName, content);
    EXPECT_EQ(Read(At(kName)), content);
  }
}

TEST_F(RotationTest, LeavesOpenFilesAndMappingsTheirVersion) {
  const std::string old(100000, 'o');
  const std::string fresh(50, 'n');
  source_.Put(kName, old);
  Mount();
  UniqueFd held(Open(At(kName)));
  UniqueFd unread(Open(At(kName)));  // nothing of it is in any cache when the version changes
  void* mapping = nullptr;
  ASSERT_EQ(Mapped(held.get(), old.size(), &mapping), old);
  source_.Put(kName, fresh);
  ASSERT_TRUE(Eventually([&] { return Read(At(kName)) == fresh; }));
  EXPECT_EQ(ReadFrom(held.get()), old);
  EXPECT_EQ(ReadFrom(unread.get()), old);
  EXPECT_EQ(SizeOf(held.get()), static_cast<off_t>(old.size()));
  EXPECT_EQ(std::string(static_cast<char*>(mapping), old.size()), old);
  madvise(mapping, old.size(), MADV_DONTNEED);
  EXPECT_EQ(std::string(static_cast<char*>(mapping), old.size()), old);
  void* second = nullptr;
  EXPECT_EQ(Mapped(unread.get(), old.size(), &second), old);
  munmap(mapping, old.size());
  munmap(second, old.size());
}

TEST_F(RotationTest, LooksLikeARenameToStat) {
  source_.Put(kName, "one");
  Mount();
  UniqueFd held(Open(At(kName)));
  struct stat old {};
  ASSERT_EQ(fstat(held.get(), &old), 0);
  source_.Put(kName, "second");
  struct stat fresh {};
  ASSERT_TRUE(Eventually([&] { return stat(At(kName).c_str(), &fresh) == 0 && fresh.st_size == 6; }));
  EXPECT_NE(old.st_ino, fresh.st_ino);
  EXPECT_EQ(fresh.st_mtim.tv_sec, 1700000002);
  struct stat again {};
  ASSERT_EQ(fstat(held.get(), &again), 0);
  EXPECT_EQ(again.st_ino, old.st_ino);
  EXPECT_EQ(again.st_size, 3);
  // The same from the filesystem itself, which the kernel's memory hides for a minute.
  struct statx asked {};
  ASSERT_EQ(statx(held.get(), "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &asked), 0);
  EXPECT_EQ(asked.stx_size, 3U);
  EXPECT_EQ(asked.stx_nlink, 0U);
  source_.Revoke(kName);
  ASSERT_TRUE(Eventually([&] { return OpenError(kName) == ENOENT; }));
  ASSERT_EQ(statx(held.get(), "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &asked), 0);
  EXPECT_EQ(asked.stx_size, 3U);
}

TEST_F(RotationTest, BackToAnOlderVersionIsSeenToo) {
  source_.Put(kName, "one");
  source_.Put(kName, "second");
  Mount();
  EXPECT_EQ(Read(At(kName)), "second");
  source_.MoveTo(kName, 1);
  EXPECT_TRUE(Eventually([&] { return Read(At(kName)) == "one"; }));
  source_.MoveTo(kName, 2);
  EXPECT_TRUE(Eventually([&] { return Read(At(kName)) == "second"; }));
}

TEST_F(RotationTest, IsFollowedByASingleFileBindMount) {
  source_.Put(kName, "one");
  Mount();
  const std::string bind = directory_ + "/bind";
  std::ofstream(bind).put('x');
  ASSERT_EQ(mount(At(kName).c_str(), bind.c_str(), nullptr, MS_BIND, nullptr), 0);
  EXPECT_EQ(Read(bind), "one");
  for (int i = 2; i < 12; ++i) {
    const std::string content(static_cast<std::size_t>(i * 1000), static_cast<char>('a' + i));
    source_.Put(kName, content);
    ASSERT_TRUE(Eventually([&] { return Read(At(kName)) == content; }));
    UniqueFd fd(Open(bind));
    EXPECT_EQ(SizeOf(fd.get()), static_cast<off_t>(content.size()));
    EXPECT_EQ(ReadFrom(fd.get()), content);
    EXPECT_EQ(OutputOf({"cat", bind}), content);
    EXPECT_EQ(OutputOf({"cp", bind, directory_ + "/copy"}), "");
    EXPECT_EQ(Read(directory_ + "/copy"), content);
  }
}

TEST_F(RotationTest, NeverMixesVersionsInTheCacheOfABoundFile) {
  source_.Put(kName, std::string(5000, 'a'));
  Mount();
  const std::string bind = directory_ + "/bind";
  std::ofstream(bind).put('x');
  ASSERT_EQ(mount(At(kName).c_str(), bind.c_str(), nullptr, MS_BIND, nullptr), 0);
  EXPECT_EQ(Read(bind), std::string(5000, 'a'));
  source_.Put(kName, std::string(6000, 'b'));
  ASSERT_TRUE(Eventually([&] { return Read(bind) == std::string(6000, 'b'); }));
  UniqueFd fd(Open(bind));
  UniqueFd target(memfd_create("copy", MFD_CLOEXEC));
  EXPECT_EQ(sendfile(target.get(), fd.get(), nullptr, 6000), -1);
  EXPECT_EQ(errno, EACCES);
  EXPECT_EQ(Read(At(kName)), std::string(6000, 'b'));
}

/// Rotates while readers read, and expects that each of them saw whole versions only.
class ReadersTest : public RotationTest {
 protected:
  void Start(const std::string& kind, const std::string& path, int count) {
    for (int i = 0; i < count; ++i)
      readers_.emplace_back(std::vector<std::string>{READER, kind, path, End()});
  }
  void Rotate(unsigned from, unsigned to) {
    for (unsigned version = from; version <= to; ++version) {
      const std::size_t before = source_.OpenCount();
      source_.Put(kName, VersionedContent(version));
      ASSERT_TRUE(Eventually([&] { return source_.OpenCount() > before + 40; })) << "the readers stand still";
    }
    ASSERT_TRUE(Eventually([&] { return Read(At(kName)) == VersionedContent(to); }));
  }
  void Finish() {
    std::ofstream(End()).put('x');
    for (Program& reader : readers_) {
      const std::string output = reader.Output();
      EXPECT_EQ(reader.Wait(), 0) << output;
    }
  }

 private:
  std::string End() const { return directory_ + "/end"; }
  std::vector<Program> readers_;
};

TEST_F(ReadersTest, OfEveryKindStayWhole) {
  source_.Put(kName, VersionedContent(1));
  Mount();
  for (const char* kind : {"read", "mmap", "sendfile", "held"}) Start(kind, At(kName), 16);
  if (Read(At(".grantfs/status")).find("shared mmap yes") != std::string::npos)
    Start("shared", At(kName), 16);
  Rotate(2, 201);
  Finish();
}

TEST_F(ReadersTest, StayWholeWhileTheHelperThatRenamesIsKilledAgainAndAgain) {
  source_.Put(kName, VersionedContent(1));
  Mount();
  for (const char* kind : {"read", "mmap", "sendfile", "held"}) Start(kind, At(kName), 4);
  std::atomic<bool> ended = false;
  std::thread killer([&] {
    while (!ended) {
      for (pid_t helper : ChildrenNamed("grantfs-rotate")) kill(helper, SIGKILL);
      Pace(std::chrono::milliseconds(3));
    }
  });
  Rotate(2, 61);
  ended = true;
  killer.join();
  Finish();
}

TEST_F(ReadersTest, StayWholeWhereTheListingLags) {
  source_.Put(kName, VersionedContent(1));
  Mount();
  source_.LetListingLag(true);
  for (const char* kind : {"read", "mmap", "sendfile", "held"}) Start(kind, At(kName), 4);
  Rotate(2, 101);
  Finish();
}

TEST_F(ReadersTest, OfABindMountStayWholeAndDisturbNobody) {
  source_.Put(kName, VersionedContent(1));
  Mount();
  const std::string bind = directory_ + "/bind";
  std::ofstream(bind).put('x');
  ASSERT_EQ(mount(At(kName).c_str(), bind.c_str(), nullptr, MS_BIND, nullptr), 0);
  source_.Put(kName, VersionedContent(2));  // so that nobody else stands on the node that becomes bound
  ASSERT_TRUE(Eventually([&] { return Read(bind) == VersionedContent(2); }));
  Start("bind", bind, 8);
  for (const char* kind : {"read", "mmap", "sendfile", "held"}) Start(kind, At(kName), 4);
  Rotate(3, 102);
  Finish();
}

}  // namespace
}  // namespace grantfs
