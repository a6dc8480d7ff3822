// What a vault asks of groups beyond what each statement must be.

#include <algorithm>
#include <optional>

#include "group_maker.h"

namespace grantfs::testing {
namespace {

constexpr int kDone = 200, kConflict = 409, kBad = 400;

class GroupsServedTest : public ::testing::Test, protected ServedSecret {
 protected:
  GroupsServedTest() : other_(world.EnrolMachine("web-2")), web(groups.Make("web")) {}

  int AddMachine(const VaultWorld::Machine& who) {
    return groups.Append(world.owner, groups.Adding(web, who));
  }
  /// Takes the machine out, by one append with the next epoch for these or without one.
  int TakeOut(const VaultWorld::Machine& who, const std::optional<std::vector<GroupCopyTarget>>& stay) {
    const auto leave = world.Next(groups.list(web), world.owner, GroupMachinesRemove{{who.number}});
    auto request = VaultWorld::One(leave, world.owner);
    const auto head = Must(SignedStatement::Parse(request.appends[0].statements[0])).head();
    if (stay) {
      const auto start = groups.Starting(web, *stay, head);
      request.appends.push_back(
          VaultWorld::One(world.Next(groups.environment(), world.owner, start), world.owner).appends[0]);
    }
    const int status = groups.Append(world.owner, request);
    if (status == kDone) groups.keys[web] = std::move(groups.next_key);
    return status;
  }
  api::GrantsResponse Listing(const VaultWorld::Machine& who) {
    return Must(client().Call<api::GrantsResponse>(RequestSigner::Of(who.key), api::kMachineGrants,
                                                   api::GrantsRequest{}));
  }
  int ReadBy(const VaultWorld::Machine& who) {
    api::ReadRequest request;
    request.secret = number;
    request.open = "open-" + std::to_string(++opens_);
    return groups.Send(who.key, api::kMachineRead, request);
  }
  Grant ToWeb() {
    Grant grant;
    grant.grantee = groups.Grantee(web);
    return grant;
  }
  /// Grants the prefix "" to the group. @param seal  whether the keys of what is there go ahead
  int GrantAll(bool seal) {
    const VaultWorld::Secret& secret = world.secret("shop/prod", "a");
    const auto& group = groups.group(web);
    for (const auto& [version, key] : secret.data_keys) {
      if (!seal) break;
      const api::SealedCopy copy{group.recipient(), Must(SealDataKey(group.seal(), key))};
      EXPECT_EQ(
          groups.Send(world.owner, api::kStageCopies,
                      api::StageCopiesRequest{
                          number, version, secret.list.versions().at(version).publish.commitment, {copy}}),
          kDone);
    }
    return groups.Append(
        world.owner, VaultWorld::One(world.Next(groups.environment(), world.owner, PrefixGrant{"", ToWeb()}),
                                     world.owner));
  }

