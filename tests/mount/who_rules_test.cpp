#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

#include "grantfs/crypto/random.h"
#include "grantfs/trust/unit.h"
#include "mount/callers/who_internal.h"
#include "mount/reports/why_internal.h"

namespace grantfs {
namespace {

const std::string kId(64, 'a');
const std::string kOtherId(64, 'b');

TEST(UnitTest, IsWhereSystemdPutsIt) {
  EXPECT_TRUE(RunsInUnit("/system.slice/nginx.service", "nginx.service"));
  EXPECT_TRUE(RunsInUnit("/system.slice/nginx.service/worker/3", "nginx.service"));
  EXPECT_TRUE(RunsInUnit("/system.slice/system-pg.slice/pg@15.service", "pg@15.service"));
  EXPECT_TRUE(RunsInUnit("/system.slice/system-pg.slice/pg@15.service", "system-pg.slice"));
  EXPECT_TRUE(RunsInUnit("/user.slice/user-7.slice/user@7.service/app.slice/x.service", "user@7.service"));
  EXPECT_FALSE(RunsInUnit("/system.slice/nginx.service.d", "nginx.service"));
  EXPECT_FALSE(RunsInUnit("/system.slice/my-nginx.service", "nginx.service"));
  EXPECT_FALSE(RunsInUnit("", "nginx.service"));
}

TEST(UnitTest, CannotBeMadeByAUserOrAContainer) {
  EXPECT_FALSE(
      RunsInUnit("/user.slice/user-7.slice/user@7.service/app.slice/nginx.service", "nginx.service"));
  EXPECT_FALSE(RunsInUnit("/system.slice/libpod-" + kId + ".scope/nginx.service", "nginx.service"));
  EXPECT_FALSE(RunsInUnit("/system.slice/other.service/nginx.service", "nginx.service"));
  EXPECT_FALSE(RunsInUnit("/../nginx.service", "nginx.service"));
}

TEST(UnitTest, MayBeACgroup) {
  EXPECT_TRUE(RunsInUnit("/a.slice/b", "/a.slice/b"));
  EXPECT_TRUE(RunsInUnit("/a.slice/b/c", "/a.slice/b"));
  EXPECT_FALSE(RunsInUnit("/a.slice/bc", "/a.slice/b"));
  EXPECT_FALSE(RunsInUnit("/a.slice", "/a.slice/b"));
}

TEST(UnitTest, MayBeAContainer) {
  for (const std::string& path : {"/system.slice/docker-" + kId + ".scope", "/docker/" + kId,
                                  "/machine.slice/libpod-" + kId + ".scope/container/init.scope",
                                  "/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + kId + ".scope"}) {
    EXPECT_TRUE(RunsInUnit(path, kId)) << path;
    EXPECT_TRUE(RunsInUnit(path, kId.substr(0, 12))) << path;
    EXPECT_FALSE(RunsInUnit(path, kOtherId)) << path;
  }
  EXPECT_FALSE(RunsInUnit("/docker/" + kOtherId + "/docker/" + kId, kId)) << "made in another container";
  EXPECT_FALSE(RunsInUnit("/user.slice/user-7.slice/user@7.service/libpod-" + kId + ".scope", kId));
  EXPECT_FALSE(RunsInUnit("/system.slice/x.service/" + kId, kId)) << "made by a service that may";
}

class WhoRulesTest : public ::testing::Test {
 protected:
  static WhoMayRead Who(const std::vector<std::string>& texts) {
    return ResolveConditions(
        texts,
        {0, 0,
         [](const std::string& name) { return name == "app" ? std::optional<uid_t>(33) : std::nullopt; },
         [](const std::string& name) { return name == "web" ? std::optional<gid_t>(44) : std::nullopt; }});
  }
  static ProcessFacts Facts() {
    ProcessFacts facts;
    facts.caller = {
        .pid = 7, .uid = 33, .gid = 33, .executable = "/usr/bin/psql", .cgroup = "/system.slice/a.service"};
    facts.seen = facts.same_user_namespace = true;
    facts.groups = {44, 45};
    return facts;
  }
  static std::string Refused(const std::vector<std::string>& texts, const ProcessFacts& facts) {
    return RefuseCaller(Who(texts), facts).value_or("");
  }
  static ProcessFacts WithExecutable(ExecutableFacts executable) {
    ProcessFacts facts = Facts();
    facts.executables = {std::move(executable)};
    return facts;
  }
};

TEST_F(WhoRulesTest, OneOfAKindIsEnoughAndEachKindMustHold) {
  EXPECT_EQ(Refused({"user=root", "user=app"}, Facts()), "");
  EXPECT_EQ(Refused({"user=app", "group=web", "unit=a.service"}, Facts()), "");
  EXPECT_NE(Refused({"user=app", "group=db", "unit=a.service"}, Facts()), "");
  EXPECT_NE(Refused({"user=app", "unit=b.service"}, Facts()), "");
  EXPECT_EQ(Refused({"unit=b.service", "unit=a.service"}, Facts()), "");
}

TEST_F(WhoRulesTest, AnUnknownNameIsNobody) {
  EXPECT_NE(Refused({"user=ghost"}, Facts()).find("ghost (unknown on this machine)"), std::string::npos);
  EXPECT_EQ(Refused({"user=ghost", "user=app"}, Facts()), "");
}

TEST_F(WhoRulesTest, WhatIsNotUnderstoodRefusesAll) {
  EXPECT_NE(Refused({"user=app", "moon=full"}, Facts()).find("moon=full"), std::string::npos);
}

TEST_F(WhoRulesTest, WhoCannotBeSeenHasAUserAndAGroupAlone) {
  ProcessFacts hidden = WithExecutable({.named = true, .deleted = false, .same = true, .content = {}});
  hidden.seen = false;
  EXPECT_EQ(Refused({"user=app"}, hidden), "");
  EXPECT_NE(Refused({"group=web"}, hidden), "");
  EXPECT_NE(Refused({"unit=a.service"}, hidden), "");
  EXPECT_NE(Refused({"exe=/usr/bin/psql"}, hidden), "");
  hidden.caller.gid = 44;
  EXPECT_EQ(Refused({"group=web"}, hidden), "");
}

TEST_F(WhoRulesTest, AnExecutableIsTheFileOrItsContent) {
  const std::string hash(64, '5');
  const std::vector<std::string> path = {"exe=/usr/bin/psql"};
  const std::vector<std::string> content = {"exe=/usr/bin/psql=" + hash};
  const ExecutableFacts good{.named = true, .deleted = false, .same = true, .content = hash};
  EXPECT_EQ(Refused(path, WithExecutable(good)), "");
  EXPECT_EQ(Refused(content, WithExecutable(good)), "");
  ExecutableFacts other = good;
  other.same = false;
  EXPECT_NE(Refused(path, WithExecutable(other)).find("another file"), std::string::npos);
  EXPECT_EQ(Refused(content, WithExecutable(other)), "") << "in a container, say";
  other = good;
  other.content = std::string(64, '6');
  EXPECT_NE(Refused(content, WithExecutable(other)).find("other content"), std::string::npos);
  EXPECT_NE(Refused(path, WithExecutable({.named = false, .deleted = true, .same = false, .content = {}}))
                .find("replaced"),
            std::string::npos);
  EXPECT_NE(Refused(path, WithExecutable({})).find("/usr/bin/psql"), std::string::npos);
  ProcessFacts forged = WithExecutable(good);
  forged.same_user_namespace = false;
  EXPECT_NE(Refused(path, forged).find("forged"), std::string::npos);
  EXPECT_NE(Refused(content, forged).find("forged"), std::string::npos);
}

TEST_F(WhoRulesTest, OnlyWhatIsAskedForIsLookedUp) {
  EXPECT_FALSE(FactsFor(Who({"user=app"})).any());
  EXPECT_TRUE(FactsFor(Who({"group=web"})).groups);
  EXPECT_TRUE(FactsFor(Who({"unit=a.service"})).cgroup);
  const WantedFacts wanted = FactsFor(Who({"exe=/a", "exe=/b=" + std::string(64, '5')}));
  EXPECT_FALSE(wanted.executables.at(0).content);
  EXPECT_TRUE(wanted.executables.at(1).content);
}

TEST(ProcessFactsTest, AreThoseOfThisProcess) {
  ASSERT_TRUE(InitCrypto());
  char self[4096] = "";
  ASSERT_GT(readlink("/proc/self/exe", self, sizeof self - 1), 0);
  WantedFacts wanted;
  wanted.account = wanted.groups = wanted.cgroup = wanted.executable = wanted.rights = true;
  wanted.executables = {{self, true}, {"/usr/bin/true", true}};
  std::thread([&] {
    const ProcessFacts facts = LookUpProcess(static_cast<std::uint32_t>(syscall(SYS_gettid)), 1, 2, wanted);
    EXPECT_TRUE(facts.seen);
    EXPECT_TRUE(facts.same_user_namespace);
    EXPECT_TRUE(facts.same_pid_namespace);
    EXPECT_EQ(facts.caller.pid, static_cast<std::uint32_t>(getpid()));
    EXPECT_EQ(facts.file_uid, geteuid());
    EXPECT_EQ(facts.file_gid, getegid());
    ASSERT_EQ(facts.executables.size(), 2U);
    EXPECT_TRUE(facts.executables[0].named);
    EXPECT_TRUE(facts.executables[0].same);
    EXPECT_EQ(facts.executables[0].content.size(), 64U);
    EXPECT_FALSE(facts.executables[1].named);
    EXPECT_EQ(facts.executables[1].content, "");
  }).join();
  const ProcessFacts none = LookUpProcess(0, 1, 2, wanted);
  EXPECT_FALSE(none.seen);
  EXPECT_EQ(none.executables.size(), 2U);
  EXPECT_FALSE(LookUpProcess(77, 1, 2, wanted, "/nowhere").seen);
}

class ExplanationTest : public WhoRulesTest {
 protected:
  ExplanationTest() {
    grant_.environment = "shop/prod";
    grant_.path = "db-password";
    grant_.conditions = {"user=app", "unit=b.service"};
    file_.grant = &grant_;
    file_.attributes = {.size = 1, .time = 0, .uid = 33, .gid = 44, .mode = 0440};
  }
  std::string Explain(const ProcessFacts& facts) {
    file_.who =
        grant_.conditions.empty() ? nullptr : std::make_shared<const WhoMayRead>(Who(grant_.conditions));
    return Explanation({&file_, facts, "web-1", 1000, served_, refused_});
  }
  static bool Has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }
  GrantedSecret grant_;
  SecretFile file_;
  bool served_ = true, refused_ = false;
};

TEST_F(ExplanationTest, SaysWhatComesWhereTheVaultIsNotHeardAndWhereItRefusesTheMachine) {
  grant_.conditions.clear();
  EXPECT_TRUE(Has(Explain(Facts()), "it may read")) << Explain(Facts());
  served_ = false;
  EXPECT_TRUE(Has(Explain(Facts()), "vault        REFUSED: it was not heard just now")) << Explain(Facts());
  EXPECT_TRUE(Has(Explain(Facts()), "gives EIO")) << Explain(Facts());
  refused_ = true;
  EXPECT_TRUE(Has(Explain(Facts()), "does not accept this machine's key, so opening gives EACCES"));
  EXPECT_FALSE(Has(Explain(Facts()), "EIO"));
}

TEST_F(ExplanationTest, NamesWhatWouldRefuseAndTheCommandThatMends) {
  const std::string text = Explain(Facts());
  EXPECT_TRUE(text.starts_with("it would be refused: shop/prod/db-password by process 7 (/usr/bin/psql)\n"))
      << text;
  EXPECT_TRUE(Has(text, "owner, mode  good: the file is 33:44 0440")) << text;
  EXPECT_TRUE(Has(text, "condition    good: user app: it runs as user 33")) << text;
  EXPECT_TRUE(Has(text, "condition    REFUSED: unit b.service: it runs in /system.slice/a.service")) << text;
  EXPECT_TRUE(Has(
      text, "grantfs grant web-1 shop/prod/db-password --mode 0400 --only-user app --only-unit b.service"))
      << text;
}

TEST_F(ExplanationTest, SaysThatAllIsWell) {
  grant_.conditions.clear();
  const std::string text = Explain(Facts());
  EXPECT_TRUE(text.starts_with("it may read: ")) << text;
  EXPECT_FALSE(Has(text, "REFUSED") || Has(text, "mend")) << text;
}

TEST_F(ExplanationTest, DecidesByOwnerAndModeAsTheKernelDoes) {
  grant_.conditions.clear();
  ProcessFacts facts = Facts();
  file_.attributes.mode = 0040;
  EXPECT_TRUE(Has(Explain(facts), "REFUSED: the file")) << "the owner has no right that his group has";
  facts.caller.uid = 34;
  EXPECT_TRUE(Explain(facts).starts_with(kWouldRead)) << "by a group beside its own";
  facts.groups.clear();
  EXPECT_TRUE(Explain(facts).starts_with(kWouldBeRefused));
  facts.capabilities = 1U << 2;
  EXPECT_TRUE(Explain(facts).starts_with(kWouldRead)) << "CAP_DAC_READ_SEARCH";
  facts.same_user_namespace = false;
  EXPECT_TRUE(Explain(facts).starts_with(kWouldBeRefused)) << "which counts at home alone";
}

TEST_F(ExplanationTest, NamesAnExpiredGrant) {
  grant_.conditions.clear();
  grant_.expires = 999;
  EXPECT_TRUE(Has(Explain(Facts()), "grant        REFUSED: it expired 1970-01-01T00:16:39Z"));
}

TEST_F(ExplanationTest, NamesALeaseThatEndedWithTheRotation) {
  grant_.conditions.clear();
  grant_.rotate_due = 999;
  EXPECT_FALSE(Has(Explain(Facts()), "rotated")) << "without a lease there is none that ends";
  grant_.lease = 600;
  const std::string text = Explain(Facts());
  EXPECT_TRUE(text.starts_with(kWouldRead)) << text;
  EXPECT_TRUE(Has(text, "lease        good: none holds: it was to be rotated by 1970-01-01T00:16:39Z"))
      << text;
  EXPECT_TRUE(Has(text, "grantfs secret set shop/prod/db-password")) << text;
  grant_.rotate_due = 1001;
  EXPECT_FALSE(Has(Explain(Facts()), "rotated"));
}

TEST(ExplanationNameTest, IsFoundForAProcess) {
  Directory directory;
  directory.children = {{"a", MakeNode(NodeKind::kWhy, 7, 0)}, {"dir", MakeNode(NodeKind::kDirectory, 1, 1)}};
  directory.by_name = {0, 1};
  EXPECT_EQ(FindExplanationFor(directory, ExplanationName("a", 4711)), MakeNode(NodeKind::kWhy, 7, 4711));
  for (const char* name : {"a", "a@pid:", "a@pid:0", "a@pid:x", "a@pid:99999999", "b@pid:1", "dir@pid:1"})
    EXPECT_EQ(FindExplanationFor(directory, name), 0U) << name;
}

}  // namespace
}  // namespace grantfs
