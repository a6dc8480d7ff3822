#include "grantfs/crypto/secret.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <atomic>
#include <barrier>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>
#include <type_traits>
#include <vector>

#include "grantfs/crypto/random.h"
#include "test_secret.h"

namespace grantfs {
namespace {

// The "VmFlags:" of the mapping that holds `at`, as the kernel tells them.
std::string MappingFlags(const void* at) {
  std::ifstream maps("/proc/self/smaps");
  const auto address = reinterpret_cast<std::uintptr_t>(at);
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    std::istringstream range(line);
    if (range >> std::hex >> begin >> dash >> end && dash == '-') inside = begin <= address && address < end;
    if (inside && line.starts_with("VmFlags:")) return line + " ";
  }
  return "";
}

void ExpectGuardedAndLocked(const SecretMemory& memory) {
  const std::string flags = MappingFlags(memory.Expose().data());
  EXPECT_NE(flags.find(" lo "), std::string::npos) << "not locked:" << flags;
  EXPECT_NE(flags.find(" dd "), std::string::npos) << "in core dumps:" << flags;
  EXPECT_NE(flags.find(" wr "), std::string::npos) << flags;
}

TEST(SecretMemoryTest, IsLockedAndOutOfCoreDumps) {
  for (const std::size_t size : {1u, 32u, 33u, 64u, 65u, 256u, 257u, 4096u, 1u << 20}) {
    SCOPED_TRACE(size);
    const auto memory = SecretMemory::Allocate(size);
    ASSERT_TRUE(memory) << Describe(memory.error());
    EXPECT_EQ(memory->size(), size);
    ExpectGuardedAndLocked(*memory);
  }
}

TEST(SecretMemoryTest, StartsZeroAndEmptyHoldsNothing) {
  for (const std::size_t size : {1u, 32u, 256u, 5000u}) {
    const auto memory = SecretMemory::Allocate(size);
    EXPECT_EQ(HexOf(*memory), std::string(size * 2, '0'));
  }
  const auto empty = SecretMemory::Allocate(0);
  ASSERT_TRUE(empty);
  EXPECT_EQ(empty->size(), 0u);
  EXPECT_TRUE(empty->Equals(SecretMemory()));
}

TEST(SecretMemoryTest, SmallPiecesAreWipedWhenFreed) {
  for (const std::size_t size : {1u, 32u, 64u, 200u, 256u}) {
    SecretMemory memory = *SecretMemory::Allocate(size);
    std::fill(memory.Expose().begin(), memory.Expose().end(), std::uint8_t{0xA5});
    const volatile std::uint8_t* const was = memory.Expose().data();  // the slab stays mapped
    memory = SecretMemory();
    for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(was[i], 0) << "byte " << i << " of " << size;
  }
}

TEST(SecretMemoryTest, SlabGrowsAndPiecesNeverOverlap) {
  for (const std::size_t size : {32u, 64u, 256u}) {
    std::vector<SecretMemory> pieces;
    for (std::size_t i = 0; i < 1200; ++i) {
      auto piece = SecretMemory::Allocate(size);
      ASSERT_TRUE(piece) << Describe(piece.error());
      std::fill(piece->Expose().begin(), piece->Expose().end(), static_cast<std::uint8_t>(i));
      pieces.push_back(std::move(*piece));
    }
    ExpectGuardedAndLocked(pieces.back());
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      for (const std::uint8_t byte : pieces[i].Expose()) ASSERT_EQ(byte, static_cast<std::uint8_t>(i));
    }
  }
}

TEST(SecretMemoryTest, ThreadsShareTheSlab) {
  constexpr int kThreads = 4;
  std::atomic<int> torn = 0;
  std::barrier start(kThreads);
  const auto work = [&](std::uint8_t mark) {
    start.arrive_and_wait();
    for (int round = 0; round < 30'000; ++round) {
      SecretMemory piece = *SecretMemory::Allocate(32);
      torn += piece.Expose()[0] != 0;
      piece.Expose()[0] = mark;
      const SecretMemory copy = *piece.Clone();
      torn += piece.Expose()[0] != mark || copy.Expose()[0] != mark;
    }
  };
  std::vector<std::thread> threads;
  for (std::uint8_t mark = 1; mark <= kThreads; ++mark) threads.emplace_back(work, mark);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(torn, 0);
}

