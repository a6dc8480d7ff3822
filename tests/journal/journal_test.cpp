#include "grantfs/journal/journal.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <future>

#include "grantfs/crypto/random.h"
#include "grantfs/util/file.h"
#include "journal/example_key.h"
#include "support/eventually.h"
#include "support/must.h"
#include "support/small_disk.h"
#include "support/temp_dir.h"
#include "support/test_clock.h"

namespace grantfs::testing {
namespace {

namespace fs = std::filesystem;

class JournalTest : public ::testing::Test {
 protected:
  JournalTest() : key_(ExampleKey()) { vault_.bytes.fill(7); }

  std::unique_ptr<Journal> Open(std::uint64_t max_bytes = 64 << 20) {
    return Journal::Make({.directory = Directory(),
                          .vault = vault_,
                          .key = &key_,
                          .max_bytes = max_bytes,
                          .cut_above = 1 << 20,
                          .clock = &clock_});
  }
  std::string Directory() const { return dir_.path() + "/journal"; }

  JournalEntry Entry(std::uint64_t number, const char* record = kRecordEach) const {
    JournalEntry entry;
    entry.time_ms = clock_.WallMilliseconds();
    entry.open = "open-" + std::to_string(number);
    entry.secret = 7;
    entry.version = 1;
    entry.record = record;
    entry.caller = {123, 33, 33, "/usr/bin/cat", "/system.slice"};
    return entry;
  }

  /// All that waits, each batch's chain and signature checked.
  std::vector<JournalEntry> Drain(Journal& journal) {
    std::vector<JournalEntry> all;
    while (auto batch = Must(journal.NextBatch())) {
      Hash head = Must(JournalEntry::Parse(batch->entries.front())).previous;
      for (const std::string& text : batch->entries) {
        const auto entry = Must(JournalEntry::Parse(text));
        EXPECT_EQ(entry.previous, head);
        head = JournalHash(text);
        all.push_back(entry);
      }
      EXPECT_EQ(all.back().sequence, batch->last);
      EXPECT_TRUE(
          VerifyJournal(key_.verify_key(), vault_, batch->journal, batch->last, head, batch->signature));
      Must(journal.Sent(*batch));
    }
    return all;
  }

  /// Runs in a process that then dies without a word.
  template <typename Body>
  void InDyingProcess(Body body) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      key_ = ExampleKey();
      body();
      ::raise(SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << status;
  }
  std::string OnlyFile(const char* suffix) const { return OnlyFileIn(Directory(), suffix); }
  static std::string OnlyFileIn(const std::string& directory, const char* suffix) {
    for (const auto& entry : fs::directory_iterator(directory))
      if (entry.path().extension() == suffix) return entry.path();
    ADD_FAILURE() << "no file " << suffix;
    return {};
  }

  bool FileHas(const char* suffix, const std::string& text) const {
    const auto content = ReadFile(OnlyFile(suffix), 1 << 20);
    return content && ToText(*content).find(text) != std::string::npos;
  }

  TempDir dir_;
  TestClock clock_;
  SigningKey key_;
  Hash vault_;
};

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
  std::string text;
  for (const std::uint64_t number : {4, 5, 6}) {
    JournalEntry entry = Entry(number);
    entry.sequence = 1;
    text += entry.Text() + "\n";
  }
  const std::uint64_t used = text.size();
  std::fstream file(recent, std::ios::in | std::ios::out | std::ios::binary);
  file.write(reinterpret_cast<const char*>(&used), sizeof used);
  file << text << "{\"sequence\":1,\"previ";
  file.close();
  EXPECT_EQ(Journal::CountWaiting(Directory()), 6u);
  const auto journal = Open();
  EXPECT_EQ(journal->Waiting(), 6u);
  EXPECT_FALSE(fs::exists(recent)) << "it is in the journal now";
  const auto entries = Drain(*journal);
  ASSERT_EQ(entries.size(), 6u);
  for (std::uint64_t i = 1; i <= 6; ++i) EXPECT_EQ(entries[i - 1].open, "open-" + std::to_string(i));
  EXPECT_EQ(journal->Problem(), "");
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

TEST_F(JournalTest, ReadsAreCountedPerCallerAndMinute) {
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

TEST_F(JournalTest, WhatAnEndedProcessCountedLastIsKnown) {
  InDyingProcess([&] {
    const auto journal = Open();
    for (std::uint64_t i = 1; i <= 100; ++i) Must(journal->Record(Entry(i, kRecordAggregate)));
    clock_.Pass(60);
    Must(journal->Record(Entry(101)));  // wakes the thread that looks at the minutes
    if (!Eventually([&] { return FileHas(".journal", "\"count\":100"); })) ::_exit(1);
    Must(journal->Record(Entry(102, kRecordAggregate)));
    ::raise(SIGKILL);
  });
  const auto next = Open();
  for (const std::uint64_t number : {98, 99, 100, 102})
    EXPECT_TRUE(next->HasCounted("open-" + std::to_string(number))) << number;
  EXPECT_FALSE(next->HasCounted("open-103"));
  EXPECT_FALSE(next->HasCounted("open-1")) << "it is bounded";
  std::uint64_t count = 0;
  for (const auto& entry : Drain(*next)) count += entry.count;
  EXPECT_EQ(count, 102u);
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
