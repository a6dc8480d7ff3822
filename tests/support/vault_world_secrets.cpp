#include <algorithm>

#include "grantfs/util/clock.h"
#include "vault_world.h"

namespace grantfs::testing {
namespace {

SecretValue ValueOf(const std::string& text) {
  SecretMemory memory = Must(SecretMemory::Allocate(text.size()));
  std::copy(text.begin(), text.end(), memory.Expose().begin());
  return SecretValue(std::move(memory));
}

}  // namespace

InviteSecret VaultWorld::Invite(const std::string& name, std::int64_t expires) {
  InviteSecret secret = Must(InviteSecret::Generate());
  const Invitation invitation{secret.id(),
                              IdentityKind::kMachine,
                              name,
                              secret.signing_key().verify_key(),
                              secret.unseal_key().seal_key(),
                              expires};
  Must(Send(owner, One(Next(machines, owner, InvitationCreate{invitation}), owner)));
  return secret;
}

Result<api::AppendResponse> VaultWorld::Approve(const Enrolment& enrolment) {
  return Send(owner, One(Next(machines, owner, MachineApprove{enrolment}), owner));
}

VaultWorld::Machine VaultWorld::EnrolMachine(const std::string& name) {
  const InviteSecret invite = Invite(name, SystemClock().WallSeconds() + 3600);
  Machine machine{NewIdentity(name, IdentityKind::kMachine), 0};
  const Enrolment enrolment = Must(MakeEnrolment(vault.vault_id(), invite, machine.key));
  Must(door_.Enrol(invite, {enrolment}));
  Must(Approve(enrolment));
  machine.number = machines.FindById(machine.key.Id())->number;
  return machine;
}

Status VaultWorld::RemoveMachine(const Machine& machine) {
  api::AppendRequest request = One(Next(machines, owner, MachineRemove{machine.key.Id()}), owner);
  request.appends.push_back(
      One(Next(vault, owner, IdentityRemove{machine.key.Id(), machine.identity().name}), owner).appends[0]);
  GRANTFS_TRY(Send(owner, request));
  return {};
}

VersionPublish VaultWorld::StageVersion(Secret& secret, const std::string& value,
                                        const PrivateIdentity& who) {
  const Environment& environment = *environments_.at(secret.environment);
  const Epoch& epoch = environment.list.newest_epoch();
  const std::uint64_t number = secret.list.id().number;
  const std::uint32_t version = secret.list.next_version();
  EncryptedVersion made = Must(
      EncryptVersion({vault.vault_id(), secret.environment, number, version, epoch.number}, ValueOf(value)));
  Must(door_.Stage(who, api::StageCiphertextRequest{number, version, made.commitment, made.ciphertext}));
  api::StageCopiesRequest copies{number, version, made.commitment, {}};
  for (const auto& target : secret.list.SealTargets(SystemClock().WallSeconds(), Upper(secret.environment)))
    copies.copies.push_back({target.recipient, Must(SealDataKey(target.key, made.data_key))});
  Must(door_.Stage(who, copies));
  secret.data_keys.insert_or_assign(version, std::move(made.data_key));
  return {secret.environment,   secret.list.create().path, version,      value.size(),
          made.ciphertext_hash, made.commitment,           epoch.number, ""};
}

Result<api::AppendResponse> VaultWorld::Publish(const std::string& environment, const std::string& path,
                                                const std::string& value, const PrivateIdentity* who) {
  const PrivateIdentity& signer = who != nullptr ? *who : owner;
  const std::string name = environment + "/" + path;
  if (!numbers_.contains(name) || secret(environment, path).list.IsDestroyed()) {
    const std::uint64_t number = GRANTFS_TRY(door_.Reserve(signer, {environment, 1})).first;
    auto made = std::make_unique<Secret>(Secret{environment, SecretList(number), {}});
    const SecretCreate create{number, environment, path, SecretType::kValue, "", ""};
    const api::AppendRequest request = One(NextOf(*made, signer, create), signer);
    secrets_[number] = std::move(made);
    auto created = Send(signer, request);
    if (!created) return created;
    numbers_[name] = number;
  }
  Secret& one = secret(environment, path);
  return Send(signer, One(NextOf(one, signer, StageVersion(one, value, signer)), signer));
}

Grant VaultWorld::GrantFor(const Machine& machine) const {
  Grant grant;
  const Identity identity = machine.identity();
  grant.grantee = {GranteeKind::kMachine, machine.number, identity.Id(), identity.name, identity.seal, 0};
  return grant;
}

Status VaultWorld::StageGrantCopies(const Secret& secret, const Identity& machine, std::uint64_t number) {
  for (const auto& [version, data_key] : secret.data_keys) {
    if (!secret.list.versions().contains(version)) continue;
    const api::SealedCopy copy{{RecipientKind::kMachine, number, 0},
                               Must(SealDataKey(machine.seal, data_key))};
    const Hash& commitment = secret.list.versions().at(version).publish.commitment;
    GRANTFS_CHECK(
        door_.Stage(owner, api::StageCopiesRequest{secret.list.id().number, version, commitment, {copy}}));
  }
  return {};
}

Result<api::AppendResponse> VaultWorld::GrantTo(const Machine& machine, const std::string& environment,
                                                const std::string& path,
                                                const std::function<void(Grant&)>& change) {
  Secret& one = secret(environment, path);
  GRANTFS_CHECK(StageGrantCopies(one, machine.identity(), machine.number));
  GrantAdd add{GrantFor(machine)};
  if (change) change(add.grant);
  return Send(owner, One(NextOf(one, owner, add), owner));
}

Result<api::AppendResponse> VaultWorld::Revoke(const Machine& machine, const std::string& environment,
                                               const std::string& path) {
  Secret& one = secret(environment, path);
  return Send(owner, One(NextOf(one, owner, GrantRevoke{GranteeKind::kMachine, machine.number}), owner));
}

Result<std::string> VaultWorld::Open(const Machine& machine, const std::string& environment,
                                     const std::string& path, std::uint32_t version, ByteView sealed,
                                     ByteView ciphertext) const {
  const Secret& one = *secrets_.at(numbers_.at(environment + "/" + path));
  const VersionPublish& publish = one.list.versions().at(version).publish;
  const ValueContext context{vault.vault_id(), environment, one.list.id().number, version, publish.epoch};
  const SecretMemory data_key =
      GRANTFS_TRY(OpenDataKey(machine.key.unseal_key(), sealed, publish.commitment, context));
  const SecretValue value = GRANTFS_TRY(DecryptVersion(data_key, context, publish, ciphertext));
  return std::string(AsText(value.Expose()));
}

}  // namespace grantfs::testing
