#include "grantfs/mount/supervisor.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>
#include <vector>

#include "mount/base/confine_internal.h"
#include "mount/base/mount_table_internal.h"
#include "mount/kernel/slots_internal.h"
#include "supervisor_fixture.h"

namespace grantfs {
namespace {

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

/// The nice values of a process's threads.
std::set<int> NiceValuesOf(pid_t process) {
  std::set<int> values;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task"))
    values.insert(getpriority(PRIO_PROCESS, static_cast<id_t>(std::stol(thread.path().filename()))));
  return values;
}

// Until it serves, readers wait for it; then it is one of many.
TEST_F(SupervisorTest, AWorkerThatServesHasNoMoreOfTheProcessorsThanOthers) {
  Program program = MountWithWorkers();
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(Eventually([&] { return NiceValuesOf(Worker()) == std::set<int>{0}; }));
    KillWorker();
  }
  End(&program);
}

// It holds the device too, and whoever polls that is woken for each request.
TEST_F(SupervisorTest, RequestsDoNotWakeTheSupervisor) {
  constexpr int kOpens = 2000;
  Program program = MountWithWorkers();
  const auto woken = [&] { return std::stol(ProcLine(program.pid(), "voluntary_ctxt_switches")); };
  ASSERT_TRUE(Eventually([&] { return ChildOf(program.pid(), "grantfs-worker", Worker()) > 1; }));
  const long before = woken();
  for (int i = 0; i < kOpens; ++i) ASSERT_EQ(Read(At(kName)), "content");
  EXPECT_LT(woken() - before, kOpens / 4) << "one open is three requests";
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
