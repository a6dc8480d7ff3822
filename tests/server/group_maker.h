#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "grantfs/api/lists.h"
#include "grantfs/api/secrets.h"
#include "served.h"

namespace grantfs::testing {

/// Makes groups of shop/prod as an owner's client does, and keeps their keys.
class GroupMaker {
 public:
  explicit GroupMaker(ServedSecret& served) : served_(served) {}

  static constexpr char kPlace[] = "shop/prod";
  VaultWorld& world() { return served_.world; }
  EnvironmentList& environment() { return world().environment(kPlace).list; }
  const EnvironmentGroups::Group& group(std::uint64_t number) { return *environment().groups().Find(number); }
  GroupList& list(std::uint64_t number) { return *world().groups.at(ListId::Group(kPlace, number)); }
  ::grantfs::Grantee Grantee(std::uint64_t number) { return group(number).AsGrantee(); }

  template <typename Request>
  int Send(const PrivateIdentity& who, const api::Route& route, const Request& request) {
    return Must(served_.client().Exchange(RequestSigner::Of(who), route, request.ToJson().Dump())).status;
  }
  int Append(const PrivateIdentity& who, const api::AppendRequest& request) {
    const int status = Send(who, api::kListsAppend, request);
    if (status == 200) world().Take(request);
    return status;
  }
  GroupCopyTarget Environment() { return Environment(environment().newest_epoch()); }
  GroupCopyTarget Environment(const Epoch& epoch) {
    return {{RecipientKind::kEnvironment, world().vault.environments().at(kPlace).number, epoch.number},
            epoch.key};
  }
  static GroupCopyTarget Of(const VaultWorld::Machine& machine) {
    return {{RecipientKind::kMachine, machine.number, 0}, machine.identity().seal};
  }
  static ::grantfs::Grantee Named(const VaultWorld::Machine& machine) {
    const Identity who = machine.identity();
    return {GranteeKind::kMachine, machine.number, who.Id(), who.name, who.seal, who.not_after};
  }
  void Stage(std::uint64_t number, std::uint32_t epoch, const std::vector<GroupCopy>& copies) {
    if (copies.empty()) return;
    EXPECT_EQ(Send(world().owner, api::kStageGroup, api::StageGroupRequest{kPlace, number, epoch, copies}),
              200);
  }

  /// Asks for a new group. @return the answer's status, and the group's number
  std::pair<int, std::uint64_t> Ask(const std::string& name, const PrivateIdentity& who) {
    GroupList begun(kPlace, environment().next_sequence());
    const std::uint64_t number = begun.id().number;
    const auto begin = VaultWorld::One(world().Next(begun, who, GroupListCreate{kPlace, number, name}), who);
    const Hash genesis = Must(SignedStatement::Parse(begin.appends[0].statements[0])).hash();
    auto epoch = Must(MakeGroupEpoch({Environment()}, 1, nullptr));
    Send(who, api::kStageGroup, api::StageGroupRequest{kPlace, number, 1, epoch.copies});
    const GroupCreate create{name, genesis, {epoch.epoch, environment().newest_epoch().number, 0, genesis}};
    auto request = VaultWorld::One(world().Next(environment(), who, create), who);
    request.appends.push_back(begin.appends[0]);
    const int status = Append(who, request);
    if (status == 200) keys[number] = std::move(epoch.key);
    return {status, number};
  }
  /// One that there is, or a new one by the world's owner.
  std::uint64_t Make(const std::string& name) {
    if (const auto* there = environment().groups().FindByName(name)) return there->number;
    const auto [status, number] = Ask(name, world().owner);
    EXPECT_EQ(status, 200);
    return number;
  }
  /// The statement that adds a machine; its copy is sent ahead.
  api::AppendRequest Adding(std::uint64_t number, const VaultWorld::Machine& machine) {
    const std::uint32_t epoch = group(number).newest().epoch.number;
    const auto copies = Must(SealGroupKey(keys.at(number), {Of(machine)}));
    Stage(number, epoch, copies);
    const GroupMachinesAdd add{epoch, {Named(machine)}, GroupCopiesRoot(copies)};
    return VaultWorld::One(world().Next(list(number), world().owner, add), world().owner);
  }
  /// The next epoch for these; its copies are sent ahead. @param after  the last statement of the group's
  /// list
  GroupEpochStart Starting(std::uint64_t number, const std::vector<GroupCopyTarget>& machines,
                           const Head& after) {
    return Starting(number, machines, after, environment().newest_epoch(), world().owner);
  }
  /// @param sealed_to  the environment's epoch, which may begin in the same append
  /// @param who  signs: copies that are sent ahead count for whoever sent them
  GroupEpochStart Starting(std::uint64_t number, const std::vector<GroupCopyTarget>& machines,
                           const Head& after, const Epoch& sealed_to, const PrivateIdentity& who) {
    auto targets = machines;
    targets.push_back(Environment(sealed_to));
    const std::uint32_t epoch = group(number).newest().epoch.number + 1;
    auto made = Must(MakeGroupEpoch(targets, epoch, &keys.at(number)));
    Send(who, api::kStageGroup, api::StageGroupRequest{kPlace, number, epoch, made.copies});
    next_key = std::move(made.key);
    return {number, {made.epoch, sealed_to.number, after.sequence, after.hash}};
  }

  std::map<std::uint64_t, UnsealKey> keys;  ///< of the newest epochs
  UnsealKey next_key;

 private:
  ServedSecret& served_;
};

}  // namespace grantfs::testing
