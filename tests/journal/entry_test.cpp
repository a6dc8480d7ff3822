#include "grantfs/journal/entry.h"

#include <gtest/gtest.h>

#include "grantfs/crypto/encoding.h"
#include "grantfs/json/json.h"
#include "grantfs/util/file.h"
#include "journal/example_key.h"
#include "support/must.h"

namespace grantfs::testing {
namespace {

std::string Example(const std::string& kind) {
  const std::string text = ToText(Must(ReadFile(GRANTFS_SOURCE_ROOT "/contrib/FORMATS.md", 1 << 20)));
  const std::string fence = "```json " + kind + "\n";
  const auto begin = text.find(fence);
  if (begin == std::string::npos) return {};
  const auto from = begin + fence.size();
  return text.substr(from, text.find("\n```", from) - from);
}

TEST(JournalEntryTest, TheDocumentedJournalIsChainedAndSigned) {
  const auto lines = Example("journal");
  std::vector<std::string> line;
  for (std::size_t from = 0; from < lines.size();) {
    const auto end = std::min(lines.find('\n', from), lines.size());
    line.push_back(lines.substr(from, end - from));
    from = end + 1;
  }
  ASSERT_EQ(line.size(), 4u) << lines;
  const auto header = Must(ParseJson(line[0]));
  const auto first = Must(JournalEntry::Parse(line[1]));
  const auto second = Must(JournalEntry::Parse(line[2]));
  EXPECT_EQ(first.Text(), line[1]);
  EXPECT_EQ(second.Text(), line[2]);
  EXPECT_EQ(first.previous, Hash{});
  EXPECT_EQ(second.previous, JournalHash(line[1]));
  EXPECT_EQ(second.count, 512u);
  const Hash vault = Must(Hash::FromHex("bf6cea982aadb3851b075bedae24f708041dd9a285209bb0eee44a782b24010d"));
  const auto key = ExampleKey();
  const std::string journal = header.Find("journal")->AsString();
  const Signature signature = SignJournal(key, vault, journal, 2, JournalHash(line[2]));
  EXPECT_EQ(line[3], "{\"signed\":2,\"signature\":\"" + HexEncode(signature.bytes) + "\"}");
  EXPECT_TRUE(VerifyJournal(key.verify_key(), vault, journal, 2, JournalHash(line[2]), signature));
  EXPECT_FALSE(VerifyJournal(key.verify_key(), vault, journal, 1, JournalHash(line[2]), signature));
}

TEST(JournalEntryTest, APathThatIsLongOrStrangeIsCutAndMadeHarmless) {
  JournalEntry entry;
  entry.sequence = 1;
  entry.open = "a-1";
  entry.secret = entry.version = 1;
  entry.caller.executable = "/\"\n\\" + std::string(5000, '"');
  entry.caller.cgroup = std::string(5000, '\xff');
  const std::string text = entry.Text();
  EXPECT_LE(text.size(), kMaxJournalEntryBytes);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_EQ(Must(JournalEntry::Parse(text)).caller.executable.substr(0, 4), "/\"?\\");
}

TEST(JournalEntryTest, WhatIsNoEntryIsRefused) {
  for (const char* text : {"", "{}", "{\"sequence\":0}", "[1]"})
    EXPECT_FALSE(JournalEntry::Parse(text)) << text;
}

}  // namespace
}  // namespace grantfs::testing
