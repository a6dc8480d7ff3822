#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "program.h"
#include "support/eventually.h"

namespace grantfs {
namespace {

// What a newcomer does, from an empty directory to a revoked grant, with the real program.

TEST(StoryTest, FromAnEmptyDirectoryToARevokedGrant) {
  OwnedVault vault;
  const Finished set = vault.Owner({"secret", "set", "shop/prod/db-password"}, "hunter2");
  ASSERT_EQ(set.exit, 0) << set.Told();
  EXPECT_EQ(set.out, "made shop/prod/db-password: version 1, sealed to 0 machines\n");
  vault.AddMachine("web-1");
  const Finished none = vault.Machine("web-1", {"read", "shop/prod/db-password"});
  EXPECT_EQ(none.exit, 4) << none.Told();
  const Finished granted = vault.Owner({"grant", "web-1", "shop/prod/db-password"});
  ASSERT_EQ(granted.exit, 0) << granted.Told();
  EXPECT_NE(granted.err.find("offline"), std::string::npos) << granted.Told();
  const Finished read = vault.Machine("web-1", {"read", "shop/prod/db-password"});
  EXPECT_EQ(read.exit, 0) << read.Told();
  EXPECT_EQ(read.out, "hunter2");
  const Finished second = vault.Owner({"secret", "set", "shop/prod/db-password"}, "hunter3\n");
  EXPECT_EQ(second.out, "set shop/prod/db-password: version 2, sealed to 1 machine\n") << second.Told();
  EXPECT_EQ(vault.Machine("web-1", {"read", "shop/prod/db-password"}).out, "hunter3\n");
  const Finished revoked = vault.Owner({"revoke", "web-1", "shop/prod/db-password"});
  EXPECT_EQ(revoked.exit, 0) << revoked.Told();
  EXPECT_NE(revoked.err.find("knows the current value"), std::string::npos) << revoked.Told();
  EXPECT_EQ(vault.Machine("web-1", {"read", "shop/prod/db-password"}).exit, 4);
  const Finished audit = vault.Owner({"audit", "list", "--object", "shop/prod/db-password"});
  EXPECT_EQ(audit.exit, 0) << audit.Told();
  EXPECT_NE(audit.out.find("web-1"), std::string::npos) << audit.out;
  const Finished verified = vault.Owner({"audit", "verify"});
  EXPECT_EQ(verified.exit, 0) << verified.Told();
  EXPECT_NE(verified.out.find("authenticated: "), std::string::npos) << verified.out;
}

TEST(StoryTest, AMistypedInvitationIsNotInTheWayOfTheRightOne) {
  OwnedVault vault;
  const std::string line = vault.Owner({"invite", "web-1"}).out;
  for (const std::size_t at : {std::size_t{20}, std::size_t{70}, std::size_t{120}, line.size() - 10}) {
    std::string mistyped = line;
    mistyped[at] = mistyped[at] == 'A' ? 'B' : 'A';
    const Finished refused = vault.Machine("web-1", {"enroll"}, mistyped);
    EXPECT_NE(refused.exit, 0) << at << " " << refused.Told();
  }
  const Finished taken = vault.Machine("web-1", {"enroll"}, line);
  EXPECT_EQ(taken.exit, 0) << taken.Told();
}

TEST(StoryTest, NoVaultIsMadeWhoseRecoveryCodeCannotBeKept) {
  TempDirectory directory;
  ServedVault vault(directory.path() + "/vault");
  const Words init = {"init", "--home", directory.path() + "/ada", "--file", vault.ClaimPath()};
  const auto with = [&init](const std::string& recovery) {
    Words words = init;
    words.insert(words.end(), {"--recovery-file", recovery});
    return RunProgram(words);
  };
  const Finished nowhere = with(directory.path() + "/not-there/code");
  EXPECT_EQ(nowhere.exit, 1) << nowhere.Told();
  EXPECT_NE(nowhere.err.find("/not-there/code"), std::string::npos) << nowhere.err;
  EXPECT_EQ(with(vault.ClaimPath()).exit, 6) << "a file that exists";
  EXPECT_FALSE(std::filesystem::exists(directory.path() + "/ada"));
  const Finished made = with(directory.path() + "/code");
  EXPECT_EQ(made.exit, 0) << made.Told();
  EXPECT_NE(FileText(directory.path() + "/code"), "");
}

TEST(StoryTest, TheRecoveryCodeIsKeptWhereItCouldNotBeShown) {
  TempDirectory directory;
  ServedVault vault(directory.path() + "/vault");
  const std::string home = directory.path() + "/ada";
  const UniqueFd full(::open("/dev/full", O_RDWR | O_CLOEXEC));
  const Captured err(directory.path() + "/err");
  const Words init = {"init", "--home", home, "--file", vault.ClaimPath()};
  EXPECT_EQ(WaitForProgram(StartProgram(init, full.get(), full.get(), err.fd())), 1);
  EXPECT_NE(err.Text().find("it was done, but what it prints is not complete"), std::string::npos)
      << err.Text();
  EXPECT_NE(err.Text().find("is in " + home + "/recovery-code"), std::string::npos) << err.Text();
  EXPECT_NE(FileText(home + "/recovery-code"), "");
  EXPECT_EQ(RunProgram({"status", "--home", home}).exit, 0) << "the vault is made";
}

TEST(StoryTest, WhatIsConfusedIsToldAsWhatItIs) {
  OwnedVault vault;
  ServedVault other(vault.path() + "/other");
  const auto expect = [](const Finished& finished, int exit, const std::string& words) {
    EXPECT_EQ(finished.exit, exit) << finished.Told();
    EXPECT_NE(finished.err.find(words), std::string::npos) << finished.Told();
  };
  expect(vault.Machine("web-1", {"enroll"}, FileText(other.ClaimPath())), 2, "this is a claim");
  const std::string invitation = vault.Owner({"invite", "web-1"}).out;
  expect(RunProgram({"init", "--home", vault.path() + "/new"}, invitation), 2, "this is an invitation");
  vault.AddMachine("web-1");
  expect(vault.Owner({"approve", "web-1"}), 6, "it was let in before");
  expect(vault.Owner({"invite", "web-1"}), 6, "a machine of this name is enrolled");
  expect(vault.Owner({"revoke", "web-9", "--all"}), 4, "nothing is granted to it");
  expect(vault.Owner({"secret", "set", "shop/prod/*"}, "x"), 2, "a name that ends in /*");
  expect(vault.Owner({"grants", "--machine", "web-9"}), 0, "no grant matches");
  expect(vault.Owner({"env", "crate"}), 2, "there is no command 'env crate'");
}

TEST(StoryTest, WhatIsToBeRotatedIsSaidWhereItIsSetListedAndOverdue) {
  OwnedVault vault;
  const auto set = [&](const std::string& name, Words options) {
    options.insert(options.begin(), {"secret", "set", "shop/prod/" + name});
    return vault.Owner(options, "x");
  };
  EXPECT_EQ(set("a", {"--rotate-after", "90d"}).out,
            "made shop/prod/a: version 1, sealed to 0 machines, to be rotated after 90d\n");
  EXPECT_EQ(set("a", {}).out, "set shop/prod/a: version 2, sealed to 0 machines, to be rotated after 90d\n");
  EXPECT_NE(vault.Owner({"secret", "list", "--json", "shop/prod"}).out.find("\"rotate_after\": 7776000"),
            std::string::npos);
  EXPECT_EQ(set("a", {"--rotate-after", ""}).exit, 2) << "an empty one is no former one";
  EXPECT_EQ(set("a", {"--rotate-after", "never"}).out, "set shop/prod/a: version 3, sealed to 0 machines\n");
  for (const char* bad : {"0d", "90", "soon", "3661d", "-1d"}) {
    const Finished refused = set("a", {std::string("--rotate-after=") + bad});
    EXPECT_EQ(refused.exit, 2) << bad << refused.Told();
    EXPECT_NE(refused.err.find("is never, or a time such as 12h or 90d"), std::string::npos)
        << refused.Told();
  }
  const Finished none = vault.Owner({"status"});
  EXPECT_EQ(none.exit, 0) << none.Told();
  EXPECT_EQ(none.err.find("overdue"), std::string::npos) << none.Told();
  std::string values;
  for (int i = 0; i < 12; ++i) values += "N" + std::to_string(i) + "=x\n";
  const Finished imported = vault.Owner({"secret", "import", "shop/prod", "--rotate-after", "1s"}, values);
  ASSERT_EQ(imported.exit, 0) << imported.Told();
  EXPECT_NE(imported.out.find("ROTATE AFTER"), std::string::npos) << imported.out;
  EXPECT_NE(imported.out.find("1s\n"), std::string::npos) << imported.out;
  Finished status;
  ASSERT_TRUE(Eventually([&] {
    status = vault.Owner({"status"});
    return status.err.find("overdue: 2 more: ") != std::string::npos;
  })) << status.Told();
  EXPECT_EQ(status.exit, 0) << status.Told();
  EXPECT_NE(status.err.find("overdue: shop/prod/N0 was to be rotated by 2"), std::string::npos)
      << status.Told();
  const Finished json = vault.Owner({"status", "--json"});
  EXPECT_NE(json.out.find("\"count\": 12,"), std::string::npos) << json.Told();
  const Finished list = vault.Owner({"secret", "list", "shop/prod"});
  EXPECT_NE(list.out.find("overdue 2"), std::string::npos) << list.out;
}

TEST(StoryTest, AMistypedNameLeavesNothingHalfDone) {
  OwnedVault vault;
  ASSERT_EQ(vault.Owner({"secret", "set", "shop/prod/a"}, "1").exit, 0);
  ASSERT_EQ(vault.Owner({"secret", "set", "shop/prod/b"}, "2").exit, 0);
  const Finished empty = vault.Owner({"secret", "set", "shop/prod/b"});
  EXPECT_EQ(empty.exit, 2) << empty.Told();
  EXPECT_EQ(vault.Owner({"secret", "get", "shop/prod/b"}).out, "2");
  EXPECT_EQ(vault.Owner({"secret", "set", "shop/prod/empty", "--empty"}).exit, 0);
  vault.AddMachine("web-1");
  EXPECT_EQ(vault.Owner({"grant", "web-1", "shop/prod/a", "shop/prod/nope"}).exit, 4);
  EXPECT_EQ(vault.Machine("web-1", {"read", "shop/prod/a"}).exit, 4) << "granted all the same";
  EXPECT_EQ(vault.Owner({"grant", "web-1", "shop/prod/a", "shop/prod/b"}).exit, 0);
  EXPECT_EQ(vault.Owner({"revoke", "web-1", "shop/prod/a", "shop/prod/nope"}).exit, 4);
  EXPECT_EQ(vault.Machine("web-1", {"read", "shop/prod/a"}).out, "1") << "revoked all the same";
}

TEST(StoryTest, EveryListIsADocument) {
  OwnedVault vault;
  ASSERT_EQ(vault.Owner({"secret", "set", "shop/prod/db-password", "--owner", "payments"}, "hunter2").exit,
            0);
  vault.AddMachine("web-1");
  ASSERT_EQ(vault.Owner({"grant", "web-1", "shop/prod/*", "--mode", "0440"}).exit, 0);
  const auto document = [&vault](Words words) {
    words.push_back("--json");
    const Finished finished = vault.Owner(words);
    EXPECT_EQ(finished.exit, 0) << words[0] << " " << finished.Told();
    return finished.Document();
  };
  EXPECT_EQ(document({"env", "list"}).Find("environments")->Items().at(0).Find("role")->AsString(), "owner");
  EXPECT_EQ(document({"project", "list"}).Find("projects")->Items().at(0).Find("name")->AsString(), "shop");
  EXPECT_EQ(
      document({"secret", "list", "shop/prod"}).Find("secrets")->Items().at(0).Find("owner")->AsString(),
      "payments");
  EXPECT_EQ(document({"secret", "history", "shop/prod/db-password"}).Find("versions")->Items().size(), 1u);
  EXPECT_EQ(document({"secret", "get", "shop/prod/db-password"}).Find("value_base64")->AsString(),
            "aHVudGVyMg==");
  EXPECT_EQ(document({"grants"}).Find("grants")->Items().at(0).Find("mode")->AsString(), "0440");
  EXPECT_EQ(document({"identity", "show", "web-1"}).Find("kind")->AsString(), "machine");
  EXPECT_EQ(document({"whoami"}).Find("name")->AsString(), "ada");
  EXPECT_TRUE(document({"audit", "verify"}).Find("good")->AsBool());
  EXPECT_EQ(document({"approve"}).Find("waiting")->Items().size(), 0u);
  EXPECT_TRUE(document({"invite", "web-2"}).Find("line")->AsString().starts_with("grantfs-invite-1."));
  for (const Words& words : std::vector<Words>{{"status"}, {"identity", "list"}, {"audit", "list"}})
    EXPECT_TRUE(document(words).is(Json::Kind::kObject)) << words[0];
  for (const char* homeless : {"version", "help"})
    EXPECT_TRUE(RunProgram({homeless, "--json"}).Document().is(Json::Kind::kObject)) << homeless;
}

TEST(StoryTest, InvitationIsAloneOnStandardOutput) {
  OwnedVault vault;
  const Finished invited = vault.Owner({"invite", "web-1"});
  ASSERT_EQ(invited.exit, 0) << invited.Told();
  EXPECT_TRUE(invited.out.starts_with("grantfs-invite-1.")) << invited.out;
  EXPECT_EQ(invited.out.find('\n'), invited.out.size() - 1);
  EXPECT_NE(invited.err.find("grantfs approve web-1"), std::string::npos) << invited.err;
}

TEST(StoryTest, ConfigurationInTheHomeSetsOptions) {
  OwnedVault vault;
  std::ofstream(vault.home() + "/grantfs.conf") << "json = yes\n[secret set]\nowner = payments\n";
  const Finished set = vault.Owner({"secret", "set", "shop/prod/x"}, "1");
  ASSERT_EQ(set.exit, 0) << set.Told();
  EXPECT_EQ(set.Document().Find("version")->AsNumber(), 1);
  const Json list = vault.Owner({"secret", "list", "shop/prod"}).Document();
  EXPECT_EQ(list.Find("secrets")->Items().at(0).Find("owner")->AsString(), "payments");
}

class MountStoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "mounting needs root";
    if (::access("/dev/fuse", R_OK | W_OK) != 0) GTEST_SKIP() << "there is no /dev/fuse";
  }
  /// False for one that has ended, whether its parent took notice or not.
  static bool Runs(std::int64_t process) {
    const std::string stat = FileText("/proc/" + std::to_string(process) + "/stat");
    const std::size_t name_end = stat.rfind(") ");
    return name_end != std::string::npos && stat.at(name_end + 2) != 'Z';
  }
};

