#include "grantfs/util/kept_memory.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>

namespace grantfs {
namespace {

constexpr std::size_t kRoom = std::size_t{1} << 20;

std::unique_ptr<KeptMemory> AttachTo(const UniqueFd& fd) {
  auto kept = KeptMemory::Attach(fd.get());
  EXPECT_TRUE(kept) << Describe(kept.error());
  return kept ? *std::move(kept) : nullptr;
}

std::string TextOf(const std::optional<Bytes>& bytes) { return bytes ? ToText(*bytes) : "(none)"; }

std::size_t CountOf(const KeptMemory& kept, std::uint32_t kind) {
  std::size_t count = 0;
  kept.ForEach(kind, [&](ByteView, ByteView) { ++count; });
  return count;
}

TEST(KeptMemoryTest, TheNextOneFindsWhatWasPut) {
  const UniqueFd fd = *KeptMemory::Make(kRoom);
  {
    const auto kept = AttachTo(fd);
    ASSERT_TRUE(kept->Put(1, AsBytes("key"), AsBytes("value")));
    ASSERT_TRUE(kept->Put(2, AsBytes("key"), AsBytes("of another kind")));
    ASSERT_TRUE(kept->Put(1, AsBytes("gone"), AsBytes("x")));
    ASSERT_TRUE(kept->Put(1, AsBytes("key"), AsBytes("replaced")));
    ASSERT_TRUE(kept->Put(1, AsBytes(""), AsBytes("")));
    EXPECT_TRUE(kept->Erase(1, AsBytes("gone")));
    EXPECT_FALSE(kept->Erase(1, AsBytes("gone")));
  }
  const auto kept = AttachTo(fd);
  EXPECT_EQ(TextOf(kept->Get(1, AsBytes("key"))), "replaced");
  EXPECT_EQ(TextOf(kept->Get(2, AsBytes("key"))), "of another kind");
  EXPECT_EQ(TextOf(kept->Get(1, AsBytes("gone"))), "(none)");
  EXPECT_EQ(TextOf(kept->Get(1, AsBytes(""))), "");
  EXPECT_EQ(CountOf(*kept, 1), 2U);
}

TEST(KeptMemoryTest, ItIsBoundedAndItsRoomIsUsedAgain) {
  const UniqueFd fd = *KeptMemory::Make(kRoom);
  auto kept = AttachTo(fd);
  const Bytes value(kRoom / 4, 7);
  for (int turn = 0; turn < 20; ++turn) {
    for (const char* key : {"a", "b", "c"}) ASSERT_TRUE(kept->Put(1, AsBytes(key), value)) << turn << key;
    EXPECT_EQ(kept->Put(1, AsBytes("d"), value).error().code, Code::kNoSpace);
    EXPECT_EQ(kept->Put(1, AsBytes("d"), Bytes(KeptMemory::kMaxValueBytes + 1)).error().code, Code::kInvalid);
    EXPECT_EQ(kept->Get(1, AsBytes("c")), value);
    if (turn % 5 == 0) kept = AttachTo(fd);
    for (const char* key : {"b", "a", "c"}) EXPECT_TRUE(kept->Erase(1, AsBytes(key)));
  }
}

TEST(KeptMemoryTest, RefusesMemoryOfAnotherKind) {
  const UniqueFd fd(memfd_create("other", MFD_CLOEXEC));
  EXPECT_EQ(KeptMemory::Attach(fd.get()).error().code, Code::kInvalid);
  EXPECT_EQ(KeptMemory::Check(fd.get()).error().code, Code::kInvalid);
  ASSERT_EQ(ftruncate(fd.get(), std::int64_t{64} << 20), 0);
  EXPECT_EQ(KeptMemory::Attach(fd.get()).error().code, Code::kInvalid);
  EXPECT_EQ(KeptMemory::Check(fd.get()).error().code, Code::kInvalid);
  EXPECT_TRUE(KeptMemory::Check(KeptMemory::Make(kRoom)->get()));
}

/// A value that shows by itself whether it is whole and belongs to its key.
Bytes SelfDescribing(const std::string& key, std::uint32_t seed) {
  Bytes value(64 + seed % 5000);
  for (std::size_t i = 0; i < value.size(); ++i)
    value[i] = static_cast<std::uint8_t>(seed + i + static_cast<std::uint8_t>(key.back()));
  return value;
}

bool IsWhole(ByteView key, ByteView value) {
  if (value.size() < 64) return false;
  const auto seed = static_cast<std::uint8_t>(value[0] - key.back());
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != static_cast<std::uint8_t>(seed + i + key.back())) return false;
  }
  return true;
}

[[noreturn]] void WriteForEver(int fd, int ready, std::uint32_t seed) {
  const auto kept = AttachTo(UniqueFd(dup(fd)));
  std::mt19937 numbers(seed);
  for (bool told = false;; told = true) {
    const std::string key = "key" + std::string(1, static_cast<char>('a' + numbers() % 26));
    if (numbers() % 4 == 0)
      kept->Erase(1, AsBytes(key));
    else if (!kept->Put(1, AsBytes(key), SelfDescribing(key, static_cast<std::uint32_t>(numbers()))))
      _exit(1);
    if (!told && write(ready, "r", 1) != 1) _exit(2);
  }
}

TEST(KeptMemoryTest, AWriterThatIsKilledAtAnyMomentLeavesWholeRecords) {
  const UniqueFd fd = *KeptMemory::Make(kRoom);
  ASSERT_TRUE(AttachTo(fd)->Put(2, AsBytes("stays"), AsBytes("here")));
  std::mt19937 numbers(1);
  std::size_t seen = 0;
  for (int turn = 0; turn < 100; ++turn) {
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    const UniqueFd reading(ready[0]), writing(ready[1]);
    const pid_t writer = fork();
    ASSERT_GE(writer, 0);
    if (writer == 0) WriteForEver(fd.get(), ready[1], static_cast<std::uint32_t>(turn));
    char byte = 0;
    ASSERT_EQ(read(ready[0], &byte, 1), 1);
    timespec moment{0, static_cast<long>(numbers() % 2000000)};
    ppoll(nullptr, 0, &moment, nullptr);
    kill(writer, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(writer, &status, 0), writer);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself: " << WEXITSTATUS(status);
    const auto kept = AttachTo(fd);
    kept->ForEach(1, [&](ByteView key, ByteView value) {
      ++seen;
      EXPECT_TRUE(IsWhole(key, value)) << turn << " " << AsText(key);
    });
    EXPECT_EQ(TextOf(kept->Get(2, AsBytes("stays"))), "here");
  }
  EXPECT_GT(seen, 100U);
}

}  // namespace
}  // namespace grantfs
