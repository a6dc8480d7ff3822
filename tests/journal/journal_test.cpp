#include <fcntl.h>

#include <fstream>

#include "grantfs/util/unique_fd.h"
#include "journal/journal_fixture.h"
#include "support/small_disk.h"

namespace grantfs::testing {
namespace {

TEST_F(JournalTest, EntriesComeOutInOrderOnceAndAreCutFromTheFile) {
  const auto journal = Open();
  EXPECT_FALSE(Must(journal->NextBatch()));
  EXPECT_FALSE(fs::exists(Directory())) << "nothing is made before it is needed";
  for (std::uint64_t i = 1; i <= 1200; ++i) Must(journal->Record(Entry(i)));
  EXPECT_EQ(journal->Waiting(), 1200u);
  EXPECT_EQ(Journal::CountWaiting(Directory()), 1200u);
  const auto first = Must(journal->NextBatch());
  EXPECT_EQ(Must(journal->NextBatch())->entries, first->entries) << "until it was sent, the same again";
  const auto entries = Drain(*journal);
  ASSERT_EQ(entries.size(), 1200u);
  for (std::uint64_t i = 1; i <= 1200; ++i) EXPECT_EQ(entries[i - 1].open, "open-" + std::to_string(i));
  EXPECT_EQ(journal->Waiting(), 0u);
  EXPECT_LT(fs::file_size(OnlyFile(".journal")), 200u);
  Must(journal->Record(Entry(1201)));
  EXPECT_EQ(Drain(*journal).front().sequence, 1201u) << "the chain goes on behind what was cut";
}

TEST_F(JournalTest, WhatIsInFrontOfWhatWaitsIsCutToo) {
  const auto journal = Open();
  std::uint64_t recorded = 0;
  while (recorded < 6000) Must(journal->Record(Entry(++recorded)));
  std::uint64_t sent = 0;
  while (sent + 1000 < recorded) {
    const auto batch = Must(journal->NextBatch());
    sent += batch->entries.size();
    Must(journal->Sent(*batch));
  }
  EXPECT_LT(fs::file_size(OnlyFile(".journal")), 2u << 20);
  const auto rest = Drain(*journal);
  EXPECT_EQ(rest.size(), recorded - sent);
  EXPECT_EQ(rest.front().sequence, sent + 1);
}

TEST_F(JournalTest, WhatStandsWhereTheRestIsWrittenAnewIsNotWrittenTo) {
  const auto journal = Open();
  std::uint64_t recorded = 0;
  while (recorded < 6000) Must(journal->Record(Entry(++recorded)));
  const std::string other = dir_.path() + "/other";
  std::ofstream(other) << "another's";
  fs::create_symlink(other, OnlyFile(".journal") + ".new");
  for (int i = 0; i < 5; ++i) Must(journal->Sent(*Must(journal->NextBatch())));
  EXPECT_EQ(fs::file_size(other), 9U);
  EXPECT_LT(fs::file_size(OnlyFile(".journal")), 2u << 20) << "it was";
}

TEST_F(JournalTest, AnEndedProcessLeavesNothingBehindWhenAllWasSent) {
  auto journal = Open();
  Must(journal->Record(Entry(1)));
  Drain(*journal);
  journal.reset();
  EXPECT_TRUE(fs::is_empty(Directory()));
}

TEST_F(JournalTest, ReadsAreCountedPerCallerAndMinute) {
  clock_.Pass(60 - clock_.WallSeconds() % 60);  // a minute has just begun, and does not end below
  const auto journal = Open();
  JournalEntry other = Entry(9, kRecordAggregate);
  other.caller.uid = 44;
  for (std::uint64_t i = 1; i <= 500; ++i) Must(journal->Record(Entry(i, kRecordAggregate)));
  Must(journal->Record(other));
  EXPECT_EQ(journal->Waiting(), 2u);
  clock_.Pass(60);
  Must(journal->Record(Entry(600, kRecordAggregate)));
  clock_.Pass(60);
  Must(journal->Record(Entry(601)));  // wakes the thread that looks at the minutes
  std::uint64_t count = 0;
  std::size_t entries = 0;
  while (count < 503) {
    for (const auto& entry : Drain(*journal)) {
      count += entry.count;
      ++entries;
      EXPECT_TRUE(!entry.aggregate() || entry.last_ms >= entry.time_ms);
    }
  }
  EXPECT_EQ(count, 503u);
  EXPECT_LE(entries, 6u) << "a minute may have ended meanwhile";
}

TEST_F(JournalTest, MinutesEndUnderALoadThatNeverPauses) {
  const auto journal = Open();
  Must(journal->Record(Entry(1, kRecordAggregate)));
  clock_.Pass(120);
  EXPECT_TRUE(Eventually([&] {
    for (std::uint64_t i = 2; i < 100; ++i) Must(journal->Record(Entry(i)));
    const auto entries = Drain(*journal);
    return std::any_of(entries.begin(), entries.end(),
                       [](const JournalEntry& one) { return one.aggregate(); });
  }));
}

TEST_F(JournalTest, TooManyThatWaitAreRefused) {
  const auto journal = Open(2000);
  Status status;
  for (std::uint64_t i = 0; i < 20 && status; ++i) status = journal->Record(Entry(i));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kUnrecorded);
  EXPECT_NE(Describe(status.error()).find("bring the vault back"), std::string::npos);
  Drain(*journal);
  EXPECT_TRUE(journal->Record(Entry(99))) << "there is room again";
}

TEST_F(JournalTest, MessagesNameTheDirectoryThatADescriptorLeadsTo) {
  const UniqueFd opened(::open(dir_.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const auto journal =
      Journal::Make({.directory = "/proc/self/fd/" + std::to_string(opened.get()) + "/journal",
                     .vault = vault_,
                     .key = &key_,
                     .max_bytes = 1,
                     .clock = &clock_});
  Must(journal->Record(Entry(1)));
  const Status refused = journal->Record(Entry(2));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().subject, Directory());
}

TEST_F(JournalTest, AFullDiskIsToldAndTheFileStaysWhole) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (!EnterSmallDisk("64k")) ::_exit(77);
    key_ = ExampleKey();
    const auto journal =
        Journal::Make({.directory = "/journal", .vault = vault_, .key = &key_, .clock = &clock_});
    std::uint64_t recorded = 0;
    Status status;
    while (recorded < 1000 && (status = journal->Record(Entry(recorded + 1)))) ++recorded;
    if (status || status.error().code != Code::kUnrecorded) ::_exit(1);
    if (Describe(status.error()).find("the disk is full") == std::string::npos) ::_exit(2);
    if (Drain(*journal).size() != recorded) ::_exit(3);
    if (HasFailure()) ::_exit(5);  // told above, and by this child alone
    ::_exit(journal->Record(Entry(2000)) ? 0 : 4);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "this kernel or user may not mount";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(JournalTest, WhatAFullDiskDoesNotTakeIsKeptAndWrittenWhenThereIsRoom) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (!EnterSmallDisk("2m")) ::_exit(77);
    key_ = ExampleKey();
    const auto journal =
        Journal::Make({.directory = "/journal", .vault = vault_, .key = &key_, .clock = &clock_});
    Must(journal->Record(Entry(1)));
    if (!Eventually([&] {
          return ToText(*ReadFile(OnlyFileIn("/journal", ".journal"), 1 << 20)).find("open-1") !=
                 std::string::npos;
        }))
      ::_exit(1);
    std::ofstream filler("/filler");
    while (filler << std::string(1024, 'x') << std::flush) continue;
    filler.close();
    std::uint64_t recorded = 1;
    Status status;
    if (!Eventually([&] {
          status = journal->Record(Entry(recorded + 1));
          if (status) ++recorded;
          return !status;
        }))
      ::_exit(2);
    if (Describe(status.error()).find("the disk is full") == std::string::npos) ::_exit(3);
    if (journal->Problem().find("the disk is full") == std::string::npos) ::_exit(4);
    if (journal->Waiting() != recorded) ::_exit(5);
    fs::remove("/filler");
    if (!Eventually([&] { return bool(journal->Record(Entry(recorded + 1))); })) ::_exit(6);
    const auto entries = Drain(*journal);
    if (entries.size() != recorded + 1) ::_exit(7);
    for (std::uint64_t i = 0; i < entries.size(); ++i)
      if (entries[i].open != "open-" + std::to_string(i + 1)) ::_exit(8);
    ::_exit(HasFailure() ? 9 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "this kernel or user may not mount";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace grantfs::testing
