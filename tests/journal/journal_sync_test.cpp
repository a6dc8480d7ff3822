// A disk that fails to take what is to be on it. What the kernel could not write it forgets, and calls the
// next sync good.

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <atomic>
#include <cerrno>
#include <future>

#include "journal/journal_fixture.h"

namespace {
std::atomic<bool> disk_fails{false};
std::atomic<int> failed{0};
std::atomic<bool> disk_forgets{false};
std::atomic<int> directory_syncs{0};
}  // namespace

extern "C" int fsync(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) ++directory_syncs;
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

/// In the place of libc's, for this program.
extern "C" int fdatasync(int fd) {
  if (!disk_fails) return static_cast<int>(::syscall(SYS_fdatasync, fd));
  ++failed;
  char byte = 0;
  if (disk_forgets && ::pread(fd, &byte, 1, 200) == 1) {
    const int own = ::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_WRONLY | O_CLOEXEC);
    if (own >= 0 && ::pwrite(own, "#", 1, 200) == 1) ::close(own);
  }
  errno = EIO;
  return -1;
}

namespace grantfs::testing {
namespace {

class JournalSyncTest : public JournalTest {
 protected:
  ~JournalSyncTest() override { disk_fails = disk_forgets = false; }

  Status RecordDurably(Journal& journal, std::uint64_t number) {
    std::promise<Status> told;
    journal.RecordDurably(Entry(number, kRecordSync), [&](const Status& status) { told.set_value(status); });
    return told.get_future().get();
  }
};

TEST_F(JournalSyncTest, WhatAFailedSyncWasToWriteIsWrittenAnewBeforeAnythingCounts) {
  const auto journal = Open();
  Must(RecordDurably(*journal, 1));
  const std::string path = OnlyFile(".journal");
  struct stat before {
  }, after{};
  ASSERT_EQ(::stat(path.c_str(), &before), 0);
  disk_fails = true;
  const Status refused = RecordDurably(*journal, 2);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnrecorded);
  EXPECT_FALSE(journal->Record(Entry(3))) << "nothing more is taken";
  EXPECT_NE(journal->Problem().find("the disk does not take it"), std::string::npos) << journal->Problem();
  ASSERT_TRUE(Eventually([&] { return failed > 2; })) << "it is tried again";
  EXPECT_FALSE(journal->Record(Entry(3)));
  disk_fails = false;
  ASSERT_TRUE(Eventually([&] { return bool(journal->Record(Entry(3))); }));
  ASSERT_EQ(::stat(path.c_str(), &after), 0);
  EXPECT_NE(after.st_ino, before.st_ino) << "another file, whose sync has not failed";
  Must(RecordDurably(*journal, 4));
  std::vector<std::string> opens;
  for (const auto& entry : Drain(*journal)) opens.push_back(entry.open);
  EXPECT_EQ(opens, (std::vector<std::string>{"open-1", "open-2", "open-3", "open-4"}));
  EXPECT_EQ(journal->Problem(), "");
}

TEST_F(JournalSyncTest, WhatIsBeingSentMeanwhileIsCutAndNoMore) {
  const auto journal = Open();
  for (std::uint64_t i = 1; i <= 600; ++i) Must(journal->Record(Entry(i)));
  Must(journal->Sent(*Must(journal->NextBatch())));  // so that what is sent stands in front
  const auto batch = Must(journal->NextBatch());
  ASSERT_EQ(batch->entries.size(), 100u);
  disk_fails = true;
  EXPECT_FALSE(RecordDurably(*journal, 601));
  disk_fails = false;
  ASSERT_TRUE(Eventually([&] { return bool(journal->Record(Entry(602))); }));
  Must(journal->Sent(*batch));
  const auto rest = Drain(*journal);
  ASSERT_EQ(rest.size(), 2u);
  EXPECT_EQ(rest[0].open, "open-601");
  EXPECT_EQ(rest[1].open, "open-602");
}

TEST_F(JournalSyncTest, WhatTheDiskHasLostIsToldAndNothingMoreIsTaken) {
  const auto journal = Open();
  Must(RecordDurably(*journal, 1));
  disk_forgets = disk_fails = true;
  EXPECT_FALSE(RecordDurably(*journal, 2));
  disk_fails = false;
  ASSERT_TRUE(Eventually([&] {
    return journal->Problem().find("the disk has lost it") != std::string::npos;
  })) << journal->Problem();
  EXPECT_FALSE(journal->Record(Entry(3)));
  EXPECT_FALSE(RecordDurably(*journal, 4));
}

TEST_F(JournalSyncTest, NothingCountsAsOnTheDiskBeforeTheFileThatWasWrittenAnewHasItsNameThere) {
  const auto journal = Open();
  for (std::uint64_t i = 1; i <= 8000; ++i) Must(journal->Record(Entry(i)));
  Must(RecordDurably(*journal, 8001));
  const std::string path = OnlyFile(".journal");
  struct stat before {
  }, after{};
  ASSERT_EQ(::stat(path.c_str(), &before), 0);
  after = before;
  while (after.st_ino == before.st_ino) {
    Must(journal->Sent(*Must(journal->NextBatch())));
    ASSERT_EQ(::stat(path.c_str(), &after), 0);
    ASSERT_GT(journal->Waiting(), 0u);
  }
  directory_syncs = 0;
  Must(RecordDurably(*journal, 8002));
  EXPECT_GT(directory_syncs, 0);
}

TEST_F(JournalSyncTest, WhatIsCountedIsWrittenAgain) {
  const auto journal = Open();
  Must(journal->Record(Entry(1, kRecordAggregate)));
  disk_fails = true;
  ASSERT_TRUE(Eventually([&] { return !journal->Record(Entry(2)); }));
  disk_fails = false;
  ASSERT_TRUE(Eventually([&] { return bool(journal->Record(Entry(3, kRecordAggregate))); }));
  EXPECT_TRUE(FileHas(".counts", "\"count\":2"));
}

}  // namespace
}  // namespace grantfs::testing
