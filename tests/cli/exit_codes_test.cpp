#include <gtest/gtest.h>

#include "cli/commands_internal.h"
#include "program.h"

namespace grantfs {
namespace {

// The contract of exit codes, with the real program: one test a code.

TEST(ExitCodesTest, DoneIs0) {
  const Finished version = RunProgram({"--version"});
  EXPECT_EQ(version.exit, 0) << version.Told();
  EXPECT_TRUE(version.out.starts_with("grantfs ")) << version.out;
  EXPECT_EQ(version.err, "");
  EXPECT_EQ(RunProgram({"secret", "set", "--help"}).exit, 0);
  EXPECT_EQ(RunProgram({"secret", "--help"}).exit, 0);
  EXPECT_EQ(RunProgram({"help"}).exit, 0);
}

TEST(ExitCodesTest, FailedIs1) {
  const UniqueFd full(::open("/dev/full", O_RDWR | O_CLOEXEC));
  TempDirectory directory;
  const Captured err(directory.path() + "/err");
  EXPECT_EQ(WaitForProgram(StartProgram({"version"}, full.get(), full.get(), err.fd())), 1);
  EXPECT_NE(err.Text().find("standard output: could not be written (No space left on device)"),
            std::string::npos)
      << err.Text();
}

TEST(ExitCodesTest, UsageIs2) {
  for (const Words& words : std::vector<Words>{{},
                                               {"frobnicate"},
                                               {"secret"},
                                               {"secret", "frobnicate"},
                                               {"version", "--frob"},
                                               {"version", "extra"},
                                               {"env", "create"},
                                               {"env", "create", "no-slash"},
                                               {"secret", "get", "shop/prod/.."},
                                               {"grant", "Web 1", "shop/prod/x"},
                                               {"revoke", "web-1"},
                                               {"help", "frobnicate"}}) {
    const Finished finished = RunProgram(words);
    EXPECT_EQ(finished.exit, 2) << (words.empty() ? "" : words.back()) << finished.Told();
    EXPECT_EQ(finished.out, "");
    EXPECT_NE(finished.err, "");
  }
}

TEST(ExitCodesTest, ValueAmongTheArgumentsIsNotRepeated) {
  const Finished finished = RunProgram({"secret", "set", "shop/prod/x", "hunter2"});
  EXPECT_EQ(finished.exit, 2) << finished.Told();
  EXPECT_EQ(finished.err.find("hunter2"), std::string::npos) << finished.err;
  EXPECT_NE(finished.err.find("standard input"), std::string::npos) << finished.err;
  const Finished option = RunProgram({"secret", "set", "shop/prod/x", "--value=hunter2"});
  EXPECT_EQ(option.exit, 2) << option.Told();
  EXPECT_EQ(option.err.find("hunter2"), std::string::npos) << option.err;
}

TEST(ExitCodesTest, BadConfigurationIs2) {
  TempDirectory directory;
  std::ofstream(directory.path() + "/grantfs.conf") << "[serve]\nnmae = vault.lan\n";
  const Finished finished = RunProgram({"--home", directory.path(), "status"});
  EXPECT_EQ(finished.exit, 2) << finished.Told();
  EXPECT_NE(finished.err.find("serve.nmae"), std::string::npos) << finished.err;
}

TEST(ExitCodesTest, DeniedIs3) {
  OwnedVault vault;
  vault.AddMachine("web-1");
  ASSERT_EQ(vault.Owner({"identity", "remove", "web-1"}).exit, 0);
  const Finished status = vault.Machine("web-1", {"grants"});
  EXPECT_EQ(status.exit, 3) << status.Told();
  ASSERT_EQ(::chmod((vault.home() + "/seed").c_str(), 0644), 0);
  const Finished open = vault.Owner({"status"});
  EXPECT_EQ(open.exit, 3) << open.Told();
  EXPECT_NE(open.err.find("chmod"), std::string::npos) << open.err;
}

TEST(ExitCodesTest, NotFoundIs4) {
  TempDirectory directory;
  const Finished homeless = RunProgram({"--home", directory.path() + "/none", "status"});
  EXPECT_EQ(homeless.exit, 4) << homeless.Told();
  OwnedVault vault;
  for (const Words& words :
       std::vector<Words>{{"secret", "get", "shop/prod/none"},
                          {"secret", "history", "shop/prod/none"},
                          {"secret", "list", "shop/none"},
                          {"identity", "show", "nobody"},
                          {"approve", "nobody"},
                          {"audit", "verify", "--database", directory.path() + "/none"}}) {
    const Finished finished = vault.Owner(words);
    EXPECT_EQ(finished.exit, 4) << words[0] << " " << words[1] << "\n" << finished.Told();
    EXPECT_EQ(finished.out, "");
  }
  EXPECT_EQ(RunProgram({"umount", directory.path()}).exit, 4);
}

TEST(ExitCodesTest, UnreachableIs5) {
  OwnedVault vault;
  vault.server().Stop();
  const Finished status = vault.Owner({"status"});
  EXPECT_EQ(status.exit, 5) << status.Told();
  const Finished who = vault.Owner({"whoami"});
  EXPECT_EQ(who.exit, 0) << who.Told();
  EXPECT_EQ(vault.Owner({"doctor"}).exit, 1);
}

TEST(ExitCodesTest, ConflictIs6) {
  OwnedVault vault;
  const Finished again = vault.Owner({"env", "create", "shop/prod"});
  EXPECT_EQ(again.exit, 6) << again.Told();
  const Finished init = vault.Owner({"init", "--name", "eve"}, "anything");
  EXPECT_EQ(init.exit, 6) << init.Told();
  const Finished enroll = vault.Owner({"enroll"}, "anything");
  EXPECT_EQ(enroll.exit, 6) << enroll.Told();
}

// Changes a byte of the last record's body in a copy of the database.
void Tamper(const std::string& path) {
  std::string content = FileText(path);
  const std::size_t at = content.rfind("\"outcome\"");
  ASSERT_NE(at, std::string::npos);
  content[at + 1] = 'O';
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

TEST(ExitCodesTest, IntegrityIs7) {
  OwnedVault vault;
  const Finished good = vault.Owner({"audit", "verify"});
  EXPECT_EQ(good.exit, 0) << good.Told();
  vault.server().Stop();
  for (const auto& entry : std::filesystem::directory_iterator(vault.server().data()))
    if (entry.path().extension() == ".db") Tamper(entry.path().string());
  for (const auto& entry : std::filesystem::directory_iterator(vault.server().data())) {
    if (entry.path().extension() != ".db") continue;
    const Finished bad = vault.Owner({"audit", "verify", "--database", entry.path().string()});
    EXPECT_EQ(bad.exit, 7) << bad.Told();
    EXPECT_NE(bad.err.find("record "), std::string::npos) << bad.err;
  }
}

}  // namespace
}  // namespace grantfs
