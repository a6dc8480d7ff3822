// What a machine shows of a file that is made of several secrets, and which versions it is made of.

#include "client/machine/machine_view_internal.h"
#include "client_test.h"

namespace grantfs::testing {
namespace {

class BundleViewTest : public ClientTest {
 protected:
  BundleViewTest() {
    Make(8, "left", SecretType::kValue);
    Make(9, "right", SecretType::kValue);
    Make(10, "pair", SecretType::kTemplate);
    Publish(8, "s0");
    Publish(9, "s0");
    Publish(10, "");
  }
  void Make(std::uint64_t number, const std::string& path, SecretType type) {
    lists_.emplace(number, SecretList(number));
    Good(
        world_.AddTo(lists_.at(number), world_.owner, SecretCreate{number, "shop/prod", path, type, "", ""}));
  }
  void Publish(std::uint64_t number, const std::string& set) {
    SecretList& list = lists_.at(number);
    VersionPublish version = world_.VersionOf(list, list.create().path);
    version.set = set;
    if (list.create().type == SecretType::kTemplate) version.parts = {"left", "right"};
    Good(world_.AddTo(list, world_.owner, version));
  }
  /// All that is granted, as the lists are now.
  MachineView Now(const std::set<std::uint64_t>& granted = {8, 9, 10}) {
    MachineView view;
    view.vault = std::make_shared<const VaultList>(world_.vault);
    view.environments["shop/prod"] = std::make_shared<const EnvironmentList>(world_.environment);
    for (const std::uint64_t number : granted) {
      SecretProof proof(lists_.at(number));
      proof.version = proof.list.Current()->statement;
      proof.grant = proof.list.At(0);  // any: it is not looked at
      auto secret = std::make_shared<SecretView>();
      secret->number = number;
      secret->environment = "shop/prod";
      secret->path = proof.list.create().path;
      secret->proof = KeptProof(proof, nullptr);
      secret->version = proof.version->hash();
      secret->publish = proof.list.Current()->publish;
      secret->terms = terms_[number];
      if (!enforced_) secret->unenforceable = UnenforceableReason(secret->terms);
      view.secrets[number] = std::move(secret);
    }
    return view;
  }
  std::shared_ptr<const BundleView> Bundle(const MachineView& view, const Bundles* before = nullptr) {
    return MakeBundles(view, before).at(10);
  }
  GrantedSecret Shown(MachineView view) {
    view.bundles = MakeBundles(view, nullptr);
    const auto listing = MakeListing(view, std::make_shared<const Listing>());
    for (const GrantedSecret& secret : listing->secrets)
      if (secret.path == "pair") return secret;
    return {};
  }
  bool Tears(std::uint32_t left, std::uint32_t right, const std::set<std::size_t>& stale) {
    return TearsSet(Now(), {{10, 1, "pair"}, {8, left, "left"}, {9, right, "right"}}, stale);
  }

