#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <thread>

#include "grantfs/crypto/secret.h"
#include "grantfs/util/unique_fd.h"
#include "test_secret.h"

namespace grantfs {
namespace {

class SecretFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "grantfs-secret-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    path_ = name + "/seed";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::size_t FilesThere() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory_), {}));
  }

  std::string directory_;
  std::string path_;
};

// What ReadSecret makes of `content` when a pipe carries it, so in many small reads.
Result<SecretMemory> ReadThroughPipe(const std::string& content, std::size_t max_bytes) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error{Code::kIo, "pipe", errno};
  const UniqueFd in(ends[0]);
  std::thread writer([&content, out = UniqueFd(ends[1])] {
    std::string_view rest = content;
    while (!rest.empty()) {
      const ssize_t written = ::write(out.get(), rest.data(), std::min<std::size_t>(rest.size(), 3000));
      if (written < 0) return;
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
  });
  auto result = ReadSecret(in.get(), max_bytes);
  std::string drained(65536, '\0');  // lets the writer end after a refusal
  while (::read(in.get(), drained.data(), drained.size()) > 0) {
  }
  writer.join();
  return result;
}

TEST(ReadSecretTest, ReadsUntilTheEndOfAnySize) {
  for (const std::size_t size : {0u, 1u, 31u, 4095u, 4096u, 4097u, 100'000u, 1u << 20}) {
    std::string content(size, 'x');
    for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<char>(i * 31 >> 3);
    const auto read = ReadThroughPipe(content, kMaxSecretBytes);
    ASSERT_TRUE(read) << Describe(read.error());
    EXPECT_TRUE(read->Equals(SecretOf(content))) << size;
  }
}

TEST(ReadSecretTest, RefusesOneByteMoreThanTheBound) {
  for (const std::size_t bound : {0u, 1u, 4095u, 4096u, 70'000u}) {
    EXPECT_TRUE(ReadThroughPipe(std::string(bound, 'x'), bound)) << bound;
    const auto refused = ReadThroughPipe(std::string(bound + 1, 'x'), bound);
    ASSERT_FALSE(refused) << bound;
    EXPECT_EQ(refused.error().code, Code::kInvalid);
  }
}

TEST_F(SecretFileTest, WritesPrivatelyAndReadsBack) {
  const auto written = WriteSecretFile(path_.c_str(), SecretOf("seed"));
  ASSERT_TRUE(written) << Describe(written.error());
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  EXPECT_TRUE(ReadSecretFile(path_.c_str(), 32)->Equals(SecretOf("seed")));
  EXPECT_EQ(FilesThere(), 1u);
}

TEST_F(SecretFileTest, NeverReplacesAFile) {
  ASSERT_TRUE(WriteSecretFile(path_.c_str(), SecretOf("first")));
  const auto again = WriteSecretFile(path_.c_str(), SecretOf("second"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kConflict);
  EXPECT_TRUE(ReadSecretFile(path_.c_str(), 32)->Equals(SecretOf("first")));
  EXPECT_EQ(FilesThere(), 1u);
}

TEST_F(SecretFileTest, RefusesAFileThatOthersMayOpen) {
  ASSERT_TRUE(WriteSecretFile(path_.c_str(), SecretOf("seed")));
  for (const mode_t mode : {0640u, 0604u, 0620u, 0601u}) {
    ASSERT_EQ(::chmod(path_.c_str(), mode), 0);
    const auto read = ReadSecretFile(path_.c_str(), 32);
    ASSERT_FALSE(read) << std::oct << mode;
    EXPECT_EQ(read.error().code, Code::kDenied);
    EXPECT_NE(std::string(read.error().where).find("chmod 0600"), std::string::npos);
    EXPECT_EQ(read.error().subject, path_);
  }
}

TEST_F(SecretFileTest, RefusesAFileOfAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "giving a file away needs root";
  ASSERT_TRUE(WriteSecretFile(path_.c_str(), SecretOf("seed")));
  ASSERT_EQ(::chown(path_.c_str(), 65534, 65534), 0);
  const auto read = ReadSecretFile(path_.c_str(), 32);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::kDenied);
}

TEST_F(SecretFileTest, RefusesMissingLargeAndIrregularFiles) {
  EXPECT_EQ(ReadSecretFile(path_.c_str(), 32).error().code, Code::kNotFound);
  ASSERT_TRUE(WriteSecretFile(path_.c_str(), SecretOf(std::string(33, 'x'))));
  EXPECT_EQ(ReadSecretFile(path_.c_str(), 32).error().code, Code::kInvalid);
  EXPECT_EQ(ReadSecretFile(directory_.c_str(), 32).error().code, Code::kInvalid);
  const std::string fifo = directory_ + "/fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(ReadSecretFile(fifo.c_str(), 32).error().code, Code::kInvalid);
  EXPECT_EQ(WriteSecretFile((directory_ + "/none/seed").c_str(), SecretOf("x")).error().code,
            Code::kNotFound);
}

TEST_F(SecretFileTest, WhatIsHandedToAnotherProcessCanBeReadThereAgainAndAgainAndNeverChanged) {
  const auto handed = SealedMemory(SecretOf("seed"));
  ASSERT_TRUE(handed) << Describe(handed.error());
  for (int turn = 0; turn < 2; ++turn)
    EXPECT_TRUE(ReadSealedMemory(handed->get(), 32)->Equals(SecretOf("seed"))) << turn;
  EXPECT_EQ(ReadSealedMemory(handed->get(), 3).error().code, Code::kInvalid);
  EXPECT_EQ(::pwrite(handed->get(), "x", 1, 0), -1);
  EXPECT_EQ(::ftruncate(handed->get(), 0), -1);
}

}  // namespace
}  // namespace grantfs
