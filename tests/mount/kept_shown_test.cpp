#include <gtest/gtest.h>

#include "mount/tree/kept_files_internal.h"
#include "mount/tree/kept_shown_internal.h"
#include "mount/tree/name_changes_internal.h"

namespace grantfs {
namespace {

class KeptShownTest : public ::testing::Test {
 protected:
  static GrantedSecret Granted(std::uint64_t number, const std::string& path, std::uint32_t version = 1) {
    GrantedSecret grant;
    grant.number = number;
    grant.version = version;
    grant.environment = "shop/prod";
    grant.path = path;
    grant.size = 5;
    grant.time = 77;
    grant.mode = 0440;
    return grant;
  }
  std::shared_ptr<const Tree> Build(std::shared_ptr<const Listing> listing) {
    return BuildTree({std::move(listing), "", &ids_, &owners_, nullptr, 1});
  }
  std::shared_ptr<const Tree> Build(std::vector<GrantedSecret> secrets) {
    auto listing = std::make_shared<Listing>();
    listing->secrets = std::move(secrets);
    return Build(std::move(listing));
  }
  void Restart() {
    kept_.reset();
    kept_ = *KeptMemory::Attach(memory_.get());
  }
  /// The paths of what the next process would tell of, when this is what it shows.
  std::set<std::string> Untold(const Tree& now) {
    const auto left = KeptShown(kept_.get()).Load();
    EXPECT_TRUE(left);
    if (!left) return {"(nothing was kept)"};
    const auto before = Build(left->shown);
    EXPECT_TRUE(before->hidden().empty());
    return PathsOf(SecretChangesOf(*before, now), "");
  }

  const UniqueFd memory_ = *KeptMemory::Make(std::size_t{1} << 16);
  std::unique_ptr<KeptMemory> kept_ = *KeptMemory::Attach(memory_.get());
  DirectoryIds ids_;
  Owners owners_ = SystemOwners();
};

TEST_F(KeptShownTest, TheNextProcessKnowsWhatWasShownAndWhatIsNew) {
  EXPECT_FALSE(KeptShown(kept_.get()).Load()) << "there was no process before";
  const auto first = Build({Granted(1, "a"), Granted(2, "dir/b"), Granted(3, "c")});
  KeptShown(kept_.get()).Begin(*first);
  Restart();
  EXPECT_EQ(Untold(*first), std::set<std::string>{});
  EXPECT_TRUE(KeptShown(kept_.get()).Load()->untold.empty());
  auto other = Granted(3, "c");
  other.mode = 0400;
  const auto next = Build({Granted(1, "a", 2), Granted(4, "d"), other});
  EXPECT_EQ(Untold(*next),
            (std::set<std::string>{"shop/prod/a", "shop/prod/c", "shop/prod/d", "shop/prod/dir/b"}));
}

TEST_F(KeptShownTest, WhatIsShownIsNotToldUntilItWas) {
  const auto before = Build({Granted(1, "a"), Granted(2, "b")});
  const auto after = Build({Granted(1, "a", 2)});
  KeptShown shown(kept_.get());
  shown.Begin(*before);
  shown.Show(*after->FindSecret(1));
  Restart();
  EXPECT_EQ(Untold(*after), std::set<std::string>{"shop/prod/b"});
  EXPECT_EQ(KeptShown(kept_.get()).Load()->untold, std::set<std::uint64_t>{1});
  KeptShown next(kept_.get());
  for (const SecretChange& change : SecretChangesOf(*before, *after)) next.Told(change);
  Restart();
  EXPECT_EQ(Untold(*after), std::set<std::string>{});
  EXPECT_TRUE(KeptShown(kept_.get()).Load()->untold.empty());
}

TEST_F(KeptShownTest, AnOlderChangeThatIsToldLateDoesNotCountForANewerOne) {
  const auto first = Build({Granted(1, "a")});
  const auto second = Build({Granted(1, "a", 2)});
  const auto third = Build({Granted(1, "a", 3)});
  KeptShown shown(kept_.get());
  shown.Begin(*first);
  shown.Show(*second->FindSecret(1));
  shown.Show(*third->FindSecret(1));
  shown.Told({first->FindSecret(1), second->FindSecret(1)});
  EXPECT_EQ(shown.Load()->untold, std::set<std::uint64_t>{1});
  EXPECT_EQ(Untold(*third), std::set<std::string>{});
  shown.Told({second->FindSecret(1), third->FindSecret(1)});
  EXPECT_TRUE(shown.Load()->untold.empty());
}

TEST_F(KeptShownTest, HalfOfItCountsForNothing) {
  std::vector<GrantedSecret> many;
  for (std::uint64_t i = 1; i < 1000; ++i) many.push_back(Granted(i, "s" + std::to_string(i)));
  KeptShown shown(kept_.get());
  shown.Begin(*Build(many));
  EXPECT_FALSE(shown.Load()) << "it does not fit";
  const auto small = Build({Granted(1, "a")});
  shown.Begin(*small);
  EXPECT_EQ(Untold(*small), std::set<std::string>{});
  while (kept_->Put(99, AsBytes(std::to_string(many.size())), Bytes(100))) many.emplace_back();
  shown.Show(*Build({Granted(1, "a", 2)})->FindSecret(1));
  EXPECT_FALSE(shown.Load()) << "there was no room for the change";
}

TEST_F(KeptShownTest, RecordsThatAreNoneAreLeftOut) {
  const auto tree = Build({Granted(1, "a")});
  KeptShown(kept_.get()).Begin(*tree);
  for (const std::size_t size : {0, 1, 40, 56}) {
    const Bytes noise(size, 0xff);
    ASSERT_TRUE(kept_->Put(kKeptShown, noise, noise));
  }
  Restart();
  EXPECT_EQ(Untold(*tree), std::set<std::string>{});
}

}  // namespace
}  // namespace grantfs
