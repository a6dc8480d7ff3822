// What may be said in a vault's and in its machines' list, and by whom.

#include "world.h"

namespace grantfs::testing {
namespace {

class VaultRulesTest : public ::testing::Test {
 protected:
  static VaultCreate CreateFor(const PrivateIdentity& owner, const PrivateIdentity& recovery) {
    return {owner.identity(), recovery.identity(), {Hash{}}, "vault.test/log", {}, 1};
  }
  /// A genesis over nothing, signed by `signer`.
  Status Begin(const PrivateIdentity& signer, const VaultCreate& create) {
    VaultList list;
    Statement said = world.Next(list, signer, create);
    said.vault = {};
    return list.Append(world.Sign(said, signer), {});
  }
  Code Refused(SignedList& list, const PrivateIdentity& signer, Act act) {
    const std::uint64_t next = list.next_sequence();
    const Status status = world.Add(list, signer, std::move(act));
    EXPECT_FALSE(status) << "was to be refused";
    EXPECT_EQ(list.next_sequence(), next);
    return status ? Code::kIo : status.error().code;
  }
  World world;
  PrivateIdentity carol = MakeIdentity("carol");
  PrivateIdentity agent = MakeIdentity("ci", IdentityKind::kAgent);
};

TEST_F(VaultRulesTest, AGenesisIsSignedByTheOwnerThatItNames) {
  EXPECT_TRUE(Begin(world.owner, CreateFor(world.owner, world.recovery)));
  EXPECT_EQ(Begin(world.second, CreateFor(world.owner, world.recovery)).error().code, Code::kDenied);
  EXPECT_EQ(Begin(world.recovery, CreateFor(world.owner, world.recovery)).error().code, Code::kDenied);
  // In the owner's name, and not by him.
  VaultList list;
  Statement said = world.Next(list, world.owner, CreateFor(world.owner, world.recovery));
  said.vault = {};
  EXPECT_EQ(list.Append(world.Sign(said, world.second), {}).error().code, Code::kIntegrity);
}

TEST_F(VaultRulesTest, OwnerAndRecoveryAreTwoUsers) {
  EXPECT_EQ(Begin(agent, CreateFor(agent, world.recovery)).error().code, Code::kInvalid);
  EXPECT_EQ(Begin(world.owner, CreateFor(world.owner, agent)).error().code, Code::kInvalid);
  EXPECT_EQ(Begin(world.owner, CreateFor(world.owner, world.web1)).error().code, Code::kInvalid);
  EXPECT_EQ(Begin(world.owner, CreateFor(world.owner, world.owner)).error().code, Code::kInvalid);
}

TEST_F(VaultRulesTest, OnlyUsersOwnAVaultAndEachOnce) {
  EXPECT_EQ(Refused(world.vault, world.owner, VaultOwnerAdd{agent.identity()}), Code::kInvalid);
  EXPECT_EQ(Refused(world.vault, world.owner, VaultOwnerAdd{world.web1.identity()}), Code::kInvalid);
  EXPECT_EQ(Refused(world.vault, world.owner, VaultOwnerAdd{world.owner.identity()}), Code::kInvalid);
  EXPECT_EQ(Refused(world.vault, world.owner, VaultOwnerAdd{world.recovery.identity()}), Code::kInvalid)
      << "recovery would have every right of an owner";
  EXPECT_EQ(Refused(world.vault, world.recovery, VaultOwnerAdd{world.recovery.identity()}), Code::kInvalid);
  EXPECT_EQ(Refused(world.vault, world.owner, VaultOwnerRemove{carol.Id()}), Code::kInvalid);
  EXPECT_EQ(Refused(world.vault, world.owner, VaultOwnerRemove{world.owner.Id()}), Code::kInvalid)
      << "nobody would be left";
}

TEST_F(VaultRulesTest, RecoveryAddsAndRemovesOwnersAndVouches) {
  EXPECT_EQ(Refused(world.vault, world.recovery, PinsSet{{Hash{}}}), Code::kDenied);
  EXPECT_EQ(Refused(world.vault, world.recovery, EnvironmentAdd{"shop/test", Hash{}}), Code::kDenied);
  EXPECT_EQ(Refused(world.vault, world.recovery, IdentityRemove{world.web1.Id(), "web-1"}), Code::kDenied);
  EXPECT_EQ(Refused(world.machines, world.recovery, MachineRemove{world.web1.Id()}), Code::kDenied);
  ASSERT_TRUE(world.Add(world.vault, world.recovery, VaultOwnerAdd{carol.identity()}));
  ASSERT_TRUE(world.Add(world.vault, world.recovery, VaultOwnerRemove{world.owner.Id()}));
  EXPECT_TRUE(world.Add(world.vault, world.recovery, Vouch{}));
  EXPECT_TRUE(world.Add(world.machines, world.recovery, Vouch{}));
  EXPECT_TRUE(world.vault.CheckStanding({}));
}

TEST_F(VaultRulesTest, ARemovedOwnersStatementsNeedASuccessor) {
  ASSERT_TRUE(world.Add(world.vault, world.owner, VaultOwnerAdd{carol.identity()}));
  ASSERT_TRUE(world.Add(world.vault, carol, IdentityRemove{world.web1.Id(), "web-1"}));
  ASSERT_TRUE(world.Add(world.vault, world.owner, VaultOwnerRemove{carol.Id()}));
  EXPECT_TRUE(world.vault.CheckStanding({})) << "the owner's own statement follows";
  EXPECT_EQ(Refused(world.vault, carol, PinsSet{{Hash{}}}), Code::kDenied);
  EXPECT_EQ(Refused(world.machines, carol, MachineRemove{world.web1.Id()}), Code::kDenied);
  // The vault lets it in all the same.
  VaultList served = world.vault;
  ASSERT_TRUE(served.Receive(world.Made(served, carol, PinsSet{{Hash{}}}), {}));
  EXPECT_EQ(served.CheckStanding({}).error().code, Code::kIntegrity);
  // He returns, and with him nothing that could not stand.
  ASSERT_TRUE(world.Add(world.machines, world.owner, Vouch{}));
  const VaultList then = world.vault;
  ASSERT_TRUE(world.Add(world.vault, world.owner, VaultOwnerAdd{carol.identity()}));
  Statement late = world.Next(world.machines, carol, Vouch{});
  late.heads.vault = then.head();
  EXPECT_EQ(world.machines.Append(world.Sign(late, carol), world.Upper()).error().code, Code::kDenied)
      << "he was no owner at the heads that it names";
}

TEST_F(VaultRulesTest, AnEnvironmentsNameAndARemovalStandOnce) {
  EXPECT_EQ(Refused(world.vault, world.owner, EnvironmentAdd{"shop/prod", Hash{}}), Code::kInvalid)
      << "another list under the name that clients know";
  EXPECT_EQ(world.vault.environments().at("shop/prod").genesis, *world.environment.HashAt(0));
  ASSERT_TRUE(world.Add(world.vault, world.owner, IdentityRemove{world.web1.Id(), "web-1"}));
  EXPECT_EQ(Refused(world.vault, world.owner, IdentityRemove{world.web1.Id(), "web-1"}), Code::kInvalid);
}

TEST_F(VaultRulesTest, AUserOrAgentIsLetInOnceUnderANameOfItsOwn) {
  EXPECT_EQ(Refused(world.vault, world.second, IdentityAdd{carol.identity()}), Code::kDenied);
  EXPECT_EQ(Refused(world.vault, world.recovery, IdentityAdd{carol.identity()}), Code::kDenied);
  EXPECT_EQ(Refused(world.vault, world.owner, IdentityAdd{world.web1.identity()}), Code::kInvalid)
      << "machine";
  for (const char* taken : {"ann", "recovery"}) {
    EXPECT_EQ(Refused(world.vault, world.owner, IdentityAdd{MakeIdentity(taken).identity()}), Code::kInvalid);
  }
  EXPECT_EQ(Refused(world.vault, world.owner, IdentityAdd{world.owner.identity()}), Code::kInvalid);
  EXPECT_EQ(Refused(world.vault, world.owner, IdentityAdd{world.recovery.identity()}), Code::kInvalid);
  ASSERT_TRUE(world.Add(world.vault, world.owner, IdentityAdd{carol.identity()}));
  ASSERT_TRUE(world.Add(world.vault, world.owner, IdentityAdd{agent.identity()}));
  EXPECT_EQ(world.vault.People().size(), 2u);
  ASSERT_NE(world.vault.FindPerson(carol.Id()), nullptr);
  EXPECT_FALSE(world.vault.IsOwner(carol.Id())) << "let in, and nothing else";
  EXPECT_EQ(Refused(world.vault, carol, PinsSet{{Hash{}}}), Code::kDenied);
  EXPECT_EQ(Refused(world.vault, world.owner, IdentityAdd{carol.identity()}), Code::kInvalid);
  const auto other = MakeIdentity("carol");
  EXPECT_EQ(Refused(world.vault, world.owner, IdentityAdd{other.identity()}), Code::kInvalid) << "the name";
  ASSERT_TRUE(world.Add(world.vault, world.owner, IdentityRemove{carol.Id(), "carol"}));
  EXPECT_EQ(world.vault.People().size(), 1u);
  EXPECT_NE(world.vault.FindPerson(carol.Id()), nullptr) << "her statements are still hers";
  EXPECT_EQ(Refused(world.vault, world.owner, IdentityAdd{carol.identity()}), Code::kInvalid)
      << "a removed key returned";
  EXPECT_TRUE(world.Add(world.vault, world.owner, IdentityAdd{other.identity()})) << "the name is free again";
}

TEST_F(VaultRulesTest, AKeyRemovedBeforeItWasLetInStaysOut) {
  ASSERT_TRUE(world.Add(world.vault, world.owner, IdentityRemove{carol.Id(), "carol"}));
  EXPECT_EQ(Refused(world.vault, world.owner, IdentityAdd{carol.identity()}), Code::kInvalid);
}

TEST_F(VaultRulesTest, AVoidTakesAPersonBack) {
  ASSERT_TRUE(world.Add(world.vault, world.owner, VaultOwnerAdd{world.second.identity()}));
  const VaultList then = world.vault;
  ASSERT_TRUE(world.Add(world.vault, world.owner, VaultOwnerRemove{world.second.Id()}));
  const Statement late = world.Next(world.vault, world.second, IdentityAdd{carol.identity()});
  ASSERT_TRUE(world.vault.Receive(world.Sign(late, world.second), {}));
  EXPECT_EQ(world.vault.FindPerson(carol.Id()), nullptr) << "by one who owns the vault no more";
  EXPECT_FALSE(world.vault.CheckStanding({}));
}

class MachinesRulesTest : public VaultRulesTest {
 protected:
  InviteSecret Invited(const std::string& name) {
    auto invite = Must(InviteSecret::Generate());
    EXPECT_TRUE(world.Add(world.machines, world.owner, InvitationCreate{InvitationOf(invite, name)}));
    return invite;
  }
  MachineApprove ApprovalOf(const InviteSecret& invite, const PrivateIdentity& machine) {
    return {Must(MakeEnrolment(world.vault.vault_id(), invite, machine))};
  }
  Code Refused(Act act) { return VaultRulesTest::Refused(world.machines, world.owner, std::move(act)); }
};

TEST_F(MachinesRulesTest, AnInvitationAdmitsItsKindAndAPersonIsNoMachine) {
  for (const auto kind : {IdentityKind::kUser, IdentityKind::kAgent}) {
    const auto invite = Must(InviteSecret::Generate());
    Invitation invitation = InvitationOf(invite, "ci");
    invitation.kind = kind;
    ASSERT_TRUE(world.Add(world.machines, world.owner, InvitationCreate{invitation}));
    EXPECT_EQ(Refused(ApprovalOf(invite, MakeIdentity("ci", IdentityKind::kMachine))), Code::kIntegrity);
    const auto who = MakeIdentity("ci", kind);
    ASSERT_TRUE(world.Add(world.machines, world.owner, ApprovalOf(invite, who)));
    EXPECT_EQ(world.machines.FindByName("ci"), nullptr);
    EXPECT_EQ(world.machines.FindById(who.Id()), nullptr) << "granted to like a machine";
    EXPECT_EQ(Refused(ApprovalOf(invite, who)), Code::kInvalid) << "used twice";
    EXPECT_EQ(Refused(MachineRemove{who.Id()}), Code::kInvalid);
  }
}

TEST_F(MachinesRulesTest, AnInvitationStandsOnce) {
  const auto invite = Must(InviteSecret::Generate());
  ASSERT_TRUE(world.Add(world.machines, world.owner, InvitationCreate{InvitationOf(invite)}));
  EXPECT_EQ(Refused(InvitationCreate{InvitationOf(invite)}), Code::kInvalid);
  EXPECT_EQ(Refused(InvitationCreate{InvitationOf(invite, "web-7")}), Code::kInvalid)
      << "one secret for two machines";
}

TEST_F(MachinesRulesTest, AnInvitationThatWasUsedOrWithdrawnAdmitsNobody) {
  const auto invite = Invited("web-1");
  ASSERT_TRUE(world.Add(world.machines, world.owner, InvitationWithdraw{invite.id()}));
  EXPECT_EQ(Refused(ApprovalOf(invite, world.web1)), Code::kInvalid);
  EXPECT_EQ(Refused(InvitationWithdraw{invite.id()}), Code::kInvalid);
  EXPECT_EQ(Refused(InvitationWithdraw{Must(InviteSecret::Generate()).id()}), Code::kInvalid);
  EXPECT_EQ(Refused(ApprovalOf(Must(InviteSecret::Generate()), world.web1)), Code::kInvalid)
      << "of no invitation";
  const auto used = Invited("web-1");
  ASSERT_TRUE(world.Add(world.machines, world.owner, ApprovalOf(used, world.web1)));
  ASSERT_TRUE(world.Add(world.machines, world.owner, MachineRemove{world.web1.Id()}));
  const auto next = MakeIdentity("web-1", IdentityKind::kMachine);
  EXPECT_EQ(Refused(ApprovalOf(used, next)), Code::kInvalid) << "the line that was used admits a second";
  EXPECT_EQ(Refused(InvitationWithdraw{used.id()}), Code::kInvalid);
}

TEST_F(MachinesRulesTest, ANameHasOneMachineAndAKeyOneNumberForEver) {
  const auto first = Invited("web-1");
  const auto second = Invited("web-1");
  ASSERT_TRUE(world.Add(world.machines, world.owner, ApprovalOf(first, world.web1)));
  EXPECT_EQ(Refused(InvitationCreate{InvitationOf(Must(InviteSecret::Generate()))}), Code::kInvalid)
      << "the name is taken";
  const auto other = MakeIdentity("web-1", IdentityKind::kMachine);
  EXPECT_EQ(Refused(ApprovalOf(second, other)), Code::kInvalid) << "two machines of one name";
  EXPECT_EQ(Refused(MachineRemove{other.Id()}), Code::kInvalid);
  ASSERT_TRUE(world.Add(world.machines, world.owner, MachineRemove{world.web1.Id()}));
  EXPECT_EQ(Refused(MachineRemove{world.web1.Id()}), Code::kInvalid);
  EXPECT_EQ(Refused(ApprovalOf(second, world.web1)), Code::kInvalid) << "a removed key comes back";
  EXPECT_TRUE(world.Add(world.machines, world.owner, ApprovalOf(second, other)));
}

TEST_F(MachinesRulesTest, AnEnrolmentOfAnotherVaultIsNotApproved) {
  const auto invite = Invited("web-1");
  MachineApprove elsewhere{Must(MakeEnrolment(Hash{}, invite, world.web1))};
  EXPECT_EQ(Refused(elsewhere), Code::kIntegrity);
}

}  // namespace
}  // namespace grantfs::testing
