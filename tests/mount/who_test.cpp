#include <fcntl.h>
#include <linux/aio_abi.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "../support/eventually.h"
#include "grantfs/crypto/hash.h"
#include "grantfs/mount/why.h"
#include "mount_fixture.h"
#include "program.h"

namespace grantfs {
namespace {

/// Begins to read, waits for nothing, and becomes another program. Only system calls: a child of threads.
[[noreturn]] void ReadWhileBecomingAnother(int fd) {
  static char buffer[4096];
  aio_context_t context = 0;
  iocb request{};
  request.aio_fildes = static_cast<std::uint32_t>(fd);
  request.aio_lio_opcode = IOCB_CMD_PREAD;
  request.aio_buf = reinterpret_cast<std::uintptr_t>(buffer);
  request.aio_nbytes = sizeof buffer;
  iocb* requests[] = {&request};
  const bool begun =
      syscall(SYS_io_setup, 1, &context) == 0 && syscall(SYS_io_submit, context, 1, requests) == 1;
  if (begun) execl("/bin/true", "true", nullptr);
  _exit(1);
}

/// A mount of one secret, readable by all as far as its mode goes.
class WhoTest : public MountTest {
 protected:
  void MountFor(const std::vector<std::string>& conditions) {
    source_.Put(kName, "content");
    Grant(conditions);
    Mount();
  }
  void Grant(const std::vector<std::string>& conditions) {
    source_.Change(kName, [&](GrantedSecret& grant) {
      grant.mode = 0444;
      grant.conditions = conditions;
    });
  }
  /// What `cat` of the secret prints, as another user; "refused" where it is.
  std::string CatAs(const std::string& user, const std::string& groups = "") {
    return Told({"setpriv", "--reuid", user, "--regid", user,
                 groups.empty() ? "--clear-groups" : "--groups=" + groups, "cat", At(kName)});
  }
  static std::string Told(std::vector<std::string> command) {
    std::vector<std::string> quiet = {"sh", "-c", "export LC_ALL=C; exec \"$0\" \"$@\" 2>&1"};
    quiet.insert(quiet.end(), command.begin(), command.end());
    const std::string output = OutputOf(quiet);
    return output.find("Permission denied") != std::string::npos ? "refused" : output;
  }
  /// A program of this test's own that does what cat does.
  std::string Tool(const std::string& name) {
    const std::string path = directory_ + "/" + name;
    std::filesystem::copy_file(Real("/bin/cat"), path);
    return path;
  }
  static std::string Real(const std::string& path) { return std::filesystem::canonical(path).string(); }
  static std::string ContentHash(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    return Sha256({AsBytes(content)}).Hex();
  }
  std::string LastReason() {
    std::string reason;
    EXPECT_TRUE(Eventually([&] {
      const auto refused = source_.Refused();
      if (!refused.empty()) reason = refused.back().reason;
      return !refused.empty();
    })) << "no refusal was reported";
    return reason;
  }
};

TEST_F(WhoTest, OnlyTheUser) {
  MountFor({"user=1234", "user=1235"});
  EXPECT_EQ(CatAs("1234"), "content");
  EXPECT_EQ(CatAs("1235"), "content");
  EXPECT_EQ(CatAs("1236"), "refused");
  EXPECT_EQ(OpenError(kName), EACCES) << "root neither";
  EXPECT_EQ(source_.OpenCount(), 2U) << "what is refused here does not reach the vault";
  EXPECT_NE(LastReason().find("user 1234 or user 1235"), std::string::npos);
  EXPECT_TRUE(Logged("shop/prod/db-password refused to"));
}

TEST_F(WhoTest, OnlyAGroupOfItsGroups) {
  MountFor({"group=777"});
  EXPECT_EQ(CatAs("777"), "content");
  EXPECT_EQ(CatAs("1234", "776,777"), "content");
  EXPECT_EQ(CatAs("1234", "776"), "refused");
}

TEST_F(WhoTest, ConditionsThatChangeHoldAtOnce) {
  MountFor({});
  UniqueFd fd(Open(At(kName)));
  EXPECT_EQ(ReadFrom(fd.get()), "content");
  Grant({"user=1234"});
  EXPECT_TRUE(Eventually([&] { return ReadFrom(fd.get()) == "errno " + std::to_string(EACCES); }));
  Grant({"moon=full"});
  EXPECT_TRUE(Eventually([&] { return CatAs("1234") == "refused"; })) << "a condition of a later version";
  Grant({});
  EXPECT_TRUE(Eventually([&] { return ReadFrom(fd.get()) == "content"; }));
}

TEST_F(WhoTest, OnlyAnExecutable) {
  const std::string tool = Tool("tool");
  const std::string copy = Tool("copy");
  MountFor({"exe=" + tool});
  EXPECT_EQ(Told({tool, At(kName)}), "content");
  EXPECT_EQ(Told({copy, At(kName)}), "refused");
  EXPECT_EQ(Told({"cat", At(kName)}), "refused");
  std::filesystem::create_symlink(tool, directory_ + "/link");
  Grant({"exe=" + directory_ + "/link"});
  EXPECT_TRUE(Eventually([&] {
    return Told({tool, At(kName)}) == "content";
  })) << "the file that a link leads to";
}

// The kernel lets nobody look at a process in the middle of execve(2), which waits for the process's reads.
TEST_F(WhoTest, AReaderThatBecomesAnotherProgramMeanwhileHoldsNothingUp) {
  MountFor({"exe=" + Real("/proc/self/exe")});
  const UniqueFd fd(Open(At(kName)));
  ASSERT_EQ(ReadFrom(fd.get()), "content");
  ASSERT_EQ(fcntl(fd.get(), F_SETFL, O_DIRECT), 0);
  for (int i = 0; i < 8; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) ReadWhileBecomingAnother(fd.get());
    int status = -1;
    ASSERT_TRUE(Eventually([&] { return waitpid(child, &status, WNOHANG) == child; }));
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  EXPECT_EQ(ReadFrom(fd.get()), "content");
}

TEST_F(WhoTest, OnlyAnExecutableOfThatContent) {
  const std::string tool = Tool("tool");
  MountFor({"exe=" + tool + "=" + ContentHash(tool)});
  EXPECT_EQ(Told({tool, At(kName)}), "content");
  EXPECT_EQ(Told({tool, At(kName)}), "content") << "known by now";
  std::ofstream(tool, std::ios::app) << "x";
  EXPECT_EQ(Told({tool, At(kName)}), "refused");
  EXPECT_NE(LastReason().find("other content"), std::string::npos);
}

TEST_F(WhoTest, AFileMountedOverThePathIsAnother) {
  const std::string tool = Tool("tool");
  const std::string evil = Tool("evil");
  MountFor({"exe=" + tool});
  const std::string over = "mount --bind " + evil + " " + tool + " && exec " + tool + " " + At(kName);
  EXPECT_EQ(Told({"unshare", "-m", "sh", "-c", over}), "refused");
  EXPECT_NE(LastReason().find("another file"), std::string::npos);
  EXPECT_EQ(Told({tool, At(kName)}), "content");
}

TEST_F(WhoTest, AnExecutableThatWasReplacedIsRefused) {
  const std::string shell = directory_ + "/shell";
  std::filesystem::copy_file(Real("/bin/sh"), shell);
  MountFor({"exe=" + shell});
  const std::string read = "read x < " + At(kName) + "; echo $x";
  EXPECT_EQ(Told({shell, "-c", read}), "content\n");
  EXPECT_EQ(Told({shell, "-c", "rm " + shell + "; " + read}), "refused");
  EXPECT_NE(LastReason().find("replaced or deleted"), std::string::npos);
}

TEST_F(WhoTest, TheExecutableOfAScriptIsItsInterpreter) {
  const std::string script = directory_ + "/script";
  std::ofstream(script) << "#!" << Real("/bin/sh") << "\nread x < " << At(kName) << "\necho $x\n";
  chmod(script.c_str(), 0755);
  MountFor({"exe=" + script});
  EXPECT_EQ(Told({script}), "refused");
  Grant({"exe=" + Real("/bin/sh")});
  EXPECT_TRUE(Eventually([&] { return Told({script}) == "content\n"; }));
}

TEST_F(WhoTest, ADescriptorThatIsHandedOnIsLookedAtAnew) {
  const std::string shell = directory_ + "/shell";
  std::filesystem::copy_file(Real("/bin/sh"), shell);
  MountFor({"exe=" + shell});
  const std::string command = "exec 3<" + At(kName) + " && exec cat <&3";
  EXPECT_EQ(Told({shell, "-c", command}), "refused") << "open by one program, read by another";
  EXPECT_NE(LastReason().find("/cat"), std::string::npos);
  EXPECT_GE(source_.OpenCount(), 1U);
  Grant({"exe=" + shell, "exe=" + Real("/bin/cat")});
  EXPECT_TRUE(Eventually([&] { return Told({shell, "-c", command}) == "content"; }));
}

TEST_F(WhoTest, ForgedExecutablesAreRefused) {
  const std::string tool = Tool("tool");
  const std::string spoof = directory_ + "/spoof";  // where other users reach it
  std::filesystem::copy_file(SPOOF, spoof);
  MountFor({"exe=" + tool});
  const std::string as_user =
      Told({"setpriv", "--reuid=1234", "--regid=1234", "--clear-groups", spoof, tool, At(kName)});
  const std::string told =
      as_user.starts_with("no user namespace") ? Told({spoof, tool, At(kName)}) : as_user;
  if (told.starts_with("no ")) GTEST_SKIP() << told;
  EXPECT_EQ(told, tool + ": errno " + std::to_string(EACCES) + "\n");
  EXPECT_NE(LastReason().find("forged"), std::string::npos);
  Grant({"exe=" + tool + "=" + ContentHash(tool)});
  EXPECT_EQ(Told({spoof, tool, At(kName)}), tool + ": errno " + std::to_string(EACCES) + "\n");
}

// The mount's own pid namespace is a small one, in which nobody else has a number.
TEST_F(WhoTest, WhoHasNoNumberHereIsKnownByUserAndGroupAlone) {
  Program mount({"unshare", "--pid", "--fork", "--kill-child", FAKE_MOUNT, point_, "group=777"});
  ASSERT_EQ(mount.Line(), "ready\n");
  EXPECT_EQ(CatAs("777"), "content");
  EXPECT_EQ(CatAs("1234", "777"), "refused");
  const std::string denials = Read(At(".grantfs/denials"));
  EXPECT_NE(denials.find("pid namespace that cannot be seen"), std::string::npos) << denials;
  Detach();
  EXPECT_EQ(mount.Wait(), 0);
}

TEST_F(WhoTest, NothingGoesToThePageCacheUnderACondition) {
  MountFor({});
  {
    UniqueFd fd(Open(At(kName)));
    UniqueFd target(memfd_create("copy", MFD_CLOEXEC));
    EXPECT_EQ(sendfile(target.get(), fd.get(), nullptr, 7), 7);
  }
  Grant({"user=0"});
  EXPECT_TRUE(Eventually([&] {
    UniqueFd fd(Open(At(kName)));
    UniqueFd target(memfd_create("copy", MFD_CLOEXEC));
    return sendfile(target.get(), fd.get(), nullptr, 7) == -1 && errno == EACCES;
  }));
  UniqueFd fd(Open(At(kName)));
  EXPECT_EQ(ReadFrom(fd.get()), "content");
  EXPECT_NE(OutputOf({READER, "mmap", At(kName), "0"}).find("SIGBUS 1"), std::string::npos);
  EXPECT_NE(LastReason().find("page cache"), std::string::npos);
}

TEST_F(WhoTest, RefusalsAreListedForWhoMounted) {
  MountFor({"user=1234"});
  for (int i = 0; i < 50; ++i) EXPECT_EQ(OpenError(kName), EACCES);
  const std::string table = Read(At(".grantfs/denials"));
  EXPECT_TRUE(table.starts_with("LAST")) << table;
  EXPECT_NE(table.find("shop/prod/db-password"), std::string::npos) << table;
  EXPECT_NE(table.find("mount_test"), std::string::npos) << table;
  EXPECT_NE(Told({"setpriv", "--reuid=1234", "--regid=1234", "--clear-groups", "cat", At(".grantfs/denials")})
                .find("refused"),
            std::string::npos);
  EXPECT_TRUE(Eventually([&] { return !source_.Refused().empty(); }));
  EXPECT_LE(source_.Refused().size(), 4U) << "one in a loop is told of seldom";
  Detach();
  EXPECT_TRUE(Join());
  std::uint64_t count = 0;
  for (const RefusedRead& one : source_.Refused()) count += one.count;
  EXPECT_EQ(count, 50U) << "and all of it in the end";
}

TEST_F(WhoTest, EverybodyIsToldWhyHeIsRefused) {
  MountFor({"user=1234"});
  const std::string why = At(std::string(".grantfs/why/") + kName);
  const std::string refused = Read(why);
  EXPECT_TRUE(refused.starts_with("it would be refused: ")) << refused;
  EXPECT_NE(refused.find("REFUSED: user 1234: it runs as user 0"), std::string::npos) << refused;
  const std::vector<std::string> as_app = {"setpriv", "--reuid=1234", "--regid=1234", "--clear-groups",
                                           "cat"};
  auto command = as_app;
  command.push_back(why);
  const std::string good = Told(command);
  EXPECT_TRUE(good.starts_with("it may read: ")) << good;
  EXPECT_EQ(OpenError(".grantfs/why/shop/prod/other"), ENOENT);
  EXPECT_NE(Read(At(".grantfs/grants")).find("only user=1234"), std::string::npos);
}

TEST_F(WhoTest, RootIsToldWhyAnotherIsRefused) {
  MountFor({"user=1234"});
  const Program other({"setpriv", "--reuid=1235", "--regid=1235", "--clear-groups", "sleep", "600"});
  const std::string why = At(std::string(".grantfs/why/") + kName + "@pid:" + std::to_string(other.pid()));
  EXPECT_TRUE(Eventually([&] {
    return Read(why).find("REFUSED: user 1234: it runs as user 1235") != std::string::npos;
  })) << Read(why);
  const std::string told =
      OutputOf({"sh", "-c", "exec setpriv --reuid=1234 --regid=1234 --clear-groups cat " + why + " 2>&1"});
  EXPECT_NE(told.find("No such file"), std::string::npos) << told;
}

TEST_F(WhoTest, APathIsExplainedAsAProcessSeesIt) {
  MountFor({"user=1234"});
  std::filesystem::create_directory(directory_ + "/bind");
  const std::string hidden = "mount -t tmpfs none " + point_ + " && echo ready && exec sleep 600";
  const std::string bound =
      "mount --bind " + At("shop") + " " + directory_ + "/bind && echo ready && exec sleep 600";
  Program here({"sh", "-c", "echo ready; exec setpriv --reuid=1234 --regid=1234 --clear-groups sleep 600"});
  Program without({"unshare", "-m", "sh", "-c", hidden});
  Program elsewhere({"unshare", "-m", "sh", "-c", bound});
  for (Program* program : {&here, &without, &elsewhere}) ASSERT_EQ(program->Line(), "ready\n");
  const auto why = [&](const Program& program, const std::string& path) {
    const auto answer = ExplainRead(path, static_cast<std::uint32_t>(program.pid()));
    return answer ? answer->text : Describe(answer.error());
  };
  EXPECT_TRUE(Eventually([&] { return why(here, At(kName)).starts_with("it may read: "); }))
      << why(here, At(kName));
  EXPECT_NE(why(here, At(kName)).find("mount        good: a grantfs mount at " + point_), std::string::npos);
  EXPECT_NE(why(here, At("shop/prod/other")).find("REFUSED: grantfs is mounted at"), std::string::npos);
  EXPECT_NE(why(without, At(kName)).find("REFUSED: there is no such path"), std::string::npos);
  EXPECT_NE(why(without, "/etc/passwd").find("REFUSED: what is there"), std::string::npos);
  const std::string in_bind = why(elsewhere, directory_ + "/bind/prod/db-password");
  EXPECT_NE(in_bind.find("a bind mount of its /shop"), std::string::npos) << in_bind;
  EXPECT_NE(in_bind.find("REFUSED: user 1234: it runs as user 0"), std::string::npos) << in_bind;
  chmod(directory_.c_str(), 0700);
  EXPECT_NE(why(here, At(kName)).find("REFUSED: it may not go through " + directory_ + "\n"),
            std::string::npos)
      << why(here, At(kName));
  EXPECT_FALSE(ExplainRead(At(kName), 0x3fffff));
}

}  // namespace
}  // namespace grantfs
