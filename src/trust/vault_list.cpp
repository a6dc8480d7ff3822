#include <algorithm>

#include "grantfs/trust/lists.h"
#include "list_internal.h"

namespace grantfs {

bool VaultList::WasOwner(const Hash& id, std::uint64_t sequence) const {
  const auto owner = owners_.find(id);
  return owner != owners_.end() && HeldAt(owner->second.tenures, sequence);
}

bool VaultList::WasOwnerThrough(const Hash& id, std::uint64_t from, std::uint64_t to) const {
  const auto owner = owners_.find(id);
  return owner != owners_.end() && HeldThrough(owner->second.tenures, from, to);
}

std::vector<Identity> VaultList::Owners() const {
  std::vector<Identity> present;
  for (const auto& [id, owner] : owners_) {
    if (IsOwner(id)) present.push_back(owner.identity);
  }
  return present;
}

const Identity* VaultList::FindIdentity(const Hash& id) const {
  const auto owner = owners_.find(id);
  if (owner != owners_.end()) return &owner->second.identity;
  const auto recovery = std::find_if(recoveries_.begin(), recoveries_.end(),
                                     [&](const Recovery& one) { return one.identity.Id() == id; });
  return recovery == recoveries_.end() ? nullptr : &recovery->identity;
}

bool VaultList::WasRecovery(const Hash& id, std::uint64_t sequence) const {
  return WasRecoveryThrough(id, sequence, sequence);
}

bool VaultList::WasRecoveryThrough(const Hash& id, std::uint64_t from, std::uint64_t to) const {
  return std::any_of(recoveries_.begin(), recoveries_.end(), [&](const Recovery& one) {
    return one.identity.Id() == id && one.tenure.At(from) && one.tenure.At(to);
  });
}

const Identity* VaultList::FindPerson(const Hash& id) const {
  const auto person = people_.find(id);
  return person == people_.end() ? nullptr : &person->second;
}

// None leads back: a key that takes another's place was not known before.
const Identity* VaultList::ReplacementOf(const Hash& id) const {
  const Identity* last = nullptr;
  for (auto at = replaced_.find(id); at != replaced_.end(); at = replaced_.find(at->second))
    last = FindPerson(at->second);
  return last;
}

std::vector<Identity> VaultList::People() const {
  std::vector<Identity> present;
  for (const auto& [id, person] : people_) {
    if (!IsRemoved(id)) present.push_back(person);
  }
  return present;
}

std::uint64_t VaultList::NumbersFrom(std::uint64_t sequence) const {
  const auto after = numbers_from_.upper_bound(sequence);
  return after == numbers_from_.begin() ? 0 : std::prev(after)->second;
}

bool VaultList::HasPersonNamed(const std::string& name) const {
  const auto same = [&](const Identity& one) { return one.name == name && !IsRemoved(one.Id()); };
  const auto owners = Owners();
  const auto people = People();
  return recovery().name == name || std::any_of(owners.begin(), owners.end(), same) ||
         std::any_of(people.begin(), people.end(), same);
}

Result<Permission> VaultList::Needed(const Statement& statement) const {
  const Act& act = statement.act;
  if (IsAnyOf<VaultCreate, VaultOwnerAdd, VaultOwnerRemove, IdentityAdd, IdentityRemove, EnvironmentAdd,
              PinsSet, Vouch, Void, Restore, RecoveryReplace, LevelRaise, IdentityReplace>(act)) {
    return Permission::kVaultOwner;
  }
  return Misplaced(statement);
}

const Identity* VaultList::SignerOf(const Statement& statement, const UpperLists&) const {
  const auto* create = std::get_if<VaultCreate>(&statement.act);
  if (empty() && create != nullptr) return create->owner.Id() == statement.signer ? &create->owner : nullptr;
  return FindIdentity(statement.signer);
}

bool VaultList::Holds(const Hash& signer, Permission permission, const Act& act, const SeenHeads*,
                      const UpperLists&) const {
  if (permission != Permission::kVaultOwner) return false;
  if (const auto* create = std::get_if<VaultCreate>(&act); create != nullptr && empty())
    return create->owner.Id() == signer;
  if (IsOwner(signer)) return true;
  return !empty() && IsRecovery(signer) && IsAnyOf<VaultOwnerAdd, VaultOwnerRemove, Vouch, Void>(act);
}

bool VaultList::HeldSince(const Statement& statement, const SeenHeads*, const UpperLists&) const {
  return WasRecoveryThrough(statement.signer, statement.sequence, next_sequence()) ||
         WasOwnerThrough(statement.signer, statement.sequence, next_sequence());
}

Status VaultList::ApplyCreate(const VaultCreate& act, const SignedStatement& statement) {
  if (statement.statement().sequence != 0) return Nonsense(statement, "a vault is created once");
  if (act.owner.kind != IdentityKind::kUser || act.recovery.kind != IdentityKind::kUser) {
    return Nonsense(statement, "a vault's owner and its recovery identity are users");
  }
  if (act.owner.Id() == act.recovery.Id())
    return Nonsense(statement, "owner and recovery must be two identities");
  vault_id_ = statement.hash();
  owners_[act.owner.Id()] = {act.owner, {{0, {}}}};
  recoveries_ = {{act.recovery, {0, {}}}};
  level_ = act.level;
  pins_ = act.pins;
  log_origin_ = act.log_origin;
  log_key_ = act.log_key;
  return {};
}

Status VaultList::ApplyOwnerAdd(const VaultOwnerAdd& act, std::uint64_t sequence) {
  const Hash id = act.owner.Id();
  if (act.owner.kind != IdentityKind::kUser)
    return Error{Code::kInvalid, "only a user can own a vault", 0, act.owner.name};
  if (IsOwner(id) || IsRecovery(id)) return Error{Code::kInvalid, "is an owner already", 0, act.owner.name};
  auto& owner = owners_[id];
  owner.identity = act.owner;
  owner.tenures.push_back({sequence, {}});
  return {};
}

Status VaultList::ApplyOwnerRemove(const VaultOwnerRemove& act, const Statement& statement) {
  if (!IsOwner(act.id)) return Error{Code::kInvalid, "is not an owner of the vault", 0, act.id.Hex()};
  if (act.id == statement.signer)
    return Error{Code::kInvalid, "an owner cannot remove himself", 0, act.id.Hex()};
  owners_[act.id].tenures.back().until = statement.sequence;
  return {};
}

// One name means one person at a time, so that a role given by name is given to whom one means.
Status VaultList::ApplyIdentityAdd(const IdentityAdd& act) {
  const Identity& who = act.identity;
  const auto refuse = [&](const char* why) { return Error{Code::kInvalid, why, 0, who.name}; };
  if (who.kind == IdentityKind::kMachine)
    return refuse("a machine stands in the list of machines, not in the vault's");
  if (people_.contains(who.Id()) || FindIdentity(who.Id()) != nullptr)
    return refuse("this key is known to the vault already; let the person enrol with a new one");
  if (removed_.contains(who.Id())) return refuse("this key was removed from the vault, and never returns");
  if (HasPersonNamed(who.name)) {
    return refuse("somebody else of the vault has this name; remove that one first, or choose another name");
  }
  people_[who.Id()] = who;
  return {};
}

// The key before takes no part in it: it may be lost, or in other hands. Nor does an owner do it to his own,
// by which a stolen key would put itself out of reach.
Status VaultList::ApplyIdentityReplace(const IdentityReplace& act, const Statement& statement) {
  const Identity& who = act.identity;
  const Hash id = who.Id();
  const auto refuse = [&](const char* why) { return Error{Code::kInvalid, why, 0, who.name}; };
  const bool owned = IsOwner(act.id);
  const Identity* before = owned ? FindIdentity(act.id) : FindPerson(act.id);
  if (before == nullptr) return refuse("the vault knows no such person or agent whose key could be replaced");
  if (removed_.contains(act.id)) return refuse("the key before was removed from the vault already");
  if (act.id == statement.signer) return refuse("nobody replaces his own key: another owner does");
  if (before->kind != who.kind || before->name != who.name)
    return refuse("a new key has the kind and the name of the one before");
  if (people_.contains(id) || FindIdentity(id) != nullptr || removed_.contains(id))
    return refuse("this key is known to the vault already; let the person make a new one");
  removed_[act.id] = who.name;
  replaced_[act.id] = id;
  people_[id] = who;
  if (!owned) return {};
  owners_[act.id].tenures.back().until = statement.sequence;
  owners_[id] = {who, {{statement.sequence, {}}}};
  return {};
}

Status VaultList::ApplyRecovery(const RecoveryReplace& act, std::uint64_t sequence) {
  const Hash id = act.recovery.Id();
  const auto refuse = [&](const char* why) { return Error{Code::kInvalid, why, 0, act.recovery.name}; };
  if (act.recovery.kind != IdentityKind::kUser) return refuse("the recovery identity is a user");
  if (FindIdentity(id) != nullptr || people_.contains(id) || removed_.contains(id))
    return refuse("this key is known to the vault already; recovery needs one of its own");
  recoveries_.back().tenure.until = sequence;
  recoveries_.push_back({act.recovery, {sequence, {}}});
  return {};
}

Status VaultList::Apply(const StatementPtr& signed_statement, const UpperLists&) {
  const Statement& statement = signed_statement->statement();
  if (const auto* act = std::get_if<VaultCreate>(&statement.act)) return ApplyCreate(*act, *signed_statement);
  if (const auto* act = std::get_if<VaultOwnerAdd>(&statement.act))
    return ApplyOwnerAdd(*act, statement.sequence);
  if (const auto* act = std::get_if<VaultOwnerRemove>(&statement.act))
    return ApplyOwnerRemove(*act, statement);
  if (const auto* act = std::get_if<IdentityAdd>(&statement.act)) return ApplyIdentityAdd(*act);
  if (const auto* act = std::get_if<IdentityReplace>(&statement.act))
    return ApplyIdentityReplace(*act, statement);
  if (const auto* act = std::get_if<IdentityRemove>(&statement.act)) {
    if (IsRecovery(act->id))
      return Nonsense(*signed_statement, "the recovery identity is not removed: it could help nobody then");
    if (!removed_.emplace(act->id, act->name).second)
      return Nonsense(*signed_statement, "the identity is removed already");
  } else if (const auto* added = std::get_if<EnvironmentAdd>(&statement.act)) {
    const EnvironmentEntry entry{added->genesis, statement.sequence};
    if (!environments_.emplace(added->environment, entry).second) {
      return Nonsense(*signed_statement, "the environment exists already");
    }
  } else if (const auto* pins = std::get_if<PinsSet>(&statement.act)) {
    pins_ = pins->pins;
  } else if (const auto* restore = std::get_if<Restore>(&statement.act)) {
    if (!numbers_from_.empty() && restore->numbers < numbers_from_.rbegin()->second)
      return Nonsense(*signed_statement, "a restore lowers no number from which secrets are counted");
    log_origin_ = restore->log_origin;
    numbers_from_[statement.sequence] = restore->numbers;
  } else if (const auto* recovery = std::get_if<RecoveryReplace>(&statement.act)) {
    return ApplyRecovery(*recovery, statement.sequence);
  } else if (const auto* raise = std::get_if<LevelRaise>(&statement.act)) {
    if (raise->level <= level_) return Nonsense(*signed_statement, "the format level is that high already");
    level_ = raise->level;
  }
  return {};
}

void VaultList::Reset() {
  owners_.clear();
  environments_.clear();
  people_.clear();
  removed_.clear();
  replaced_.clear();
  pins_.clear();
  numbers_from_.clear();
  recoveries_.clear();
  level_ = 1;
}

}  // namespace grantfs