TEST(SecretMemoryTest, MovesAndNeverCopies) {
  static_assert(!std::is_copy_constructible_v<SecretMemory> && !std::is_copy_assignable_v<SecretMemory>);
  static_assert(!std::is_copy_constructible_v<SecretValue>);
  SecretMemory first = SecretOf("secret");
  SecretMemory second = std::move(first);
  EXPECT_EQ(first.size(), 0u);  // NOLINT: the moved-from state is what is tested
  EXPECT_TRUE(second.Equals(SecretOf("secret")));
  SecretMemory third = SecretOf("other, longer than before");
  third = std::move(second);
  EXPECT_TRUE(third.Equals(SecretOf("secret")));
  SecretMemory& same = third;
  third = std::move(same);
  EXPECT_TRUE(third.Equals(SecretOf("secret")));
}

TEST(SecretMemoryTest, EqualsComparesEveryByteAndTheSize) {
  const SecretMemory secret = SecretOf("secret");
  EXPECT_TRUE(secret.Equals(*secret.Clone()));
  EXPECT_FALSE(secret.Equals(SecretOf("Secret")));
  EXPECT_FALSE(secret.Equals(SecretOf("secreT")));
  EXPECT_FALSE(secret.Equals(SecretOf("secret ")));
  EXPECT_FALSE(secret.Equals(SecretMemory()));
}

TEST(SecretMemoryDeathTest, FaultsOnTheFirstByteBeyondALargeOne) {
  SecretMemory memory = *SecretMemory::Allocate(1000);
  volatile std::uint8_t* const end = memory.Expose().data() + memory.size();
  EXPECT_DEATH(*end = 1, "");
}

TEST(SecretMemoryDeathTest, AbortsWhenAFreedPieceWasWrittenTo) {
  EXPECT_DEATH(
      {
        SecretMemory memory = *SecretMemory::Allocate(256);
        volatile std::uint8_t* const stale = memory.Expose().data();
        memory = SecretMemory();
        *stale = 1;
        (void)SecretMemory::Allocate(256);
      },
      "");
}

// In a child: without the capability, and with the limit too low, nothing may be held unlocked.
int ReportUnlockable() {
  const rlimit none{0, 0};
  // As another user the capability IPC_LOCK is gone; a test that runs without privileges has none anyway.
  if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) return 10;
  if (::setrlimit(RLIMIT_MEMLOCK, &none) != 0) return 11;
  const Status started = InitCrypto();
  if (started) return 12;
  if (started.error().code != Code::kIo) return 13;
  if (std::string(started.error().where).find("ulimit -l") == std::string::npos) return 14;
  if (SecretMemory::Allocate(100'000)) return 15;
  return 0;
}

TEST(InitCryptoDeathTest, SaysWhichLimitToRaiseWhereMemoryCannotBeLocked) {
  EXPECT_EXIT(::_exit(ReportUnlockable()), testing::ExitedWithCode(0), "");
}

TEST(InitCryptoTest, SwitchesCoreDumpsOff) {
  rlimit limit{1, 1};
  ASSERT_EQ(::getrlimit(RLIMIT_CORE, &limit), 0);
  EXPECT_EQ(limit.rlim_cur, 0u);
  EXPECT_EQ(limit.rlim_max, 0u);
  EXPECT_EQ(::prctl(PR_GET_DUMPABLE), 0);
}

TEST(RandomTest, NeverRepeats) {
  EXPECT_NE(RandomBytes(16), RandomBytes(16));
  EXPECT_NE(RandomNumber(), RandomNumber());
  EXPECT_EQ(RandomBytes(0).size(), 0u);
}

TEST(RandomTextTest, ConsistsOfItsAlphabet) {
  const auto text = RandomText("abc", 1000);
  ASSERT_TRUE(text);
  std::map<std::uint8_t, std::size_t> seen;
  for (const std::uint8_t c : text->Expose()) ++seen[c];
  EXPECT_EQ(text->size(), 1000u);
  ASSERT_EQ(seen.size(), 3u);
  for (const char c : {'a', 'b', 'c'})
    EXPECT_GT(seen[static_cast<std::uint8_t>(c)], 200u) << "one in 2^80 times";
  EXPECT_FALSE(text->Equals(*RandomText("abc", 1000)));
}

}  // namespace
}  // namespace grantfs
