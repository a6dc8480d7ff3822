// What a process leaves in its journal when it ends at any moment, and what the next one makes of it.

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <future>

#include "grantfs/crypto/random.h"
#include "journal/journal_fixture.h"

namespace grantfs::testing {
namespace {

/// An entry as it stands where it was recorded last: it names itself where others name the one before.
std::string RecentLine(JournalEntry entry) {
  std::string unchained;
  entry.AppendUnchained(&unchained);
  entry.sequence = 1;
  entry.previous = JournalHash(unchained);
  return entry.Text() + "\n";
}

/// These lines count; behind them stands one that was not finished.
void WriteRecent(const std::string& path, const std::string& lines) {
  const std::uint64_t used = lines.size();
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.write(reinterpret_cast<const char*>(&used), sizeof used);
  file << lines << "{\"sequence\":1,\"previ";
}

/// Sorted.
std::vector<std::string> OpensOf(const std::vector<JournalEntry>& entries) {
  std::vector<std::string> opens;
  for (const JournalEntry& entry : entries) opens.push_back(entry.open);
  std::sort(opens.begin(), opens.end());
  return opens;
}

TEST_F(JournalTest, WhatAKilledProcessRecordedIsTakenOverAndWhatALivingOneWritesIsNot) {
  InDyingProcess([&] {
    const auto journal = Open();
    for (std::uint64_t i = 1; i <= 3; ++i) Must(journal->Record(Entry(i)));
    Must(journal->Record(Entry(4, kRecordAggregate)));
    Must(journal->Record(Entry(5, kRecordAggregate)));
    ::raise(SIGKILL);
  });
  const auto living = Open();
  Must(living->Record(Entry(10)));
  const auto journal = Open();
  const auto entries = Drain(*journal);
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_EQ(entries[2].open, "open-3");
  EXPECT_EQ(entries[3].count, 2u);
  EXPECT_EQ(journal->Problem(), "");
  EXPECT_EQ(Drain(*living).size(), 1u);
}

TEST_F(JournalTest, AProcessThatIsKilledAtAnyMomentLosesNothingThatItAnswered) {
  for (int turn = 0; turn < 30; ++turn) {
    int answered[2];
    ASSERT_EQ(::pipe(answered), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      key_ = ExampleKey();
      const auto journal = Open();
      for (std::uint64_t i = 1;; ++i)
        if (!journal->Record(Entry(i)) || ::write(answered[1], "x", 1) != 1) ::_exit(1);
    }
    ::close(answered[1]);
    char first = 0;
    std::uint64_t seen = ::read(answered[0], &first, 1) == 1 ? 1 : 0;
    for (std::uint64_t more = RandomNumber() % 200; seen < more;) seen += ::read(answered[0], &first, 1) == 1;
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    char rest[4096];
    for (ssize_t got = 0; (got = ::read(answered[0], rest, sizeof rest)) > 0;)
      seen += static_cast<std::uint64_t>(got);
    ::close(answered[0]);
    const auto journal = Open();
    const auto entries = Drain(*journal);
    EXPECT_GE(entries.size(), seen);
    EXPECT_LE(entries.size(), seen + 1) << "the one that was not answered yet";
  }
}

TEST_F(JournalTest, WhatIsOnItsWayIntoTheJournalWhenTheProcessEndsIsThereOnce) {
  InDyingProcess([&] {
    const auto journal = Open();
    for (std::uint64_t i = 1; i <= 5; ++i) Must(journal->Record(Entry(i)));
    if (!Eventually([&] { return FileHas(".journal", "open-5"); })) ::_exit(1);
    ::raise(SIGKILL);
  });
  // As if it had ended before it forgot them, and at the next one.
  const auto recent = OnlyFile(".recent");
  WriteRecent(recent, RecentLine(Entry(4)) + RecentLine(Entry(5)) + RecentLine(Entry(6)));
  EXPECT_EQ(Journal::CountWaiting(Directory()), 6u);
  const auto journal = Open();
  EXPECT_EQ(journal->Waiting(), 0u) << "who asks waits for nothing";
  journal->TakeLeft();
  EXPECT_EQ(journal->Waiting(), 6u);
  EXPECT_FALSE(fs::exists(recent)) << "it is in the journal now";
  EXPECT_EQ(OpensOf(Drain(*journal)),
            (std::vector<std::string>{"open-1", "open-2", "open-3", "open-4", "open-5", "open-6"}));
  EXPECT_EQ(journal->Problem(), "");
}

// The vault takes what has a place in the chain that it has reached for what it has.
TEST_F(JournalTest, WhatWasRecordedWhenAllBeforeWasSentIsNotPutInItsPlaceInTheChain) {
  InDyingProcess([&] {
    const auto journal = Open();
    for (std::uint64_t i = 1; i <= 3; ++i) Must(journal->Record(Entry(i)));
    if (Drain(*journal).size() != 3) ::_exit(1);
    ::raise(SIGKILL);
  });
  const std::string sent = fs::path(OnlyFile(".journal")).stem();
  WriteRecent(OnlyFile(".recent"), RecentLine(Entry(4)));
  const auto journal = Open();
  const auto batch = Must(journal->NextBatch());
  ASSERT_TRUE(batch);
  EXPECT_NE(batch->journal, sent);
  EXPECT_EQ(OpensOf(Drain(*journal)), std::vector<std::string>{"open-4"});
  EXPECT_TRUE(fs::is_empty(Directory())) << "all of it was sent";
}

TEST_F(JournalTest, ALineThatAPowerCutHasMadeOfTwoIsNoRecordAndWhatIsInFrontOfATornEndIsOne) {
  InDyingProcess([&] {
    const auto journal = Open();
    for (std::uint64_t i = 1; i <= 3; ++i) Must(journal->Record(Entry(i)));
    if (Drain(*journal).size() != 3) ::_exit(1);
    ::raise(SIGKILL);
  });
  std::string of_two = RecentLine(Entry(5));
  of_two.replace(of_two.find("/usr/bin/cat"), 12, "/usr/bin/dog");
  WriteRecent(OnlyFile(".recent"), RecentLine(Entry(4)) + of_two + RecentLine(Entry(6)));
  fs::resize_file(OnlyFile(".recent"), 4096);
  EXPECT_EQ(OpensOf(Drain(*Open())), (std::vector<std::string>{"open-4", "open-6"}));
}

TEST_F(JournalTest, WhatCannotBeReadOfWhatWasRecordedLastStays) {
  InDyingProcess([&] {
    const auto journal = Open();
    Must(journal->Record(Entry(1)));
    ::raise(SIGKILL);
  });
  const std::string recent = OnlyFile(".recent");
  fs::rename(recent, dir_.path() + "/aside");
  fs::create_directory(recent);
  {
    const auto journal = Open();
    EXPECT_FALSE(Must(journal->NextBatch()));
    EXPECT_NE(journal->Problem(), "");
  }
  fs::remove(recent);
  fs::rename(dir_.path() + "/aside", recent);
  EXPECT_EQ(OpensOf(Drain(*Open())), std::vector<std::string>{"open-1"});
}

TEST_F(JournalTest, WhatAnotherUserCouldCutOffIsNotMapped) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a directory away";
  fs::create_directory(Directory());
  ASSERT_EQ(::chown(Directory().c_str(), 65534, 65534), 0);
  const auto journal = Open();
  Must(journal->Record(Entry(1)));
  EXPECT_TRUE(FileHas(".journal", "open-1")) << "at once";
  for (const auto& file : fs::directory_iterator(Directory()))
    EXPECT_NE(file.path().extension(), ".recent") << file.path();
}

// A worker may be in others' hands, and who reads beside it root.
TEST_F(JournalTest, WhatIsWrittenIntoTheMappedFileByOthersHarmsNobody) {
  const auto journal = Open();
  Must(journal->Record(Entry(1)));
  for (const std::uint64_t used : {~std::uint64_t{0}, ~std::uint64_t{0} - 200, std::uint64_t{1} << 40}) {
    std::fstream file(OnlyFile(".recent"), std::ios::in | std::ios::out | std::ios::binary);
    for (const std::streamoff half : {0, 256 << 10})
      file.seekp(half).write(reinterpret_cast<const char*>(&used), sizeof used) << "\n\n\n";
    file.close();
    Must(journal->Record(Entry(used)));
    EXPECT_LE(journal->Waiting(), 4u);
    EXPECT_TRUE(Must(journal->NextBatch()));
  }
}

TEST_F(JournalTest, WhatOthersCutOffUnderItEndsNobodyAndLosesNothing) {
  const auto journal = Open();
  Must(journal->Record(Entry(1)));
  fs::resize_file(OnlyFile(".recent"), 0);
  for (std::uint64_t i = 2; i <= 50; ++i) Must(journal->Record(Entry(i)));
  EXPECT_TRUE(FileHas(".journal", "open-50")) << "at once";
  EXPECT_EQ(Drain(*journal).size(), 50u);
}

TEST_F(JournalTest, ALargeOneThatWasLeftIsTakenOverInPieces) {
  constexpr std::uint64_t kEntries = 20000;  // some MiB
  InDyingProcess([&] {
    const auto journal = Open();
    for (std::uint64_t i = 1; i <= kEntries; ++i) Must(journal->Record(Entry(i)));
    ::raise(SIGKILL);
  });
  const auto journal = Open();
  EXPECT_EQ(journal->Waiting(), 0u);
  auto taking = std::async(std::launch::async, [&] { journal->TakeLeft(); });
  // Whoever records or asks meanwhile does not wait for it.
  for (std::uint64_t i = 1; i <= 100; ++i) Must(journal->Record(Entry(kEntries + i)));
  taking.get();
  EXPECT_EQ(journal->Waiting(), kEntries + 100);
  const auto opens = OpensOf(Drain(*journal));
  EXPECT_EQ(opens.size(), kEntries + 100);
  EXPECT_TRUE(std::adjacent_find(opens.begin(), opens.end()) == opens.end());
  EXPECT_EQ(journal->Problem(), "");
}

TEST_F(JournalTest, ALongTornEndIsNoDamageAndALineBehindItIs) {
  for (const bool line : {false, true}) {
    InDyingProcess([&] {
      const auto journal = Open();
      Must(journal->Record(Entry(1)));
      if (!Eventually([&] { return FileHas(".journal", "open-1"); })) ::_exit(1);
      ::raise(SIGKILL);
    });
    fs::remove(OnlyFile(".recent"));
    std::ofstream(OnlyFile(".journal"), std::ios::app) << std::string(600'000, '\0') << (line ? "x\n" : "");
    const auto journal = Open();
    EXPECT_EQ(Drain(*journal).size(), 1u);
    EXPECT_NE(journal->Problem().find(line ? "are kept in" : "a torn end was cut"), std::string::npos)
        << journal->Problem();
  }
}

TEST_F(JournalTest, AFileThatHasAnotherNameTooIsNoJournalAndIsNotWrittenTo) {
  fs::create_directory(Directory());
  const std::string other = dir_.path() + "/other";
  Must(WriteFileAtomic(other, AsBytes("what was there"), 0600));
  fs::create_hard_link(other, Directory() + "/00.journal");
  const auto journal = Open();
  EXPECT_FALSE(Must(journal->NextBatch()));
  EXPECT_NE(journal->Problem().find("another file"), std::string::npos) << journal->Problem();
  EXPECT_EQ(ToText(Must(ReadFile(other, 100))), "what was there");
}

TEST_F(JournalTest, GarbageInWhatWasRecordedLastIsNoRecord) {
  InDyingProcess([&] {
    const auto journal = Open();
    Must(journal->Record(Entry(1)));
    ::raise(SIGKILL);
  });
  std::fstream file(OnlyFile(".recent"), std::ios::in | std::ios::out | std::ios::binary);
  file << std::string(4096, '\xff');
  file.close();
  const auto journal = Open();
  EXPECT_LE(Drain(*journal).size(), 1u) << "it was in the journal already, or a power cut took it";
  EXPECT_EQ(journal->Problem(), "");
}

TEST_F(JournalTest, ATornEndIsCutAndTold) {
  InDyingProcess([&] {
    const auto journal = Open();
    for (std::uint64_t i = 1; i <= 3; ++i) Must(journal->Record(Entry(i)));
    ::raise(SIGKILL);
  });
  const auto path = OnlyFile(".journal");
  std::ofstream(path, std::ios::app) << "{\"sequence\":4,\"previ";
  const auto journal = Open();
  EXPECT_EQ(Drain(*journal).size(), 3u);
  EXPECT_NE(journal->Problem().find("torn end was cut"), std::string::npos) << journal->Problem();
  EXPECT_FALSE(fs::exists(path)) << "all of it was sent";
}

TEST_F(JournalTest, AFlippedByteIsFoundAndWhatIsBehindItIsKept) {
  InDyingProcess([&] {
    const auto journal = Open();
    for (std::uint64_t i = 1; i <= 9; ++i) Must(journal->Record(Entry(i)));
    if (!Eventually([&] { return FileHas(".journal", "open-9"); })) ::_exit(1);
    ::raise(SIGKILL);
  });
  const auto path = OnlyFile(".journal");
  std::string text = ToText(Must(ReadFile(path, 1 << 20)));
  text[text.find("open-5") + 5] = '6';
  std::ofstream(path) << text;
  const auto journal = Open();
  EXPECT_EQ(Drain(*journal).size(), 5u) << "entry 6 names another one before it";
  EXPECT_NE(journal->Problem().find("damaged"), std::string::npos) << journal->Problem();
  EXPECT_TRUE(fs::exists(path + ".damaged"));
}

TEST_F(JournalTest, WhatTheVaultDoesNotTakeIsSetAsideAndHoldsNothingUp) {
  InDyingProcess([&] {
    const auto journal = Open();
    Must(journal->Record(Entry(1)));
    if (!Eventually([&] { return FileHas(".journal", "open-1"); })) ::_exit(1);
    ::raise(SIGKILL);
  });
  const auto path = OnlyFile(".journal");
  const auto journal = Open();
  Must(journal->Record(Entry(2)));
  journal->Refused(*Must(journal->NextBatch()), Error{Code::kConflict, "a gap"});
  EXPECT_TRUE(fs::exists(path + ".damaged"));
  EXPECT_NE(journal->Problem().find("a gap"), std::string::npos);
  const auto own = *Must(journal->NextBatch());
  journal->Refused(own, Error{Code::kConflict, "a gap"});
  EXPECT_EQ(Drain(*journal).front().open, "open-2") << "its own it keeps";
}

TEST_F(JournalTest, ASignatureOfAnotherKeyIsNotBelieved) {
  {
    const auto journal = Open();
    std::promise<Status> done;
    journal->RecordDurably(Entry(1, kRecordSync), [&](Status status) { done.set_value(std::move(status)); });
    Must(done.get_future().get());
    EXPECT_NE(ToText(Must(ReadFile(OnlyFile(".journal"), 1 << 20))).find("{\"signed\":1"), std::string::npos);
  }
  key_ = Must(SigningKey::Generate());
  const auto journal = Open();
  Drain(*journal);
  EXPECT_NE(journal->Problem().find("damaged"), std::string::npos) << journal->Problem();
}

/// From now on the disk of this process takes nothing for good.
void FailToSync() {
  sock_filter rules[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                         BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fdatasync, 0, 1),
                         BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EIO),
                         BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program{std::size(rules), rules};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    ::_exit(2);
}

TEST_F(JournalTest, WhatWasCountedIsNotTakenAwayBeforeWhatIsWrittenInsteadIsOnTheDisk) {
  InDyingProcess([&] {
    const auto journal = Open();
    Must(journal->Record(Entry(1, kRecordAggregate)));
    ::raise(SIGKILL);
  });
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    FailToSync();
    const auto journal = Open();
    const auto next = journal->NextBatch();
    const bool told = journal->Problem().find("cannot be written") != std::string::npos;
    ::_exit(next && !*next && told ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 2) GTEST_SKIP() << "no system call can be made to fail here";
  EXPECT_EQ(WEXITSTATUS(status), 0) << "it is not sent, and told";
  EXPECT_TRUE(fs::exists(OnlyFile(".counts")));
  const auto journal = Open();
  const auto entries = Drain(*journal);
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].count, 1u);
}

}  // namespace
}  // namespace grantfs::testing
