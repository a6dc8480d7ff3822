#include "grantfs/client/home.h"

#include <sys/stat.h>

#include <fstream>

#include "client_test.h"

namespace grantfs::testing {
namespace {

class HomeTest : public ClientTest {
 protected:
  HomeProfile Profile(HomeProfile::State state = HomeProfile::State::kReady) {
    HomeProfile profile;
    profile.state = state;
    profile.kind = IdentityKind::kMachine;
    profile.name = "web-1";
    profile.vault = Blake2b256({AsBytes("vault")});
    profile.address = {"vault.lan", 7843};
    profile.pins = {Sha256({AsBytes("key")})};
    return profile;
  }
  static mode_t ModeOf(const std::string& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
  }
};

TEST_F(HomeTest, IsReadBackAndClosedToOthers) {
  const auto seed = Must(RandomKey());
  Must(Home::Create(Path("home"), Profile(), seed, nullptr, nullptr));
  const auto home = Must(Home::Open(Path("home")));
  EXPECT_EQ(home.profile().name, "web-1");
  EXPECT_EQ(home.profile().address.Text(), "vault.lan:7843");
  EXPECT_EQ(home.profile().vault, Profile().vault);
  EXPECT_EQ(home.profile().pins, Profile().pins);
  const auto again = Must(PrivateIdentity::FromSeed(seed, IdentityKind::kMachine, "web-1"));
  EXPECT_EQ(Must(home.LoadIdentity()).Id(), again.Id());
  EXPECT_EQ(ModeOf(Path("home")), 0700u);
  for (const char* file : {"/seed", "/identity.json", "/known.db"})
    EXPECT_EQ(ModeOf(Path("home") + file), 0600u);
}

TEST_F(HomeTest, RefusesASecondIdentity) {
  Must(Home::Create(Path("home"), Profile(), Must(RandomKey()), nullptr, nullptr));
  const auto before = Must(Must(Home::Open(Path("home"))).LoadIdentity()).Id();
  EXPECT_EQ(CodeOf(Home::Create(Path("home"), Profile(), Must(RandomKey()), nullptr, nullptr)),
            Code::kConflict);
  EXPECT_EQ(Must(Must(Home::Open(Path("home"))).LoadIdentity()).Id(), before);
}

TEST_F(HomeTest, WhatACrashLeftDoesNotCount) {
  std::filesystem::create_directory(Path("home"));
  std::filesystem::permissions(Path("home"), std::filesystem::perms::owner_all);
  std::ofstream(Path("home") + "/seed") << "half";
  std::ofstream(Path("home") + "/known.db") << "half";
  EXPECT_FALSE(Home::Exists(Path("home")));
  EXPECT_EQ(CodeOf(Home::Open(Path("home"))), Code::kNotFound);
  Must(Home::Create(Path("home"), Profile(), Must(RandomKey()), nullptr, nullptr));
  Must(Must(Home::Open(Path("home"))).LoadIdentity());
}

TEST_F(HomeTest, OneThatWaitsIsNotUsedBeforeItIsReady) {
  auto invite = Must(InviteSecret::Generate());
  auto home = Must(Home::Create(Path("home"), Profile(HomeProfile::State::kEnrolling), Must(RandomKey()),
                                &invite, nullptr));
  EXPECT_EQ(CodeOf(Home::Open(Path("home"))), Code::kConflict);
  EXPECT_EQ(Must(Must(Home::OpenAny(Path("home"))).LoadInvite()).id(), invite.id());
  Good(home.MarkReady());
  Must(Home::Open(Path("home")));
  EXPECT_FALSE(std::filesystem::exists(Path("home") + "/invite")) << "the invitation is spent";
  EXPECT_EQ(CodeOf(home.Discard()), Code::kConflict) << "one that is ready is never taken away";
}

TEST_F(HomeTest, OneThatWaitsCanBeTakenAway) {
  auto home = Must(Home::Create(Path("home"), Profile(HomeProfile::State::kEnrolling), Must(RandomKey()),
                                nullptr, nullptr));
  Good(home.Discard());
  EXPECT_TRUE(std::filesystem::is_empty(Path("home")));
}

TEST_F(HomeTest, RefusesWhatOthersMayOpen) {
  Must(Home::Create(Path("home"), Profile(), Must(RandomKey()), nullptr, nullptr));
  ::chmod(Path("home").c_str(), 0750);
  EXPECT_EQ(CodeOf(Home::Open(Path("home"))), Code::kDenied);
  ::chmod(Path("home").c_str(), 0700);
  ::chmod((Path("home") + "/seed").c_str(), 0640);
  EXPECT_EQ(CodeOf(Must(Home::Open(Path("home"))).LoadIdentity()), Code::kDenied);
}

TEST_F(HomeTest, ADamagedProfileIsNamed) {
  Must(Home::Create(Path("home"), Profile(), Must(RandomKey()), nullptr, nullptr));
  std::ofstream(Path("home") + "/identity.json") << "{\"format\":1}";
  EXPECT_EQ(CodeOf(Home::Open(Path("home"))), Code::kIntegrity);
}

TEST_F(HomeTest, NothingThereSaysWhatToRun) {
  const auto none = Home::Open(Path("none"));
  ASSERT_EQ(CodeOf(none), Code::kNotFound);
  EXPECT_NE(Describe(none.error()).find("grantfs enroll"), std::string::npos);
}

}  // namespace
}  // namespace grantfs::testing