TEST_F(MountStoryTest, FilesAppearInTheBackgroundAndGo) {
  OwnedVault vault;
  ASSERT_EQ(vault.Owner({"secret", "set", "shop/prod/db-password"}, "hunter2").exit, 0);
  vault.AddMachine("web-1");
  const std::string directory = vault.path() + "/mnt";
  const Finished mounted = vault.Machine("web-1", {"mount", directory, "--json"});
  ASSERT_EQ(mounted.exit, 0) << mounted.Told();
  const std::int64_t process = mounted.Document().Find("process")->AsNumber();
  const Finished granted = vault.Owner({"grant", "web-1", "shop/prod/db-password"});
  EXPECT_EQ(granted.exit, 0) << granted.Told();
  EXPECT_NE(granted.err.find("web-1 has followed"), std::string::npos) << granted.Told();
  EXPECT_EQ(FileText(directory + "/shop/prod/db-password"), "hunter2");
  const Finished twice = vault.Machine("web-1", {"mount", directory});
  EXPECT_EQ(twice.exit, 6) << twice.Told();
  EXPECT_EQ(vault.Owner({"revoke", "web-1", "shop/prod/db-password"}).exit, 0);
  EXPECT_NE(::access((directory + "/shop/prod/db-password").c_str(), F_OK), 0);
  const Finished unmounted = RunProgram({"umount", directory});
  EXPECT_EQ(unmounted.exit, 0) << unmounted.Told();
  EXPECT_TRUE(Eventually([process] { return !Runs(process); }));
}

