// What is counted, when the process that counts it ends.

#include "journal/journal_fixture.h"

namespace grantfs::testing {
namespace {

// Two deaths while one open waits for its answer: the second process has taken over what the first counted.
TEST_F(JournalTest, WhatTheProcessBeforeTheLastCountedIsKnownToo) {
  InDyingProcess([&] {
    const auto journal = Open();
    for (std::uint64_t i = 1; i <= 3; ++i) Must(journal->Record(Entry(i, kRecordAggregate)));
    ::raise(SIGKILL);
  });
  for (int deaths = 0; deaths < 3; ++deaths) {
    InDyingProcess([&] {
      const auto journal = Open();
      if (!journal->HasCounted("open-3")) ::_exit(1);
      journal->TakeLeft();
      Must(journal->Record(Entry(10, kRecordAggregate)));
      ::raise(SIGKILL);
    });
  }
  const auto journal = Open();
  EXPECT_TRUE(journal->HasCounted("open-3"));
  std::uint64_t count = 0;
  for (const auto& entry : Drain(*journal)) count += entry.count;
  EXPECT_EQ(count, 6u);
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

}  // namespace
}  // namespace grantfs::testing
