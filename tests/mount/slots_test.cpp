#include <gtest/gtest.h>
#include <linux/fuse.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>

#include "../support/eventually.h"
#include "grantfs/crypto/random.h"
#include "mount/kernel/kernel_link_internal.h"
#include "mount/kernel/slots_internal.h"

namespace grantfs {
namespace {

/// A socket plays /dev/fuse: each message is one request.
class SlotsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(InitCrypto());
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    kernel_.Reset(ends[0]);
    fuse_.Reset(ends[1]);
    memory_ = *Slots::Make();
    slots_ = *Slots::Map(memory_.get());
    EXPECT_TRUE(slots_->TakeOver().empty());
  }

  void Ask(std::uint32_t opcode, std::uint64_t unique, std::uint64_t target = 0, std::size_t more = 0) {
    std::vector<std::uint8_t> message(sizeof(fuse_in_header) + sizeof target + more);
    const fuse_in_header header{
        .len = static_cast<std::uint32_t>(message.size()), .opcode = opcode, .unique = unique};
    std::memcpy(message.data(), &header, sizeof header);
    std::memcpy(message.data() + sizeof header, &target, sizeof target);
    ASSERT_EQ(send(kernel_.get(), message.data(), message.size(), 0), static_cast<ssize_t>(message.size()));
  }
  ssize_t Read() { return slots_->Read(fuse_.get(), buffer_, sizeof buffer_); }
  void AskAndRead(std::uint32_t opcode, std::uint64_t unique, std::uint64_t target = 0,
                  std::size_t more = 0) {
    Ask(opcode, unique, target, more);
    ASSERT_GT(Read(), 0);
  }
  /// What another process would find: the numbers of the requests, in its order.
  std::vector<std::uint64_t> Left() {
    const auto other = *Slots::Map(memory_.get());
    std::vector<std::uint64_t> numbers;
    for (const unsigned slot : other->TakeOver()) {
      fuse_in_header header;
      std::memcpy(&header, other->RequestIn(slot).data(), sizeof header);
      numbers.push_back(header.unique);
    }
    return numbers;
  }

  UniqueFd kernel_, fuse_, memory_;
  std::unique_ptr<Slots> slots_;
  std::uint8_t buffer_[8192];
};

/// Another process that serves the memory, until it is killed.
pid_t StartServer(int memory) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t process = fork();
  if (process == 0) {
    if (Slots::AwaitOthers(memory)) [[maybe_unused]]
      const ssize_t told = write(ends[1], "s", 1);
    for (;;) pause();
  }
  char said = 0;
  EXPECT_EQ(read(ends[0], &said, 1), 1);
  close(ends[0]);
  close(ends[1]);
  return process;
}

TEST_F(SlotsTest, WhoServesNextWaitsUntilTheOneBeforeIsDead) {
  const pid_t before = StartServer(memory_.get());
  ASSERT_GT(before, 1);
  std::atomic<bool> serves = false;
  std::thread next([&] {
    EXPECT_TRUE(Slots::AwaitOthers(memory_.get()));
    serves = true;
  });
  // The kernel tells of who waits.
  EXPECT_TRUE(Eventually([] {
    std::ifstream locks("/proc/locks");
    const std::string all{std::istreambuf_iterator<char>(locks), {}};
    return all.find("-> POSIX  ADVISORY  WRITE " + std::to_string(getpid()) + " ") != std::string::npos;
  }));
  EXPECT_FALSE(serves);
  kill(before, SIGKILL);
  next.join();
  EXPECT_TRUE(serves);
  waitpid(before, nullptr, 0);
}

using Numbers = std::vector<std::uint64_t>;

