// The seed under a passphrase: what becomes of it at every turn.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "client_test.h"
#include "grantfs/client/home.h"
#include "grantfs/crypto/passphrase.h"
#include "grantfs/util/file.h"

namespace grantfs::testing {
namespace {

SecretMemory Phrase(std::string_view text) {
  auto memory = Must(SecretMemory::Allocate(text.size()));
  std::copy(text.begin(), text.end(), memory.Expose().begin());
  return memory;
}

class HomeSeedTest : public ClientTest {
 protected:
  HomeSeedTest() {
    HomeProfile profile;
    profile.name = "ann";
    profile.address = {"vault.lan", 7843};
    profile.pins = {Sha256({AsBytes("key")})};
    Must(Home::Create(Path("home"), profile, Must(RandomKey()), nullptr, nullptr));
    id_ = Must(Open().LoadIdentity()).Id();
  }
  ~HomeSeedTest() override { Home::AskPassphraseBy({}); }

  Home Open() { return Must(Home::Open(Path("home"))); }
  void Know(const std::string& passphrase) {
    Home::AskPassphraseBy([this, passphrase]() -> Result<SecretMemory> {
      ++asked_;
      return Phrase(passphrase);
    });
  }
  std::string Seed() { return ToText(*ReadFile(Path("home") + "/seed", 4096)); }

  Hash id_;
  int asked_ = 0;
};

TEST_F(HomeSeedTest, IsProtectedChangedAndBareAgain) {
  EXPECT_FALSE(Must(Open().IsKeyProtected()));
  const std::string bare = Seed();
  Good(Open().Protect(Phrase("first passphrase")));
  EXPECT_TRUE(Must(Open().IsKeyProtected()));
  EXPECT_EQ(Seed().find(bare), std::string::npos);
  EXPECT_EQ(CodeOf(Open().LoadIdentity()), Code::kDenied) << "nobody knows it";
  Know("first passphrase");
  EXPECT_EQ(Must(Open().LoadIdentity()).Id(), id_);
  Good(Open().Protect(Phrase("second passphrase")));
  EXPECT_EQ(CodeOf(Open().LoadIdentity()), Code::kDenied);
  Know("second passphrase");
  EXPECT_EQ(Must(Open().LoadIdentity()).Id(), id_);
  Good(Open().Unprotect());
  EXPECT_EQ(Seed(), bare);
  asked_ = 0;
  EXPECT_EQ(Must(Open().LoadIdentity()).Id(), id_);
  EXPECT_EQ(asked_, 0) << "there is nothing to ask for";
  EXPECT_EQ(CodeOf(Open().Unprotect()), Code::kConflict);
  struct stat info {};
  ASSERT_EQ(::stat((Path("home") + "/seed").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
  EXPECT_FALSE(PathExists(Path("home") + "/seed.new"));
}

TEST_F(HomeSeedTest, AWrongPassphraseChangesNothing) {
  Good(Open().Protect(Phrase("first passphrase")));
  const std::string before = Seed();
  Know("another passphrase");
  EXPECT_EQ(CodeOf(Open().LoadIdentity()), Code::kDenied);
  EXPECT_EQ(CodeOf(Open().Protect(Phrase("third passphrase"))), Code::kDenied);
  EXPECT_EQ(CodeOf(Open().Unprotect()), Code::kDenied);
  EXPECT_EQ(Seed(), before);
}

TEST_F(HomeSeedTest, ATooShortOneIsRefusedBeforeAnythingIsWritten) {
  const std::string before = Seed();
  EXPECT_EQ(CodeOf(Open().Protect(Phrase("short"))), Code::kInvalid);
  EXPECT_EQ(Seed(), before);
  EXPECT_FALSE(PathExists(Path("home") + "/seed.new"));
}

TEST_F(HomeSeedTest, WhatAnInterruptedChangeLeftDoesNotCount) {
  std::ofstream(Path("home") + "/seed.new") << "half";
  EXPECT_EQ(Must(Open().LoadIdentity()).Id(), id_);
  Good(Open().Protect(Phrase("first passphrase")));
  Know("first passphrase");
  EXPECT_EQ(Must(Open().LoadIdentity()).Id(), id_);
}

TEST_F(HomeSeedTest, ABareSeedThatAKilledChangeLeftIsTakenAwayUnderEachOfItsNames) {
  const std::string next = Path("home") + "/seed.new";
  std::filesystem::copy_file(Path("home") + "/seed", next);
  std::filesystem::create_hard_link(next, next + ".AbCdEf");
  std::filesystem::create_hard_link(Path("home") + "/seed", next + ".GhIjKl");
  const UniqueFd left(::open(next.c_str(), O_RDONLY | O_CLOEXEC));
  Good(Open().Protect(Phrase("first passphrase")));
  for (const char* name : {"", ".AbCdEf", ".GhIjKl"}) EXPECT_FALSE(PathExists(next + name)) << name;
  char bytes[32];
  ASSERT_EQ(::pread(left.get(), bytes, sizeof bytes, 0), 32);
  EXPECT_EQ(std::string(bytes, sizeof bytes), std::string(32, '\0'));
  Know("first passphrase");
  EXPECT_EQ(Must(Open().LoadIdentity()).Id(), id_);
}

TEST_F(HomeSeedTest, ADamagedFileIsSaidToBeDamaged) {
  Know("first passphrase");
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{31}, std::size_t{33}, std::size_t{104}, std::size_t{105}}) {
    std::filesystem::resize_file(Path("home") + "/seed", 0);
    std::ofstream(Path("home") + "/seed") << std::string(size, 'x');
    EXPECT_EQ(CodeOf(Open().LoadIdentity()), Code::kIntegrity) << size;
  }
}

TEST_F(HomeSeedTest, TheBytesOfABareSeedAreOverwritten) {
  const int held = ::open((Path("home") + "/seed").c_str(), O_RDONLY | O_CLOEXEC);
  const UniqueFd before(held);
  Good(Open().Protect(Phrase("first passphrase")));
  char bytes[32];
  ASSERT_EQ(::pread(before.get(), bytes, sizeof bytes, 0), 32);
  EXPECT_EQ(std::string(bytes, sizeof bytes), std::string(32, '\0'));
}

TEST_F(HomeSeedTest, ACopyOfTheHomeThatSharesTheFileIsAsItWas) {
  const std::string seed = Path("home") + "/seed", backup = Path("backup");
  std::filesystem::create_hard_link(seed, backup);
  std::filesystem::create_hard_link(seed, seed + ".AbCdEf");  // of one that was killed when it made the home
  const std::string bare = Seed();
  Good(Open().Protect(Phrase("first passphrase")));
  EXPECT_EQ(ToText(*ReadFile(backup, 4096)), bare);
  EXPECT_FALSE(PathExists(seed + ".AbCdEf"));
}

}  // namespace
}  // namespace grantfs::testing
