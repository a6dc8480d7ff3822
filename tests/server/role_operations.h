#pragma once

#include "grantfs/api/freezes.h"
#include "grantfs/api/requests.h"
#include "grantfs/trust/request.h"
#include "grantfs/util/clock.h"
#include "role_world.h"

namespace grantfs::testing {

/// The operations of the table that take more than one request. Each gives the status of the one that counts,
/// and leaves the vault so that the next caller can try the same.
class RoleOperations : protected RoleWorld {
 protected:
  int Create(const PrivateIdentity& who, const std::string& prefix) {
    const auto reserved = Must(client().Call<api::ReserveResponse>(
        RequestSigner::Of(world.owner), api::kSecretsReserve, api::ReserveRequest{kEnvironment, 1}));
    const std::string path = prefix + "made-" + std::to_string(reserved.first);
    VaultWorld::Secret made{kEnvironment, SecretList(reserved.first), {}};
    const SecretCreate act{reserved.first, kEnvironment, path, SecretType::kValue, "", ""};
    return Ask(who, api::kListsAppend, VaultWorld::One(world.NextOf(made, who, act), who));
  }
  int StageVersion(const PrivateIdentity& who, const std::string& path) {
    const SecretList& list = world.secret(kEnvironment, path).list;
    return Ask(who, api::kStageCiphertext,
               api::StageCiphertextRequest{list.id().number, list.next_version(), Hash{}, Bytes(64)});
  }
  int Publish(const PrivateIdentity& who, const std::string& path) {
    VaultWorld::Secret& secret = world.secret(kEnvironment, path);
    // One who may not send the value ahead has nothing but a statement; it must be refused by itself.
    const bool stages = StageVersion(who, path) == 200;
    VersionPublish version{kEnvironment, path, secret.list.next_version(), 1, {}, {}, 0, ""};
    version.epoch = world.environment(kEnvironment).list.newest_epoch().number;
    if (stages) version = world.StageVersion(secret, "x", who);
    return AppendTo(who, path, version);
  }
  int Grant(const PrivateIdentity& who) {
    const VaultWorld::Secret& secret = world.secret(kEnvironment, "tls/key");
    for (const auto& [version, key] : secret.data_keys) {
      if (!secret.list.versions().contains(version)) continue;
      const api::SealedCopy copy{{RecipientKind::kMachine, machine.number, 0},
                                 Must(SealDataKey(machine.identity().seal, key))};
      Ask(who, api::kStageCopies,
          api::StageCopiesRequest{secret.list.id().number,
                                  version,
                                  secret.list.versions().at(version).publish.commitment,
                                  {copy}});
    }
    return AppendTo(who, "tls/key", GrantAdd{world.GrantFor(machine)});
  }
  int Revoke(const PrivateIdentity& who) {
    const SecretList::GrantKey key{GranteeKind::kMachine, machine.number};
    if (!world.secret(kEnvironment, "tls/key").list.grants().contains(key))
      Must(world.GrantTo(machine, kEnvironment, "tls/key"));
    return AppendTo(who, "tls/key", GrantRevoke{GranteeKind::kMachine, machine.number});
  }
  int RemoveAuditor(const PrivateIdentity& who) {
    const auto leaver = NewIdentity("leaver");
    Must(world.AddMember(kEnvironment, leaver, Role::kAuditor));
    return Append(who, world.environment(kEnvironment).list, MemberRemove{leaver.Id(), {}});
  }
  int ChangeAuditor(const PrivateIdentity& who) {
    const auto changed = NewIdentity("changed");
    Must(world.AddMember(kEnvironment, changed, Role::kAuditor));
    return Append(who, world.environment(kEnvironment).list,
                  MemberChange{changed.Id(), Role::kOperator, "", {}, {}});
  }
  /// With one of each group, whose keys are sealed to the environment's.
  int StartEpoch(const PrivateIdentity& who) {
    VaultWorld::Environment& environment = world.environment(kEnvironment);
    NewEpoch epoch = Must(MakeEpoch(environment.list.EpochRecipients(world.vault),
                                    &environment.list.newest_epoch(), &environment.keys.back()));
    Ask(who, api::kStageEpoch, api::StageEpochRequest{kEnvironment, epoch.epoch.number, epoch.copies});
    std::vector<Act> acts = {EpochStart{epoch.epoch}};
    std::map<std::uint64_t, UnsealKey> keys;
    for (const auto& [group, known] : environment.list.groups().all()) {
      acts.emplace_back(groups_.Starting(group, {}, *groups_.list(group).head(), epoch.epoch, who));
      keys[group] = std::move(groups_.next_key);
    }
    const int status = Append(who, InARow(environment.list, who, acts));
    if (status != 200) return status;
    environment.keys.push_back(std::move(epoch.key));
    groups_.keys = std::move(keys);
    return status;
  }
  int MakeEnvironment(const PrivateIdentity& who) {
    const std::string name = "shop/e" + std::to_string(++made_);
    const NewEpoch epoch = Must(MakeEpoch({who.identity(), world.recovery.identity()}, nullptr, nullptr));
    Ask(who, api::kStageEpoch, api::StageEpochRequest{name, 1, epoch.copies});
    const EnvironmentList list(name);
    auto request =
        VaultWorld::One(world.Next(list, who, EnvironmentCreate{name, who.identity(), epoch.epoch}), who);
    const Hash genesis = Must(SignedStatement::Parse(request.appends[0].statements[0])).hash();
    const auto added = VaultWorld::One(world.Next(world.vault, who, EnvironmentAdd{name, genesis}), who);
    request.appends.push_back(added.appends[0]);
    const int status = Ask(who, api::kListsAppend, request);
    if (status == 200) world.Take(added);
    return status;
  }
  int Invite(const PrivateIdentity& who) {
    const InviteSecret secret = Must(InviteSecret::Generate());
    const Invitation invitation{secret.id(),
                                IdentityKind::kMachine,
                                "web-" + std::to_string(10 + ++made_),
                                secret.signing_key().verify_key(),
                                secret.unseal_key().seal_key(),
                                4'000'000'000};
    return Append(who, world.machines, InvitationCreate{invitation});
  }
  int InviteStanding(const PrivateIdentity& who) {
    const InviteSecret secret = Must(InviteSecret::Generate());
    const StandingInvitation invitation{
        secret.id(),   "app-*", 5, secret.signing_key().verify_key(), secret.unseal_key().seal_key(),
        4'000'000'000, 0};
    const int status = Append(who, world.machines, InvitationStand{invitation});
    if (status == 200) standing_.push_back(secret.id());
    return status;
  }
  int Withdraw(const PrivateIdentity& who) {
    const std::string id = standing_.empty() ? std::string(32, 'a') : standing_.back();
    const int status = Append(who, world.machines, InvitationWithdraw{id});
    if (status == 200) standing_.pop_back();
    return status;
  }
  int Admit(const PrivateIdentity& who) {
    const auto asks = NewIdentity("asks-" + std::to_string(++made_), IdentityKind::kMachine);
    const std::int64_t now = world.Next(world.machines, who, Vouch{}).time;
    return Append(who, world.machines, MachineAdmit{MakeEnrolmentRequest(asks, now, now + 3600), 0});
  }
  int RemoveMachine(const PrivateIdentity& who) {
    if (!leaving_) leaving_ = world.EnrolMachine("leaving-" + std::to_string(++made_));
    const int status = Append(who, world.machines, MachineRemove{leaving_->key.Id()});
    if (status == 200) leaving_.reset();
    return status;
  }
  int Freeze(const PrivateIdentity& who, const api::Route& route, const FrozenObject& object) {
    return Ask(who, route, api::FreezeRequest{{object}, ""});
  }
  int PersonAdded(const PrivateIdentity& who, bool owner) {
    const auto one = NewIdentity("new-" + std::to_string(++made_)).identity();
    return owner ? Append(who, world.vault, VaultOwnerAdd{one}) : Append(who, world.vault, IdentityAdd{one});
  }
  /// Of one who was let in for it.
  int ReplaceKey(const PrivateIdentity& who) {
    const std::string name = "rekeyed-" + std::to_string(++made_);
    const auto before = NewIdentity(name);
    EXPECT_EQ(Append(world.owner, world.vault, IdentityAdd{before.identity()}), 200);
    return Append(who, world.vault, IdentityReplace{before.Id(), NewIdentity(name).identity()});
  }
  api::RequestAskRequest Rotation(const PrivateIdentity& who) {
    Request request;
    request.vault = world.vault.vault_id();
    request.environment = kEnvironment;
    request.signer = who.Id();
    request.time = SystemClock().WallSeconds();
    request.expires = request.time + 60 + ++made_;
    request.vault_head = *world.vault.head();
    request.environment_head = *world.environment(kEnvironment).list.head();
    request.ask = AskRotation{"a", 0, ""};
    return {Must(SignedRequest::Sign(request, who.signing_key())).envelope()};
  }
  /// Of one that the operator makes for it, and takes back if it is left.
  int Settle(const PrivateIdentity& who, RequestState state) {
    const auto asked = Rotation(operator_);
    EXPECT_EQ(Ask(operator_, api::kRequestsAsk, asked), 200);
    const Hash id = Must(SignedRequest::Parse(asked.request)).id();
    const int status = Ask(who, api::kRequestsSettle, api::RequestSettleRequest{id, state, ""});
    if (status != 200) {
      EXPECT_EQ(
          Ask(operator_, api::kRequestsSettle, api::RequestSettleRequest{id, RequestState::kWithdrawn, ""}),
          200);
    }
    return status;
  }
  Hash OwnersRequest() {
    const auto asked = Rotation(owner_);
    EXPECT_EQ(Ask(owner_, api::kRequestsAsk, asked), 200);
    return Must(SignedRequest::Parse(asked.request)).id();
  }

  std::optional<VaultWorld::Machine> leaving_;
  std::vector<std::string> standing_;  ///< that are open
  int made_ = 0;
};

}  // namespace grantfs::testing
