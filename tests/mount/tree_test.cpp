#include <gtest/gtest.h>

#include <algorithm>

#include "mount/tree/tree_internal.h"

namespace grantfs {
namespace {

GrantedSecret Grant(std::uint64_t number, const std::string& path, std::uint32_t version = 1,
                    const std::string& environment = "shop/prod") {
  GrantedSecret grant;
  grant.number = number;
  grant.version = version;
  grant.environment = environment;
  grant.path = path;
  grant.size = 10;
  return grant;
}

class TreeTest : public ::testing::Test {
 protected:
  std::shared_ptr<const Tree> Build(std::vector<GrantedSecret> secrets, const Tree* previous = nullptr,
                                    const std::string& root = "") {
    auto listing = std::make_shared<Listing>();
    listing->secrets = std::move(secrets);
    return BuildTree({listing, root, &ids_, &owners_, previous, now_});
  }
  static const Child* Find(const Tree& tree, const std::vector<std::string>& path) {
    const Child* child = nullptr;
    NodeId node = kRootNode;
    for (const std::string& name : path) {
      const Directory* directory = tree.FindDirectory(node);
      child = directory ? directory->Find(name) : nullptr;
      if (!child) return nullptr;
      node = child->id;
    }
    return child;
  }
  static std::string HiddenReason(const Tree& tree, const std::string& name) {
    for (const HiddenSecret& hidden : tree.hidden()) {
      if (hidden.name == name) return hidden.reason;
    }
    return "";
  }