TEST_F(SlotsTest, WhatIsNotAnsweredIsLeftToTheNextOne) {
  AskAndRead(FUSE_OPEN, 30);
  AskAndRead(FUSE_READ, 10);
  AskAndRead(FUSE_LOOKUP, 20);
  EXPECT_EQ(reinterpret_cast<fuse_in_header*>(buffer_)->unique, 20U);
  EXPECT_EQ(slots_->Waiting(), 3U);
  slots_->Answered(10);
  EXPECT_EQ(Left(), (Numbers{20, 30}));
  slots_->Answered(20);
  slots_->Answered(30);
  slots_->Answered(40);
  EXPECT_TRUE(Left().empty());
  EXPECT_EQ(slots_->Waiting(), 0U);
}

TEST_F(SlotsTest, AReadThatFailsLeavesNothing) {
  EXPECT_EQ(Read(), -1);
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_TRUE(Left().empty());
}

TEST_F(SlotsTest, WhatHasNoAnswerIsNotKept) {
  AskAndRead(FUSE_FORGET, 2);
  AskAndRead(FUSE_BATCH_FORGET, 4, 0, 6000);
  EXPECT_TRUE(Left().empty());
}

TEST_F(SlotsTest, AnInterruptIsKeptUntilItsRequestIsAnsweredAndComesLast) {
  AskAndRead(FUSE_OPEN, 8);
  AskAndRead(FUSE_INTERRUPT, 3, 8);
  AskAndRead(FUSE_READ, 12);
  EXPECT_EQ(Left(), (Numbers{8, 12, 3}));
  slots_->Answered(8);
  EXPECT_EQ(Left(), (Numbers{12}));
  AskAndRead(FUSE_INTERRUPT, 5, 8);  // of what was answered meanwhile
  EXPECT_EQ(Left(), (Numbers{12}));
  AskAndRead(FUSE_INTERRUPT, 7, 12);
  slots_->Answered(7);  // libfuse lets the kernel send it again
  EXPECT_EQ(Left(), (Numbers{12}));
}

TEST_F(SlotsTest, TheNextOneKnowsWhoseInterruptItIs) {
  AskAndRead(FUSE_OPEN, 8);
  AskAndRead(FUSE_INTERRUPT, 3, 8);
  const auto next = *Slots::Map(memory_.get());
  const auto left = next->TakeOver();
  ASSERT_EQ(left.size(), 2U);
  EXPECT_TRUE(next->AdmitInterrupt(left[1]));
  next->Answered(8);
  EXPECT_TRUE(Left().empty());
}

TEST_F(SlotsTest, ARequestThatEndedThreeWorkersIsHopelessAndOthersAreNot) {
  AskAndRead(FUSE_OPEN, 8);
  AskAndRead(FUSE_OPEN, 10);
  for (int death = 0; death < 3; ++death) {
    EXPECT_FALSE(slots_->IsHopeless(slots_->TakeOver()[0]));
    slots_->shared().work[0].unique = 8;
    slots_->CountDeath();
  }
  EXPECT_TRUE(slots_->IsHopeless(slots_->TakeOver()[0]));
  EXPECT_FALSE(slots_->IsHopeless(slots_->TakeOver()[1]));
  slots_->Answered(8);
  AskAndRead(FUSE_OPEN, 12);
  for (const unsigned slot : slots_->TakeOver()) EXPECT_FALSE(slots_->IsHopeless(slot));
}

TEST_F(SlotsTest, ARequestAtWhichWorkersStandStillIsHopelessAndOneThatCameLaterIsNot) {
  AskAndRead(FUSE_OPEN, 8);
  AskAndRead(FUSE_READ, 10);
  AskAndRead(FUSE_READ, 12);
  auto& work = slots_->shared().work;
  for (int death = 0; death < 3; ++death) {
    EXPECT_FALSE(slots_->IsHopeless(slots_->TakeOver()[0]));
    work[0].since = 100;
    work[0].unique = 8;
    work[1].since = 200;
    work[1].unique = 10;
    slots_->CountHang(150);
    slots_->ForgetWork();
    slots_->CountHang(150);  // at nothing: no request is to blame
  }
  const auto left = slots_->TakeOver();
  EXPECT_TRUE(slots_->IsHopeless(left[0]));
  EXPECT_FALSE(slots_->IsHopeless(left[1]));
  EXPECT_FALSE(slots_->IsHopeless(left[2]));
  EXPECT_EQ(NameOfRequest(slots_->Find(8)).substr(0, 5), "OPEN ");
  EXPECT_EQ(NameOfRequest(slots_->Find(999)), "a request that has its answer");
  EXPECT_TRUE(slots_->Find(9).empty());
}

