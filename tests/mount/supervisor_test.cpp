#include "grantfs/mount/supervisor.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>
#include <vector>

#include "../support/eventually.h"
#include "grantfs/util/text.h"
#include "mount/channel_internal.h"
#include "mount/confine_internal.h"
#include "mount/control_internal.h"
#include "mount/mount_table_internal.h"
#include "mount/slots_internal.h"
#include "mount_fixture.h"
#include "program.h"

namespace grantfs {
namespace {

/// fake_mount with workers: each of them shows the same secrets.
class SupervisorTest : public MountTest {
 protected:
  Program MountWithWorkers() {
    Program program({FAKE_MOUNT, "--workers", point_});
    EXPECT_EQ(program.Line(), "ready\n");
    return program;
  }
  void End(Program* program) {
    program->Kill(SIGTERM);
    EXPECT_EQ(program->Wait(), 0);
    EXPECT_FALSE(TopMount(point_));
  }
  std::string StatusLine(const std::string& name) const {
    std::istringstream report(Read(At(".grantfs/status")));
    for (std::string line; std::getline(report, line);) {
      if (line.starts_with(name + " ")) return line;
    }
    return "";
  }
  /// The process that serves.
  pid_t Worker() const {
    const std::string line = StatusLine("worker");
    unsigned long long pid = 0;
    const std::size_t at = line.find("process ");
    if (at == std::string::npos) return -1;
    const std::string rest = line.substr(at + 8);
    return ParseNumber(rest.substr(0, rest.find_first_not_of("0123456789")), 1U << 30, &pid) && pid > 1
               ? static_cast<pid_t>(pid)
               : -1;
  }
  /// Once the next one stands ready, as it nearly always does.
  void KillWorker(int signal = SIGKILL) const {
    const pid_t worker = Worker();
    ASSERT_GT(worker, 1);
    ASSERT_EQ(kill(worker, signal), 0);
    ASSERT_TRUE(Eventually([&] {
      const pid_t now = Worker();
      return now > 1 && now != worker;
    }));
  }
};

std::string ProcLine(pid_t process, const std::string& name) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":")) return line.substr(name.size() + 1);
  }
  return "";
}

pid_t ChildOf(pid_t parent, const std::string& name, pid_t but = -1) {
  const std::string process = std::to_string(parent);
  std::ifstream children("/proc/" + process + "/task/" + process + "/children");
  for (pid_t child = 0; children >> child;) {
    if (child != but && ProcLine(child, "Name") == "\t" + name) return child;
  }
  return -1;
}

TEST_F(SupervisorTest, ReadersDoNotNoticeThatWorkersAreKilled) {
  Program program = MountWithWorkers();
  const UniqueFd held(Open(At(kName)));
  const UniqueFd report(Open(At(".grantfs/status")));
  void* mapped = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, held.get(), 0);
  ASSERT_NE(mapped, MAP_FAILED);
  for (int turn = 0; turn < 6; ++turn) {
    KillWorker();
    EXPECT_EQ(Read(At(kName)), "content") << turn;
    EXPECT_EQ(ReadFrom(held.get()), "content") << turn;
    EXPECT_EQ(ReadFrom(report.get()).substr(0, 5), "mount") << turn;
    EXPECT_EQ(std::string(static_cast<char*>(mapped), 7), "content") << turn;
  }
  munmap(mapped, 4096);
  EXPECT_NE(StatusLine("worker").find("before it 6 were ended"), std::string::npos) << StatusLine("worker");
  End(&program);
}

TEST_F(SupervisorTest, AWorkerHasNoRights) {
  Program program = MountWithWorkers();
  const pid_t worker = Worker();
  ASSERT_GT(worker, 1);
  EXPECT_EQ(ProcLine(worker, "Uid"), "\t60843\t60843\t60843\t60843");
  EXPECT_EQ(ProcLine(worker, "Gid"), "\t60843\t60843\t60843\t60843");
  EXPECT_EQ(ProcLine(worker, "Groups"), "\t ");
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
    EXPECT_EQ(ProcLine(worker, set), "\t0000000000000000") << set;
  for (const pid_t one : {worker, ChildOf(worker, "grantfs-inspect"), ChildOf(worker, "grantfs-notify")}) {
    EXPECT_EQ(ProcLine(one, "NoNewPrivs"), "\t1");
    EXPECT_EQ(ProcLine(one, "Seccomp"), CanConfineProcess() ? "\t2" : "\t0") << "makes no process";
  }
  End(&program);
}

