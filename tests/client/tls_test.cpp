// The server's TLS key is replaced: by whom, in which order, and what becomes of clients that were away.

#include "grantfs/client/tls.h"

#include "grantfs/net/http_client.h"
#include "served_vault.h"

namespace grantfs::testing {
namespace {

class TlsTest : public ServedTest {
 protected:
  TlsTest() {
    Set("a", "one");
    Machine("web-1");
    Grant("web-1", "a");
  }
  Result<std::unique_ptr<MachineSession>> TryMount(const std::string& name) {
    auto session = GRANTFS_TRY(MachineSession::Start(Path(name)));
    GRANTFS_CHECK(session->WaitUntilCurrent(kLong));
    return session;
  }
};

TEST_F(TlsTest, AMountGoesOnThroughTheChange) {
  const auto mount = Mount("web-1");
  const Hash before = server_.pin();
  const TlsKeys announced = Must(Owner().AnnounceTlsKey({}, "yearly"));
  ASSERT_EQ(announced.listed.size(), 2U);
  EXPECT_EQ(announced.listed[0].pin, before);
  EXPECT_EQ(announced.listed[1].pin, announced.next);
  EXPECT_EQ(announced.shown, before) << "it shows the current one until it is told";
  EXPECT_EQ(Must(Owner().AnnounceTlsKey({}, "")).listed[1].pin, announced.next)
      << "once more changes nothing";
  EXPECT_EQ(ReadText(*mount, "a"), "one");
  const TlsKeys after = Must(Owner().SwitchTlsKey(false, ""));
  ASSERT_EQ(after.listed.size(), 1U);
  EXPECT_EQ(after.listed[0].pin, announced.next);
  EXPECT_EQ(after.shown, announced.next);
  EXPECT_EQ(server_.pin(), announced.next);
  EXPECT_FALSE(after.next) << "there is no other until one is made";
  EXPECT_EQ(ReadText(*mount, "a"), "one");
  Set("a", "two");
  EXPECT_TRUE(Eventually([&] { return Lists(*mount, "a", 2); }));
  EXPECT_EQ(ReadText(*mount, "a"), "two");
  EXPECT_EQ(ReadText(*Mount("web-1"), "a"), "two") << "on new connections";
  server_.Restart();
  EXPECT_EQ(server_.pin(), announced.next) << "it is the server's key";
  EXPECT_EQ(CodeOf(Owner().SwitchTlsKey(false, "")), Code::kConflict) << "nothing is announced";
}

TEST_F(TlsTest, WhoSleptThroughItIsToldWhatToDo) {
  const Hash next = *Must(Owner().AnnounceTlsKey({}, "")).next;
  const std::string refused = Sentence(Owner().SwitchTlsKey(false, ""));
  EXPECT_NE(refused.find("web-1"), std::string::npos) << refused;
  EXPECT_NE(refused.find("has not been heard"), std::string::npos) << refused;
  Must(Owner().SwitchTlsKey(true, ""));
  const auto lost = TryMount("web-1");
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Code::kIntegrity);
  EXPECT_NE(Describe(lost.error()).find("grantfs tls trust PIN"), std::string::npos)
      << Describe(lost.error());
  EXPECT_EQ(CodeOf(TrustKey(Path("web-1"), Hash{}, {})), Code::kIntegrity) << "not the key that it shows";
  EXPECT_FALSE(TryMount("web-1"));
  EXPECT_EQ(Must(TrustKey(Path("web-1"), next, {})), std::vector<Hash>{next});
  EXPECT_EQ(ReadText(*Mount("web-1"), "a"), "one");
}

TEST_F(TlsTest, WhoLearntTheNextKeyBeforeNeedsNothing) {
  Must(Owner().AnnounceTlsKey({}, ""));
  Mount("web-1").reset();
  Must(Owner().SwitchTlsKey(true, ""));
  EXPECT_EQ(ReadText(*Mount("web-1"), "a"), "one");
}

TEST_F(TlsTest, AnothersServerIsNotTrustedByItsPin) {
  TestServer other;
  Must(InitVault(Path("eve"), Must(ReadSecretFile(other.claim_path().c_str(), 4096)), "eve"));
  // The other server in the place of the vault: its key is the one that is given.
  const auto sentence = Sentence(TrustKey(Path("web-1"), other.pin(), {}));
  EXPECT_NE(sentence.find("not the pinned one"), std::string::npos) << sentence;
  EXPECT_EQ(ReadText(*Mount("web-1"), "a"), "one") << "nothing was changed";
}

TEST_F(TlsTest, OnlyTheKeyThatWasGivenIsSigned) {
  const TlsKeys made = Must(Owner().MakeTlsKey());
  ASSERT_TRUE(made.next);
  EXPECT_EQ(made.listed.size(), 1U) << "nothing was signed";
  EXPECT_EQ(CodeOf(Owner().AnnounceTlsKey(made.shown, "")), Code::kIntegrity);
  EXPECT_EQ(Must(Owner().ShowTlsKeys()).listed.size(), 1U);
  const TlsKeys other = Must(Owner().MakeTlsKey());
  EXPECT_NE(other.next, made.next) << "in place of the one that was not announced";
  EXPECT_EQ(Must(Owner().AnnounceTlsKey(other.next, "")).listed[1].pin, other.next);
  EXPECT_EQ(CodeOf(Owner().MakeTlsKey()), Code::kConflict) << "clients are learning it";
}

TEST_F(TlsTest, SaysSinceWhenAKeyIsNamed) {
  const std::int64_t before = SystemClock().WallSeconds();
  const TlsKeys keys = Must(Owner().AnnounceTlsKey({}, ""));
  EXPECT_GT(keys.listed[0].since, 0);
  EXPECT_LE(keys.listed[0].since, before);
  EXPECT_GE(keys.listed[1].since, before);
  Must(Owner().SwitchTlsKey(true, ""));
  EXPECT_EQ(Must(Owner().ShowTlsKeys()).listed[0].since, keys.listed[1].since);
}

}  // namespace
}  // namespace grantfs::testing