TEST_F(SlotsTest, ARequestAtWhichManyAreKilledIsHopeless) {
  AskAndRead(FUSE_OPEN, 8);
  AskAndRead(FUSE_OPEN, 10);
  for (int death = 0; death < 24; ++death) {
    EXPECT_FALSE(slots_->IsHopeless(slots_->TakeOver()[0])) << death;
    slots_->shared().work[0].unique = 8;
    slots_->CountKill();
  }
  EXPECT_TRUE(slots_->IsHopeless(slots_->TakeOver()[0]));
  EXPECT_FALSE(slots_->IsHopeless(slots_->TakeOver()[1]));
}

TEST_F(SlotsTest, WhatARefusalEndsIsTold) {
  AskAndRead(FUSE_RELEASE, 8, 71);
  AskAndRead(FUSE_OPEN, 10);
  Ask(FUSE_RELEASE, 12, 72);
  Ask(FUSE_OPEN, 14);
  Ask(FUSE_READ, 16, 73);
  ASSERT_EQ(shutdown(kernel_.get(), SHUT_WR), 0);
  Numbers closed, not_opened;
  RefuseEverything(fuse_.get(), slots_.get(),
                   {.closed = [&](std::uint64_t handle) { closed.push_back(handle); },
                    .not_opened = [&](std::uint64_t unique) { not_opened.push_back(unique); }});
  EXPECT_EQ(closed, (Numbers{71, 72}));
  EXPECT_EQ(not_opened, (Numbers{10, 14}));
}

TEST_F(SlotsTest, AnOpenThatTheKernelHasAnAnswerToStaysOpen) {
  AskAndRead(FUSE_OPEN, 10);
  kernel_.Reset();  // takes no answer
  Numbers not_opened;
  RefuseLeft(fuse_.get(), slots_.get(),
             {.closed = {}, .not_opened = [&](std::uint64_t unique) { not_opened.push_back(unique); }});
  EXPECT_TRUE(not_opened.empty());
}

TEST_F(SlotsTest, WhatDidNotFitASlotIsRefusedByTheNextOne) {
  AskAndRead(FUSE_SETXATTR, 8, 0, 5000);
  const auto left = slots_->TakeOver();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_TRUE(slots_->IsHopeless(left[0]));
}

TEST_F(SlotsTest, RefusingEverythingAnswersWhatIsLeftToo) {
  AskAndRead(FUSE_OPEN, 8);
  AskAndRead(FUSE_INTERRUPT, 3, 8);
  Ask(FUSE_READ, 10);
  Ask(FUSE_FORGET, 12);
  ASSERT_EQ(shutdown(kernel_.get(), SHUT_WR), 0);
  RefuseEverything(fuse_.get(), slots_.get());
  for (const std::uint64_t unique : {8, 10}) {
    fuse_out_header answer{};
    ASSERT_EQ(recv(kernel_.get(), &answer, sizeof answer, 0), static_cast<ssize_t>(sizeof answer));
    EXPECT_EQ(answer.unique, unique);
    EXPECT_EQ(answer.error, -EIO);
  }
  EXPECT_TRUE(Left().empty());
}

TEST_F(SlotsTest, MemoryOfAnotherLayoutIsRefused) {
  slots_->shared().layout += 1;
  EXPECT_EQ(Slots::Map(memory_.get()).error().code, Code::kInvalid);
  EXPECT_EQ(Slots::Map(fuse_.get()).error().code, Code::kInvalid);
}

}  // namespace
}  // namespace grantfs