TEST_F(SupervisorTest, AStoppedWorkerIsReplaced) {
  Program program = MountWithWorkers();
  const UniqueFd held(Open(At(kName)));
  KillWorker(SIGSTOP);
  EXPECT_EQ(ReadFrom(held.get()), "content");
  EXPECT_NE(StatusLine("worker").find(" hung"), std::string::npos) << StatusLine("worker");
  End(&program);
}

TEST_F(SupervisorTest, AWorkerWithoutItsHelpersIsReplaced) {
  Program program = MountWithWorkers();
  const UniqueFd held(Open(At(kName)));
  for (const char* helper : {"grantfs-inspect", "grantfs-notify"}) {
    const pid_t worker = Worker();
    const pid_t process = ChildOf(worker, helper);
    ASSERT_GT(process, 1) << helper;
    ASSERT_EQ(kill(process, SIGKILL), 0);
    // The first open asks one of them; a release has the pages of the mapping dropped by the other.
    EXPECT_TRUE(Eventually([&] {
      const UniqueFd fd(Open(At(kName)));
      void* mapped = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, fd.get(), 0);
      EXPECT_EQ(std::string(static_cast<char*>(mapped), 7), "content");
      munmap(mapped, 4096);
      return Worker() != worker;
    })) << helper;
  }
  EXPECT_EQ(ReadFrom(held.get()), "content");
  End(&program);
}

TEST_F(SupervisorTest, AWorkerWhoseNotifierHangsIsReplaced) {
  Program program = MountWithWorkers();
  const pid_t worker = Worker();
  const pid_t notifier = ChildOf(worker, "grantfs-notify");
  ASSERT_GT(notifier, 1);
  ASSERT_EQ(kill(notifier, SIGSTOP), 0);
  {
    const UniqueFd fd(Open(At(kName)));
    void* mapped = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    EXPECT_EQ(std::string(static_cast<char*>(mapped), 7), "content");
    munmap(mapped, 4096);
  }
  EXPECT_TRUE(Eventually([&] { return Read(At(kName)) == "content" && Worker() != worker; }));
  EXPECT_TRUE(Eventually([&] { return ChildOf(Worker(), "grantfs-notify") > 1; })) << "with its helpers";
  End(&program);
}

TEST_F(SupervisorTest, AWorkerWhoseSourceStandsStillIsReplaced) {
  Program program({FAKE_MOUNT, "--workers", point_, "stands"});
  ASSERT_EQ(program.Line(), "ready\n");
  EXPECT_EQ(Read(At(kName)), "errno " + std::to_string(EIO)) << "a silent one may come back";
  EXPECT_TRUE(Eventually([&] { return Read(At(kName)) == "content"; }));
  EXPECT_NE(StatusLine("worker").find(" hung"), std::string::npos) << StatusLine("worker");
  End(&program);
}

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
  EXPECT_TRUE(Eventually([&] { return ReadFrom(held.get()) == "content"; }, std::chrono::seconds(6)));
  upgrade.join();
  EXPECT_EQ(said, "");
  EXPECT_EQ(Serves(), "heals");
  End(&program);
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

TEST_F(SupervisorTest, AKilledWorkerThatWaitsForItsOwnMountIsLetGo) {
  Program program({FAKE_MOUNT, "--hangs", "itself", "500", point_});
  ASSERT_EQ(program.Line(), "ready\n");
  const pid_t first = ChildOf(program.pid(), "grantfs-worker");
  EXPECT_TRUE(Eventually([&] { return Worker() > 1 && Worker() != first; }));
  EXPECT_EQ(Read(At(kName)), "content");
  EXPECT_TRUE(Eventually([&] { return kill(first, 0) != 0; })) << "it is gone";
  End(&program);
}

TEST_F(SupervisorTest, ARequestThatEndsWorkersFailsAndOthersGoOn) {
  Program program = MountWithWorkers();
  const UniqueFd held(Open(At(kName)));
  EXPECT_EQ(OpenError("shop/prod/poison"), EIO);
  EXPECT_EQ(ReadFrom(held.get()), "content");
  EXPECT_EQ(Read(At(kName)), "content");
  EXPECT_NE(StatusLine("worker").find("3 ended by themselves"), std::string::npos) << StatusLine("worker");
  End(&program);
}

