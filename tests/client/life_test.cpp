// What an owner does to a secret beside setting it, and what a vault may make of it.

#include "hostile_machine_test.h"

namespace grantfs::testing {
namespace {

class LifeFlowTest : public HostileMachineTest {
 protected:
  static SecretName Name(const std::string& path) { return {"shop/prod", path}; }
  Result<std::vector<ChangedSecret>> Change(LifeChange change, const std::string& path,
                                            const ChangeOptions& options = {}) {
    return Owner().ChangeSecrets(change, {Name(path)}, options);
  }
  static ChangeOptions To(std::uint32_t version) {
    ChangeOptions options;
    options.to = version;
    return options;
  }
};

TEST_F(LifeFlowTest, RollsBackToAVersionThatIsThere) {
  Set("a", "two");
  Set("a", "three");
  const auto back = Must(Change(LifeChange::kRollBack, "a")).at(0);
  EXPECT_EQ(back.before, 3u);
  EXPECT_EQ(back.current, 2u);
  EXPECT_EQ(Must(Change(LifeChange::kRollBack, "a", To(1))).at(0).current, 1u);
  EXPECT_EQ(CodeOf(Change(LifeChange::kRollBack, "a", To(1))), Code::kConflict);
  EXPECT_EQ(CodeOf(Change(LifeChange::kRollBack, "a", To(4))), Code::kNotFound);
  EXPECT_EQ(CodeOf(Change(LifeChange::kRollBack, "b")), Code::kNotFound) << "it has no previous version";
  EXPECT_EQ(CodeOf(Change(LifeChange::kRollBack, "none")), Code::kNotFound);
  ChangeOptions dry = To(3);
  dry.dry_run = true;
  EXPECT_EQ(Must(Change(LifeChange::kRollBack, "a", dry)).at(0).current, 3u);
  EXPECT_EQ(Must(Owner().GetSecret(Name("a"), {})).version, 1u);
}

TEST_F(LifeFlowTest, WhatHasExpiredIsNotRolledBackTo) {
  SetSecretOptions options;
  options.expires_after = 1;
  Must(Owner().SetSecret(Name("a"), Value("short"), options));
  options.expires_after = 0;
  Must(Owner().SetSecret(Name("a"), Value("long"), options));
  EXPECT_TRUE(Eventually([&] {
    const auto back = Change(LifeChange::kRollBack, "a");
    return !back && back.error().code == Code::kInvalid;
  }));
}

TEST_F(LifeFlowTest, ALaterVersionExpiresAsTheOneBefore) {
  SetSecretOptions options;
  options.expires_after = 3600;
  EXPECT_EQ(Must(Owner().SetSecret(Name("a"), Value("x"), options)).expires_after, 3600);
  EXPECT_EQ(Must(Owner().SetSecret(Name("a"), Value("y"), {})).expires_after, 3600);
  options.expires_after = kMaxTermSeconds + 1;
  EXPECT_EQ(CodeOf(Owner().SetSecret(Name("a"), Value("z"), options)), Code::kInvalid);
}

TEST_F(LifeFlowTest, SeveralAreDeletedTogetherOrNotAtAll) {
  EXPECT_EQ(CodeOf(Owner().ChangeSecrets(LifeChange::kDelete, {Name("a"), Name("none")}, {})),
            Code::kNotFound);
  EXPECT_TRUE(Owner().GetSecret(Name("a"), {}));
  Must(Owner().ChangeSecrets(LifeChange::kDelete, {Name("a"), Name("b")}, {}));
  for (const char* path : {"a", "b"}) EXPECT_EQ(CodeOf(Owner().GetSecret(Name(path), {})), Code::kNotFound);
  EXPECT_EQ(CodeOf(Change(LifeChange::kDelete, "a")), Code::kConflict);
  EXPECT_EQ(CodeOf(Change(LifeChange::kRollBack, "a")), Code::kInvalid);
  EXPECT_EQ(CodeOf(Owner().SetSecret(Name("a"), Value("x"), {})), Code::kNotFound);
  Must(Change(LifeChange::kUndelete, "a"));
  EXPECT_EQ(CodeOf(Change(LifeChange::kUndelete, "a")), Code::kConflict);
}

TEST_F(LifeFlowTest, APurgeTakesNoneThatALabelPointsAt) {
  for (const char* value : {"2", "3", "4"}) Set("a", value);
  Must(Change(LifeChange::kRollBack, "a", To(1)));  // previous is 4
  SetSecretOptions next;
  next.label = kNextLabel;
  Must(Owner().SetSecret(Name("a"), Value("5"), next));
  ChangeOptions rule;
  rule.older_than = 3600;
  EXPECT_FALSE(Must(Change(LifeChange::kPurge, "a", rule)).at(0).changed);
  rule.older_than = 0;
  rule.keep = 3;  // 5, 4, 3
  EXPECT_EQ(Must(Change(LifeChange::kPurge, "a", rule)).at(0).destroyed, (std::vector<std::uint32_t>{2}));
  rule.keep = 1;
  EXPECT_EQ(Must(Change(LifeChange::kPurge, "a", rule)).at(0).destroyed, (std::vector<std::uint32_t>{3}));
}

TEST_F(LifeFlowTest, AVaultThatShowsTheOldLabelIsRefused) {
  const auto session = Mount("web-1");
  Set("a", "the new one");
  ASSERT_TRUE(Eventually([&] { return Lists(*session, "a", 2); }));
  Forger forger(Path("ann"));
  forger.Refresh();
  const std::uint64_t number = NumberOf("a");
  const std::string version = forger.Secret(number, "a").Current()->statement->envelope();
  Must(Change(LifeChange::kRollBack, "a", To(1)));
  ASSERT_TRUE(Eventually([&] { return Lists(*session, "a", 1); }));
  LieAboutGrants([=](const auto&, api::GrantsResponse& answer) {
    for (auto& evidence : answer.grants)
      if (evidence.secret == number) evidence.version = version;
  });
  Grant("web-1", "a");
  ExpectSays(*session, "label points at");
  EXPECT_EQ(CodeOf(Read(*session, "a")), Code::kIntegrity);
}

TEST_F(LifeFlowTest, AVaultThatGoesOnAnsweringWithWhatWasRolledBackIsRefused) {
  const auto session = Mount("web-1");
  Set("a", "the new one");
  ASSERT_TRUE(Eventually([&] { return Lists(*session, "a", 2); }));
  const auto captured = Capture<api::ReadRequest, api::ReadResponse>(api::kMachineRead);
  ASSERT_TRUE(Read(*session, "a"));
  const auto newer = *captured;
  vault_.SetRewrite({});
  Must(Change(LifeChange::kRollBack, "a", To(1)));
  ASSERT_TRUE(Eventually([&] { return Lists(*session, "a", 1); }));
  vault_.Lie<api::ReadRequest, api::ReadResponse>(api::kMachineRead,
                                                  [newer](const auto&, api::ReadResponse& answer) {
                                                    const auto heads = answer;
                                                    answer = newer;
                                                    answer.secret_head = heads.secret_head;
                                                  });
  EXPECT_EQ(CodeOf(Read(*session, "a")), Code::kIntegrity);
  vault_.SetRewrite({});
  EXPECT_EQ(ReadText(*session, "a"), "one");
}

TEST_F(LifeFlowTest, AVaultThatPlaysAnUndeletionAgainIsRefused) {
  const auto session = Mount("web-1");
  Must(Change(LifeChange::kDelete, "a"));
  Must(Change(LifeChange::kUndelete, "a"));
  ASSERT_TRUE(Eventually([&] { return Lists(*session, "a", 1); }));
  Forger forger(Path("ann"));
  forger.Refresh();
  const std::uint64_t number = NumberOf("a");
  const SecretList list = forger.Secret(number, "a");
  const std::string undeletion = list.At(list.next_sequence() - 1)->envelope();
  const std::string version = list.Current()->statement->envelope();
  Must(Change(LifeChange::kDelete, "a"));
  ASSERT_TRUE(Eventually([&] { return !Lists(*session, "a", 1); }));
  LieAboutGrants([=](const auto&, api::GrantsResponse& answer) {
    for (auto& evidence : answer.grants) {
      if (evidence.secret != number) continue;
      evidence.statements.push_back(undeletion);
      evidence.version = version;
    }
  });
  ChangeOptions words;
  words.description = "so that the machine looks";
  Must(Change(LifeChange::kDescribe, "a", words));
  ExpectSays(*session, "shop/prod/a is refused");
  EXPECT_FALSE(Lists(*session, "a"));
  EXPECT_FALSE(Read(*session, "a"));
}

TEST_F(LifeFlowTest, ANameIsAnothersOnlyOnceTheVaultShowsThatTheSecretWasDestroyed) {
  const std::uint64_t number = NumberOf("a");
  vault_.Lie<api::SecretFindRequest, api::SecretFindResponse>(
      api::kSecretsFind, [&, other = NumberOf("b")](const auto& asked, api::SecretFindResponse& answer) {
        if (asked.path == "a") answer.number = other;
      });
  EXPECT_EQ(CodeOf(Owner().GetSecret(Name("a"), {})), Code::kIntegrity);
  vault_.SetRewrite([](const HttpRequest& asked, HttpResponse& answer) {
    if (asked.path != api::kSecretsFind.path) return;
    answer.status = 404;
    answer.body = R"({"type":"about:blank","title":"Not found","status":404,"code":"not-found","detail":""})";
  });
  EXPECT_EQ(CodeOf(Owner().SetSecret(Name("a"), Value("in its place"), {})), Code::kIntegrity)
      << "the vault hides what this home knows";
  vault_.SetRewrite({});
  Must(Change(LifeChange::kDestroy, "a"));
  EXPECT_EQ(CodeOf(Owner().GetSecret(Name("a"), {})), Code::kNotFound);
  const auto made = Must(Owner().SetSecret(Name("a"), Value("in its place"), {}));
  EXPECT_TRUE(made.created);
  EXPECT_GT(made.number, number);
}

}  // namespace
}  // namespace grantfs::testing
