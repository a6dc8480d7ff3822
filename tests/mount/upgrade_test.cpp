#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>
#include <vector>

#include "grantfs/mount/supervisor.h"
#include "mount/base/channel_internal.h"
#include "mount/supervisor/control_internal.h"
#include "supervisor_fixture.h"

namespace grantfs {
namespace {

TEST_F(SupervisorTest, AnUpgradeTakesOverOrLeavesTheOldProgramAtWork) {
  Program program = MountWithWorkers();
  const UniqueFd held(Open(At(kName)));
  const auto order = [&](const char* executable) {
    const UniqueFd fd(open(executable, O_RDONLY | O_CLOEXEC));
    const UniqueFd connection = *ConnectToMount(point_ + "-orders", point_);
    SendMessage(connection.get(), kUpgradeOrder, {}, fd.get());
    const auto answer = ReceiveMessage(connection.get());
    return answer ? answer->kind : '?';
  };
  const pid_t old = Worker();
  EXPECT_EQ(order("/bin/false"), kFailedAnswer);
  EXPECT_EQ(order("/usr/bin/yes"), kFailedAnswer) << "which never gets ready";
  EXPECT_EQ(Worker(), old);
  EXPECT_EQ(order(FAKE_MOUNT), kDoneAnswer);
  EXPECT_NE(Worker(), old);
  EXPECT_EQ(ReadFrom(held.get()), "content");
  EXPECT_EQ(Read(At(kName)), "content");
  EXPECT_EQ(UpgradeMount(directory_, point_ + "-orders").error().code, Code::kNotFound);
  End(&program);
}

/// Upgrades of one mount.
class UpgradeTest : public SupervisorTest {
 protected:
  std::string Orders() const { return point_ + "-orders"; }
  /// A copy of fake_mount by a name that has it behave otherwise.
  std::string ProgramNamed(const std::string& name) const {
    const std::string path = directory_ + "/" + name;
    std::filesystem::copy_file(FAKE_MOUNT, path, std::filesystem::copy_options::overwrite_existing);
    return path;
  }
  /// "" if it was done, else why not.
  std::string Upgrade(const std::string& program) const {
    const UniqueFd fd(open(program.c_str(), O_RDONLY | O_CLOEXEC));
    const UniqueFd connection = *ConnectToMount(Orders(), point_);
    SendMessage(connection.get(), kUpgradeOrder, {}, fd.get());
    const auto answer = ReceiveMessage(connection.get());
    if (!answer) return "no answer";
    std::string text = answer->kind == kDoneAnswer ? "" : answer->text;
    std::replace(text.begin(), text.end(), '\0', ' ');
    return text;
  }
  /// The file of the program that the serving worker runs.
  std::string Serves() const {
    std::error_code error;
    return std::filesystem::read_symlink("/proc/" + std::to_string(Worker()) + "/exe", error).filename();
  }
};

TEST_F(UpgradeTest, AProgramWhoseWorkersDoNotComeToServeIsGivenUpAndTheOldOneGoesOn) {
  Program program = MountWithWorkers();
  const UniqueFd held(Open(At(kName)));
  for (const auto& [name, why] :
       {std::pair("ends-first", "signal 6"), std::pair("refuses-first", "the source is broken")}) {
    const std::string said = Upgrade(ProgramNamed(name));
    EXPECT_NE(said.find("the old one serves on"), std::string::npos) << said;
    EXPECT_NE(said.find(why), std::string::npos) << said;
    EXPECT_EQ(Serves(), "fake_mount") << "at once";
    EXPECT_EQ(ReadFrom(held.get()), "content");
    KillWorker();
    EXPECT_EQ(Serves(), "fake_mount") << "and after that";
  }
  EXPECT_EQ(StatusLine("worker").find("refused"), std::string::npos) << StatusLine("worker");
  EXPECT_EQ(Upgrade(FAKE_MOUNT), "");
  End(&program);
}

TEST_F(UpgradeTest, AProgramWhoseWorkersStandStillIsGivenUp) {
  Program program({FAKE_MOUNT, "--hangs", "nowhere", "400", point_});
  ASSERT_EQ(program.Line(), "ready\n");
  const std::string said = Upgrade(ProgramNamed("stops-first"));
  EXPECT_NE(said.find("its worker stood still"), std::string::npos) << said;
  EXPECT_EQ(Serves(), "fake_mount");
  EXPECT_EQ(Read(At(kName)), "content");
  End(&program);
}

TEST_F(UpgradeTest, AProgramWhoseWorkersEndAgainAndAgainSoonAfterwardsIsGivenUp) {
  Program program = MountWithWorkers();
  EXPECT_EQ(Upgrade(ProgramNamed("ends-later")), "") << "nobody has read yet";
  EXPECT_EQ(Serves(), "ends-later");
  EXPECT_EQ(Read(At(kName)), "content") << "readers wait";
  EXPECT_EQ(Serves(), "fake_mount");
  End(&program);
}

TEST_F(UpgradeTest, AProgramThatEndsWhileItProvesItselfIsNotSaidToHaveTakenOver) {
  Program program = MountWithWorkers();
  std::atomic<bool> over = false;
  std::thread reader([&] {
    while (!over) EXPECT_EQ(Read(At(kName)), "content");
  });
  const std::string said = Upgrade(ProgramNamed("ends-later"));
  over = true;
  reader.join();
  EXPECT_NE(said.find("the old one serves on"), std::string::npos) << said;
  EXPECT_EQ(Serves(), "fake_mount");
  End(&program);
}

TEST_F(UpgradeTest, ANewProgramIsTriedAtOnceWhileEveryReadIsRefused) {
  // Each worker but the first ends, so it is refused for two seconds, then for four, and so on.
  Program program({"sh", "-c", "exec " FAKE_MOUNT " --hangs ends 2000 " + point_ + " 2>&1"});
  for (std::string line; line != "ready\n";) ASSERT_NE(line = program.Line(), "");
  const UniqueFd held(Open(At(kName)));
  ASSERT_EQ(kill(ChildOf(program.pid(), "grantfs-worker"), SIGKILL), 0);
  for (std::string line; line.find("for the next 8 s") == std::string::npos;)
    ASSERT_NE(line = program.Line(), "");
  std::string said;
  const std::string other = ProgramNamed("heals");
  std::thread upgrade([&] { said = Upgrade(other); });
  EXPECT_TRUE(Eventually([&] { return ReadFrom(held.get()) == "content"; }));
  upgrade.join();
  EXPECT_EQ(said, "");
  EXPECT_EQ(Serves(), "heals");
  End(&program);
  // When the 8 s are over, one of the other program's workers is tried, and ends.
  EXPECT_EQ(program.Output().find("for the next 16 s"), std::string::npos) << "it had to wait";
}

TEST_F(UpgradeTest, TwoAtOnceAreRefused) {
  Program program = MountWithWorkers();
  std::string first;
  std::thread upgrade([&] { first = Upgrade("/usr/bin/yes"); });  // which never gets ready
  std::string second;
  EXPECT_TRUE(Eventually([&] {
    if (ChildOf(program.pid(), "yes") < 0) return false;
    second = Upgrade(FAKE_MOUNT);
    return true;
  }));
  EXPECT_NE(second.find("another upgrade is under way"), std::string::npos) << second;
  upgrade.join();
  EXPECT_NE(first.find("does not get ready in time"), std::string::npos) << first;
  End(&program);
}

TEST_F(UpgradeTest, ASecondOneSoonAfterwardsIsNotTakenForTheFirst) {
  Program program = MountWithWorkers();
  ASSERT_EQ(Upgrade(ProgramNamed("heals")), "");
  const std::string said = Upgrade("/usr/bin/yes");
  EXPECT_NE(said.find("does not get ready in time"), std::string::npos) << said;
  EXPECT_EQ(Serves(), "heals");
  End(&program);
}

TEST_F(UpgradeTest, WhoSaysNothingOrNonsenseKeepsNobodyWaiting) {
  Program program = MountWithWorkers();
  std::vector<UniqueFd> silent;
  for (int i = 0; i < 3; ++i) silent.push_back(*ConnectToMount(Orders(), point_));
  const UniqueFd nonsense = *ConnectToMount(Orders(), point_);
  SendMessage(nonsense.get(), '?');
  const auto answer = ReceiveMessage(nonsense.get());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->kind, kFailedAnswer);
  EXPECT_EQ(Upgrade(FAKE_MOUNT), "");
  EXPECT_FALSE(ReceiveMessage(silent[0].get())) << "it was let go";
  End(&program);
}

TEST_F(UpgradeTest, AMountThatEndsSaysSoToWhoWaits) {
  Program program = MountWithWorkers();
  const UniqueFd held(Open(At(kName)));  // it waits a little for that
  std::string said;
  std::thread upgrade([&] { said = Upgrade("/usr/bin/yes"); });
  EXPECT_TRUE(Eventually([&] { return ChildOf(program.pid(), "yes") > 1; }));
  program.Kill(SIGTERM);
  upgrade.join();
  EXPECT_NE(said.find("the mount ends"), std::string::npos) << said;
  EXPECT_EQ(program.Wait(), 0);
}

TEST_F(UpgradeTest, WhatTakesNoOrdersIsNamed) {
  EXPECT_EQ(UpgradeMount(directory_, Orders()).error().code, Code::kNotFound);
  Mount();  // by this process alone
  EXPECT_NE(Describe(UpgradeMount(point_, Orders()).error()).find("takes no orders"), std::string::npos);
  Detach();
  EXPECT_TRUE(Join());
  const UniqueFd fuse(open("/dev/fuse", O_RDWR | O_CLOEXEC));
  const std::string options = "fd=" + std::to_string(fuse.get()) + ",rootmode=40000,group_id=0,user_id=";
  const auto said = [&](const char* source, const char* type, const char* user) {
    EXPECT_EQ(mount(source, point_.c_str(), type, 0, (options + user).c_str()), 0) << errno;
    const Status upgraded = UpgradeMount(point_, Orders());
    EXPECT_EQ(umount2(point_.c_str(), MNT_DETACH), 0);
    return upgraded ? "done" : Describe(upgraded.error());
  };
  EXPECT_NE(said("grantfs", "fuse.grantfs", "1234").find("another user's mount"), std::string::npos);
}

TEST(ControlSocketTest, TakesAwayNoNameButItsOwn) {
  const std::string directory = MakeTestDirectory();
  const std::string orders = directory + "/orders";
  {
    auto first = ControlSocket::Listen(orders, "/point");
    ASSERT_TRUE(first) << Describe(first.error());
    auto second = ControlSocket::Listen(orders, "/point");
    ASSERT_TRUE(second);
    *first = ControlSocket();
    EXPECT_TRUE(ConnectToMount(orders, "/point")) << "that of the second";
    *second = ControlSocket();
    EXPECT_FALSE(ConnectToMount(orders, "/point"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(orders));
  RemoveTestDirectory(directory);
}

}  // namespace
}  // namespace grantfs
