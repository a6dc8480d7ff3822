#include <gtest/gtest.h>

#include <map>

#include "mount/reports/report_nodes_internal.h"

namespace grantfs {
namespace {

std::function<std::string()> Says(const std::string& text) {
  return [text] { return text; };
}

TEST(ReportTreeTest, LeadsToTextsAndDirectories) {
  ReportDirectory root;
  root.Enter("machines")->Enter("web-1")->AddFile("info", Says("x"));
  EXPECT_EQ(root.Enter("machines"), root.Enter("machines"));
  EXPECT_EQ(*root.Read("machines/web-1/info"), "x");
  for (const char* none :
       {"", "machines", "machines/web-1", "machines/web-1/info/x", "info", "machines/web-2/info"})
    EXPECT_EQ(root.Read(none), nullptr) << none;
  EXPECT_EQ(root.FindDirectory("").get(), &root);
  EXPECT_NE(root.FindDirectory("machines/web-1"), nullptr);
  for (const char* none : {"machines/web-1/info", "web-1", "machines/web-1/info/x"})
    EXPECT_EQ(root.FindDirectory(none), nullptr) << none;
  ASSERT_EQ(root.List().size(), 1U);
  EXPECT_TRUE(root.List().front().directory);
}

TEST(ReportTreeTest, MakesATextOnceAndOnlyWhenItIsWanted) {
  ReportDirectory root;
  int made = 0;
  root.AddFile("a", [&made] { return std::to_string(++made); });
  EXPECT_EQ(made, 0);
  EXPECT_EQ(*root.Read("a"), "1");
  EXPECT_EQ(*root.Read("a"), "1");
}

TEST(ReportTreeTest, FillsADirectoryWhenItIsLookedIntoAndKeepsTheLastFew) {
  ReportDirectory root;
  const auto filled = std::make_shared<FilledReports>();
  std::map<std::string, int> made;
  for (int i = 0; i < 20; ++i) {
    const std::string name = "d" + std::to_string(i);
    root.AddDirectory(name, filled, [&made, name](ReportDirectory& self) {
      ++made[name];
      self.Enter("e")->AddFile("a", Says(name));
    });
  }
  root.AddDirectory("d0", filled, [](ReportDirectory& self) { self.AddFile("b", Says("y")); });
  EXPECT_EQ(root.Read("d1"), nullptr);
  EXPECT_EQ(root.List().size(), 21U);
  EXPECT_TRUE(root.List().front().directory);
  EXPECT_TRUE(root.HasDirectory("d1") && root.HasDirectory("") && !root.HasDirectory("d"));
  EXPECT_TRUE(made.empty()) << "its name alone was looked at";
  EXPECT_EQ(*root.Read("d1/e/a"), "d1");
  EXPECT_EQ(root.FindDirectory("d1")->List().size(), 1U);
  EXPECT_EQ(made["d1"], 1);
  EXPECT_EQ(*root.Read("d0~/b"), "y");
  const auto held = root.FindDirectory("d1/e");
  for (int i = 2; i < 20; ++i) EXPECT_NE(root.Read("d" + std::to_string(i) + "/e/a"), nullptr);
  EXPECT_EQ(*root.Read("d19/e/a"), "d19");
  EXPECT_EQ(made["d19"], 1) << "one of the last few";
  EXPECT_EQ(*held->Read("a"), "d1") << "who looks at it keeps it";
  EXPECT_EQ(*root.Read("d1/e/a"), "d1");
  EXPECT_EQ(made["d1"], 2) << "it was let go of";
}

TEST(ReportTreeTest, NothingTakesAnothersName) {
  ReportDirectory root;
  EXPECT_EQ(root.AddFile("a", Says("1")), "a");
  EXPECT_EQ(root.AddFile("a", Says("2")), "a~");
  EXPECT_EQ(root.AddFile("a", Says("3")), "a~2");
  root.AddFile("b", Says("4"));
  root.Enter("b")->AddFile("c", Says("5"));
  root.Enter("b")->AddFile("d", Says("6"));
  EXPECT_EQ(*root.Read("b"), "4");
  EXPECT_EQ(*root.Read("b~/c"), "5");
  EXPECT_EQ(*root.Read("b~/d"), "6");
}

TEST(ReportTreeTest, CutsWhatIsTooLongBetweenCharacters) {
  ReportDirectory root;
  const std::string longest(ReportDirectory::kMaxNameBytes, 'n');
  EXPECT_EQ(ReportDirectory::Fit(longest, 0), longest);
  EXPECT_EQ(ReportDirectory::Fit(longest, 5), std::string(249, 'n') + "~");
  std::string umlauts;
  for (int i = 0; i < 127; ++i) umlauts += "\xC3\xA4";
  EXPECT_EQ(ReportDirectory::Fit(umlauts, 5), umlauts.substr(0, 248) + "~");
  for (int i = 0; i < 30; ++i) {
    const std::string name = root.AddFile(longest + "x", Says("x"));
    EXPECT_LE(name.size(), ReportDirectory::kMaxNameBytes);
  }
  EXPECT_EQ(root.List().size(), 30U);
}

TEST(ReportNodesTest, AnotherTextIsAnotherNode) {
  const auto text = [](const char* what) { return std::make_shared<const std::string>(what); };
  ReportNodes nodes(7);
  const auto first = nodes.Take("info", text("one"), 8);
  EXPECT_EQ(nodes.Take("info", text("one"), 9).id, first.id);  // the same bytes, made anew
  const auto second = nodes.Take("info", text("two"), 10);
  EXPECT_NE(second.id, first.id);
  EXPECT_EQ(*nodes.Find(first.id)->text, "one");  // as long as the kernel knows it
  EXPECT_EQ(nodes.Find(second.id)->time, 10);
  nodes.Forget(first.id, 1);
  EXPECT_TRUE(nodes.Find(first.id));
  nodes.Forget(first.id, 1);
  EXPECT_FALSE(nodes.Find(first.id));
  EXPECT_EQ(nodes.Take("info", text("two"), 11).id, second.id);
  EXPECT_NE(nodes.Take("info", nullptr, 12).id, second.id);  // a directory now
}

TEST(ReportNodesTest, ForgetsWhatTheKernelForgets) {
  ReportNodes nodes(0);
  const auto one = nodes.Take("a", nullptr, 0);
  const auto other = nodes.Take("a/b", nullptr, 0);
  EXPECT_EQ(nodes.size(), 3U);
  nodes.Forget(one.id, 5);  // more than it was told of: a kernel's error, and none of ours
  nodes.Forget(other.id, 1);
  nodes.Forget(other.id, 1);
  nodes.Forget(ReportNodes::kRoot, 99);
  EXPECT_EQ(nodes.size(), 1U);
  EXPECT_EQ(nodes.Find(ReportNodes::kRoot)->path, "");
}

}  // namespace
}  // namespace grantfs
