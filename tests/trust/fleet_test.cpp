// Machines that come in numbers: standing invitations, requests, lives that end.

#include "grantfs/trust/accept_line.h"
#include "grantfs/trust/enrol_request.h"
#include "grantfs/trust/names.h"
#include "grantfs/trust/restore.h"
#include "world.h"

namespace grantfs::testing {
namespace {

constexpr std::int64_t kNow = 1'700'000'000;  // World::Next's

class StandingInvitationTest : public ::testing::Test {
 protected:
  StandingInvitationTest() { Stand(StandingOf(invite)); }
  void Stand(const StandingInvitation& invitation) {
    ASSERT_TRUE(world.Add(world.machines, world.owner, InvitationStand{invitation}));
  }
  static PrivateIdentity Machine(const std::string& name) {
    return MakeIdentity(name, IdentityKind::kMachine);
  }
  MachineJoin JoinOf(const PrivateIdentity& machine) const {
    return {Must(MakeEnrolment(world.vault.vault_id(), invite, machine)), 0};
  }
  Status Join(const PrivateIdentity& machine) { return world.Add(world.machines, machine, JoinOf(machine)); }
  const MachinesList::StandingEntry& entry() const { return world.machines.standing().at(invite.id()); }
  /// What an owner's client makes of a list that the vault serves with this at its end.
  bool Counts(const SignedList::StatementPtr& statement) const {
    MachinesList served = world.machines;
    return served.Receive(statement, world.Upper()) && served.CheckStanding(world.Upper());
  }
  /// Neither may it be appended, nor does it count if the vault serves it all the same.
  void ExpectNothing(const PrivateIdentity& signer, const Act& act, const char* why) {
    const auto made = world.Made(world.machines, signer, act);
    EXPECT_FALSE(MachinesList(world.machines).Append(made, world.Upper())) << why;
    EXPECT_FALSE(Counts(made)) << why;
  }
  World world;
  InviteSecret invite = Must(InviteSecret::Generate());
};

TEST_F(StandingInvitationTest, LetsInAsManyAsItSaysAndNoMore) {
  ASSERT_TRUE(Join(world.web1));
  EXPECT_EQ(entry().used, 1u);
  EXPECT_TRUE(entry().IsOpen(world.vault));
  const auto* machine = world.machines.FindByName("web-1");
  ASSERT_NE(machine, nullptr);
  EXPECT_EQ(machine->standing, invite.id());
  EXPECT_EQ(machine->number, world.machines.head()->sequence);
  ASSERT_TRUE(Join(world.web2));
  EXPECT_FALSE(entry().IsOpen(world.vault));
  EXPECT_TRUE(world.machines.CheckStanding(world.Upper()));
  const auto third = Machine("web-3");
  ExpectNothing(third, JoinOf(third), "the third of two");
}

TEST_F(StandingInvitationTest, ANameOutsideThePatternIsRefused) {
  for (const char* name : {"db-1", "web-", "xweb-1"}) {
    const auto machine = Machine(name);
    ExpectNothing(machine, JoinOf(machine), name);
  }
  const auto person = MakeIdentity("web-1");
  ExpectNothing(person, JoinOf(person), "no machine");
}

TEST_F(StandingInvitationTest, AVaultThatSawThePublicHalfAloneAddsNobody) {
  const auto own = Machine("web-9");
  const auto guessed = Must(InviteSecret::Generate());
  MachineJoin forged{Must(MakeEnrolment(world.vault.vault_id(), guessed, own)), 0};
  forged.enrolment.invitation = invite.id();
  EXPECT_FALSE(ActFromJson(ActToJson(forged))) << "its own signature is over the other invitation's id";
  // Signed anew by its own key: only the invitation's is missing.
  MachineJoin spliced = JoinOf(world.web1);
  const Signature real = spliced.enrolment.by_invitation;
  spliced = {Must(MakeEnrolment(world.vault.vault_id(), invite, own)), 0};
  spliced.enrolment.by_invitation = real;
  ExpectNothing(own, spliced, "the signature of another machine's enrolment");
}

TEST_F(StandingInvitationTest, AnEnrolmentIsNotReplayed) {
  ASSERT_TRUE(Join(world.web1));
  ExpectNothing(world.web1, JoinOf(world.web1), "the same key again");
  auto renamed = JoinOf(world.web1);
  renamed.enrolment.identity.name = "web-7";
  EXPECT_FALSE(ActFromJson(ActToJson(renamed))) << "the binding is over the name";
  const auto other = Machine("web-1");
  ExpectNothing(other, JoinOf(other), "a name that is taken");
  ASSERT_TRUE(world.Add(world.machines, world.owner, MachineRemove{world.web1.Id()}));
  const auto again = Must(InviteSecret::Generate());
  Stand(StandingOf(again));
  const MachineJoin back{Must(MakeEnrolment(world.vault.vault_id(), again, world.web1)), 0};
  ExpectNothing(world.web1, back, "a removed key comes back");
}

TEST_F(StandingInvitationTest, AMachineSignsNothingButItsOwnJoining) {
  ASSERT_TRUE(Join(world.web1));
  const auto web3 = Machine("web-3");
  ExpectNothing(world.web1, JoinOf(web3), "for another");
  ExpectNothing(world.owner, JoinOf(web3), "an owner for a machine");
  ExpectNothing(world.web1, MachineRemove{world.web1.Id()}, "a removal");
  ExpectNothing(world.web1, InvitationStand{StandingOf(Must(InviteSecret::Generate()))}, "an invitation");
  ExpectNothing(world.web1, Vouch{}, "a vouch");
}

TEST_F(StandingInvitationTest, NobodyComesAfterWithdrawalOrExpiry) {
  Statement late = world.Next(world.machines, world.web1, JoinOf(world.web1));
  late.time = kNow + 86'400;
  EXPECT_FALSE(MachinesList(world.machines).Append(world.Sign(late, world.web1), world.Upper()));
  late.time -= 1;
  EXPECT_TRUE(MachinesList(world.machines).Append(world.Sign(late, world.web1), world.Upper()));
  ASSERT_TRUE(world.Add(world.machines, world.owner, InvitationWithdraw{invite.id()}));
  ExpectNothing(world.web1, JoinOf(world.web1), "withdrawn");
  EXPECT_FALSE(world.Add(world.machines, world.owner, InvitationWithdraw{invite.id()})) << "twice";
}

TEST_F(StandingInvitationTest, EachLivesAsLongAsItSays) {
  const auto brief = Must(InviteSecret::Generate());
  StandingInvitation invitation = StandingOf(brief);
  invitation.lives = 3600;
  Stand(invitation);
  const auto join = [&](std::int64_t end) {
    return MachineJoin{Must(MakeEnrolment(world.vault.vault_id(), brief, world.web1)), end};
  };
  for (const std::int64_t wrong : {std::int64_t{0}, kNow, kNow - 1, kNow + 3601})
    ExpectNothing(world.web1, join(wrong), "a life that does not end as it says");
  MachineJoin for_ever = JoinOf(world.web2);
  for_ever.not_after = kNow + 10;
  ExpectNothing(world.web2, for_ever, "an end where none is set");
  ASSERT_TRUE(world.Add(world.machines, world.web1, join(kNow + 3600)));
  EXPECT_EQ(world.machines.FindByName("web-1")->identity.not_after, kNow + 3600);
  EXPECT_FALSE(world.machines.FindByName("web-1")->HasEnded(kNow + 3599));
  EXPECT_TRUE(world.machines.FindByName("web-1")->HasEnded(kNow + 3600));
}

TEST_F(StandingInvitationTest, RemovingAMachineThatCameByItWithdrawsIt) {
  ASSERT_TRUE(Join(world.web1));
  ASSERT_TRUE(world.Add(world.machines, world.owner, MachineRemove{world.web1.Id()}));
  EXPECT_FALSE(entry().IsOpen(world.vault));
  ExpectNothing(world.web2, JoinOf(world.web2), "whoever had the machine has the invitation");
}

TEST_F(StandingInvitationTest, ClearingOneWhoseLifeIsOverDoesNot) {
  const auto brief = Must(InviteSecret::Generate());
  StandingInvitation invitation = StandingOf(brief, 5);
  invitation.lives = 60;
  Stand(invitation);
  const MachineJoin join{Must(MakeEnrolment(world.vault.vault_id(), brief, world.web1)), kNow + 60};
  ASSERT_TRUE(world.Add(world.machines, world.web1, join));
  MachinesList early = world.machines;
  ASSERT_TRUE(early.Append(world.Made(early, world.owner, MachineRemove{world.web1.Id()}), world.Upper()));
  EXPECT_TRUE(early.standing().at(brief.id()).withdrawn);
  Statement clear = world.Next(world.machines, world.owner, MachineRemove{world.web1.Id()});
  clear.time = kNow + 60;
  ASSERT_TRUE(world.machines.Append(world.Sign(clear, world.owner), world.Upper()));
  EXPECT_FALSE(world.machines.standing().at(brief.id()).withdrawn);
  EXPECT_EQ(world.machines.FindByName("web-1"), nullptr);
}

TEST_F(StandingInvitationTest, DoesNotStandAgainWithARestoredBackup) {
  const MachinesList backup = world.machines;
  ASSERT_TRUE(world.Add(world.machines, world.owner, InvitationWithdraw{invite.id()}));
  const ListMemory seen = ListMemory::Of(world.machines.Statements());
  EXPECT_EQ(UndoneBy(seen, backup, backup.next_sequence()).invitations, std::vector<std::string>{invite.id()});
  EXPECT_TRUE(UndoneBy(seen, world.machines, backup.next_sequence()).empty());
}

TEST_F(StandingInvitationTest, ItsIssuersRemovalEndsIt) {
  const auto bobs = Must(InviteSecret::Generate());
  ASSERT_TRUE(world.Add(world.vault, world.owner, VaultOwnerAdd{world.second.identity()}));
  ASSERT_TRUE(world.Add(world.machines, world.second, InvitationStand{StandingOf(bobs, 9)}));
  const auto join = [&](const PrivateIdentity& who) {
    return MachineJoin{Must(MakeEnrolment(world.vault.vault_id(), bobs, who)), 0};
  };
  ASSERT_TRUE(world.Add(world.machines, world.web1, join(world.web1)));
  const Statement before = world.Next(world.machines, world.web2, join(world.web2));
  ASSERT_TRUE(world.Add(world.vault, world.owner, VaultOwnerRemove{world.second.Id()}));
  EXPECT_FALSE(world.machines.standing().at(bobs.id()).IsOpen(world.vault));
  EXPECT_FALSE(world.machines.CheckStanding(world.Upper()))
      << "nobody with a right follows bob's and web-1's";
  ExpectNothing(world.web2, join(world.web2), "after the removal");
  EXPECT_FALSE(Counts(world.Sign(before, world.web2))) << "as if it had been before, at the list's end";
  ASSERT_TRUE(world.Add(world.machines, world.owner, Vouch{}));
  EXPECT_TRUE(world.machines.CheckStanding(world.Upper()));
  EXPECT_NE(world.machines.FindByName("web-1"), nullptr) << "who came while he owned the vault stays";
  // The vault lets one in at the old head, behind the vouch.
  Statement old = world.Next(world.machines, world.web2, join(world.web2));
  old.heads = before.heads;
  EXPECT_FALSE(Counts(world.Sign(old, world.web2)));
}

TEST_F(StandingInvitationTest, AMachineTakesNoPersonsName) {
  const auto every = Must(InviteSecret::Generate());
  StandingInvitation invitation = StandingOf(every);
  invitation.pattern = "*";
  Stand(invitation);
  const auto ann = Machine("ann");
  const MachineJoin join{Must(MakeEnrolment(world.vault.vault_id(), every, ann)), 0};
  EXPECT_FALSE(world.Add(world.machines, ann, join));
}

TEST_F(StandingInvitationTest, WhatAVaultLetInAllTheSameIsVoided) {
  const auto db = Machine("db-1");
  ASSERT_TRUE(world.machines.Receive(world.Made(world.machines, db, JoinOf(db)), world.Upper()));
  const auto first = world.machines.FirstUncounted(world.Upper());
  ASSERT_TRUE(first);
  ASSERT_TRUE(world.Add(world.machines, world.owner, Void{*first, *world.machines.HashAt(*first)}));
  EXPECT_TRUE(world.machines.CheckStanding(world.Upper()));
  EXPECT_EQ(world.machines.FindByName("db-1"), nullptr);
  EXPECT_EQ(entry().used, 0u);
}

TEST(NamePatternTest, OneStarForOneCharacterOrMore) {
  for (const char* good : {"*", "web-*", "*-web", "a*z", "web-*.lan"})
    EXPECT_TRUE(CheckNamePattern(good)) << good;
  for (const char* bad : {"", "web", "web-**", "*-*", "-*", "Web-*", "web/*", "web-*\n"})
    EXPECT_FALSE(CheckNamePattern(bad)) << bad;
  EXPECT_FALSE(CheckNamePattern(std::string(63, 'a') + "*"));
  EXPECT_TRUE(CheckNamePattern(std::string(62, 'a') + "*"));
  EXPECT_TRUE(MatchesNamePattern("web-1", "web-*"));
  EXPECT_TRUE(MatchesNamePattern("ab", "a*"));
  EXPECT_FALSE(MatchesNamePattern("a", "a*"));
  EXPECT_FALSE(MatchesNamePattern("aba", "ab*ba"));
  EXPECT_TRUE(MatchesNamePattern("abxba", "ab*ba"));
  EXPECT_FALSE(MatchesNamePattern("web-1", "web-1"));
  EXPECT_FALSE(MatchesNamePattern("web-\n", "web-*"));
}

class EnrolmentRequestTest : public ::testing::Test {
 protected:
  EnrolmentRequest Made() const { return MakeEnrolmentRequest(world.web1, kNow - 10, kNow + 10); }
  World world;
};

TEST_F(EnrolmentRequestTest, LetsItsMachineInOnceUntilItExpires) {
  Statement late = world.Next(world.machines, world.owner, MachineAdmit{Made(), 0});
  late.time = kNow + 10;
  EXPECT_FALSE(MachinesList(world.machines).Append(world.Sign(late, world.owner), world.Upper()));
  EXPECT_FALSE(world.Add(world.machines, world.owner, MachineAdmit{Made(), kNow})) << "ends as it begins";
  EXPECT_FALSE(world.Add(world.machines, world.web1, MachineAdmit{Made(), 0}))
      << "signed by nobody with a right";
  ASSERT_TRUE(world.Add(world.machines, world.owner, MachineAdmit{Made(), kNow + 60}));
  EXPECT_EQ(world.machines.FindByName("web-1")->identity.not_after, kNow + 60);
  EXPECT_EQ(world.machines.FindByName("web-1")->standing, "");
  EXPECT_FALSE(world.Add(world.machines, world.owner, MachineAdmit{Made(), 0})) << "again";
  ASSERT_TRUE(world.Add(world.machines, world.owner, MachineRemove{world.web1.Id()}));
  EXPECT_FALSE(world.Add(world.machines, world.owner, MachineAdmit{Made(), 0})) << "a removed key comes back";
}

TEST_F(EnrolmentRequestTest, IsSignedWhole) {
  ASSERT_TRUE(EnrolmentRequest::FromJson(Made().ToJson()));
  EnrolmentRequest longer = Made();
  longer.expires += 1;
  EXPECT_EQ(EnrolmentRequest::FromJson(longer.ToJson()).error().code, Code::kIntegrity);
  EnrolmentRequest other = Made();
  other.identity = world.web2.identity();
  EXPECT_EQ(EnrolmentRequest::FromJson(other.ToJson()).error().code, Code::kIntegrity);
  EnrolmentRequest ending = Made();
  ending.identity.not_after = kNow;
  EXPECT_EQ(EnrolmentRequest::FromJson(ending.ToJson()).error().code, Code::kInvalid);
  for (const auto& [made, expires] :
       {std::pair{kNow, kNow}, {kNow, kNow - 1}, {kNow, kNow + kMaxEnrolRequestSeconds + 1}})
    EXPECT_FALSE(EnrolmentRequest::FromJson(MakeEnrolmentRequest(world.web1, made, expires).ToJson()));
  EXPECT_EQ(
      EnrolmentRequest::FromJson(MakeEnrolmentRequest(world.owner, kNow, kNow + 1).ToJson()).error().code,
      Code::kInvalid)
      << "a person";
}

TEST_F(EnrolmentRequestTest, ItsLineSurvivesPastingAndTellsATypo) {
  const std::string line = EncodeRequestLine(Made());
  EXPECT_LT(line.size(), kMaxPlainLineBytes);
  const auto read = Must(DecodeRequestLine("  " + line + "\r\n"));
  EXPECT_EQ(read.identity.Id(), world.web1.Id());
  for (std::size_t at = 0; at < line.size(); at += 7) {
    std::string typo = line;
    typo[at] = typo[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(DecodeRequestLine(typo)) << at;
  }
  EXPECT_FALSE(DecodeRequestLine(line.substr(0, line.size() - 4)));
  EXPECT_FALSE(DecodeRequestLine(std::string(1 << 20, 'a')));
  EXPECT_FALSE(DecodeAcceptLine(line)) << "a line of another kind";
}

TEST_F(EnrolmentRequestTest, TheAnswersLineReadsBack) {
  const AcceptLine line{world.vault.vault_id(), "vault.lan:7843", world.vault.vault_id(), *world.vault.head(),
                        world.web1.Id()};
  const std::string text = EncodeAcceptLine(line);
  const auto read = Must(DecodeAcceptLine(text));
  EXPECT_EQ(read.vault, line.vault);
  EXPECT_EQ(read.address, line.address);
  EXPECT_EQ(read.head, line.head);
  EXPECT_EQ(read.identity, line.identity);
  for (std::size_t at = 0; at < text.size(); at += 7) {
    std::string typo = text;
    typo[at] = typo[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(DecodeAcceptLine(typo)) << at;
  }
}

class MachineLifeTest : public ::testing::Test {
 protected:
  MachineLifeTest() {
    Invitation invitation = InvitationOf(invite);
    invitation.lives = 3600;
    EXPECT_TRUE(world.Add(world.machines, world.owner, InvitationCreate{invitation}));
  }
  Status Approve(std::int64_t end) {
    return world.Add(world.machines, world.owner,
                     MachineApprove{Must(MakeEnrolment(world.vault.vault_id(), invite, world.web1)), end});
  }
  World world;
  InviteSecret invite = Must(InviteSecret::Generate());
};

TEST_F(MachineLifeTest, AnApprovalEndsItAsTheInvitationSaysOrSooner) {
  EXPECT_FALSE(Approve(0)) << "for ever";
  EXPECT_FALSE(Approve(kNow + 3601));
  EXPECT_FALSE(Approve(kNow));
  ASSERT_TRUE(Approve(kNow + 1800));
  EXPECT_EQ(world.machines.FindByName("web-1")->identity.not_after, kNow + 1800);
}

TEST_F(MachineLifeTest, APersonsDoesNotEnd) {
  Invitation invitation = InvitationOf(Must(InviteSecret::Generate()), "bea");
  invitation.kind = IdentityKind::kUser;
  EXPECT_TRUE(Invitation::FromJson(invitation.ToJson()));
  invitation.lives = 60;
  EXPECT_FALSE(Invitation::FromJson(invitation.ToJson()));
}

}  // namespace
}  // namespace grantfs::testing
