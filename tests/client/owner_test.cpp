#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "grantfs/client/doctor.h"
#include "grantfs/client/home.h"
#include "grantfs/client/recovery_code.h"
#include "served_vault.h"
#include "support/test_clock.h"

namespace grantfs::testing {
namespace {

class OwnerTest : public ServedTest {};

TEST_F(OwnerTest, SeveralSecretsAreSetTogetherOrNotAtAll) {
  OwnerSession& owner = Owner();
  const SecretValue one = Value("one"), two = Value("two");
  const SecretName a{"shop/prod", "a"}, b{"shop/prod", "b"};
  const auto versions = [&] {
    std::vector<std::uint32_t> all;
    for (const SecretInfo& info : Must(owner.ListSecrets("shop/prod", ""))) all.push_back(info.version);
    return all;
  };
  SetSecretOptions dry;
  dry.dry_run = true;
  const auto planned = Must(owner.SetSecrets({{a, &one}, {b, &two}}, dry));
  EXPECT_TRUE(planned.at(1).created);
  EXPECT_EQ(planned.at(1).version, 1u);
  EXPECT_TRUE(versions().empty());
  Must(owner.SetSecrets({{a, &one}, {b, &two}}, {}));
  EXPECT_EQ(versions(), (std::vector<std::uint32_t>{1, 1}));
  EXPECT_EQ(CodeOf(owner.SetSecrets({{a, &one}, {a, &two}}, {})), Code::kInvalid);
  EXPECT_EQ(CodeOf(owner.SetSecrets({{a, &one}, {{"shop/prod", "x/../y"}, &two}}, {})), Code::kInvalid);
  EXPECT_EQ(CodeOf(owner.SetSecrets({{a, &one}, {{"shop/none", "b"}, &two}}, {})), Code::kNotFound);
  Must(owner.SetSecret(b, one, {}));
  SetSecretOptions after;
  after.after = 1;
  EXPECT_EQ(CodeOf(owner.SetSecrets({{a, &two}, {b, &two}}, after)), Code::kConflict) << "b is at 2";
  EXPECT_EQ(versions(), (std::vector<std::uint32_t>{1, 2}));
}

TEST_F(OwnerTest, InitMakesAVaultOnceAndARecoveryCodeThatIsNowhereElse) {
  const auto line = ClaimLine();
  const auto made = Must(InitVault(Path("ann"), line, "ann"));
  EXPECT_EQ(made.name, "ann");
  EXPECT_EQ(made.vault, server_.server().vault_id());
  Must(DecodeRecoveryCode(made.recovery_code));
  EXPECT_FALSE(std::filesystem::exists(Path("ann") + "/recovery"));
  EXPECT_EQ(CodeOf(InitVault(Path("ann"), line, "ann")), Code::kConflict) << "the home has an identity";
  const auto second = InitVault(Path("eve"), line, "eve");
  EXPECT_FALSE(second) << "the claim is spent";
  EXPECT_FALSE(std::filesystem::exists(Path("eve") + "/identity.json"));
}

TEST_F(OwnerTest, AnInterruptedInitIsFinished) {
  const auto line = ClaimLine();
  Must(InitVault(Path("ann"), line, "ann"));
  // As if the answer had been lost and the program killed: the vault is made, the home still says "claiming".
  const auto home = Must(Home::Open(Path("ann")));
  auto claiming = home.profile();
  claiming.state = HomeProfile::State::kClaiming;
  const auto seed = Must(ReadSecretFile((Path("ann") + "/seed").c_str(), 32));
  const auto recovery = Must(RandomKey());
  Must(Home::Create(Path("again"), claiming, seed, nullptr, &recovery));
  EXPECT_EQ(CodeOf(OwnerSession::Open(Path("again"))), Code::kConflict);
  const auto finished = Must(InitVault(Path("again"), line, "ann"));
  EXPECT_TRUE(Must(DecodeRecoveryCode(finished.recovery_code)).Equals(recovery)) << "the code is still shown";
  Must(Must(OwnerSession::Open(Path("again")))->VaultStatus());
}

TEST_F(OwnerTest, AnInitThatNeverReachedTheVaultBeginsAnew) {
  HomeProfile claiming;
  claiming.state = HomeProfile::State::kClaiming;
  claiming.name = "ann";
  claiming.vault = Blake2b256({AsBytes("never made")});
  claiming.address = server_.address();
  claiming.pins = {server_.pin()};
  Must(Home::Create(Path("ann"), claiming, Must(RandomKey()), nullptr, nullptr));
  EXPECT_NE(Must(InitVault(Path("ann"), ClaimLine(), "ann")).vault, claiming.vault);
}

TEST_F(OwnerTest, SetsAndGetsVersions) {
  auto& owner = Owner();
  const SecretName name{"shop/prod", "db-password"};
  const auto first = Must(owner.SetSecret(name, Value("one"), {"dba", "the shop's database", "first"}));
  EXPECT_TRUE(first.created);
  EXPECT_EQ(first.version, 1u);
  const auto second = Must(owner.SetSecret(name, Value("two"), {}));
  EXPECT_FALSE(second.created);
  EXPECT_EQ(second.version, 2u);
  EXPECT_EQ(second.number, first.number);
  EXPECT_EQ(Shown(Must(owner.GetSecret(name, {})).value), "two");
  EXPECT_EQ(Shown(Must(owner.GetSecret(name, {1, ""})).value), "one");
  EXPECT_EQ(Shown(Must(owner.GetSecret(name, {0, "previous"})).value), "one");
  EXPECT_EQ(CodeOf(owner.GetSecret(name, {3, ""})), Code::kNotFound);
  EXPECT_EQ(CodeOf(owner.GetSecret(name, {0, "next"})), Code::kNotFound);
  EXPECT_EQ(CodeOf(owner.GetSecret({"shop/prod", "none"}, {})), Code::kNotFound);
  EXPECT_EQ(CodeOf(owner.GetSecret({"shop/none", "none"}, {})), Code::kNotFound);

  const auto history = Must(owner.SecretHistory(name));
  ASSERT_EQ(history.size(), 2u);
  EXPECT_EQ(history[0].version, 2u);
  EXPECT_EQ(history[0].labels, std::vector<std::string>{"current"});
  EXPECT_EQ(history[1].signer, "ann");
  EXPECT_EQ(history[1].reason, "first");
  EXPECT_EQ(history[1].size, 3u);
}

TEST_F(OwnerTest, ASecretSaysWhenItIsToBeRotatedUntilItIsToldOtherwise) {
  auto& owner = Owner();
  const SecretName name{"shop/prod", "db-password"};
  const auto set = [&](std::optional<std::int64_t> rotate_after) {
    SetSecretOptions options;
    options.rotate_after = rotate_after;
    return owner.SetSecret(name, Value("x"), options);
  };
  const auto info = [&] { return Must(owner.ListSecrets("shop/prod", "")).at(0); };
  EXPECT_EQ(Must(set({})).rotate_after, 0);
  EXPECT_EQ(info().rotate_due, 0);
  EXPECT_EQ(Must(set(86400)).rotate_after, 86400);
  EXPECT_EQ(Must(set({})).rotate_after, 86400) << "as the version before";
  EXPECT_EQ(info().rotate_after, 86400);
  EXPECT_EQ(info().rotate_due, info().time + 86400);
  for (const std::int64_t bad : {std::int64_t{-1}, kMaxTermSeconds + 1})
    EXPECT_EQ(CodeOf(set(bad)), Code::kInvalid);
  Must(owner.SetSecret({"shop/prod", "other"}, Value("x"), {}));
  EXPECT_TRUE(Must(owner.ListOverdue()).empty());
  TestClock clock;
  clock.Pass(86401);
  ClientOptions options;
  options.clock = &clock;
  const auto later = Must(OwnerSession::Open(Path("ann"), std::move(options)));
  const auto overdue = Must(later->ListOverdue());
  ASSERT_EQ(overdue.size(), 1u);
  EXPECT_EQ(overdue[0].name, name);
  EXPECT_EQ(Must(set(0)).rotate_after, 0);
  EXPECT_EQ(info().rotate_due, 0);
  EXPECT_TRUE(Must(later->ListOverdue()).empty());
}

TEST_F(OwnerTest, ValuesOfEverySizeComeBack) {
  auto& owner = Owner();
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kMaxSecretBytes}) {
    auto memory = Must(SecretMemory::Allocate(size));
    for (std::size_t i = 0; i < size; ++i) memory.Expose()[i] = static_cast<std::uint8_t>(i * 7);
    const SecretValue value(std::move(memory));
    const SecretName name{"shop/prod", "size-" + std::to_string(size)};
    Must(owner.SetSecret(name, value, {}));
    EXPECT_TRUE(Must(owner.GetSecret(name, {})).value.Equals(value)) << size;
  }
  const SecretValue large(Must(SecretMemory::Allocate(kMaxSecretBytes + 1)));
  EXPECT_EQ(CodeOf(owner.SetSecret({"shop/prod", "large"}, large, {})), Code::kInvalid);
}

