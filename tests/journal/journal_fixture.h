#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "grantfs/journal/journal.h"
#include "grantfs/util/file.h"
#include "journal/example_key.h"
#include "support/eventually.h"
#include "support/must.h"
#include "support/temp_dir.h"
#include "support/test_clock.h"

namespace grantfs::testing {

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

}  // namespace grantfs::testing
