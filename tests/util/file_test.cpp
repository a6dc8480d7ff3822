#include "grantfs/util/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "grantfs/util/unique_fd.h"

namespace grantfs {
namespace {

class FileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/grantfs-file-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    dir_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::string dir_;
};

TEST_F(FileTest, WritesWholeWithItsMode) {
  const std::string path = dir_ + "/a";
  ASSERT_TRUE(WriteFileAtomic(path, AsBytes("one"), 0600));
  ASSERT_TRUE(WriteFileAtomic(path, AsBytes("two!"), 0600));
  const auto content = ReadFile(path, 4);
  ASSERT_TRUE(content) << Describe(content.error());
  EXPECT_EQ(ToText(*content), "two!");
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir_), {}), 1) << "a temporary file was left";
}

TEST_F(FileTest, MessagesNameAPathByADescriptorAsEverybodyDoes) {
  const UniqueFd directory(::open(dir_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const std::string path = "/proc/self/fd/" + std::to_string(directory.get());
  EXPECT_EQ(PathForMessages(path), dir_);
  EXPECT_EQ(PathForMessages(path + "/a/b"), dir_ + "/a/b");
  EXPECT_EQ(ReadFile(path + "/none", 10).error().subject, dir_ + "/none");
  for (const char* other : {"/a/b", "a", "", "/proc/self/fd/", "/proc/self/fd/999999/a"})
    EXPECT_EQ(PathForMessages(other), other);
}

TEST_F(FileTest, SaysWhatIsWrong) {
  EXPECT_EQ(ReadFile(dir_ + "/none", 10).error().code, Code::kNotFound);
  EXPECT_EQ(ReadFile(dir_, 10).error().code, Code::kInvalid);
  ASSERT_TRUE(WriteFileAtomic(dir_ + "/b", AsBytes("12345"), 0600));
  EXPECT_EQ(ReadFile(dir_ + "/b", 4).error().code, Code::kInvalid);
  EXPECT_FALSE(WriteFileAtomic(dir_ + "/no/such", AsBytes("x"), 0600));
  EXPECT_EQ(MakeDirectories(dir_ + "/b/c", 0700).error().code, Code::kIo);
}

TEST_F(FileTest, MakesParents) {
  ASSERT_TRUE(MakeDirectories(dir_ + "/x/y/z", 0700));
  EXPECT_TRUE(MakeDirectories(dir_ + "/x/y/z", 0700));
  EXPECT_TRUE(PathExists(dir_ + "/x/y/z"));
}

TEST_F(FileTest, MakesDirectoriesOfThatModeUnderAnyUmask) {
  const mode_t before = ::umask(0077);
  const Status made = MakeDirectories(dir_ + "/x/y", 0755);
  ::umask(before);
  ASSERT_TRUE(made);
  for (const char* name : {"/x", "/x/y"}) {
    struct stat info {};
    ASSERT_EQ(::stat((dir_ + name).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0755u) << name;
  }
}

}  // namespace
}  // namespace grantfs