TEST_F(OwnerTest, ListsWhatThereIs) {
  auto& owner = Owner();
  Must(owner.CreateEnvironment("shop/test", ""));
  Must(owner.CreateEnvironment("blog/prod", ""));
  Set("tls/server.key", "k");
  Set("db-password", "p");
  EXPECT_FALSE(owner.CreateEnvironment("shop/test", "")) << "exists";
  EXPECT_EQ(CodeOf(owner.CreateEnvironment("shop", "")), Code::kInvalid);

  const auto environments = Must(owner.ListEnvironments());
  ASSERT_EQ(environments.size(), 3u);
  EXPECT_EQ(environments[0].name, "blog/prod");
  EXPECT_EQ(environments[0].role, Role::kOwner);
  const auto projects = Must(owner.ListProjects());
  ASSERT_EQ(projects.size(), 2u);
  EXPECT_EQ(projects[1].environments.size(), 2u);
  const auto secrets = Must(owner.ListSecrets("shop/prod", ""));
  ASSERT_EQ(secrets.size(), 2u);
  EXPECT_EQ(secrets[0].name.path, "db-password");
  EXPECT_EQ(secrets[0].version, 1u);
  EXPECT_EQ(secrets[0].problem, "");
  EXPECT_EQ(Must(owner.ListSecrets("shop/prod", "tls/")).size(), 1u);
  EXPECT_EQ(Must(owner.ExpandSecrets({"shop/prod/*"})).size(), 2u);
  EXPECT_EQ(Must(owner.ExpandSecrets({"shop/prod/tls/*"})).front().Full(), "shop/prod/tls/server.key");
  EXPECT_EQ(CodeOf(owner.ExpandSecrets({"shop/prod/none/*"})), Code::kNotFound);
  EXPECT_EQ(Must(owner.ListMembers("shop/prod")).front().name, "ann");
}