TEST_F(SupervisorTest, NobodyWaitsWhileWorkersEndAgainAndAgain) {
  Program program = MountWithWorkers();
  const UniqueFd held(Open(At(kName)));
  EXPECT_EQ(OpenError("shop/prod/poison"), EIO);
  EXPECT_EQ(OpenError("shop/prod/poison"), EIO);
  EXPECT_TRUE(Eventually([&] { return ReadFrom(held.get()) == "content"; })) << "it is tried again";
  EXPECT_NE(StatusLine("worker").find("1 times every read was refused"), std::string::npos)
      << StatusLine("worker");
  End(&program);
}

TEST_F(SupervisorTest, WhatIsClosedWhileEverythingIsRefusedIsClosed) {
  Program program = MountWithWorkers();
  std::vector<UniqueFd> held;
  for (int i = 0; i < 8; ++i) held.emplace_back(Open(At(kName)));
  EXPECT_NE(StatusLine("files").find("8 open"), std::string::npos) << StatusLine("files");
  EXPECT_EQ(OpenError("shop/prod/poison"), EIO);
  EXPECT_EQ(OpenError("shop/prod/poison"), EIO);
  held.resize(1);
  EXPECT_TRUE(Eventually([&] { return ReadFrom(held[0].get()) == "content"; }));
  EXPECT_NE(StatusLine("files").find("1 open"), std::string::npos) << StatusLine("files");
  End(&program);
}

TEST_F(SupervisorTest, ARequestThatWorkersStandStillAtFailsAndOthersGoOn) {
  Program program({FAKE_MOUNT, "--hangs", "request", "1000", point_});
  ASSERT_EQ(program.Line(), "ready\n");
  const UniqueFd held(Open(At(kName)));
  EXPECT_EQ(OpenError("shop/prod/tar"), EIO);
  EXPECT_EQ(ReadFrom(held.get()), "content");
  EXPECT_NE(StatusLine("worker").find("3 hung"), std::string::npos) << StatusLine("worker");
  End(&program);
}

TEST_F(SupervisorTest, NobodyWaitsWhileNoWorkerComesToServe) {
  Program program({FAKE_MOUNT, "--hangs", "next", "500", point_});
  ASSERT_EQ(program.Line(), "ready\n");
  ASSERT_EQ(kill(ChildOf(program.pid(), "grantfs-worker"), SIGKILL), 0);
  EXPECT_TRUE(Eventually([&] { return Read(At(kName)) == "errno 5"; }));
  End(&program);
}

TEST_F(SupervisorTest, NobodyWaitsWhileWorkersAreKilledBeforeTheyServe) {
  Program program({FAKE_MOUNT, "--hangs", "next", "20000", point_});
  ASSERT_EQ(program.Line(), "ready\n");
  std::atomic<bool> refused = false;
  std::thread reader([&] {
    EXPECT_EQ(Read(At(kName)), "errno 5");
    refused = true;
  });
  // The first, which serves, and then each one that is to.
  EXPECT_TRUE(Eventually(
      [&] {
        const pid_t worker = ChildOf(program.pid(), "grantfs-worker");
        if (worker > 1) kill(worker, SIGKILL);
        return refused.load();
      },
      std::chrono::seconds(60)));
  reader.join();
  End(&program);
}

TEST_F(SupervisorTest, AFirstWorkerThatDoesNotGetReadyIsNotWaitedForForEver) {
  EXPECT_EQ(OutputOf({"sh", "-c", std::string(FAKE_MOUNT) + " --hangs first 250 " + point_ + " 2>&1"}),
            "fake_mount: " + point_ + ": the worker does not get ready\n[exit 1]");
  EXPECT_FALSE(TopMount(point_));
}

TEST_F(SupervisorTest, AWorkerThatStandsByAndIsStoppedIsReplaced) {
  Program program({FAKE_MOUNT, "--hangs", "nowhere", "1000", point_});
  ASSERT_EQ(program.Line(), "ready\n");
  const pid_t worker = Worker();
  const auto standby = [&] { return ChildOf(program.pid(), "grantfs-worker", worker); };
  EXPECT_TRUE(Eventually([&] { return standby() > 1; }));
  const pid_t stopped = standby();
  ASSERT_EQ(kill(stopped, SIGSTOP), 0);
  EXPECT_TRUE(Eventually([&] { return standby() > 1 && standby() != stopped; }));
  EXPECT_EQ(Worker(), worker);
  End(&program);
}