  GroupMaker groups{*this};
  VaultWorld::Machine other_;
  std::uint64_t web;
  int opens_ = 0;
};

TEST_F(GroupsServedTest, AGroupAndItsListAreOneAppend) {
  GroupList begun("shop/prod", groups.environment().next_sequence());
  const auto genesis = world.Next(begun, world.owner, GroupListCreate{"shop/prod", begun.id().number, "db"});
  EXPECT_EQ(groups.Send(world.owner, api::kListsAppend, VaultWorld::One(genesis, world.owner)), kBad);
  auto epoch = Must(MakeGroupEpoch({groups.Environment()}, 1, nullptr));
  groups.Stage(begun.id().number, 1, epoch.copies);
  const GroupCreate create{"db", Hash{}, {epoch.epoch, 1, 0, Hash{}}};
  EXPECT_EQ(groups.Send(world.owner, api::kListsAppend,
                        VaultWorld::One(world.Next(groups.environment(), world.owner, create), world.owner)),
            kBad);
}

TEST_F(GroupsServedTest, AMachineIsAddedWithItsOwnCopyOfTheNewestKey) {
  const GroupMachinesAdd bare{1, {GroupMaker::Named(machine)}, GroupCopiesRoot({})};
  EXPECT_EQ(groups.Send(world.owner, api::kListsAppend,
                        VaultWorld::One(world.Next(groups.list(web), world.owner, bare), world.owner)),
            kConflict);
  auto forged = GroupMaker::Named(machine);
  forged.seal = other_.identity().seal;
  EXPECT_EQ(groups.Send(world.owner, api::kListsAppend,
                        VaultWorld::One(world.Next(groups.list(web), world.owner,
                                                   GroupMachinesAdd{1, {forged}, GroupCopiesRoot({})}),
                                        world.owner)),
            kBad);
  EXPECT_TRUE(Listing(machine).groups.empty());
  ASSERT_EQ(AddMachine(machine), kDone);
  const auto listed = Listing(machine).groups;
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_TRUE(OpenEpochCopy(machine.key.unseal_key(), listed[0].sealed, groups.group(web).newest().epoch));
  EXPECT_TRUE(Listing(other_).groups.empty());
}

TEST_F(GroupsServedTest, WhoLeavesIsShutOutByTheSameAppendAndNobodyElseIs) {
  ASSERT_EQ(AddMachine(machine), kDone);
  ASSERT_EQ(AddMachine(other_), kDone);
  EXPECT_EQ(TakeOut(machine, std::nullopt), kConflict) << "the next epoch is missing";
  EXPECT_EQ(TakeOut(machine, std::vector{GroupMaker::Of(machine), GroupMaker::Of(other_)}), kConflict)
      << "it has the next key too";
  EXPECT_EQ(TakeOut(machine, std::vector<GroupCopyTarget>{}), kConflict) << "one who stays is forgotten";
  ASSERT_EQ(TakeOut(machine, std::vector{GroupMaker::Of(other_)}), kDone);
  EXPECT_TRUE(Listing(machine).groups.empty());
  ASSERT_EQ(Listing(other_).groups.size(), 1U);
  EXPECT_EQ(Listing(other_).groups[0].epoch, 2U);
}

TEST_F(GroupsServedTest, APrefixIsGrantedWithAllKeysThatAreThere) {
  ASSERT_EQ(AddMachine(other_), kDone);
  EXPECT_EQ(ReadBy(other_), 404);
  EXPECT_EQ(GrantAll(false), kConflict);
  EXPECT_EQ(ReadBy(other_), 404);
  ASSERT_EQ(GrantAll(true), kDone);
  EXPECT_EQ(ReadBy(other_), kDone);
  const auto listed = Listing(other_).grants;
  ASSERT_EQ(listed.size(), 1U);
  ASSERT_TRUE(listed[0].prefix);
  EXPECT_EQ(*listed[0].prefix, (EnvironmentGroups::PrefixKey{"", web}));
  EXPECT_FALSE(Listing(machine).grants[0].prefix) << "a grant of its own comes first";
  ASSERT_EQ(TakeOut(other_, std::vector<GroupCopyTarget>{}), kDone);
  EXPECT_EQ(ReadBy(other_), 404);
}

TEST_F(GroupsServedTest, AVersionWithoutTheGroupsCopyIsRefused) {
  ASSERT_EQ(GrantAll(true), kDone);
  VaultWorld::Secret& secret = world.secret("shop/prod", "a");
  const std::uint32_t version = secret.list.next_version();
  const ValueContext context{world.vault.vault_id(), "shop/prod", number, version, 1};
  const auto made = Must(EncryptVersion(context, SecretValue(Must(SecretMemory::Allocate(3)))));
  EXPECT_EQ(groups.Send(world.owner, api::kStageCiphertext,
                        api::StageCiphertextRequest{number, version, made.commitment, made.ciphertext}),
            kDone);
  const auto stage = [&](bool group) {
    api::StageCopiesRequest copies{number, version, made.commitment, {}};
    for (const auto& target :
         secret.list.SealTargets(SystemClock().WallSeconds(), {&world.vault, &groups.environment()})) {
      if ((target.recipient.kind == RecipientKind::kGroup) == group)
        copies.copies.push_back({target.recipient, Must(SealDataKey(target.key, made.data_key))});
    }
    EXPECT_EQ(groups.Send(world.owner, api::kStageCopies, copies), kDone);
  };
  VersionPublish publish{"shop/prod", "a", version, 3, made.ciphertext_hash, made.commitment, 1, ""};
  const auto request = VaultWorld::One(world.NextOf(secret, world.owner, publish), world.owner);
  stage(false);
  EXPECT_EQ(groups.Append(world.owner, request), kConflict);
  stage(true);
  EXPECT_EQ(groups.Append(world.owner, request), kDone);
}

TEST_F(GroupsServedTest, AnEnvironmentsNewKeyComesWithOneOfEachGroup) {
  VaultWorld::Environment& environment = world.environment("shop/prod");
  NewEpoch epoch = Must(MakeEpoch(environment.list.EpochRecipients(world.vault),
                                  &environment.list.newest_epoch(), &environment.keys.back()));
  EXPECT_EQ(groups.Send(world.owner, api::kStageEpoch,
                        api::StageEpochRequest{"shop/prod", epoch.epoch.number, epoch.copies}),
            kDone);
  EXPECT_EQ(groups.Send(world.owner, api::kListsAppend,
                        VaultWorld::One(world.Next(environment.list, world.owner, EpochStart{epoch.epoch}),
                                        world.owner)),
            kConflict);
}

}  // namespace
}  // namespace grantfs::testing
