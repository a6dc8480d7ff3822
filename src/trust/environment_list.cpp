#include <algorithm>

#include "grantfs/trust/lists.h"
#include "grantfs/trust/names.h"
#include "list_internal.h"

namespace grantfs {
namespace {

bool HoldsKey(Role role) { return RoleAllows(role, Operation::kReadValue); }

/// nullptr: the role can have that prefix.
const char* WhyNoPrefix(Role role, const std::string& prefix) {
  if (prefix.empty()) return nullptr;
  if (role != Role::kWriter) return "only a writer's role has a prefix";
  return CheckPrefix(prefix) ? nullptr : "a prefix is components that end in a slash";
}

}  // namespace

std::optional<Role> EnvironmentList::RoleOf(const Hash& id) const {
  const auto member = members_.find(id);
  if (member == members_.end() || !member->second.present) return std::nullopt;
  return member->second.role;
}

std::optional<Role> EnvironmentList::RoleAt(const Hash& id, std::uint64_t sequence) const {
  const RoleTenure* tenure = TenureAt(id, sequence);
  return tenure == nullptr ? std::nullopt : std::optional(tenure->role);
}

const EnvironmentList::RoleTenure* EnvironmentList::TenureOf(const Hash& id) const {
  const auto member = members_.find(id);
  return member == members_.end() || !member->second.present ? nullptr : &member->second.tenures.back();
}

const EnvironmentList::RoleTenure* EnvironmentList::TenureAt(const Hash& id, std::uint64_t sequence) const {
  const auto member = members_.find(id);
  if (member == members_.end()) return nullptr;
  for (const RoleTenure& tenure : member->second.tenures)
    if (tenure.At(sequence)) return &tenure;
  return nullptr;
}

bool EnvironmentList::WasMemberThrough(const Hash& id, std::uint64_t from, std::uint64_t to) const {
  const auto member = members_.find(id);
  return member != members_.end() && HeldThrough(member->second.tenures, from, to);
}

std::uint32_t EnvironmentList::EpochAt(std::uint64_t sequence) const {
  const auto after = std::upper_bound(epoch_sequences_.begin(), epoch_sequences_.end(), sequence);
  return static_cast<std::uint32_t>(after - epoch_sequences_.begin());
}

const Identity* EnvironmentList::FindIdentity(const Hash& id) const {
  const auto member = members_.find(id);
  return member == members_.end() ? nullptr : &member->second.identity;
}

std::vector<Identity> EnvironmentList::EpochRecipients(const VaultList& vault) const {
  std::vector<Identity> recipients{vault.recovery()};
  for (const auto& [id, member] : members_) {
    if (member.present && HoldsKey(member.role) && !vault.IsRemoved(id))
      recipients.push_back(member.identity);
  }
  return recipients;
}

bool EnvironmentList::HasFollowedRecovery(const VaultList& vault) const {
  return At(newest_epoch_sequence())->statement().heads.vault->sequence >= vault.recovery_since();
}

Status EnvironmentList::CheckGenesis(const VaultList& vault) const {
  const auto known = vault.environments().find(name());
  if (known == vault.environments().end()) {
    return Error{Code::kNotFound, "there is no such environment", 0, name()};
  }
  if (HashAt(0) != known->second.genesis) {
    return Error{Code::kIntegrity,
                 "the environment's list does not begin with the statement that the vault's list names", 0,
                 name()};
  }
  return {};
}

Result<Permission> EnvironmentList::Needed(const Statement& statement) const {
  if (IsAnyOf<EnvironmentCreate, MemberAdd, MemberRemove, EpochStart, MemberChange, RulesSet, Vouch, Void,
              Restore>(statement.act) ||
      EnvironmentGroups::Takes(statement.act))
    return Permission::kOwner;
  return Misplaced(statement);
}

const Identity* EnvironmentList::SignerOf(const Statement& statement, const UpperLists& upper) const {
  if (const Identity* member = FindIdentity(statement.signer)) return member;
  return upper.vault->FindIdentity(statement.signer);
}

// An environment's list is its own authority: `at` is always the state so far. Only its creation is judged by
// the vault's list.
bool EnvironmentList::Holds(const Hash& signer, Permission permission, const Act& act, const SeenHeads* at,
                            const UpperLists& upper) const {
  if (permission != Permission::kOwner) return false;
  if (const auto* create = std::get_if<EnvironmentCreate>(&act); create != nullptr && empty()) {
    return create->owner.Id() == signer && at != nullptr &&
           upper.vault->WasOwner(signer, at->vault->sequence);
  }
  if (RoleOf(signer) == Role::kOwner) return true;
  if (!upper.vault->WasRecovery(signer, at != nullptr ? at->vault->sequence : upper.vault->next_sequence()))
    return false;
  if (const auto* add = std::get_if<MemberAdd>(&act)) return add->role == Role::kOwner;
  return IsAnyOf<MemberRemove, EpochStart, GroupEpochStart, Vouch, Void>(act);
}

bool EnvironmentList::HeldSince(const Statement& statement, const SeenHeads* at,
                                const UpperLists& upper) const {
  const std::uint64_t now = at != nullptr ? at->vault->sequence : upper.vault->next_sequence();
  return upper.vault->WasRecoveryThrough(statement.signer, statement.heads.vault->sequence, now) ||
         WasMemberThrough(statement.signer, statement.sequence, next_sequence());
}

// A former recovery identity names old heads as it likes, and could so make an owner who then vouches for its
// making him one. Whom it makes an owner of the vault stands in a list that it cannot go back in; of others
// somebody else has to say that they are owners, be it by whatever he signs after them.
std::set<std::pair<Hash, std::uint64_t>> EnvironmentList::Unfounded(const SeenHeads* at,
                                                                    const UpperLists& upper) const {
  const VaultList& vault = *upper.vault;
  const std::uint64_t now = at != nullptr ? at->vault->sequence : vault.next_sequence();
  std::set<std::pair<Hash, std::uint64_t>> unfounded;  // who, and since when
  for (const Entry& entry : entries_) {
    const Statement& said = entry.statement->statement();
    if (!entry.valid || entry.voided || said.sequence == 0) continue;
    const RoleTenure* by = TenureAt(said.signer, said.sequence - 1);
    const bool owner = by != nullptr && by->role == Role::kOwner;
    const bool founded = owner ? !unfounded.contains({said.signer, by->from})
                               : vault.WasRecoveryThrough(said.signer, said.heads.vault->sequence, now);
    if (founded && (owner || std::holds_alternative<Vouch>(said.act))) unfounded.clear();
    if (founded) continue;
    const auto* add = std::get_if<MemberAdd>(&said.act);
    const auto* change = std::get_if<MemberChange>(&said.act);
    if (change != nullptr) unfounded.insert({change->id, said.sequence});
    if (add != nullptr && (owner || !vault.WasOwner(add->member.Id(), said.heads.vault->sequence)))
      unfounded.insert({add->member.Id(), said.sequence});
  }
  return unfounded;
}

bool EnvironmentList::MayFollow(const Hash& signer, const SeenHeads* at, const UpperLists& upper) const {
  const RoleTenure* tenure = TenureOf(signer);
  return tenure == nullptr || !Unfounded(at, upper).contains({signer, tenure->from});
}

bool EnvironmentList::TwoOwnersAfter(std::uint64_t sequence) const {
  bool rule = false;
  for (const auto& [from, rules] : rules_) {
    if (from <= sequence) rule = rules.two_owners;
  }
  return rule;
}

bool EnvironmentList::TwoOwnersAt(const Statement&, const UpperLists&) const { return two_owners(); }

bool EnvironmentList::OwnsThrough(const Consent& consent, const Statement& statement,
                                  const UpperLists&) const {
  const std::uint64_t before = statement.sequence == 0 ? 0 : statement.sequence - 1;
  return RoleAt(consent.signer, before) == Role::kOwner &&
         WasMemberThrough(consent.signer, consent.after.sequence, before);
}

Status EnvironmentList::ApplyEpoch(const Epoch& epoch, std::uint64_t sequence) {
  const std::uint32_t expected = static_cast<std::uint32_t>(epochs_.size()) + 1;
  if (epoch.number != expected) return Error{Code::kInvalid, "the epoch is not the next one", 0, name()};
  if (epoch.previous.empty() != (expected == 1)) {
    return Error{Code::kInvalid, "an epoch carries the key before it, and only the first has none", 0,
                 name()};
  }
  epochs_.push_back(epoch);
  epoch_sequences_.push_back(sequence);
  return {};
}

Status EnvironmentList::ApplyMemberAdd(const MemberAdd& act, const Statement& statement,
                                       const VaultList& vault) {
  const std::uint64_t sequence = statement.sequence;
  const Hash id = act.member.Id();
  const auto refuse = [&](const char* why) { return Error{Code::kInvalid, why, 0, act.member.name}; };
  if (!KindMayHold(act.member.kind, act.role))
    return refuse("an identity of this kind cannot hold this role");
  if (RoleOf(id)) return refuse("is a member already");
  // Nor a former one by the heads of its time: it would be its own successor.
  if (id == vault.recovery().Id() || vault.WasRecovery(id, statement.heads.vault->sequence))
    return refuse("the recovery identity adds and removes owners, and is no member itself");
  if (HoldsKey(act.role) == (act.copy == Hash{}))
    return refuse("an owner or reader needs a copy of the environment's key, and no other has one");
  if (const char* why = WhyNoPrefix(act.role, act.prefix)) return refuse(why);
  Member& member = members_[id];
  const bool returns = !member.tenures.empty();
  // What it signed is judged by the role and prefix that it has: they must be those that it had then.
  if (returns && (member.role != act.role || member.prefix != act.prefix))
    return refuse("was a member with another role or prefix; it needs a new key to return with this one");
  member.identity = act.member;
  member.role = act.role;
  member.prefix = act.prefix;
  member.present = true;
  member.tenures.push_back({{sequence, {}}, act.role, act.prefix});
  return {};
}

// What he signed before needs a successor, whatever he becomes: it stood by a role that has ended.
Status EnvironmentList::ApplyMemberChange(const MemberChange& act, const Statement& statement) {
  const auto role = RoleOf(act.id);
  if (!role) return Error{Code::kInvalid, "is not a member", 0, act.id.Hex()};
  Member& member = members_.at(act.id);
  const auto refuse = [&](const char* why) { return Error{Code::kInvalid, why, 0, member.identity.name}; };
  if (act.id == statement.signer) return refuse("a member cannot change its own role: another owner can");
  if (*role == act.role && member.prefix == act.prefix) return refuse("has this role already");
  if (!KindMayHold(member.identity.kind, act.role))
    return refuse("an identity of this kind cannot hold this role");
  if (const char* why = WhyNoPrefix(act.role, act.prefix)) return refuse(why);
  if ((!HoldsKey(*role) && HoldsKey(act.role)) == (act.copy == Hash{}))
    return refuse("who becomes owner or reader needs a copy of the environment's key, and no other has one");
  if ((HoldsKey(*role) && !HoldsKey(act.role)) != act.epoch.has_value())
    return refuse("an owner or reader who becomes neither starts a new epoch, and no other does");
  if (act.epoch) GRANTFS_CHECK(ApplyEpoch(*act.epoch, statement.sequence));
  member.role = act.role;
  member.prefix = act.prefix;
  member.tenures.back().until = statement.sequence;
  member.tenures.push_back({{statement.sequence, {}}, act.role, act.prefix});
  return {};
}

Status EnvironmentList::ApplyMemberRemove(const MemberRemove& act, const Statement& statement,
                                          const VaultList& vault) {
  const auto role = RoleOf(act.id);
  if (!role) return Error{Code::kInvalid, "is not a member", 0, act.id.Hex()};
  if (act.id == statement.signer)
    return Error{Code::kInvalid, "a member cannot remove itself", 0, act.id.Hex()};
  const bool recovers = vault.WasRecovery(statement.signer, statement.heads.vault->sequence);
  if (recovers && role != Role::kOwner) {
    return Error{Code::kDenied, "the recovery identity removes owners and nobody else: an owner can", 0,
                 act.id.Hex()};
  }
  if (HoldsKey(*role) != act.epoch.has_value()) {
    return Error{Code::kInvalid, "the removal of an owner or reader starts a new epoch, and no other does", 0,
                 act.id.Hex()};
  }
  if (act.epoch) GRANTFS_CHECK(ApplyEpoch(*act.epoch, statement.sequence));
  Member& member = members_.at(act.id);
  member.present = false;
  member.tenures.back().until = statement.sequence;
  return {};
}

// One owner may say so: he binds himself by it, and takes nothing from the other.
Status EnvironmentList::ApplyRestore(const Restore& act, std::uint64_t sequence) {
  GRANTFS_CHECK(ApplyEpoch(*act.epoch, sequence));
  if (!act.two_owners || two_owners()) return {};
  rules_.emplace_back(sequence, RulesSet{true});
  groups_.SetRule(true, sequence);
  return {};
}

Status EnvironmentList::Apply(const StatementPtr& signed_statement, const UpperLists& upper) {
  const Statement& statement = signed_statement->statement();
  const auto* create = std::get_if<EnvironmentCreate>(&statement.act);
  if ((create != nullptr) != (statement.sequence == 0)) {
    return Nonsense(*signed_statement, "an environment's list begins with its creation, and only there");
  }
  if (create != nullptr) {
    if (create->environment != name())
      return Nonsense(*signed_statement, "the creation names another environment");
    if (create->owner.kind != IdentityKind::kUser)
      return Nonsense(*signed_statement, "an environment's owner is a user");
    GRANTFS_CHECK(ApplyEpoch(create->epoch, 0));
    members_[create->owner.Id()] = {create->owner, Role::kOwner, {}, {{{0, {}}, Role::kOwner, {}}}, true};
    return {};
  }
  if (const auto* act = std::get_if<MemberAdd>(&statement.act))
    return ApplyMemberAdd(*act, statement, *upper.vault);
  if (const auto* act = std::get_if<MemberRemove>(&statement.act))
    return ApplyMemberRemove(*act, statement, *upper.vault);
  if (const auto* act = std::get_if<EpochStart>(&statement.act))
    return ApplyEpoch(act->epoch, statement.sequence);
  if (const auto* act = std::get_if<MemberChange>(&statement.act)) return ApplyMemberChange(*act, statement);
  if (const auto* act = std::get_if<RulesSet>(&statement.act)) {
    if (act->two_owners == two_owners()) return Nonsense(*signed_statement, "the rules are so already");
    rules_.emplace_back(statement.sequence, *act);
    groups_.SetRule(act->two_owners, statement.sequence);
  }
  if (const auto* act = std::get_if<Restore>(&statement.act)) return ApplyRestore(*act, statement.sequence);
  return groups_.Apply(statement.act, statement.sequence, newest_epoch().number,
                       statement.consent.has_value());
}

void EnvironmentList::Reset() {
  groups_.Clear();
  members_.clear();
  epochs_.clear();
  epoch_sequences_.clear();
  rules_.clear();
}

}  // namespace grantfs
