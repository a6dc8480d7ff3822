#include <algorithm>
#include <set>

#include "client/homes/connect_internal.h"
#include "grantfs/log/log.h"
#include "owner_base_internal.h"

namespace grantfs {

// Made again when the database is closed, and its journal gone.
OwnerBase::~OwnerBase() {
  if (!reserve_given_up_) return;
  vault_.reset();  // its functions use what follows
  keeper_.reset();
  known_.reset();
  if (const Status made = home_.MakeReserve(); !made)
    Log(LogLevel::kWarning, "revoking may fail the next time that this disk is full", made.error());
}

Status OwnerBase::Start() {
  known_ = GRANTFS_TRY(KnownStore::Open(home_.KnownPath(), KnownStore::Missing::kRefuse));
  // Before the vault is asked: what it takes is not to be met by a home that cannot note it.
  GRANTFS_CHECK(home_.CheckWritable());
  reserve_given_up_ = options_.revokes;
  if (options_.revokes)
    home_.GiveUpReserve();
  else
    static_cast<void>(home_.MakeReserve().has_value());  // `doctor` tells of a disk that is full
  const auto peer = GRANTFS_TRY(known_->ReadPeer());
  const HomeProfile& profile = home_.profile();
  ConnectionOptions connection = ConnectionTo(profile, options_, peer);
  connection.learnt = [known = known_.get()](const std::string& instance, std::int64_t offset) {
    // Only spares the next command a round trip, so a failure is nobody's business.
    static_cast<void>(known->RememberPeer(instance, offset).has_value());
  };
  vault_ = GRANTFS_TRY(VaultConnection::Create(std::move(connection), me_.Id().Hex(), &me_.signing_key()));
  keeper_ = std::make_unique<ListKeeper>(known_.get(), vault_.get(), profile.vault, &me_.signing_key());
  keeper_->member = me_.Id();
  GRANTFS_CHECK(keeper_->Load());
  if (!keeper_->vault().empty()) GRANTFS_CHECK(vault_->UsePins(keeper_->vault().pins()));
  keeper_->pins_changed = [this](const std::vector<Hash>& pins) { return vault_->UsePins(pins); };
  return {};
}

void OwnerBase::Report(const char* what, std::uint64_t done, std::uint64_t total) const {
  if (options_.progress) options_.progress({what, done, total});
}

Status OwnerBase::RefreshUpper(const std::string& environment) {
  GRANTFS_CHECK(keeper_->RefreshVault());
  return keeper_->RefreshEnvironment(environment);
}

Status OwnerBase::Enter(const std::string& environment, Operation operation) {
  GRANTFS_CHECK(CheckEnvironmentName(environment));
  GRANTFS_CHECK(RefreshUpper(environment));
  const auto role = keeper_->FindEnvironment(environment)->RoleOf(me_.Id());
  if (!role) {
    return Error{Code::kDenied, "you are no member of this environment; one of its owners can add you", 0,
                 environment};
  }
  if (!RoleAllows(*role, operation)) {
    return Error{Code::kDenied,
                 "your role in this environment does not allow it; one of its owners can change that", 0,
                 environment};
  }
  return {};
}

Status OwnerBase::EnterAll(std::span<const SecretName> secrets, Operation operation) {
  std::set<std::string> environments;
  for (const SecretName& secret : secrets) environments.insert(secret.environment);
  for (const std::string& environment : environments) GRANTFS_CHECK(Enter(environment, operation));
  return {};
}

Result<std::vector<std::string>> OwnerBase::EnvironmentsWith(Operation operation) {
  std::vector<std::string> names;
  for (const auto& [name, entry] : keeper_->vault().environments()) {
    const Status seen = keeper_->RefreshEnvironment(name);
    if (!seen && (seen.error().code == Code::kNotFound || seen.error().code == Code::kDenied)) continue;
    GRANTFS_CHECK(seen);
    const auto role = keeper_->FindEnvironment(name)->RoleOf(me_.Id());
    if (role && RoleAllows(*role, operation)) names.push_back(name);
  }
  return names;
}

std::vector<std::string> OwnerBase::EnvironmentsBeside(const std::vector<std::string>& these) const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : keeper_->vault().environments()) {
    if (std::find(these.begin(), these.end(), name) == these.end()) names.push_back(name);
  }
  return names;
}

Status OwnerBase::RequireVaultOwner() {
  GRANTFS_CHECK(keeper_->RefreshVault());
  if (keeper_->vault().IsOwner(me_.Id())) return {};
  return Error{Code::kDenied, "only an owner of the vault may do this", 0, home_.profile().name};
}

Status OwnerBase::RequireMachines() {
  GRANTFS_CHECK(keeper_->RefreshVault());
  const Status read = keeper_->RefreshMachines();
  if (read || read.error().code != Code::kDenied) return read;
  return Error{Code::kDenied, "only owners of the vault or of an environment see its machines", 0,
               home_.profile().name};
}

std::string OwnerBase::NameOf(const Hash& id) const {
  if (id == me_.Id()) return home_.profile().name;
  if (const Identity* owner = keeper_->vault().FindIdentity(id)) return owner->name;
  if (const Identity* person = keeper_->vault().FindPerson(id)) return person->name;
  if (const auto* machine = keeper_->machines().FindById(id)) return machine->identity.name;
  for (const auto& [name, entry] : keeper_->vault().environments()) {
    const EnvironmentList* environment = keeper_->FindEnvironment(name);
    const Identity* member = environment != nullptr ? environment->FindIdentity(id) : nullptr;
    if (member != nullptr) return member->name;
  }
  return id.Hex();
}

}  // namespace grantfs
