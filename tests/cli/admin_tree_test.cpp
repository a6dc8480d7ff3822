#include <gtest/gtest.h>

#include "cli/admin_tree_internal.h"

namespace grantfs {
namespace {

class AdminTreeTest : public ::testing::Test {
 protected:
  void AddMachine(const std::string& name, bool removed = false) {
    IdentityInfo machine;
    machine.name = name;
    machine.id = name + "-id" + (removed ? "-old" : "");
    machine.removed = removed;
    snapshot_->machines.push_back(machine);
  }
  static GrantInfo To(const SecretName& secret, const std::string& machine, const std::string& id) {
    GrantInfo grant;
    grant.secret = secret;
    grant.machine = machine;
    grant.machine_id = id;
    grant.signer = "ada";
    grant.time = 1'700'000'000;
    return grant;
  }
  void AddSecret(const std::string& path, std::vector<GrantInfo> grants = {}, std::int64_t rotate_after = 0,
                 std::int64_t rotate_due = 0) {
    auto secret = std::make_shared<SecretSurvey>();
    secret->info.name = {"shop/prod", path};
    secret->info.version = 3;
    secret->info.rotate_after = rotate_after;
    secret->info.rotate_due = rotate_due;
    secret->versions.push_back({.version = 3, .signer = "ada", .labels = {"current"}});
    for (GrantInfo& grant : grants) grant.secret = secret->info.name;
    secret->grants = std::move(grants);
    snapshot_->secrets.push_back(std::move(secret));
  }
  /// A group of these machines, by name, that is granted these prefixes.
  void AddGroup(const std::string& name, std::uint64_t number, const std::vector<std::string>& machines,
                const std::vector<std::string>& prefixes, bool known = true) {
    GroupSurvey group;
    group.environment = "shop/prod";
    group.name = name;
    group.number = number;
    group.id = name + "-hash";
    group.members_known = known;
    for (const std::string& machine : machines) group.machines.push_back({machine, machine + "-id", 1});
    for (const std::string& prefix : prefixes) {
      GrantInfo grant = To({"shop/prod", prefix}, "@" + name, group.id);
      grant.grant.grantee.number = number;
      grant.prefix = true;
      group.prefixes.push_back(grant);
    }
    snapshot_->groups.push_back(std::move(group));
  }
  static GrantInfo ToGroup(const std::string& name) { return To({}, "@" + name, name + "-hash"); }
  std::string Text(const std::string& path) {
    const auto tree = BuildAdminTree({snapshot_, 1'700'000'000, problem_});
    const auto text = tree->Read(path);
    return text ? *text : "(none)";
  }
  std::string Names(const std::string& path) {
    const auto tree = BuildAdminTree({snapshot_, 1'700'000'000, problem_});
    const auto directory = tree->FindDirectory(path);
    if (directory == nullptr) return "(none)";
    std::string all;
    for (const auto& one : directory->List()) all += one.name + (one.directory ? "/ " : " ");
    return all;
  }

  std::shared_ptr<AdminSnapshot> snapshot_ = [] {
    auto snapshot = std::make_shared<AdminSnapshot>();
    snapshot->machines_known = snapshot->audit_known = true;
    snapshot->environments = {"shop/dev", "shop/prod"};
    return snapshot;
  }();
  std::string problem_;
};

TEST_F(AdminTreeTest, AnEmptyVaultHasItsDirectories) {
  EXPECT_EQ(Names(""), "audit/ info info.json machines/ projects/ ");
  EXPECT_EQ(Names("machines"), "");
  EXPECT_EQ(Names("projects/shop"), "dev/ prod/ ");
  EXPECT_EQ(Text("audit/recent"), "no record\n");
  EXPECT_EQ(Text("audit/critical.json"), "{\"known\":true,\"records\":[],\"stale\":\"\"}\n");
  snapshot_->audit_known = false;
  EXPECT_EQ(Text("audit/recent"), "you may audit no environment\n");
}

TEST_F(AdminTreeTest, WhatIsFrozenStandsInTheVaultsReportAndInItsOwn) {
  AddMachine("web-1");
  AddMachine("web-2");
  AddSecret("a", {});
  EXPECT_EQ(Text("info").find("frozen"), std::string::npos);
  snapshot_->frozen = {{FreezeTarget::Kind::kMachine, "web-1", snapshot_->machines[0].id, "ada",
                        1'700'000'000, "it was broken into"},
                       {FreezeTarget::Kind::kEnvironment, "shop/prod", "", "bob", 1'700'000'000, ""}};
  const std::string text = Text("info");
  EXPECT_NE(text.find("machine web-1 was frozen by ada at 2023-11-14T22:13:20Z: it was broken into\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("env shop/prod was frozen by bob at 2023-11-14T22:13:20Z\n"), std::string::npos)
      << text;
  EXPECT_NE(Text("info.json").find("\"name\":\"shop/prod\""), std::string::npos);
  EXPECT_NE(Text("machines/web-1/info").find("was frozen by ada"), std::string::npos);
  EXPECT_EQ(Text("machines/web-2/info").find("was frozen"), std::string::npos);
  EXPECT_NE(Text("projects/shop/prod/a/info").find("was frozen by bob"), std::string::npos);
  EXPECT_NE(Text("machines/web-1/info.json").find("\"frozen\":[{"), std::string::npos);
}

TEST_F(AdminTreeTest, GrantsAreFilesBelowTheirMachine) {
  AddMachine("web-1");
  AddSecret("tls/server.key", {To({}, "web-1", "web-1-id")});
  EXPECT_EQ(Names("machines/web-1/grants/shop/prod/tls"), "server.key server.key.json ");
  const std::string text = Text("machines/web-1/grants/shop/prod/tls/server.key");
  for (const char* part :
       {"shop/prod/tls/server.key\n", "current, now version 3\n", "granted by  ada\n", "0400\n",
        "2023-11-14T22:13:20Z\n", "every open asks the vault\n", "whoever mounts\n"})
    EXPECT_NE(text.find(part), std::string::npos) << part << text;
  EXPECT_EQ(Text("machines/web-1/grants/shop/prod/tls"), "(none)");
  EXPECT_NE(Text("projects/shop/prod/tls/server.key/readers").find("web-1"), std::string::npos);
}

TEST_F(AdminTreeTest, TermsAreSaidAsTheGrantCommandTakesThem) {
  AddMachine("web-1");
  GrantInfo info = To({}, "web-1", "web-1-id");
  info.grant.lease = 300;
  info.grant.offline = 86400;
  info.grant.record = "sync";
  info.grant.conditions = {"user=app"};
  AddSecret("a", {info});
  const std::string readers = Text("projects/shop/prod/a/readers");
  for (const char* part : {"ONLY", "user=app", "LEASE", "5m, offline 1d, sync"})
    EXPECT_NE(readers.find(part), std::string::npos) << part << "\n" << readers;
  const std::string grant = Text("machines/web-1/grants/shop/prod/a");
  EXPECT_NE(grant.find("lease       5m\n"), std::string::npos) << grant;
  EXPECT_NE(grant.find("offline     1d\n"), std::string::npos) << grant;
}

TEST_F(AdminTreeTest, ASecretSaysWhenItIsToBeRotated) {
  AddSecret("never");
  AddSecret("overdue", {}, 90 * 86400, 1'600'000'000);
  AddSecret("later", {}, 86400, 4'000'000'000);
  EXPECT_NE(Text("projects/shop/prod/never/info").find("rotation     never due\n"), std::string::npos);
  const std::string overdue = Text("projects/shop/prod/overdue/info");
  EXPECT_NE(overdue.find("rotation     overdue 2020-09-13T12:26:40Z, 90d after it was set\n"),
            std::string::npos)
      << overdue;
  const std::string json = Text("projects/shop/prod/overdue/info.json");
  EXPECT_NE(json.find("\"rotate_after\":7776000,\"rotate_due\":1600000000,\"overdue\":true"),
            std::string::npos)
      << json;
  const std::string later = Text("projects/shop/prod/later/info");
  EXPECT_NE(later.find("rotation     due 2096-10-02T07:06:40Z, 1d after it was set\n"), std::string::npos)
      << later;
}

TEST_F(AdminTreeTest, ABundleSaysWhatItIsMadeOf) {
  AddSecret("a");
  EXPECT_NE(Text("projects/shop/prod/a/info").find("type         value\n"), std::string::npos)
      << Text("projects/shop/prod/a/info");
  EXPECT_EQ(Text("projects/shop/prod/a/info").find("made of"), std::string::npos);
  auto bundle = std::make_shared<SecretSurvey>(*snapshot_->secrets[0]);
  bundle->info.name.path = "app.json";
  bundle->info.type = SecretType::kTemplate;
  bundle->info.parts = {"a", "tls/key"};
  snapshot_->secrets.push_back(bundle);
  const std::string info = Text("projects/shop/prod/app.json/info");
  EXPECT_NE(info.find("type         template\n"), std::string::npos) << info;
  EXPECT_NE(info.find("made of      shop/prod/a, shop/prod/tls/key\n"), std::string::npos) << info;
  EXPECT_NE(Text("projects/shop/prod/app.json/info.json").find("\"parts\":[\"a\",\"tls/key\"]"),
            std::string::npos);
}

TEST_F(AdminTreeTest, ARemovedMachineIsMarkedWhereItStillHasAGrant) {
  AddMachine("web-1", true);
  AddMachine("web-1");
  AddSecret("a", {To({}, "web-1", "web-1-id-old")});
  EXPECT_EQ(Names("machines"), "web-1/ ");
  EXPECT_EQ(Names("machines/web-1/grants"), "");
  EXPECT_NE(Text("projects/shop/prod/a/readers").find("web-1 (removed)"), std::string::npos);
}

TEST_F(AdminTreeTest, WhoSeesNoMachinesSeesThoseThatAreGrantedSomething) {
  snapshot_->machines_known = false;
  AddSecret("a", {To({}, "web-1", "1"), To({}, "web-2", "2")});
  AddSecret("b", {To({}, "web-1", "1")});
  EXPECT_EQ(Names("machines"), "web-1/ web-2/ ");
  EXPECT_EQ(Names("machines/web-1/grants/shop/prod"), "a a.json b b.json ");
}

TEST_F(AdminTreeTest, WhoReadsByAGroupOrPrefixStandsThereWithTheReason) {
  for (const char* name : {"web-1", "web-2", "web-3"}) AddMachine(name);
  AddSecret("a", {To({}, "web-1", "web-1-id"), ToGroup("web")});
  AddSecret("tls/key");
  AddSecret("other");
  AddGroup("web", 5, {"web-1", "web-2"}, {"tls/"});
  AddGroup("empty", 6, {}, {"tls/"});
  EXPECT_EQ(Names("machines"), "web-1/ web-2/ web-3/ ") << "and none for the group";
  EXPECT_EQ(Names("machines/web-2/grants/shop/prod"), "a a.json tls/ ");
  EXPECT_EQ(Names("machines/web-3/grants"), "");
  EXPECT_NE(Text("machines/web-1/grants/shop/prod/a").find("through     a grant of its own\n"),
            std::string::npos)
      << Text("machines/web-1/grants/shop/prod/a");
  const std::string by_group = Text("machines/web-2/grants/shop/prod/a");
  EXPECT_NE(by_group.find("machine     web-2\n"), std::string::npos) << by_group;
  EXPECT_NE(by_group.find("through     @web, a group that it is in\n"), std::string::npos) << by_group;
  const std::string json = Text("machines/web-2/grants/shop/prod/tls/key.json");
  for (const char* part : {"\"secret\":\"shop/prod/tls/key\"", "\"type\":\"value\"", "\"machine\":\"web-2\"",
                           "\"machine_id\":\"web-2-id\"", "\"by\":\"@web shop/prod/tls/\""})
    EXPECT_NE(json.find(part), std::string::npos) << part << json;
  const std::string readers = Text("projects/shop/prod/tls/key/readers");
  for (const char* part : {"web-1 ", "web-2 ", "@web shop/prod/tls/", "@empty (no machine is in it)"})
    EXPECT_NE(readers.find(part), std::string::npos) << part << readers;
  EXPECT_NE(Text("projects/shop/prod/a/readers.json").find("\"by\":\"\",\"removed\":false},"),
            std::string::npos)
      << "web-1's own grant counts before its group's";
  EXPECT_NE(Text("projects/shop/prod/tls/key/info").find("readers      2 machines\n"), std::string::npos)
      << Text("projects/shop/prod/tls/key/info");
  EXPECT_NE(Text("machines/web-2/info").find("granted       2 secrets"), std::string::npos)
      << Text("machines/web-2/info");
  EXPECT_EQ(Text("projects/shop/prod/other/readers"), "no machine may read it\n");
}

TEST_F(AdminTreeTest, OfSeveralGrantsTheOneThatCountsIsTold) {
  AddMachine("web-1");
  GrantInfo own = To({}, "web-1", "web-1-id");
  own.grant.expires = 1'700'000'000;  // long ago
  AddSecret("tls/old/key", {own});
  AddGroup("web", 5, {"web-1"}, {"", "tls/old/"});
  AddGroup("db", 4, {"web-1"}, {"tls/", "tls/old/"});
  const auto by = [&] { return Text("machines/web-1/grants/shop/prod/tls/old/key.json"); };
  EXPECT_NE(by().find("\"by\":\"@db shop/prod/tls/old/\""), std::string::npos) << by();
  snapshot_->groups.pop_back();
  EXPECT_NE(by().find("\"by\":\"@web shop/prod/tls/old/\""), std::string::npos) << by();
  snapshot_->groups.pop_back();
  EXPECT_NE(by().find("\"by\":\"\""), std::string::npos) << by();
}

TEST_F(AdminTreeTest, WhoseMachinesAreNotKnownStandsAsAGroup) {
  snapshot_->machines_known = false;
  AddSecret("a", {To({}, "web-1", "web-1-id"), ToGroup("web")});
  AddGroup("web", 5, {}, {}, false);
  EXPECT_EQ(Names("machines"), "web-1/ ") << "a group is no machine";
  EXPECT_NE(Text("projects/shop/prod/a/readers").find("@web (its machines, which owners see)"),
            std::string::npos);
  EXPECT_NE(Text("projects/shop/prod/a/info").find("readers      1 machine, and those of @web\n"),
            std::string::npos)
      << Text("projects/shop/prod/a/info");
}

TEST_F(AdminTreeTest, NoNameIsTakenForAReport) {
  AddMachine("web-1");
  for (const char* path : {"info", "a", "a.json", "b~", "b.json/readers"})
    AddSecret(path, {To({}, "web-1", "web-1-id")});
  EXPECT_EQ(Names("machines/web-1/grants/shop/prod"),
            "a a.json a.json~ a.json~.json b.json~/ b~~ b~~.json info info.json ");
  EXPECT_EQ(Names("projects/shop/prod"), "a/ a.json/ b.json/ b~/ info/ ");
  EXPECT_NE(Text("projects/shop/prod/b.json/readers/info").find("shop/prod/b.json/readers"),
            std::string::npos);
  EXPECT_EQ(Text("machines/web-1/grants/shop/prod/a.json").front(), '{');
}

TEST_F(AdminTreeTest, WhatALyingVaultMixesUpStaysApart) {
  AddSecret("x");
  AddSecret("x/info");
  EXPECT_EQ(Names("projects/shop/prod/x"),
            "info info.json info~/ readers readers.json versions versions.json ");
  EXPECT_NE(Text("projects/shop/prod/x/info~/info").find("shop/prod/x/info"), std::string::npos);
}

TEST_F(AdminTreeTest, StaleReportsSaySoFirst) {
  problem_ = "vault.lan:7843: does not\nanswer";
  EXPECT_EQ(Text("audit/recent").substr(0, Text("audit/recent").find('\n')),
            "stale: this is of 2023-11-14T22:13:20Z: vault.lan:7843: does not?answer");
  EXPECT_NE(Text("audit/recent.json").find("\"stale\":\"this is of "), std::string::npos);
}

TEST_F(AdminTreeTest, TermsOfEveryKindAreTold) {
  SecretSurvey secret;
  GrantInfo grant = To({"shop/prod", "a"}, "web-1", "id");
  grant.grant.conditions = {"user=app", "unit=nginx.service"};
  grant.grant.lease = 30;
  grant.grant.offline = 60;
  grant.grant.record = "sync";
  grant.grant.expires = 10;
  grant.grant.strict = true;
  const AdminReport report = ReportGrant(secret, grant, 11);
  for (const char* part : {"user=app, unit=nginx.service\n", "30s\n", "1m\n", "sync\n", "expired 1970",
                           "strict", "points at no version"})
    EXPECT_NE(report.text.find(part), std::string::npos) << part << report.text;
  EXPECT_EQ(report.json.Find("lease")->AsNumber(), 30);
  EXPECT_EQ(report.json.Find("conditions")->Items().size(), 2U);
}

}  // namespace
}  // namespace grantfs