/// The memory of a mount's requests, of the process that holds it.
std::unique_ptr<Slots> SlotsOf(pid_t supervisor) {
  const std::string directory = "/proc/" + std::to_string(supervisor) + "/fd/";
  for (int fd = 3; fd < 64; ++fd) {
    char name[64] = {};
    const std::string link = directory + std::to_string(fd);
    if (readlink(link.c_str(), name, sizeof name - 1) < 0) continue;
    if (std::string(name).find("memfd:grantfs-requests") == std::string::npos) continue;
    const UniqueFd memory(open(link.c_str(), O_RDWR | O_CLOEXEC));
    if (auto slots = Slots::Map(memory.get())) return *std::move(slots);
  }
  return nullptr;
}

// As the worker leaves it that is killed between its answer and the note that it was given.
TEST_F(SupervisorTest, ARequestThatWasAnsweredIsNoRefusalWhenItIsServedAgain) {
  Program program({FAKE_MOUNT, "--workers", point_, "user=1234"});
  ASSERT_EQ(program.Line(), "ready\n");
  EXPECT_EQ(Read(At("shop/prod/free")), "content");
  struct stat info {};
  ASSERT_EQ(stat(At(kName).c_str(), &info), 0);
  const auto slots = SlotsOf(program.pid());
  ASSERT_NE(slots, nullptr);
  const unsigned slot = Slots::kCount - 1;
  auto* header = reinterpret_cast<fuse_in_header*>(const_cast<std::uint8_t*>(slots->RequestIn(slot).data()));
  ASSERT_EQ(header->len, 0U);
  header->opcode = FUSE_OPEN;
  header->unique = std::uint64_t{1} << 40;  // that the kernel does not wait for
  header->nodeid = info.st_ino;
  header->pid = static_cast<std::uint32_t>(getpid());
  header->len = sizeof(fuse_in_header) + sizeof(fuse_open_in);
  KillWorker();
  EXPECT_TRUE(Eventually([&] { return slots->RequestIn(slot).empty(); })) << "it was served again";
  EXPECT_EQ(Read(At(".grantfs/denials")).find(kName), std::string::npos) << Read(At(".grantfs/denials"));
  EXPECT_EQ(OpenError(kName), EACCES);
  EXPECT_TRUE(Eventually([&] { return Read(At(".grantfs/denials")).find(kName) != std::string::npos; }));
  End(&program);
}

TEST_F(SupervisorTest, WhatKeepsTheFirstWorkerFromStartingIsTold) {
  EXPECT_EQ(OutputOf({"sh", "-c", std::string(FAKE_MOUNT) + " --broken " + point_ + " 2>&1"}),
            "fake_mount: fake: the source is broken\n[exit 1]");
  EXPECT_FALSE(TopMount(point_));
}

TEST_F(SupervisorTest, WorkersEndWithTheirSupervisor) {
  Program program = MountWithWorkers();
  const pid_t worker = Worker();
  ASSERT_GT(worker, 1);
  program.Kill(SIGKILL);
  program.Wait();
  EXPECT_TRUE(Eventually([&] { return OpenError(kName) == ENOTCONN; }));
  EXPECT_TRUE(Unmount(point_));
}

TEST_F(SupervisorTest, ItEndsOnTermThoughFilesAreOpenAndTheEndIsSeen) {
  Program program = MountWithWorkers();
  const UniqueFd held(Open(At(kName)));
  End(&program);
  EXPECT_TRUE(Eventually([&] { return ReadFrom(held.get()).starts_with("errno "); }));
}

TEST_F(SupervisorTest, ThatTheKernelCannotBeToldToEndItIsSaid) {
  if (geteuid() != 0) GTEST_SKIP() << "only root sees a world without fusectl";
  const std::string out = directory_ + "/out";
  const std::string script = "umount /sys/fs/fuse/connections 2>/dev/null; " FAKE_MOUNT " --workers " +
                             point_ + " > " + out + " 2>&1 & mount=$!; until grep -q ready " + out +
                             "; do kill -0 $mount || exit 9; done; exec 3< " + At(kName) +
                             "; kill $mount; wait $mount";
  EXPECT_EQ(OutputOf({"unshare", "--mount", "--propagation", "private", "sh", "-c", script}), "");
  std::stringstream log;
  log << std::ifstream(out).rdbuf();
  EXPECT_NE(log.str().find("mount -t fusectl none /sys/fs/fuse/connections"), std::string::npos) << log.str();
}

TEST_F(SupervisorTest, ItEndsWhenItIsUnmounted) {
  Program program = MountWithWorkers();
  KillWorker();
  EXPECT_TRUE(Eventually([&] { return Unmount(point_).has_value(); }));
  EXPECT_EQ(program.Wait(), 0);
}

}  // namespace
}  // namespace grantfs