  World world_;
  std::map<std::uint64_t, SecretList> lists_;
  std::map<std::uint64_t, Grant> terms_;
  bool enforced_ = false;  ///< as by a program that can enforce what is asked for
};

TEST_F(BundleViewTest, ItsVersionStandsForTheTemplateAndEachPart) {
  const auto first = Bundle(Now());
  ASSERT_EQ(first->parts.size(), 3u);
  EXPECT_EQ(first->parts[0], (BundleView::Part{10, 1, "pair"}));
  EXPECT_EQ(first->parts[2], (BundleView::Part{9, 1, "right"}));
  EXPECT_EQ(Bundle(Now())->version, first->version) << "the same in another process";
  Bundles before{{10, first}};
  EXPECT_EQ(Bundle(Now(), &before)->version, first->version);
  std::set<std::uint32_t> seen{first->version};
  for (const std::uint64_t changed : {8, 9, 10}) {
    Publish(changed, "");
    before[10] = Bundle(Now(), &before);
    EXPECT_TRUE(seen.insert(before[10]->version).second) << changed;
    ASSERT_NE(before[10]->Find(first->version), nullptr) << "for opens that come a moment after the rotation";
    EXPECT_EQ(*before[10]->Find(first->version), first->parts);
  }
  for (int i = 0; i < 10; ++i) {
    Publish(8, "");
    before[10] = Bundle(Now(), &before);
  }
  EXPECT_EQ(before[10]->Find(first->version), nullptr);
  EXPECT_LE(before[10]->older.size(), 4u);
}

TEST_F(BundleViewTest, OtherPartsAreAnotherVersionWhateverTheyHashTo) {
  const auto first = Bundle(Now());
  auto taken = std::make_shared<BundleView>(*first);
  taken->parts[1].version = 77;  // as if other parts had the number that these have
  const Bundles before{{10, taken}};
  EXPECT_NE(Bundle(Now(), &before)->version, first->version);
}

TEST_F(BundleViewTest, WithoutAPartThereIsNoFileAndItIsNamed) {
  const auto without = Bundle(Now({8, 10}));
  EXPECT_EQ(without->version, 0u);
  EXPECT_NE(without->missing.find("shop/prod/right, which is not granted"), std::string::npos)
      << without->missing;
  EXPECT_EQ(Shown(Now({8, 10})).missing, without->missing);
  EXPECT_EQ(Shown(Now({8, 10})).parts, 2u);
  const Bundles before{{10, Bundle(Now())}};
  EXPECT_EQ(Bundle(Now({9, 10}), &before)->version, 0u);
  EXPECT_TRUE(MakeBundles(Now({8, 9}), nullptr).empty());
}

TEST_F(BundleViewTest, ATemplateOfTemplatesIsNotShown) {
  Make(11, "outer", SecretType::kTemplate);
  VersionPublish version = world_.VersionOf(lists_.at(11), "outer");
  version.parts = {"pair"};
  Good(world_.AddTo(lists_.at(11), world_.owner, version));
  const auto outer = MakeBundles(Now({8, 9, 10, 11}), nullptr).at(11);
  EXPECT_NE(outer->missing.find("is a template itself"), std::string::npos) << outer->missing;
}

TEST_F(BundleViewTest, ItIsNoMoreOpenThanItsParts) {
  terms_[10].expires = 300;
  EXPECT_EQ(Shown(Now()).expires, 300);
  EXPECT_FALSE(Shown(Now()).strict);
  terms_[8].expires = 200;
  terms_[9].expires = 400;
  terms_[9].strict = true;
  EXPECT_EQ(Shown(Now()).expires, 200);
  EXPECT_TRUE(Shown(Now()).strict);
  terms_[8].conditions = {"colour=blue"};
  EXPECT_NE(Shown(Now()).unenforceable.find("of its part left: "), std::string::npos);
}

TEST_F(BundleViewTest, ItIsToBeRotatedWhenTheFirstOfItIs) {
  const auto publish = [&](std::uint64_t number, std::int64_t rotate_after) {
    SecretList& list = lists_.at(number);
    VersionPublish version = world_.VersionOf(list, list.create().path);
    if (number == 10) version.parts = {"left", "right"};
    version.rotate_after = rotate_after;
    Good(world_.AddTo(list, world_.owner, version));
  };
  EXPECT_EQ(Shown(Now()).rotate_due, 0);
  publish(8, 300);  // after the epoch: these views have no time
  EXPECT_EQ(Shown(Now()).rotate_due, 300);
  publish(9, 200);
  EXPECT_EQ(Shown(Now()).rotate_due, 200);
  publish(10, 100);
  EXPECT_EQ(Shown(Now()).rotate_due, 100);
  publish(10, 400);
  EXPECT_EQ(Shown(Now()).rotate_due, 200);
}

TEST_F(BundleViewTest, APartsConditionsMustBeItsOwn) {
  const auto denied = [&] {
    MachineView view = Now();
    view.bundles = MakeBundles(view, nullptr);
    GrantedSecret shown;
    ShowBundle(view, *view.bundles.at(10), &shown);
    return shown.unenforceable;
  };
  enforced_ = true;
  terms_[8].conditions = {"user=app", "unit=app.service"};
  EXPECT_NE(denied().find("part left is granted under other conditions"), std::string::npos) << denied();
  terms_[10].conditions = {"user=app"};
  EXPECT_NE(denied(), "");
  terms_[10].conditions = {"unit=app.service", "user=app"};
  EXPECT_EQ(denied(), "");
  terms_[8].conditions = {};
  EXPECT_EQ(denied(), "") << "a part that all may read";
}

TEST_F(BundleViewTest, WhatWasPublishedAsOneActIsNotTorn) {
  EXPECT_FALSE(Tears(1, 1, {}));
  EXPECT_TRUE(Tears(1, 1, {2})) << "superseded by what is not known";
  Publish(8, "s1");
  Publish(9, "s1");
  EXPECT_FALSE(Tears(1, 1, {1, 2})) << "all of it as it was before";
  EXPECT_TRUE(Tears(2, 1, {2}));
  EXPECT_TRUE(Tears(1, 2, {1}));
  EXPECT_FALSE(Tears(2, 2, {}));
  Publish(8, "");
  EXPECT_TRUE(Tears(3, 1, {2})) << "also where there is a newer one since";
  EXPECT_FALSE(Tears(2, 2, {1})) << "what changed alone may be as it was";
  EXPECT_FALSE(Tears(1, 1, {1, 2}));
}

TEST_F(BundleViewTest, WhatIsInOneFileIsLookedAtTogether) {
  const Bundles bundles = MakeBundles(Now(), nullptr);
  EXPECT_EQ(WithSiblings(bundles, {8}), (std::set<std::uint64_t>{8, 9, 10}));
  EXPECT_EQ(WithSiblings(bundles, {7}), (std::set<std::uint64_t>{7}));
}

}  // namespace
}  // namespace grantfs::testing
