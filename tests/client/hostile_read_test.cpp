// A taken vault answers a machine's reads with what is not the secret.

#include <future>

#include "grantfs/trust/sealing.h"
#include "hostile_test.h"

namespace grantfs::testing {
namespace {

class HostileReadTest : public HostileTest {
 protected:
  HostileReadTest() {
    Set("a", "the value of a");
    Set("b", "the value of b");
    Machine("web-1");
    Grant("web-1", "a");
    Grant("web-1", "b");
    session_ = Mount("web-1");
  }
  using Lie = std::function<void(const api::ReadRequest&, api::ReadResponse&)>;
  void LieAboutReads(Lie lie) {
    vault_.Lie<api::ReadRequest, api::ReadResponse>(api::kMachineRead, std::move(lie));
  }
  api::ReadResponse HonestAnswer(const std::string& path) {
    const auto captured = Capture<api::ReadRequest, api::ReadResponse>(api::kMachineRead);
    EXPECT_TRUE(Read(*session_, path));
    vault_.SetRewrite({});
    return *captured;
  }
  void ExpectRefused(const std::string& path, const std::string& why) {
    const auto read = Read(*session_, path);
    EXPECT_EQ(CodeOf(read), Code::kIntegrity);
    EXPECT_NE(Sentence(read).find(why), std::string::npos) << Sentence(read);
    vault_.SetRewrite({});
    EXPECT_EQ(ReadText(*session_, path), "the value of " + path) << "an honest answer is good again";
  }

  std::unique_ptr<MachineSession> session_;
};

TEST_F(HostileReadTest, AnothersValueAndKey) {
  const auto b = HonestAnswer("b");
  LieAboutReads([b](const auto&, api::ReadResponse& answer) {
    answer.ciphertext = b.ciphertext;
    answer.sealed = b.sealed;
  });
  ExpectRefused("a", "the sealed key is not the one that the version's statement commits to");
}

TEST_F(HostileReadTest, AnothersCiphertextAlone) {
  const auto b = HonestAnswer("b");
  LieAboutReads([b](const auto&, api::ReadResponse& answer) { answer.ciphertext = b.ciphertext; });
  ExpectRefused("a", "the ciphertext is not the one");
}

TEST_F(HostileReadTest, AFlippedBit) {
  LieAboutReads([](const auto&, api::ReadResponse& answer) { answer.ciphertext.back() ^= 1; });
  ExpectRefused("a", "the ciphertext is not the one");
}

TEST_F(HostileReadTest, AValueOfItsOwnSealedToTheMachine) {
  const auto machine = Must(Must(Home::Open(Path("web-1"))).LoadIdentity()).identity();
  const Hash vault = Must(Home::Open(Path("web-1"))).profile().vault;
  LieAboutReads([&](const auto&, api::ReadResponse& answer) {
    const ValueContext context{vault, "shop/prod", answer.secret, answer.version, 1};
    const auto made = Must(EncryptVersion(context, Value("owned")));
    answer.ciphertext = made.ciphertext;
    answer.sealed = Must(SealDataKey(machine.seal, made.data_key));
  });
  ExpectRefused("a", "commits to");
}

TEST_F(HostileReadTest, AnOldVersionUnderTheLabel) {
  const auto old = HonestAnswer("a");
  Set("a", "the value of a");
  ASSERT_TRUE(Eventually([&] { return Lists(*session_, "a", 2); }));
  LieAboutReads([old](const auto&, api::ReadResponse& answer) { answer = old; });
  ExpectRefused("a", "rollback");
  LieAboutReads([old](const auto&, api::ReadResponse& answer) {
    const auto heads = answer;
    answer = old;
    answer.vault_head = heads.vault_head;
    answer.environment_head = heads.environment_head;
    answer.secret_head = heads.secret_head;
  });
  ExpectRefused("a", "does not point at");
}

TEST_F(HostileReadTest, AnotherVersionNumberOrSecretNumber) {
  LieAboutReads([](const auto&, api::ReadResponse& answer) { answer.version = 2; });
  ExpectRefused("a", "another version");
  LieAboutReads([](const auto&, api::ReadResponse& answer) { answer.secret += 1; });
  ExpectRefused("a", "another version");
}

TEST_F(HostileReadTest, HeadsThatAreNotThoseOfTheLists) {
  LieAboutReads([](const auto&, api::ReadResponse& answer) { answer.environment_head.hash.bytes[0] ^= 1; });
  ExpectRefused("a", "fork");
  LieAboutReads([](const auto&, api::ReadResponse& answer) { answer.secret_head.sequence += 1; });
  ExpectRefused("a", "newer state than the one it shows");
}

TEST_F(HostileReadTest, ASilenceBehindAnAnswerEndsAtTheDeadline) {
  LieAboutReads([](const auto&, api::ReadResponse& answer) { answer.secret_head.sequence += 1; });
  vault_.Silence(api::kMachineGrants);  // where the machine looks for what it was told of
  auto ended = std::make_shared<std::promise<Result<OpenedSecret>>>();
  SecretSource::OpenRequest request;
  request.number = NumberOf("a");
  request.open_id = "one-open";
  session_->Open(request, std::chrono::milliseconds(500),
                 [ended](Result<OpenedSecret> result) { ended->set_value(std::move(result)); });
  auto result = ended->get_future();
  ASSERT_EQ(result.wait_for(std::chrono::seconds(5)), std::future_status::ready)
      << "the request's own deadline is later";
  const auto read = result.get();
  EXPECT_EQ(CodeOf(read), Code::kUnreachable);
  EXPECT_NE(Sentence(read).find("in time"), std::string::npos) << Sentence(read);
}

TEST_F(HostileReadTest, ALostAnswerIsRecordedOnce) {
  vault_.LoseNextAnswer(api::kMachineRead);
  EXPECT_EQ(ReadText(*session_, "a"), "the value of a");
  EXPECT_TRUE(vault_.lost());
  AuditFilter filter;
  filter.actor = "web-1";
  filter.object = "shop/prod/a";
  EXPECT_EQ(Must(Owner().ListAudit(filter)).size(), 1u);
}

}  // namespace
}  // namespace grantfs::testing