  DirectoryIds ids_;
  Owners owners_{
      1, 2, [](const std::string& name) { return name == "app" ? std::optional<uid_t>(33) : std::nullopt; },
      [](const std::string& name) { return name == "web" ? std::optional<gid_t>(44) : std::nullopt; }};
  std::int64_t now_ = 1000;
};

TEST(NodeIdTest, HoldsKindNumberAndVersion) {
  const NodeId node = SecretNode(kNumberMask, kVersionMask);
  EXPECT_EQ(KindOf(node), NodeKind::kSecret);
  EXPECT_EQ(NumberOf(node), kNumberMask);
  EXPECT_EQ(VersionOf(node), kVersionMask);
  EXPECT_EQ(SecretNode(1, 1), (std::uint64_t{1} << 62) | (1 << 24) | 1);
  EXPECT_EQ(KindOf(kRootNode), NodeKind::kFixed);
  EXPECT_GT(CookieOf(kReportsNode), 2U);
  EXPECT_LT(CookieOf(SecretNode(kNumberMask, 1)), CookieOf(MakeNode(NodeKind::kDirectory, 1, 0)));
}

TEST_F(TreeTest, HasADirectoryForEachComponent) {
  const auto tree = Build({Grant(1, "db-password", 5), Grant(2, "tls/server.key")});
  EXPECT_EQ(Find(*tree, {"shop", "prod", "db-password"})->id, SecretNode(1, 5));
  EXPECT_EQ(Find(*tree, {"shop", "prod", "tls", "server.key"})->id, SecretNode(2, 1));
  EXPECT_EQ(Find(*tree, {"shop", "prod", "nothing"}), nullptr);
  EXPECT_EQ(Find(*tree, {".grantfs", "status"})->id, kStatusNode);
  EXPECT_EQ(tree->FindDirectory(Find(*tree, {"shop", "prod"})->id)->subdirectories, 1U);
}

TEST_F(TreeTest, WithARootShowsThatEnvironmentAlone) {
  const auto tree = Build({Grant(1, "a"), Grant(2, "b", 1, "shop/test")}, nullptr, "shop/prod");
  EXPECT_NE(Find(*tree, {"a"}), nullptr);
  EXPECT_EQ(Find(*tree, {"b"}), nullptr);
  EXPECT_TRUE(tree->hidden().empty());
}

TEST_F(TreeTest, LetsTheFileWinOverADirectory) {
  const auto tree = Build({Grant(2, "a/b"), Grant(3, "a/c/d"), Grant(1, "a"), Grant(4, "a-b")});
  EXPECT_EQ(Find(*tree, {"shop", "prod", "a"})->id, SecretNode(1, 1));
  EXPECT_NE(Find(*tree, {"shop", "prod", "a-b"}), nullptr);
  EXPECT_NE(HiddenReason(*tree, "shop/prod/a/b").find("is a secret too"), std::string::npos);
  EXPECT_NE(HiddenReason(*tree, "shop/prod/a/c/d").find("is a secret too"), std::string::npos);
  EXPECT_EQ(tree->FindSecret(2), nullptr);
}

TEST_F(TreeTest, HidesWhatWouldHarm) {
  const auto tree = Build({Grant(1, "../etc"), Grant(2, "a//b"), Grant(3, "."), Grant(4, ".grantfs/x"),
                           Grant(5, ""), Grant(6, std::string("a\0b", 3)), Grant(7, std::string(256, 'a')),
                           Grant(8, "\xff"), Grant(0, "zero"), Grant(kNumberMask + 1, "large"),
                           Grant(9, "v", 0), Grant(10, "v2", kVersionMask + 1), Grant(11, "x", 1, "")});
  EXPECT_TRUE(tree->secrets().empty());
  EXPECT_EQ(tree->hidden().size(), 13U);
  EXPECT_EQ(tree->FindDirectory(kRootNode)->children.size(), 1U);
}

TEST_F(TreeTest, HidesASecondSecretOfOneNumberOrName) {
  const auto tree = Build({Grant(1, "a"), Grant(1, "b"), Grant(2, "a")});
  EXPECT_EQ(Find(*tree, {"shop", "prod", "a"})->id, SecretNode(1, 1));
  EXPECT_EQ(Find(*tree, {"shop", "prod", "b"}), nullptr);
  EXPECT_EQ(tree->hidden().size(), 2U);
}

TEST_F(TreeTest, ResolvesOwners) {
  auto grant = Grant(1, "a");
  grant.owner = "app";
  grant.group = "web";
  grant.mode = 04440;
  auto unknown = Grant(2, "b");
  unknown.owner = "stranger";
  auto unknown_group = Grant(3, "c");
  unknown_group.group = "strangers";
  const auto tree = Build({grant, unknown, unknown_group, Grant(4, "d")});
  EXPECT_EQ(tree->FindSecret(1)->attributes, (FileAttributes{10, 0, 33, 44, 0440}));
  EXPECT_EQ(tree->FindSecret(4)->attributes, (FileAttributes{10, 0, 1, 2, 0400}));
  EXPECT_NE(HiddenReason(*tree, "shop/prod/b").find("no user \"stranger\""), std::string::npos);
  EXPECT_NE(HiddenReason(*tree, "shop/prod/c").find("no group \"strangers\""), std::string::npos);
  EXPECT_TRUE(tree->hidden()[0].unknown_owner);
}

TEST_F(TreeTest, BoundsItsDirectories) {
  ids_ = DirectoryIds(3);
  const auto tree = Build({Grant(1, "a/x"), Grant(2, "b/x")});
  EXPECT_NE(Find(*tree, {"shop", "prod", "a", "x"}), nullptr);
  EXPECT_NE(HiddenReason(*tree, "shop/prod/b/x").find("too many directories"), std::string::npos);
}

TEST_F(TreeTest, KeepsTheIdOfADirectoryThatComesBack) {
  const auto first = Build({Grant(1, "tls/a")});
  const auto without = Build({}, first.get());
  const auto again = Build({Grant(2, "other/a"), Grant(1, "tls/a")}, without.get());
  EXPECT_EQ(Find(*first, {"shop", "prod", "tls"})->id, Find(*again, {"shop", "prod", "tls"})->id);
  EXPECT_NE(Find(*again, {"shop", "prod", "other"})->id, Find(*again, {"shop", "prod", "tls"})->id);
}

TEST_F(TreeTest, DatesADirectoryByItsLastChange) {
  const auto first = Build({Grant(1, "tls/a"), Grant(2, "b")});
  now_ = 2000;
  const auto second = Build({Grant(1, "tls/a", 2), Grant(2, "b")}, first.get());
  EXPECT_EQ(second->FindDirectory(Find(*second, {"shop", "prod", "tls"})->id)->changed, 2000);
  EXPECT_EQ(second->FindDirectory(Find(*second, {"shop", "prod"})->id)->changed, 1000);
}

TEST_F(TreeTest, TellsWhatChanged) {
  const auto before = Build({Grant(1, "changed"), Grant(2, "removed"), Grant(3, "same"), Grant(4, "mode")});
  auto mode = Grant(4, "mode");
  mode.mode = 0440;
  const auto after =
      Build({Grant(1, "changed", 2), Grant(3, "same"), mode, Grant(5, "new/file")}, before.get());
  const TreeChange change = Compare(*before, *after);
  const NodeId prod = Find(*after, {"shop", "prod"})->id;
  const NodeId why = Find(*after, {".grantfs", "why", "shop", "prod"})->id;
  const NodeId why_fresh = Find(*after, {".grantfs", "why", "shop", "prod", "new"})->id;
  const NodeId fresh = Find(*after, {"shop", "prod", "new"})->id;
  auto entries = change.entries;
  std::sort(entries.begin(), entries.end());
  const std::vector<std::pair<NodeId, std::string>> expected = {
      {prod, "changed"}, {prod, "new"},   {prod, "removed"},  {why, "new"},
      {why, "removed"},  {fresh, "file"}, {why_fresh, "file"}};
  EXPECT_EQ(entries, expected);
  auto attributes = change.attributes;
  std::sort(attributes.begin(), attributes.end());
  EXPECT_EQ(attributes, (std::vector<NodeId>{SecretNode(4, 1), prod, why, fresh, why_fresh}));
  std::vector<NodeId> superseded;
  for (const SecretFile* file : change.superseded) superseded.push_back(file->id);
  std::sort(superseded.begin(), superseded.end());
  EXPECT_EQ(superseded, (std::vector<NodeId>{SecretNode(1, 1), SecretNode(2, 1)}));
}

TEST_F(TreeTest, HasAnExplanationForEachFile) {
  const auto tree = Build({Grant(7, "tls/a", 3), Grant(8, "b")});
  const Child* why = Find(*tree, {".grantfs", "why", "shop", "prod", "tls", "a"});
  ASSERT_NE(why, nullptr);
  EXPECT_EQ(why->id, MakeNode(NodeKind::kWhy, 7, 0));
  EXPECT_EQ(Find(*tree, {".grantfs", "why", ".grantfs"}), nullptr);
  EXPECT_EQ(tree->FindDirectory(kWhyNode)->parent, kReportsNode);
  EXPECT_EQ(tree->FindDirectory(kWhyNode)->subdirectories, 1U);
  const auto rooted = Build({Grant(7, "tls/a", 3)}, nullptr, "shop/prod");
  EXPECT_EQ(Find(*rooted, {".grantfs", "why", "tls", "a"})->id, why->id);
}

TEST_F(TreeTest, KnowsWhoMayRead) {
  auto grant = Grant(1, "a");
  grant.conditions = {"user=app", "user=nobody-here", "group=web", "unit=a.service"};
  auto broken = Grant(2, "b");
  broken.conditions = {"moon=full"};
  const auto tree = Build({grant, broken, Grant(3, "c")});
  const auto& who = tree->FindSecret(1)->who;
  ASSERT_TRUE(who);
  EXPECT_EQ(who->users.at(0).id, std::optional<std::uint32_t>(33));
  EXPECT_EQ(who->users.at(1).id, std::nullopt);
  EXPECT_TRUE(who->HasUnknownNames());
  EXPECT_EQ(who->groups.at(0).id, std::optional<std::uint32_t>(44));
  EXPECT_NE(tree->FindSecret(2)->who->broken.find("moon=full"), std::string::npos);
  EXPECT_EQ(tree->FindSecret(3)->who, nullptr);
}

TEST_F(TreeTest, TellsNothingWhereNothingChanged) {
  const auto before = Build({Grant(1, "a"), Grant(2, "b/c")});
  const TreeChange change = Compare(*before, *Build({Grant(1, "a"), Grant(2, "b/c")}, before.get()));
  EXPECT_TRUE(change.entries.empty());
  EXPECT_TRUE(change.attributes.empty());
  EXPECT_TRUE(change.superseded.empty());
}

}  // namespace
}  // namespace grantfs