TEST_F(OwnerTest, AnotherProgramOnTheSameHomeSeesTheSame) {
  Set("db-password", "one");
  const auto other = Must(OwnerSession::Open(Path("ann")));
  Must(other->SetSecret({"shop/prod", "db-password"}, Value("two"), {}));
  Set("db-password", "three");
  EXPECT_EQ(Shown(Must(other->GetSecret({"shop/prod", "db-password"}, {})).value), "three");
}

TEST_F(OwnerTest, ASecondOwnerReadsWhatWasThereAndIsRemovedWithANewEpoch) {
  auto& owner = Owner();
  Set("db-password", "one");
  const auto seed = Must(RandomKey());
  auto profile = Must(Home::Open(Path("ann"))).profile();
  profile.name = "bob";
  Must(Home::Create(Path("bob"), profile, seed, nullptr, nullptr));
  const auto bob = Must(PrivateIdentity::FromSeed(seed, IdentityKind::kUser, "bob")).identity();
  Must(owner.AddVaultOwner(bob, ""));
  Must(owner.AddMember("shop/prod", bob, Role::kOwner, "", ""));
  EXPECT_FALSE(owner.AddMember("shop/prod", bob, Role::kOwner, "", "")) << "is a member already";
  const auto second = Must(OwnerSession::Open(Path("bob")));
  EXPECT_EQ(Shown(Must(second->GetSecret({"shop/prod", "db-password"}, {})).value), "one");
  Must(second->SetSecret({"shop/prod", "db-password"}, Value("two"), {}));
  Must(second->SetSecret({"shop/prod", "his"}, Value("his"), {}));
  InviteOptions invite;
  invite.name = "web-9";
  Must(second->Invite(invite));

  Must(owner.RemoveMember("shop/prod", "bob", "left"));
  Must(owner.RemoveVaultOwner("bob", "left"));
  EXPECT_FALSE(second->GetSecret({"shop/prod", "db-password"}, {}));
  EXPECT_EQ(Shown(Must(owner.GetSecret({"shop/prod", "db-password"}, {})).value), "two")
      << "what he did stays good";
  EXPECT_EQ(Shown(Must(owner.GetSecret({"shop/prod", "his"}, {})).value), "his");
  Set("db-password", "three");
  EXPECT_EQ(Shown(Must(owner.GetSecret({"shop/prod", "db-password"}, {1, ""})).value), "one")
      << "of the epoch before";
  EXPECT_EQ(Must(owner.ListEnvironments()).front().epoch, 2u);
}

TEST_F(OwnerTest, TwoWhoWriteAtOnceBothSucceed) {
  Set("db-password", "zero");
  const auto other = Must(OwnerSession::Open(Path("ann")));
  std::thread writer([&] {
    for (int i = 0; i < 3; ++i) Must(other->SetSecret({"shop/prod", "db-password"}, Value("b"), {}));
  });
  for (int i = 0; i < 3; ++i) Set("db-password", "a");
  writer.join();
  EXPECT_EQ(Must(Owner().SecretHistory({"shop/prod", "db-password"})).size(), 7u);
}

