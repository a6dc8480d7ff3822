// Somebody leaves: many secrets' lists are asked for at once, of a vault that lies about them, and vouched
// for while others go on writing.

#include <set>

#include "grantfs/api/problem.h"
#include "hostile_test.h"

namespace grantfs::testing {
namespace {

constexpr const char* kEnvironment = "shop/prod";

class HostileOffboardTest : public HostileTest {
 protected:
  HostileOffboardTest() {
    for (const char* name : {"dan", "cy"}) {
      Must(Owner().AddMember(kEnvironment, MakeHome(name), Role::kWriter, "", ""));
      sessions_[name] = Must(OwnerSession::Open(Path(name)));
    }
    for (const char* path : {"a", "b", "c"}) {
      Must(By("dan").SetSecret({kEnvironment, path}, Value("one"), {}));
      Must(By("dan").SetSecret({kEnvironment, path}, Value("dan's"), {}));
    }
  }
  OwnerSession& By(const std::string& name) { return *sessions_.at(name); }
  /// A program with a home that has seen none of the secrets' lists.
  std::unique_ptr<OwnerSession> Again(std::function<void(const Progress&)> progress = nullptr) {
    ClientOptions options;
    options.progress = std::move(progress);
    return Must(OwnerSession::Open(Path("ann"), std::move(options)));
  }
  using Lists = std::vector<api::ListReadResponse>;
  void LieOfTails(std::function<void(Lists&)> lie) {
    vault_.Lie<api::TailsRequest, api::TailsResponse>(
        api::kListsTails, [lie](const api::TailsRequest&, api::TailsResponse& answer) { lie(answer.lists); });
  }
  /// How many statements of these kinds stand in the secrets' lists.
  std::string Vouched() {
    Forger ann(Path("ann"));
    std::string counts;
    for (const char* path : {"a", "b", "c"}) {
      const SecretList list = ann.Secret(NumberOf(path), path);
      std::size_t vouches = 0;
      for (std::uint64_t i = 0; i < list.next_sequence(); ++i)
        vouches += std::holds_alternative<Vouch>(list.At(i)->statement().act);
      counts += std::to_string(vouches);
    }
    return counts;
  }
  void ExpectDanIsGone() {
    EXPECT_FALSE(IsMember("dan"));
    for (const char* path : {"a", "b", "c"})
      EXPECT_NE(Shown(Must(Again()->GetSecret({kEnvironment, path}, {})).value), "one");
  }
  bool IsMember(const std::string& name) {
    for (const MemberInfo& member : Must(Again()->ListMembers(kEnvironment)))
      if (member.name == name) return true;
    return false;
  }
  std::map<std::string, std::unique_ptr<OwnerSession>> sessions_;
};

TEST_F(HostileOffboardTest, ASecretThatIsLeftOutIsNotTakenForAnother) {
  LieOfTails([](Lists& lists) { lists.erase(lists.begin()); });
  const auto refused = Again()->RemoveMember(kEnvironment, "dan", "");
  EXPECT_EQ(CodeOf(Result<int>(refused.error())), Code::kIntegrity);
  EXPECT_NE(Describe(refused.error()).find("other secrets' lists than it was asked for"), std::string::npos);
  EXPECT_TRUE(IsMember("dan"));
  vault_.SetRewrite({});
  Good(Again()->RemoveMember(kEnvironment, "dan", ""));
  EXPECT_EQ(Vouched(), "111");
  ExpectDanIsGone();
}

TEST_F(HostileOffboardTest, AnotherOrderIsRefused) {
  LieOfTails([](Lists& lists) { std::reverse(lists.begin(), lists.end()); });
  EXPECT_EQ(CodeOf(Again()->ListSecrets(kEnvironment, "")), Code::kIntegrity);
  EXPECT_FALSE(Again()->RemoveMember(kEnvironment, "dan", ""));
  EXPECT_TRUE(IsMember("dan"));
}

TEST_F(HostileOffboardTest, MoreThanWasAskedForIsRefused) {
  LieOfTails([](Lists& lists) { lists.push_back(lists.back()); });
  EXPECT_EQ(CodeOf(Again()->ListSecrets(kEnvironment, "")), Code::kIntegrity);
}

TEST_F(HostileOffboardTest, NoListAtAllIsNoAnswer) {
  vault_.SetRewrite([](const HttpRequest& asked, HttpResponse& answer) {
    if (asked.path == api::kListsTails.path) answer.body = R"({"lists":[]})";
  });
  EXPECT_EQ(CodeOf(Again()->ListSecrets(kEnvironment, "")), Code::kUnsupported);
}

TEST_F(HostileOffboardTest, TheFirstAloneIsAskedForTheRest) {
  int answers = 0;
  LieOfTails([&](Lists& lists) {
    lists.resize(1);
    ++answers;
  });
  Good(Again()->RemoveMember(kEnvironment, "dan", ""));
  EXPECT_EQ(answers, 3);
  EXPECT_EQ(Vouched(), "111");
}

TEST_F(HostileOffboardTest, WhatIsSaidOfOneSecretUnderTheNameOfAnotherIsNotUsed) {
  LieOfTails([](Lists& lists) { std::swap(lists[0].statements, lists[1].statements); });
  Good(Again()->RemoveMember(kEnvironment, "dan", ""));
  EXPECT_EQ(Vouched(), "111") << "it was asked for by itself";
  ExpectDanIsGone();
}

TEST_F(HostileOffboardTest, AListCutShortIsNotUsed) {
  LieOfTails([](Lists& lists) { lists[1].statements.pop_back(); });
  Good(Again()->RemoveMember(kEnvironment, "dan", ""));
  EXPECT_EQ(Vouched(), "111");
  ExpectDanIsGone();
}

TEST_F(HostileOffboardTest, AListRolledBackIsRefusedAndNamed) {
  Must(Owner().ListSecrets(kEnvironment, ""));
  const std::uint64_t number = NumberOf("b");
  Must(By("dan").SetSecret({kEnvironment, "b"}, Value("newer"), {}));
  Must(Owner().ListSecrets(kEnvironment, ""));
  // Everything that tells of the list shows it one statement shorter than it was seen.
  vault_.SetRewrite([number](const HttpRequest& asked, HttpResponse& answer) {
    if (answer.status != 200) return;
    const auto shorter = [](api::ListReadResponse& list) {
      list.head->sequence -= 1;
      list.head->hash.bytes[0] ^= 1;
      list.statements.clear();
    };
    if (asked.path == api::kSecretsList.path) {
      auto listed = Must(api::SecretsListResponse::FromJson(Must(ParseJson(answer.body))));
      for (auto& one : listed.secrets)
        if (one.number == number) one.head.sequence -= 1;
      answer.body = listed.ToJson().Dump();
    } else if (asked.path == api::kListsTails.path) {
      auto tails = Must(api::TailsResponse::FromJson(Must(ParseJson(answer.body))));
      for (auto& list : tails.lists)
        if (list.list == ListId::Secret(number)) shorter(list);
      answer.body = tails.ToJson().Dump();
    } else if (asked.path == api::kListsRead.path) {
      auto list = Must(api::ListReadResponse::FromJson(Must(ParseJson(answer.body))));
      if (list.list == ListId::Secret(number)) shorter(list);
      answer.body = list.ToJson().Dump();
    }
  });
  const auto refused = Again()->RemoveMember(kEnvironment, "dan", "");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kIntegrity);
  EXPECT_NE(Describe(refused.error()).find("rollback"), std::string::npos) << Describe(refused.error());
  const auto listed = Must(Again()->ListSecrets(kEnvironment, ""));
  ASSERT_EQ(listed.size(), 3u);
  EXPECT_TRUE(listed[0].problem.empty() && listed[2].problem.empty()) << "no other suffers";
  EXPECT_NE(listed[1].problem.find("rollback"), std::string::npos) << listed[1].problem;
}

TEST_F(HostileOffboardTest, AnOlderVaultIsAskedForOneAfterTheOther) {
  vault_.SetRewrite([](const HttpRequest& asked, HttpResponse& answer) {
    if (asked.path != api::kListsTails.path) return;
    answer.status = 404;
    answer.body = R"({"type":"about:blank","title":"Not found","status":404,"code":"not-found"})";
  });
  Good(Again()->RemoveMember(kEnvironment, "dan", ""));
  EXPECT_EQ(Vouched(), "111");
  ExpectDanIsGone();
}

// cy is quicker than the vouches: none of their append is made, and only what still needs it is made again.
TEST_F(HostileOffboardTest, ABatchThatSomebodyOvertakesIsMadeAgainWhole) {
  bool written = false;
  const auto owner = Again([&](const Progress& progress) {
    if (std::string(progress.what) != "vouching" || progress.done < 3 || std::exchange(written, true)) return;
    Must(By("cy").SetSecret({kEnvironment, "a"}, Value("cy's"), {}));
  });
  Good(owner->RemoveMember(kEnvironment, "dan", ""));
  EXPECT_TRUE(written);
  EXPECT_EQ(Vouched(), "011") << "cy follows dan in the first, and each is vouched for once";
  ExpectDanIsGone();
  EXPECT_EQ(Shown(Must(Again()->GetSecret({kEnvironment, "a"}, {})).value), "cy's");
}

TEST_F(HostileOffboardTest, TheLeaverOvertakesOnceAndIsFrozenThen) {
  std::vector<std::string> said;
  const auto owner = Again([&](const Progress& progress) {
    if (std::string(progress.what) != "vouching" || progress.done < 3) return;
    const auto set = By("dan").SetSecret({kEnvironment, "a"}, Value("once more"), {});
    said.push_back(set ? "taken" : Describe(set.error()));
  });
  Good(owner->RemoveMember(kEnvironment, "dan", ""));
  ASSERT_GE(said.size(), 2u);
  EXPECT_EQ(said[0], "taken") << "before the vault was asked for anything";
  EXPECT_NE(said[1].find("removing this identity"), std::string::npos) << said[1];
  EXPECT_EQ(Vouched(), "111");
  EXPECT_EQ(Shown(Must(Again()->GetSecret({kEnvironment, "a"}, {})).value), "once more");
  EXPECT_FALSE(IsMember("dan"));
}

TEST_F(HostileOffboardTest, AnAnswerThatIsLostMakesNoSecondVouch) {
  vault_.LoseNextAnswer(api::kListsAppend);
  const auto first = Again()->RemoveMember(kEnvironment, "dan", "");
  if (!first) Good(Again()->RemoveMember(kEnvironment, "dan", ""));
  EXPECT_TRUE(vault_.lost());
  EXPECT_EQ(Vouched(), "111");
  ExpectDanIsGone();
}

// What is done stays done, and a program that begins anew does only the rest.
TEST_F(HostileOffboardTest, ACommandThatWasCutOffGoesOnWhereItWas) {
  int appends = 0;
  vault_.SetRewrite([&](const HttpRequest& asked, HttpResponse& answer) {
    // The first is the freeze, the second are the vouches, the third is the removal.
    if (asked.path != api::kListsAppend.path || ++appends != 2) return;
    answer.status = 500;
    answer.body = R"({"type":"about:blank","title":"Failed","status":500,"code":"internal"})";
  });
  EXPECT_FALSE(Again()->RemoveMember(kEnvironment, "dan", ""));
  vault_.SetRewrite({});
  EXPECT_TRUE(IsMember("dan"));
  EXPECT_EQ(Vouched(), "111") << "that much was done";
  Good(Again()->RemoveMember(kEnvironment, "dan", ""));
  EXPECT_EQ(Vouched(), "111");
  ExpectDanIsGone();
}

TEST_F(HostileOffboardTest, WhatIsDueComesOfTheSamePassAndAsksOnce) {
  std::set<std::string> asked;
  int tails = 0;
  vault_.SetRewrite([&](const HttpRequest& request, HttpResponse&) {
    tails += request.path == api::kListsTails.path;
    if (request.path == api::kListsRead.path && request.body.find("secret/") != std::string::npos)
      asked.insert(request.body);
  });
  const auto left = Must(Again()->Offboard("dan", "left", false));
  EXPECT_TRUE(left.problems.empty());
  EXPECT_EQ(left.due.size(), 3u);
  EXPECT_TRUE(left.due.front().set_by_leaver);
  EXPECT_EQ(tails, 1);
  EXPECT_TRUE(asked.empty()) << *asked.begin();
  EXPECT_EQ(Vouched(), "111");
}

}  // namespace
}  // namespace grantfs::testing
