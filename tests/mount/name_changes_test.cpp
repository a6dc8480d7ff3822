#include <gtest/gtest.h>

#include "mount/tree/name_changes_internal.h"

namespace grantfs {
namespace {

GrantedSecret Granted(std::uint64_t number, const std::string& path, std::uint32_t version = 1) {
  GrantedSecret grant;
  grant.number = number;
  grant.version = version;
  grant.environment = "shop/prod";
  grant.path = path;
  return grant;
}

class NameChangesTest : public ::testing::Test {
 protected:
  std::shared_ptr<const Tree> Build(std::vector<GrantedSecret> secrets, const std::string& root = "") {
    auto listing = std::make_shared<Listing>();
    listing->secrets = std::move(secrets);
    return BuildTree({listing, root, &ids_, &owners_, nullptr, 1});
  }
  /// "replace a, remove b", in their order.
  static std::string Text(const Tree& before, const Tree& after) {
    static const char* const kNames[] = {"replace", "remove", "mkdir", "hold"};
    std::string text;
    for (const NameChange& change : NameChangesOf(before, after, Compare(before, after)))
      text +=
          (text.empty() ? "" : ", ") + std::string(kNames[static_cast<int>(change.kind)]) + " " + change.path;
    return text;
  }

  DirectoryIds ids_;
  Owners owners_{1, 2, [](const std::string&) { return std::nullopt; },
                 [](const std::string&) { return std::nullopt; }};
};

TEST_F(NameChangesTest, ARotationReplacesOneName) {
  const auto before = Build({Granted(1, "a"), Granted(2, "b")});
  const auto after = Build({Granted(1, "a"), Granted(2, "b", 2)});
  EXPECT_EQ(Text(*before, *after), "replace shop/prod/b");
  EXPECT_EQ(Text(*before, *before), "");
  EXPECT_EQ(PathsOf(SecretChangesOf(*before, *after), ""), std::set<std::string>{"shop/prod/b"});
}

TEST_F(NameChangesTest, DirectoriesComeBeforeTheirFilesAndStayUntilTheseAreGone) {
  const auto before = Build({Granted(1, "a"), Granted(2, "old/x")});
  const auto after = Build({Granted(1, "a"), Granted(3, "new/deep/y")});
  EXPECT_EQ(Text(*before, *after),
            "hold shop/prod/old, remove shop/prod/old/x, "
            "mkdir shop/prod/new, mkdir shop/prod/new/deep, replace shop/prod/new/deep/y");
  EXPECT_EQ(PathsOf(SecretChangesOf(*before, *after), "shop/prod"),
            (std::set<std::string>{"old/x", "new/deep/y"}));
}

TEST_F(NameChangesTest, ANameThatTurnsIntoADirectoryHasNoStepOfItsOwn) {
  const auto before = Build({Granted(1, "a")});
  const auto after = Build({Granted(2, "a/b")});
  EXPECT_EQ(Text(*before, *after), "replace shop/prod/a/b");
  EXPECT_EQ(Text(*after, *before), "");
}

TEST_F(NameChangesTest, WhatLooksDifferentHasChangedToo) {
  const auto before = Build({Granted(1, "a")});
  GrantedSecret open = Granted(1, "a");
  open.mode = 0444;
  EXPECT_EQ(PathsOf(SecretChangesOf(*before, *Build({open})), ""), std::set<std::string>{"shop/prod/a"});
  EXPECT_EQ(PathsOf(SecretChangesOf(*before, *before), ""), std::set<std::string>{});
}

TEST(HeldNamesTest, AreShownUntilTheyAreReleasedOnce) {
  HeldNames held;
  const NodeId old = SecretNode(7, 1);
  held.Hold({{NameChangeKind::kReplace, 10, "a", old, SecretNode(7, 2), "a"},
             {NameChangeKind::kReplace, 10, "b", 0, SecretNode(8, 1), "b"}});
  EXPECT_EQ(held.Shown(10, "a"), old);
  EXPECT_EQ(held.Shown(10, "b"), NodeId{0});
  EXPECT_FALSE(held.Shown(11, "a"));
  EXPECT_TRUE(held.IsShown(old));
  EXPECT_EQ(held.Coming(7), SecretNode(7, 2));
  EXPECT_FALSE(held.Release(NameChangeKind::kRemove, 10, "a"));
  EXPECT_FALSE(held.Release(NameChangeKind::kReplace, 10, "a", 8)) << "another secret's name";
  EXPECT_TRUE(held.Release(NameChangeKind::kReplace, 10, "a", 7));
  EXPECT_FALSE(held.Release(NameChangeKind::kReplace, 10, "a", 7));
  EXPECT_FALSE(held.Shown(10, "a"));
  EXPECT_FALSE(held.IsShown(old));
  EXPECT_EQ(held.Coming(7), NodeId{0});
  held.Clear();
  EXPECT_FALSE(held.Shown(10, "b"));
}

}  // namespace
}  // namespace grantfs
