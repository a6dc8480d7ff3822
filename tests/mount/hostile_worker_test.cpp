#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "../support/eventually.h"
#include "mount/base/channel_internal.h"
#include "mount/base/mount_table_internal.h"
#include "mount/watchers/on_change_internal.h"
#include "mount_fixture.h"
#include "program.h"

namespace grantfs {
namespace {

/// A supervisor whose first worker is in a stranger's hands.
class HostileWorkerTest : public MountTest, public ::testing::WithParamInterface<const char*> {
 protected:
  static std::size_t Descriptors(pid_t process) {
    std::error_code error;
    std::size_t count = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/fd", error))
      count += entry.path().empty() ? 0 : 1;
    return count;
  }
  static long Kilobytes(pid_t process) {
    std::ifstream status("/proc/" + std::to_string(process) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmRSS:")) return std::atol(line.c_str() + 6);
    }
    return 0;
  }
  static std::string FileText(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static std::size_t Children(pid_t process) {
    const std::string name = std::to_string(process);
    std::ifstream children("/proc/" + name + "/task/" + name + "/children");
    std::size_t count = 0;
    for (pid_t child = 0; children >> child;) ++count;
    return count;
  }
};

using HostileWorkerScribbleTest = MountTest;

TEST_P(HostileWorkerTest, NeitherEndsNorHoldsNorFillsItsSupervisor) {
  const std::string kind = GetParam();
  const std::string log = directory_ + "/log";
  Program program({"sh", "-c", "exec " FAKE_MOUNT " --hostile " + kind + " " + point_ + " 2> " + log});
  ASSERT_EQ(program.Line(), "ready\n");
  EXPECT_EQ(Read(At(kName)), "content") << "and now it begins";
  // Done, or replaced before that.
  const auto over = [&] {
    return Read(At("shop/prod/done")) == "x" ||
           Read(At(".grantfs/status")).find("before it 1 ") != std::string::npos;
  };
  EXPECT_TRUE(Eventually(over));
  if (kind == "prints") {
    EXPECT_TRUE(
        Eventually([&] { return FileText(log).find("workers wrote too much") != std::string::npos; }));
  }
  EXPECT_TRUE(Eventually([&] { return Read(At(kName)) == "content"; })) << "the mount goes on";
  EXPECT_TRUE(Eventually([&] { return Descriptors(program.pid()) < 40; })) << Descriptors(program.pid());
  EXPECT_TRUE(Eventually([&] { return Children(program.pid()) < 16; })) << Children(program.pid());
  EXPECT_LT(Kilobytes(program.pid()), 100'000);
  EXPECT_FALSE(program.Ended());
  EXPECT_LT(std::filesystem::file_size(log), std::uintmax_t{64} << 20) << "no flood is relayed";
  EXPECT_EQ(Read(At(kName)), "content");
  program.Kill(SIGTERM);
  EXPECT_EQ(program.Wait(), 0) << "and ends when it is told to";
  EXPECT_FALSE(TopMount(point_));
}

// What the kernel said of itself stands there too, so nobody can serve the mount any more: it ends, or every
// read is refused, but nothing worse comes of it.
TEST_F(HostileWorkerScribbleTest, NoiseInAllThatIsSharedEndsReadsAndNotItsSupervisor) {
  Program program({FAKE_MOUNT, "--hostile", "scribbles", point_});
  ASSERT_EQ(program.Line(), "ready\n");
  EXPECT_EQ(Read(At(kName)), "content") << "and now it begins";
  EXPECT_TRUE(Eventually([&] { return OpenError(kName) != 0; }));
  EXPECT_FALSE(program.Ended());
  program.Kill(SIGTERM);
  EXPECT_TRUE(Eventually([&] { return program.Ended(); }));
  EXPECT_FALSE(TopMount(point_));
}

INSTANTIATE_TEST_SUITE_P(Ways, HostileWorkerTest,
                         ::testing::Values("talks", "closes", "descriptors", "asks", "half", "shrinks",
                                           "prints", "forks", "becomes", "invents", "stops", "kills"),
                         [](const auto& way) { return std::string(way.param); });

TEST(ChannelTest, KeepsNoDescriptorThatIsNotTheOneThatIsExpected) {
  auto channel = MakeChannel();
  ASSERT_TRUE(channel);
  const int here = channel->first.get();
  const int there = channel->second.get();
  const auto open_now = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  };
  const auto before = open_now();
  const auto send = [&](std::string bytes, std::vector<int> fds) {
    iovec part{bytes.data(), bytes.size()};
    std::vector<char> control(CMSG_SPACE(fds.size() * sizeof(int)));
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
    ASSERT_GE(sendmsg(there, &message, MSG_NOSIGNAL), 0);
  };
  send("a", {0});
  EXPECT_TRUE(ReceiveMessage(here)->fd);
  send("a", {0, 0});
  EXPECT_FALSE(ReceiveMessage(here)->fd);
  send("a", std::vector<int>(250, 0));
  EXPECT_FALSE(ReceiveMessage(here)->fd);
  send("", {0});
  EXPECT_FALSE(ReceiveMessage(here)) << "nothing was said";
  send(std::string(kMaxMessageBytes + 1, 'x'), {0});
  EXPECT_FALSE(ReceiveMessage(here)) << "half of a message is none";
  send("a", {0});
  EXPECT_FALSE(ReceiveWords(here)->fd);
  EXPECT_EQ(open_now(), before);
}

TEST(ChannelTest, WhatIsNoErrorIsToldAsSuchAndIsKeptWithinBounds) {
  EXPECT_EQ(UnpackError("").code, Code::kIo);
  EXPECT_EQ(UnpackError(std::string("1\0"
                                    "99999\0x\0y",
                                    11))
                .code,
            Code::kIo);
  EXPECT_EQ(UnpackError(std::string("-1\0"
                                    "0\0x\0y",
                                    8))
                .code,
            Code::kIo);
  const Error error{Code::kDenied, "why", 13, "a\nb"};
  EXPECT_EQ(Describe(UnpackError(PackError(error))), Describe(error));
  const char* const fallback = UnpackError("").where;
  const auto packed = [](const std::string& where) {
    return "1" + std::string(1, '\0') + "0" + std::string(1, '\0') + where + std::string(1, '\0');
  };
  EXPECT_EQ(UnpackError(packed(std::string(5000, 'x'))).where, fallback);
  std::size_t kept = 0;
  for (int i = 0; i < 5000; ++i)
    kept += UnpackError(packed("text " + std::to_string(i))).where != fallback ? 1 : 0;
  EXPECT_LE(kept, 1000U);
}

TEST(OnChangeProcessTest, RunsForNamesBelowTheMountAlone) {
  const std::string directory = MakeTestDirectory();
  auto process =
      StartOnChange({"printf '<%s>' \"$@\" > " + directory + "/ran", "/nowhere", std::chrono::seconds(60)});
  ASSERT_TRUE(process);
  const auto run = [&](const std::string& names) {
    const std::uint64_t number = 7;
    const std::string message = std::string(reinterpret_cast<const char*>(&number), sizeof number) + names;
    EXPECT_GE(send(process->socket.get(), message.data(), message.size(), MSG_NOSIGNAL), 0);
    char answer[1024];
    OnChangeEnd end;
    if (recv(process->socket.get(), answer, sizeof answer, 0) != 1 + sizeof end) return -1;
    std::memcpy(&end, answer + 1, sizeof end);
    return end.run == number ? end.error : -1;
  };
  using std::string_literals::operator""s;
  for (const std::string& names : {"../etc/passwd\0"s, "/etc/passwd\0"s, "a/../../b\0"s, "a\0..\0"s,
                                   "a//b\0"s, "a/\0"s, "\0"s, ""s, ".grantfs/status\0"s, "a/./b\0"s,
                                   "\xff\0"s, "a\nb\0"s, "a\x1b[2J\0"s, "a\x7f\0"s, std::string(3000, 'x')})
    EXPECT_EQ(run(names), EINVAL) << names;
  EXPECT_FALSE(std::filesystem::exists(directory + "/ran"));
  EXPECT_EQ(run("shop/prod/..a\0-b\0"s), 0);
  EXPECT_EQ(run("-rf\0--help\0a-\0"s), 0);
  std::stringstream ran;
  ran << std::ifstream(directory + "/ran").rdbuf();
  EXPECT_EQ(ran.str(), "<./-rf><./--help><a->") << "no option to a program";
  process->socket.Reset();
  EXPECT_EQ(waitpid(process->pid, nullptr, 0), process->pid);
  RemoveTestDirectory(directory);
}

}  // namespace
}  // namespace grantfs