TEST_F(OwnerTest, AWrongClockAndARestartAreLearnt) {
  TestClock clock;
  Owner();
  ClientOptions options;
  options.clock = &clock;
  clock.SetBy(-86'400);
  const auto late = Must(OwnerSession::Open(Path("ann"), options));
  Must(late->VaultStatus());
  server_.Restart();
  Must(late->VaultStatus());
  const auto next = Must(OwnerSession::Open(Path("ann"), options));
  Must(next->VaultStatus());
}

TEST_F(OwnerTest, AStrangersKeyIsToldWhatToDo) {
  Owner();
  auto profile = Must(Home::Open(Path("ann"))).profile();
  Must(Home::Create(Path("eve"), profile, Must(RandomKey()), nullptr, nullptr));
  const auto eve = Must(OwnerSession::Open(Path("eve")));
  const auto refused = eve->VaultStatus();
  EXPECT_EQ(CodeOf(refused), Code::kUnauthentic);
  EXPECT_NE(Sentence(refused).find("grantfs identity list"), std::string::npos);
}

TEST_F(OwnerTest, AServerWithAnotherKeyIsRefused) {
  Owner();
  auto profile = Must(Home::Open(Path("ann"))).profile();
  profile.pins = {Sha256({AsBytes("another")})};
  const auto seed = Must(ReadSecretFile((Path("ann") + "/seed").c_str(), 32));
  Must(Home::Create(Path("moved"), profile, seed, nullptr, nullptr));
  EXPECT_EQ(CodeOf(Must(OwnerSession::Open(Path("moved")))->VaultStatus()), Code::kIntegrity);
}

TEST_F(OwnerTest, TheDoctorLooksAtAllOfIt) {
  Owner();
  for (const Finding& finding : RunDoctor(Path("ann"), "")) {
    EXPECT_EQ(finding.level, Finding::Level::kGood) << finding.check << ": " << finding.sentence;
  }
  const auto has = [](const std::vector<Finding>& findings, const std::string& check, Finding::Level level) {
    return std::any_of(findings.begin(), findings.end(),
                       [&](const Finding& f) { return f.check == check && f.level == level; });
  };
  EXPECT_TRUE(has(RunDoctor(Path("ann"), server_.directory()), "seed.place", Finding::Level::kWarning));
  TestClock clock;
  clock.SetBy(300);
  ClientOptions options;
  options.clock = &clock;
  EXPECT_TRUE(has(RunDoctor(Path("ann"), "", options), "clock", Finding::Level::kWarning));
  server_.Stop();
  EXPECT_TRUE(has(RunDoctor(Path("ann"), ""), "vault.reach", Finding::Level::kFailure));
  ::chmod((Path("ann") + "/seed").c_str(), 0644);
  EXPECT_TRUE(has(RunDoctor(Path("ann"), ""), "seed.mode", Finding::Level::kFailure));
  EXPECT_TRUE(has(RunDoctor(Path("nobody"), ""), "home", Finding::Level::kFailure));
}

TEST_F(OwnerTest, TheAuditLogIsReadAndVerified) {
  auto& owner = Owner();
  Set("db-password", "one");
  Must(owner.GetSecret({"shop/prod", "db-password"}, {}));
  AuditFilter filter;
  filter.object = "shop/prod/db-password";
  const auto lines = Must(owner.ListAudit(filter));
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines[0].type, "secret.read");
  EXPECT_EQ(lines[0].actor, "ann");
  EXPECT_EQ(lines[0].version, 1u);
  EXPECT_EQ(lines[0].outcome, "done");
  const auto verdict = Must(owner.VerifyAudit());
  EXPECT_TRUE(verdict.good) << verdict.what;
  EXPECT_TRUE(verdict.authenticated);
  Set("db-password", "two");
  const auto later = Must(owner.VerifyAudit());
  EXPECT_TRUE(later.good) << later.what;
  EXPECT_GT(later.size, verdict.size);
  server_.Stop();
  const std::string database = server_.directory() + "/vault.db";
  const auto copy = Must(VerifyAuditCopy(database, Path("ann")));
  EXPECT_TRUE(copy.good) << copy.what;
  EXPECT_TRUE(copy.authenticated);
  EXPECT_FALSE(Must(VerifyAuditCopy(database, "")).authenticated);
}

}  // namespace
}  // namespace grantfs::testing
