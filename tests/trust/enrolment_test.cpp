// Invitations, enrolments, names, identities.

#include <cstring>

#include "grantfs/trust/invitation.h"
#include "grantfs/trust/names.h"
#include "world.h"

namespace grantfs::testing {
namespace {

class EnrolmentTest : public ::testing::Test {
 protected:
  EnrolmentTest() : invite(Must(InviteSecret::Generate())), invitation(InvitationOf(invite)) {}
  World world;
  InviteSecret invite;
  Invitation invitation;
};

TEST_F(EnrolmentTest, InviteEnrolApprove) {
  ASSERT_TRUE(world.Add(world.machines, world.owner, InvitationCreate{invitation}));
  const auto enrolment = Must(MakeEnrolment(world.vault.vault_id(), invite, world.web1));
  ASSERT_TRUE(world.Add(world.machines, world.owner, MachineApprove{enrolment}));
  const auto* machine = world.machines.FindByName("web-1");
  ASSERT_NE(machine, nullptr);
  EXPECT_EQ(machine->number, 2u);
  EXPECT_FALSE(world.Add(world.machines, world.owner, MachineApprove{enrolment}))
      << "an invitation is used once";
  ASSERT_TRUE(world.Add(world.machines, world.owner, MachineRemove{world.web1.Id()}));
  EXPECT_EQ(world.machines.FindByName("web-1"), nullptr);
}

TEST_F(EnrolmentTest, TheServerCannotSlipInAKeyOfItsOwn) {
  ASSERT_TRUE(world.Add(world.machines, world.owner, InvitationCreate{invitation}));
  const auto other = Must(InviteSecret::Generate());
  const auto servers_machine = MakeIdentity("web-1", IdentityKind::kMachine);
  auto forged = Must(MakeEnrolment(world.vault.vault_id(), other, servers_machine));
  forged.invitation = invitation.id;
  EXPECT_FALSE(VerifyEnrolment(forged, world.vault.vault_id(), invitation));
  auto spliced = Must(MakeEnrolment(world.vault.vault_id(), invite, world.web1));
  spliced.identity = servers_machine.identity();
  EXPECT_FALSE(VerifyEnrolment(spliced, world.vault.vault_id(), invitation));
  const auto renamed =
      Must(MakeEnrolment(world.vault.vault_id(), invite, MakeIdentity("web-9", IdentityKind::kMachine)));
  EXPECT_FALSE(VerifyEnrolment(renamed, world.vault.vault_id(), invitation));
}

TEST_F(EnrolmentTest, OfAnotherVaultInvitationOrKind) {
  const auto good = Must(MakeEnrolment(world.vault.vault_id(), invite, world.web1));
  const auto says = [&](const Enrolment& enrolment, const Hash& vault, const Invitation& of) {
    const Status status = VerifyEnrolment(enrolment, vault, of);
    return status ? std::string() : Describe(status.error());
  };
  EXPECT_EQ(says(good, world.vault.vault_id(), invitation), "");
  EXPECT_NE(says(good, Hash{}, invitation).find("another vault"), std::string::npos);
  Invitation other = invitation;
  other.id = std::string(32, 'a');
  EXPECT_NE(says(good, world.vault.vault_id(), other).find("another invitation"), std::string::npos);
  for (const auto kind : {IdentityKind::kUser, IdentityKind::kAgent}) {
    const auto person = Must(MakeEnrolment(world.vault.vault_id(), invite, MakeIdentity("web-1", kind)));
    EXPECT_NE(says(person, world.vault.vault_id(), invitation).find("another name or kind"),
              std::string::npos);
  }
  Enrolment stripped = good;
  stripped.by_identity = {};
  EXPECT_NE(says(stripped, world.vault.vault_id(), invitation).find("its own key"), std::string::npos);
}

TEST_F(EnrolmentTest, TheServerCannotShortenALife) {
  auto altered = Must(MakeEnrolment(world.vault.vault_id(), invite, world.web1));
  altered.identity.not_after = 1'700'000'001;
  EXPECT_FALSE(VerifyEnrolment(altered, world.vault.vault_id(), invitation));
  EXPECT_EQ(Enrolment::FromJson(altered.ToJson()).error().code, Code::kIntegrity);
}

TEST_F(EnrolmentTest, TheLineSurvivesPastingAndTellsATypo) {
  InviteLine line{
      "vault.lan:7843",       Hash{}, world.vault.vault_id(), 5, *world.vault.HashAt(0), std::move(invite),
      IdentityKind::kMachine, "web-1"};
  const auto text = Must(EncodeInviteLine(line, false));
  auto pasted = Must(SecretMemory::Allocate(text.size() + 3));
  std::memset(pasted.Expose().data(), ' ', pasted.size());
  std::memcpy(pasted.Expose().data() + 1, text.Expose().data(), text.size());
  const auto read = Must(DecodeInviteLine(pasted, false));
  EXPECT_EQ(read.address, "vault.lan:7843");
  EXPECT_EQ(read.vault, world.vault.vault_id());
  EXPECT_EQ(read.head_sequence, 5u);
  EXPECT_EQ(read.secret.id(), line.secret.id());
  EXPECT_EQ(read.kind, IdentityKind::kMachine);
  EXPECT_EQ(read.name, "web-1");
  EXPECT_EQ(DecodeInviteLine(pasted, true).error().code, Code::kInvalid) << "an invitation is no claim";
  // A typo in the secret's own characters is seen; so is a cut line.
  const std::size_t secret_at = 17 + (32 + 32 + 8 + 32) * 4 / 3 + 4;
  auto mistyped = Must(text.Clone());
  mistyped.Expose()[secret_at] = mistyped.Expose()[secret_at] == 'x' ? 'y' : 'x';
  EXPECT_EQ(DecodeInviteLine(mistyped, false).error().code, Code::kInvalid);
  // The address has one of three lengths at which a digit too many encodes nothing.
  for (const char* address : {"vault.lan:7843", "vault.lan:784", "vault.lan:78"}) {
    line.address = address;
    const auto whole = Must(EncodeInviteLine(line, false));
    if ((whole.size() - 17) % 4 != 0) continue;
    auto longer = Must(SecretMemory::Allocate(whole.size() + 1));
    std::memcpy(longer.Expose().data(), whole.Expose().data(), whole.size());
    longer.Expose()[whole.size()] = 'A';
    EXPECT_FALSE(DecodeInviteLine(longer, false));
  }
  auto cut = Must(SecretMemory::Allocate(text.size() - 30));
  std::memcpy(cut.Expose().data(), text.Expose().data(), cut.size());
  EXPECT_FALSE(DecodeInviteLine(cut, false));
}

TEST_F(EnrolmentTest, ALineOfWrongPartsIsMistyped) {
  InviteLine line{
      "vault.lan:7843",       Hash{}, world.vault.vault_id(), 5, *world.vault.HashAt(0), std::move(invite),
      IdentityKind::kMachine, "web-1"};
  // One digit of the line altered: its bytes before the name are 126, that is 168 digits.
  const auto with = [&](std::size_t at, char digit) {
    auto text = Must(EncodeInviteLine(line, false));
    text.Expose()[17 + at] = static_cast<std::uint8_t>(digit);
    const auto decoded = DecodeInviteLine(text, false);
    return decoded ? Code::kIo : decoded.error().code;
  };
  ASSERT_TRUE(DecodeInviteLine(Must(EncodeInviteLine(line, false)), false));
  EXPECT_EQ(with(167, '_'), Code::kInvalid) << "a name that is longer than the line";
  EXPECT_EQ(with(168, 'A'), Code::kInvalid) << "a name of control characters";
  EXPECT_EQ(DecodeInviteLine(Must(EncodeInviteLine(line, true)), true).error().code, Code::kInvalid)
      << "a claim names nobody";
  line.kind = static_cast<IdentityKind>(3);
  EXPECT_EQ(DecodeInviteLine(Must(EncodeInviteLine(line, false)), false).error().code, Code::kInvalid);
  line.kind = IdentityKind::kMachine;
  line.name = std::string(63, 'a');
  line.address = std::string(255, 'a');
  ASSERT_TRUE(DecodeInviteLine(Must(EncodeInviteLine(line, false)), false));
  EXPECT_EQ(with(167, 'B'), Code::kInvalid) << "a name of one letter, and the rest an address";
  line.address += 'a';
  EXPECT_EQ(EncodeInviteLine(line, false).error().code, Code::kInvalid);
}

TEST(IdentityTest, TheSealingKeyIsBound) {
  const auto one = MakeIdentity("ann");
  const auto two = MakeIdentity("bob");
  EXPECT_TRUE(Identity::FromJson(one.identity().ToJson()));
  Identity mixed = one.identity();
  mixed.seal = two.identity().seal;
  EXPECT_EQ(Identity::FromJson(mixed.ToJson()).error().code, Code::kIntegrity);
  Json json = one.identity().ToJson();
  json.Set("suite", 2);
  EXPECT_EQ(Identity::FromJson(json).error().code, Code::kUnsupported);
  EXPECT_EQ(one.identity().Fingerprint().size(), 24u);
  EXPECT_NE(one.identity().Fingerprint(), mixed.Fingerprint());
}

TEST(IdentityTest, ANameThatControlsATerminalIsNone) {
  for (const char* bad : {"", "Ann", "../ann", "ann\x1B[2J"}) {
    EXPECT_EQ(PrivateIdentity::FromSeed(Must(RandomKey()), IdentityKind::kUser, bad).error().code,
              Code::kInvalid);
    // One who makes his keys with another program binds any name to them.
    const auto seed = Must(RandomKey());
    const auto signing = Must(SigningKey::FromSeed(seed));
    Identity made = MakeIdentity("ann").identity();
    made.name = bad;
    made.sign = signing.verify_key();
    const std::uint8_t suite = kSuite;
    made.binding =
        signing.Sign(EncodeContext({AsBytes("grantfs-identity"), ByteView(&suite, 1), AsBytes("user"),
                                    AsBytes(made.name), made.sign.bytes, made.seal.bytes}));
    EXPECT_EQ(Identity::FromJson(made.ToJson()).error().code, Code::kInvalid);
  }
  EXPECT_EQ(
      PrivateIdentity::FromSeed(Must(SecretMemory::Allocate(31)), IdentityKind::kUser, "ann").error().code,
      Code::kInvalid);
}

TEST(NamesTest, RefusesWhatAPathMustNotHold) {
  EXPECT_TRUE(ParseSecretName("shop/prod/tls/server.key"));
  EXPECT_EQ(Must(ParseSecretName("shop/prod/tls/server.key")).path, "tls/server.key");
  for (const char* bad :
       {"", "shop", "shop/prod", "shop/prod/", "shop//x", "/shop/prod/x", "shop/prod/..", "shop/prod/a/../b",
        "shop/prod/.", "shop/prod/.grantfs", "shop/prod/a\nb", "shop/prod/a\x7F", "shop/prod/\xff",
        "shop/prod/\xC2\x9B"
        "2J",
        "../prod/x"}) {
    EXPECT_EQ(ParseSecretName(bad).error().code, Code::kInvalid) << bad;
  }
  EXPECT_FALSE(CheckSecretPath(std::string(256, 'a')));
  EXPECT_TRUE(CheckSecretPath(std::string(255, 'a')));
  std::string longest(kMaxNameBytes, 'a');
  for (std::size_t i = 200; i < longest.size(); i += 200) longest[i] = '/';
  EXPECT_TRUE(CheckSecretPath(longest));
  EXPECT_FALSE(CheckSecretPath(longest + "a"));
  EXPECT_TRUE(CheckIdentityName(std::string(63, 'a')));
  EXPECT_FALSE(CheckIdentityName(std::string(64, 'a')));
  EXPECT_TRUE(CheckLabel(std::string(32, 'a')));
  EXPECT_FALSE(CheckLabel(std::string(33, 'a')));
  for (const char* bad : {"", "Web", "-web", "web 1", "web/1"}) EXPECT_FALSE(CheckIdentityName(bad)) << bad;
}

TEST(RolesTest, TheTableIsWhole) {
  // Rows: owner, reader, writer, operator, auditor. Columns: as in kAllOperations.
  const char* const expected[] = {"xxxxxxxxx", "xx.......", "x.x......", "x....xxxx", "........x"};
  for (std::size_t role = 0; role < std::size(kAllRoles); ++role) {
    for (std::size_t operation = 0; operation < std::size(kAllOperations); ++operation) {
      EXPECT_EQ(RoleAllows(kAllRoles[role], kAllOperations[operation]), expected[role][operation] == 'x')
          << RoleName(kAllRoles[role]) << " " << operation;
    }
  }
}

}  // namespace
}  // namespace grantfs::testing
