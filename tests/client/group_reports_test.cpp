// What reports tell of groups: who may read by one, and who has.

#include "served_vault.h"
#include "support/test_clock.h"

namespace grantfs::testing {
namespace {

class GroupReportsTest : public ServedTest {
 protected:
  GroupReportsTest() {
    for (const char* path : {"a", "tls/key"}) Set(path, "one");
    for (const char* name : {"web-1", "web-2", "web-3"}) Machine(name);
    // What is granted was granted a hundred days ago, by its owner's clock.
    past_.SetBy(-100 * kDay);
    ClientOptions before;
    before.clock = &past_;
    const auto owner = Must(OwnerSession::Open(Path("ann"), before));
    Must(owner->CreateGroup(kShop, "web", {"web-1", "web-2"}, {"", kNow}));
    GrantOptions options;
    options.wait = kNow;
    Must(owner->GrantTo("@web", {{kShop, "a"}}, options));
    Must(owner->GrantPrefix("@web", kShop, "tls/", options));
    Must(owner->GrantTo("web-3", {{kShop, "a"}}, options));
    Must(owner->GrantTo("web-1", {{kShop, "tls/key"}}, options));
  }
  /// An operator: who is in a group is not his to know.
  std::unique_ptr<OwnerSession> Operator(ClientOptions options = {}) {
    InviteOptions invite;
    invite.name = "otto";
    invite.kind = IdentityKind::kUser;
    const auto line = Must(Owner().Invite(invite)).line;
    Must(Enrol(Path("otto"), &line, kNow, {}));
    Must(Owner().Approve("otto", ""));
    EXPECT_TRUE(Must(Enrol(Path("otto"), nullptr, kNow, {})).approved);
    Must(Owner().AddMember(kShop, Must(Owner().FindPerson("otto")), Role::kOperator, "", ""));
    return Must(OwnerSession::Open(Path("otto"), std::move(options)));
  }
  std::string Told(const ReadersReport& report) {
    std::string text;
    for (const SecretReader& one : report.readers)
      text += one.who + (one.granted ? " granted" : "") + (one.by.empty() ? "" : " by " + one.by) +
              (one.version == 0 ? ", never; "
               : one.current    ? ", current; "
                                : ", old; ");
    return text;
  }
  static constexpr char kShop[] = "shop/prod";
  static constexpr std::int64_t kDay = 86'400;
  static constexpr std::chrono::milliseconds kNow{0};
  TestClock past_;
};

TEST_F(GroupReportsTest, WhoMayReadByAGroupOrPrefixAndHasNotStandsThere) {
  ReadText(*Mount("web-1"), "a");
  ReadText(*Mount("web-1"), "tls/key");
  Must(Owner().GetSecret({kShop, "a"}, {}));
  EXPECT_EQ(Told(Must(Owner().ReadersOf({kShop, "a"}))),
            "ann by owner, current; web-1 granted by @web, current; web-2 granted by @web, never; web-3 "
            "granted, never; ");
  EXPECT_EQ(Told(Must(Owner().ReadersOf({kShop, "tls/key"}))),
            "web-1 granted, current; web-2 granted by @web shop/prod/tls/, never; ");
  Revoke("web-1", "tls/key");
  EXPECT_EQ(Told(Must(Owner().ReadersOf({kShop, "tls/key"}))),
            "web-1 granted by @web shop/prod/tls/, current; web-2 granted by @web shop/prod/tls/, never; ");
  Must(Owner().RemoveFromGroup(kShop, "web", {"web-1"}, {"", kNow}));
  EXPECT_EQ(Told(Must(Owner().ReadersOf({kShop, "tls/key"}))),
            "web-1, current; web-2 granted by @web shop/prod/tls/, never; ");
  const auto seen = Must(Operator()->ReadersOf({kShop, "tls/key"}));
  EXPECT_EQ(seen.unseen, std::vector<std::string>{"@web"}) << "said, not left out in silence";
  EXPECT_EQ(Told(seen), "web-1, current; ");
  EXPECT_TRUE(Must(Owner().ReadersOf({kShop, "a"})).unseen.empty());
}

TEST_F(GroupReportsTest, AReviewCountsWhatAGroupsMachinesRead) {
  const auto unused = [](const ReviewResult& result) {
    std::string text;
    for (const UnusedGrant& one : result.grants)
      text += one.secret.Full() + " to " + one.machine + (one.prefix ? " and below; " : "; ");
    for (const UnusedInGroup& one : result.machines) text += one.machine + " in " + one.group + "; ";
    return text;
  };
  EXPECT_EQ(unused(Must(Owner().Review(101 * kDay))), "") << "all of it is younger";
  EXPECT_EQ(unused(Must(Owner().Review(90 * kDay))),
            "shop/prod/a to web-3; shop/prod/a to @web; shop/prod/tls/key to web-1; shop/prod/tls/ to @web "
            "and below; "
            "web-1 in shop/prod@web; web-2 in shop/prod@web; ");
  ReadText(*Mount("web-1"), "a");
  ReadText(*Mount("web-1"), "tls/key");
  EXPECT_EQ(unused(Must(Owner().Review(90 * kDay))),
            "shop/prod/a to web-3; shop/prod/tls/ to @web and below; web-2 in shop/prod@web; ")
      << "one machine's reading is the group's; its own grant counts before the prefix";
  ReadText(*Mount("web-2"), "tls/key");
  EXPECT_EQ(unused(Must(Owner().Review(90 * kDay))), "shop/prod/a to web-3; ");
  const auto seen = Must(Operator()->Review(90 * kDay));
  EXPECT_EQ(seen.unjudged, std::vector<std::string>{"shop/prod@web"}) << "who is in it is not his to know";
  EXPECT_EQ(unused(seen), "shop/prod/a to web-3; ");
}

TEST_F(GroupReportsTest, WhoseLifeHasEndedWithAGroupsKeyStandsInTheOwnersStatusUntilTheNextKey) {
  EXPECT_TRUE(Must(Owner().VaultStatus()).owed.empty());
  for (const char* name : {"build-1", "build-2"}) {
    InviteOptions invite;
    invite.name = name;
    invite.lives = 3600;
    const auto line = Must(Owner().Invite(invite)).line;
    Must(Enrol(Path(name), &line, kNow, {}));
    Must(Owner().Approve(name, ""));
    Must(Owner().AddToGroup(kShop, "web", {name}, {"", kNow}));
  }
  EXPECT_TRUE(Must(Owner().VaultStatus()).owed.empty()) << "they live";
  TestClock clock;
  clock.SetBy(2 * 3600);
  ClientOptions later;
  later.clock = &clock;
  const auto owner = Must(OwnerSession::Open(Path("ann"), later));
  const auto owed = Must(owner->VaultStatus()).owed;
  ASSERT_EQ(owed.size(), 1u);
  EXPECT_NE(owed[0].find("build-1, build-2, whose lives have ended"), std::string::npos) << owed[0];
  const std::string command = "grantfs group remove shop/prod web ";
  const auto at = owed[0].find(command);
  ASSERT_NE(at, std::string::npos) << owed[0];
  Must(owner->RemoveFromGroup(kShop, "web", {owed[0].substr(at + command.size(), 64)}, {"", kNow}));
  EXPECT_TRUE(Must(owner->VaultStatus()).owed.empty()) << "neither has the next key";
}

}  // namespace
}  // namespace grantfs::testing