TEST_F(MountStoryTest, StartsWithTheVaultDownAndShowsOneEnvironment) {
  OwnedVault vault;
  ASSERT_EQ(vault.Owner({"secret", "set", "shop/prod/db-password"}, "hunter2").exit, 0);
  vault.AddMachine("web-1");
  ASSERT_EQ(vault.Owner({"grant", "web-1", "shop/prod/db-password"}).exit, 0);
  ASSERT_EQ(vault.Machine("web-1", {"grants"}).exit, 0);
  vault.server().Stop();
  const std::string directory = vault.path() + "/mnt";
  const Finished mounted = vault.Machine("web-1", {"mount", directory, "--root", "shop/prod"});
  ASSERT_EQ(mounted.exit, 0) << mounted.Told();
  struct stat info {};
  EXPECT_EQ(::stat((directory + "/db-password").c_str(), &info), 0);
  EXPECT_EQ(info.st_size, 7);
  EXPECT_EQ(FileText(directory + "/db-password"), "") << "no vault, no value";
  vault.server().Start();
  EXPECT_TRUE(Eventually([&] { return FileText(directory + "/db-password") == "hunter2"; }));
  EXPECT_EQ(RunProgram({"umount", directory}).exit, 0);
}

TEST_F(MountStoryTest, ForegroundEndsOnASignal) {
  OwnedVault vault;
  vault.AddMachine("web-1");
  const std::string directory = vault.path() + "/mnt";
  const Captured out(vault.path() + "/out"), err(vault.path() + "/err");
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const pid_t process =
      StartProgram({"mount", directory, "--foreground", "--home", vault.MachineHome("web-1")}, null.get(),
                   out.fd(), err.fd());
  ASSERT_GT(process, 1);  // a signal to -1 is one to every process
  EXPECT_TRUE(Eventually([&out] { return out.Text().find("mounted ") == 0; })) << err.Text();
  EXPECT_EQ(::access((directory + "/.grantfs/status").c_str(), R_OK), 0);
  ::kill(process, SIGTERM);
  EXPECT_EQ(WaitForProgram(process), 0) << err.Text();
  EXPECT_NE(::access((directory + "/.grantfs").c_str(), F_OK), 0);
}

}  // namespace
}  // namespace grantfs
