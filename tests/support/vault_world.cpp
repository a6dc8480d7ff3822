#include "vault_world.h"

#include "grantfs/crypto/random.h"
#include "grantfs/util/clock.h"

namespace grantfs::testing {
namespace {

class CryptoEnvironment final : public ::testing::Environment {
  void SetUp() override { Must(InitCrypto()); }
};
const ::testing::Environment* const kEnvironment = ::testing::AddGlobalTestEnvironment(new CryptoEnvironment);

}  // namespace

PrivateIdentity NewIdentity(const std::string& name, IdentityKind kind) {
  return Must(PrivateIdentity::FromSeed(Must(RandomKey()), kind, name));
}

UpperLists VaultWorld::Upper(const std::string& environment) const {
  const auto found = environments_.find(environment);
  return {&vault, found == environments_.end() ? nullptr : &found->second->list};
}

Statement VaultWorld::Next(const SignedList& list, const PrivateIdentity& signer, Act act) const {
  Statement statement;
  if (!vault.empty()) statement.vault = vault.vault_id();
  statement.list = list.id();
  statement.sequence = list.next_sequence();
  if (list.head()) statement.previous = list.head()->hash;
  statement.signer = signer.Id();
  statement.time = SystemClock().WallSeconds();
  if (list.id().kind != ListKind::kVault) statement.heads.vault = vault.head();
  if (list.id().kind == ListKind::kGroup)
    statement.heads.environment = environments_.at(list.id().environment)->list.head();
  statement.act = std::move(act);
  return statement;
}

Statement VaultWorld::NextOf(const Secret& secret, const PrivateIdentity& signer, Act act) const {
  Statement statement = Next(secret.list, signer, std::move(act));
  statement.heads.environment = environments_.at(secret.environment)->list.head();
  statement.state = Must(secret.list.StateAfter(statement.act, Upper(secret.environment)));
  return statement;
}

std::string VaultWorld::Envelope(const Statement& statement, const PrivateIdentity& signer) {
  return Must(SignedStatement::Sign(statement, signer.signing_key())).envelope();
}

api::AppendRequest VaultWorld::One(const Statement& statement, const PrivateIdentity& signer) {
  return {{{statement.list, {Envelope(statement, signer)}}}};
}

SignedList* VaultWorld::ListOf(const Statement& statement) {
  switch (statement.list.kind) {
    case ListKind::kVault:
      return &vault;
    case ListKind::kMachines:
      return &machines;
    case ListKind::kEnvironment:
      return &environments_.at(statement.list.environment)->list;
    case ListKind::kSecret:
      return &secrets_.at(statement.list.number)->list;
    case ListKind::kGroup: {
      auto& group = groups[statement.list];
      if (!group) group = std::make_shared<GroupList>(statement.list.environment, statement.list.number);
      return group.get();
    }
  }
  std::abort();
}

void VaultWorld::Take(const api::AppendRequest& request) {
  for (const auto& append : request.appends) {
    for (const std::string& envelope : append.statements) {
      auto statement = std::make_shared<const SignedStatement>(Must(SignedStatement::Parse(envelope)));
      SignedList* list = ListOf(statement->statement());
      const auto& id = append.list;
      const std::string environment =
          id.kind == ListKind::kSecret ? secrets_.at(id.number)->environment : id.environment;
      Must(list->Append(statement, Upper(environment)));
    }
  }
}

Result<api::AppendResponse> VaultWorld::Send(const PrivateIdentity& who, const api::AppendRequest& request) {
  auto response = GRANTFS_TRY(door_.Append(who, request));
  Take(request);
  return response;
}

Status VaultWorld::Claim() {
  const api::ClaimInfo info = GRANTFS_TRY(door_.ShowClaim());
  VaultCreate create{owner.identity(), recovery.identity(), {info.pin}, info.log_origin, info.log_key,
                     kFormatLevel};
  const api::AppendRequest genesis = One(Next(vault, owner, create), owner);
  Take(genesis);
  const api::AppendRequest machines_begin = One(Next(machines, owner, MachinesCreate{}), owner);
  Take(machines_begin);
  const auto made =
      GRANTFS_TRY(door_.Claim({genesis.appends[0].statements, machines_begin.appends[0].statements}));
  return made.vault == vault.vault_id() ? Status()
                                        : Status(Error{Code::kIntegrity, "another vault was made"});
}

void VaultWorld::StageEpoch(const std::string& environment, const NewEpoch& epoch) {
  Must(door_.Stage(owner, api::StageEpochRequest{environment, epoch.epoch.number, epoch.copies}));
}

Status VaultWorld::AddEnvironment(const std::string& name) {
  NewEpoch epoch = Must(MakeEpoch({owner.identity(), recovery.identity()}, nullptr, nullptr));
  StageEpoch(name, epoch);
  auto made = std::make_unique<Environment>(Environment{EnvironmentList(name), {}});
  const Statement create = Next(made->list, owner, EnvironmentCreate{name, owner.identity(), epoch.epoch});
  api::AppendRequest request = One(create, owner);
  const Hash genesis = Must(SignedStatement::Parse(request.appends[0].statements[0])).hash();
  request.appends.push_back(One(Next(vault, owner, EnvironmentAdd{name, genesis}), owner).appends[0]);
  made->keys.push_back(std::move(epoch.key));
  environments_[name] = std::move(made);
  GRANTFS_TRY(Send(owner, request));
  return {};
}

Status VaultWorld::AddMember(const std::string& name, const PrivateIdentity& member, Role role,
                             const std::string& prefix) {
  Environment& environment = *environments_.at(name);
  MemberAdd add{member.identity(), role, prefix, {}};
  if (RoleAllows(role, Operation::kReadValue)) {
    const EpochCopy copy{member.Id(),
                         Must(Seal(member.identity().seal, environment.keys.back().private_bytes()))};
    add.copy = Blake2b256({copy.sealed});
    GRANTFS_CHECK(
        door_.Stage(owner, api::StageEpochRequest{name, environment.list.newest_epoch().number, {copy}}));
  }
  GRANTFS_TRY(Send(owner, One(Next(environment.list, owner, add), owner)));
  return {};
}

api::AppendRequest VaultWorld::Removal(const std::string& name, const Hash& leaver) {
  Environment& environment = *environments_.at(name);
  MemberRemove remove{leaver, {}};
  if (RoleAllows(*environment.list.RoleOf(leaver), Operation::kReadValue)) {
    std::vector<Identity> stay;
    for (const Identity& one : environment.list.EpochRecipients(vault)) {
      if (one.Id() != leaver) stay.push_back(one);
    }
    NewEpoch epoch = Must(MakeEpoch(stay, &environment.list.newest_epoch(), &environment.keys.back()));
    StageEpoch(name, epoch);
    remove.epoch = epoch.epoch;
    environment.keys.push_back(std::move(epoch.key));
  }
  return One(Next(environment.list, owner, remove), owner);
}

VaultWorld::Secret& VaultWorld::secret(const std::string& environment, const std::string& path) {
  return *secrets_.at(numbers_.at(environment + "/" + path));
}

}  // namespace grantfs::testing
