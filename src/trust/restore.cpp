#include <algorithm>

#include "grantfs/trust/group_list.h"
#include "restore_internal.h"

namespace grantfs {
namespace {

// ---- what comes back

std::string Called(const std::string& name, const Hash& id) { return name.empty() ? id.Hex() : name; }

void Note(Undone& undone, const std::string& who) {
  if (undone.who.empty()) undone.who = who;
}

/// Whether somebody who has a role has it from before `from`, however often he came and went.
bool IsOld(const EnvironmentList::Member& member, std::uint64_t from) {
  return !member.tenures.empty() && member.tenures.back().from < from;
}

void FindOwners(const ListMemory& seen, const VaultList& list, std::uint64_t from, Undone& undone) {
  for (const auto& [id, name] : seen.former_owners) {
    if (!list.IsOwner(id) || !list.WasOwnerThrough(id, from, list.next_sequence())) continue;
    undone.owners.push_back(id);
    Note(undone, Called(name, id));
  }
  for (const auto& [id, name] : seen.removed) {
    if (list.IsRemoved(id)) continue;
    undone.removed.push_back(id);
    Note(undone, Called(name, id));
  }
  // Another that was made since stands above them all.
  const auto& known = seen.recoveries;
  if (known.empty() || list.recovery_since() >= from || list.recovery().Id() == known.back().Id()) return;
  undone.recovery = known.back();
  Note(undone, "the recovery identity before");
}

/// Whether one with the role `is` could do anything by it that `was` did not let him.
bool IsWider(const EnvironmentList::Member& is, const MemberChange& was) {
  if (was.role == Role::kOwner) return false;
  return is.role != was.role || !is.prefix.starts_with(was.prefix);
}

void FindChanged(const ListMemory& seen, const EnvironmentList& list, std::uint64_t from, Undone& undone) {
  for (const auto& [id, change] : seen.changed_members) {
    const auto member = list.members().find(id);
    if (member == list.members().end() || !member->second.present || !IsOld(member->second, from)) continue;
    if (!IsWider(member->second, change.second)) continue;
    undone.changed.push_back(change.second);
    Note(undone, Called(change.first, id));
  }
}

/// Signed anew, by two where one had signed it, it is no other.
bool IsSameGrant(const Grant& a, const Grant& b) {
  return ActToJson(GrantAdd{a}).Dump() == ActToJson(GrantAdd{b}).Dump();
}

void FindGroups(const ListMemory& seen, const EnvironmentList& list, std::uint64_t from, Undone& undone) {
  for (const auto& [number, name] : seen.deleted_groups) {
    if (number >= from || list.groups().Find(number) == nullptr) continue;
    undone.groups.push_back(number);
    Note(undone, name);
  }
  for (const auto& [key, name] : seen.revoked_prefixes) {
    const auto standing = list.groups().prefixes().find(key);
    if (standing == list.groups().prefixes().end() || standing->second.sequence >= from) continue;
    undone.prefixes.push_back(key);
    Note(undone, name);
  }
  for (const auto& [key, granted] : seen.granted_prefixes) {
    const auto standing = list.groups().prefixes().find(key);
    if (standing == list.groups().prefixes().end() || standing->second.sequence >= from ||
        granted->statement().sequence <= standing->second.sequence ||
        seen.deleted_groups.contains(key.second))
      continue;
    if (IsSameGrant(std::get<PrefixGrant>(granted->statement().act).grant, standing->second.act.grant))
      continue;
    undone.wider_prefixes.push_back(granted);
    Note(undone, "@" + standing->second.act.grant.grantee.name + " " + key.first);
  }
}

/// Whether somebody is an owner, as this home has never seen him, by a single signature. One whom recovery
/// made one needs no other.
bool IsByOneOwner(const ListMemory& seen, const Hash& id, const EnvironmentList& list) {
  const bool known =
      seen.owners.contains(id) || seen.former_members.contains(id) || seen.changed_members.contains(id);
  if (known || list.RoleOf(id) != Role::kOwner) return false;
  const auto made = list.At(list.TenureOf(id)->from);
  if (!made || made->statement().consent) return false;
  const Statement& said = made->statement();
  const auto* by = said.sequence == 0 ? nullptr : list.TenureAt(said.signer, said.sequence - 1);
  return by != nullptr && by->role == Role::kOwner;
}

// Of the rule only two owners let go, by a statement that the list has.
void FindRule(const ListMemory& seen, const EnvironmentList& list, std::uint64_t from, Undone& undone) {
  if (!seen.two_owners) return;
  for (const auto& [id, member] : list.members()) {
    if (!IsOld(member, from) || !IsByOneOwner(seen, id, list)) continue;
    undone.members.push_back(id);
    Note(undone, Called(member.identity.name, id) + ", an owner by one signature,");
  }
  const auto statements = list.Statements();
  const bool ended = std::any_of(statements.begin(), statements.end(), [&](const auto& statement) {
    const Statement& said = statement->statement();
    const auto* rules = std::get_if<RulesSet>(&said.act);
    return rules != nullptr && !rules->two_owners && said.sequence >= from && !list.IsVoided(said.sequence);
  });
  undone.two_owners = !ended && !list.two_owners();
  if (undone.two_owners) Note(undone, "the rule that one owner's signature is enough");
}

void FindMembers(const ListMemory& seen, const EnvironmentList& list, std::uint64_t from, Undone& undone) {
  for (const auto& [id, name] : seen.former_members) {
    const auto member = list.members().find(id);
    if (member == list.members().end() || !member->second.present || !IsOld(member->second, from)) continue;
    undone.members.push_back(id);
    Note(undone, Called(name, id));
  }
  FindChanged(seen, list, from, undone);
  FindGroups(seen, list, from, undone);
  FindRule(seen, list, from, undone);
}

// One that came by an invitation is named nowhere here: it may be in as long as it was not taken out.
void FindInGroup(const ListMemory& seen, const GroupList& list, std::uint64_t from, Undone& undone) {
  std::map<std::uint64_t, std::uint64_t> added;
  std::set<std::uint64_t> out;
  const auto statements = list.Statements();
  for (const Statement* said : Unvoided(statements)) {
    if (const auto* add = std::get_if<GroupMachinesAdd>(&said->act)) {
      for (const Grantee& machine : add->machines) {
        added[machine.number] = said->sequence;
        out.erase(machine.number);
      }
    } else if (const auto* remove = std::get_if<GroupMachinesRemove>(&said->act)) {
      for (const std::uint64_t machine : remove->machines) added.erase(machine);
      out.insert(remove->machines.begin(), remove->machines.end());
    }
  }
  for (const auto& [number, name] : seen.left) {
    const auto at = added.find(number);
    const bool may_be_in = at != added.end() ? at->second < from : !list.invitations().empty();
    if (out.contains(number) || !may_be_in) continue;
    undone.left.push_back(number);
    Note(undone, name.empty() ? "machine " + std::to_string(number) : name);
  }
  for (const auto& [number, last] : seen.shut) {
    const auto at = list.invitations().find(number);
    if (at == list.invitations().end() || !at->second.open) continue;
    undone.shut[number] = last;
    Note(undone, at->second.act.id);
  }
}

void FindMachines(const ListMemory& seen, const MachinesList& list, std::uint64_t from, Undone& undone) {
  for (const auto& [id, name] : seen.former_machines) {
    const auto* machine = list.FindById(id);
    if (machine == nullptr || machine->removed || machine->number >= from) continue;
    undone.machines.push_back(id);
    Note(undone, Called(name, id));
  }
  for (const auto& [id, name] : seen.closed) {
    const auto open = list.invitations().find(id);
    const auto standing = list.standing().find(id);
    const bool is_open =
        (open != list.invitations().end() && open->second.state == MachinesList::InvitationState::kOpen) ||
        (standing != list.standing().end() && !standing->second.withdrawn && standing->second.number < from);
    if (!is_open) continue;
    undone.invitations.push_back(id);
    Note(undone, name.empty() ? id : name);
  }
}

void FindGrants(const ListMemory& seen, const SecretList& list, std::uint64_t from, Undone& undone) {
  for (const auto& [key, standing] : list.grants()) {
    if (standing.sequence >= from) continue;
    const std::string& name = standing.grant.grantee.name;
    if (seen.revoked.contains(key)) {
      undone.grants.push_back(key);
      Note(undone, name);
      continue;
    }
    const auto other = seen.granted.find(key);
    if (other == seen.granted.end() || other->second->hash() == standing.statement->hash()) continue;
    if (other->second->statement().sequence <= standing.sequence) continue;
    if (IsSameGrant(std::get<GrantAdd>(other->second->statement().act).grant, standing.grant)) continue;
    undone.wider.push_back(other->second);
    Note(undone, name);
  }
}

void FindSecret(const ListMemory& seen, const SecretList& list, std::uint64_t from, Undone& undone) {
  if (list.IsDestroyed()) return;
  if (seen.destroyed) {
    undone.destroyed = true;
    return Note(undone, list.create().path);
  }
  FindGrants(seen, list, from, undone);
  for (const std::uint32_t version : seen.ended) {
    const auto there = list.versions().find(version);
    if (there == list.versions().end() || there->second.statement->statement().sequence >= from) continue;
    undone.versions.push_back(version);
    Note(undone, "version " + std::to_string(version));
  }
  const auto statements = list.Statements();
  const bool undeleted = std::any_of(statements.begin(), statements.end(), [&](const auto& statement) {
    const Statement& said = statement->statement();
    return said.sequence >= from && std::holds_alternative<SecretUndelete>(said.act);
  });
  undone.deleted = seen.deleted && !list.state().deleted && !undeleted;
  if (undone.deleted) Note(undone, list.create().path);
}

Error Refuse(const SignedList& list, const std::string& subject, const char* why) {
  return Error{Code::kIntegrity, why, 0,
               subject.empty() ? list.id().Text() : subject + " in " + list.id().Text()};
}

// What a number was seen to be, no other value may be.
Status CheckNumbers(const std::vector<SignedList::StatementPtr>& seen, std::uint64_t common,
                    const SecretList& list) {
  if (list.IsDestroyed()) return {};
  for (const auto& statement : seen) {
    const auto* lost = std::get_if<VersionPublish>(&statement->statement().act);
    if (lost == nullptr || statement->statement().sequence <= common) continue;
    if (lost->version < list.next_version() && !list.versions().contains(lost->version) &&
        !list.ended().contains(lost->version))
      continue;
    return Refuse(
        list, "version " + std::to_string(lost->version),
        "was another value when this home saw it: the restored backup gives its number out again; an owner "
        "who saw it too has to run grantfs restore");
  }
  return {};
}

}  // namespace

Undone UndoneBy(const ListMemory& seen, const SignedList& list, std::uint64_t from) {
  Undone undone;
  switch (list.id().kind) {
    case ListKind::kVault:
      FindOwners(seen, static_cast<const VaultList&>(list), from, undone);
      break;
    case ListKind::kMachines:
      FindMachines(seen, static_cast<const MachinesList&>(list), from, undone);
      break;
    case ListKind::kEnvironment:
      FindMembers(seen, static_cast<const EnvironmentList&>(list), from, undone);
      break;
    case ListKind::kSecret:
      FindSecret(seen, static_cast<const SecretList&>(list), from, undone);
      break;
    case ListKind::kGroup:
      FindInGroup(seen, static_cast<const GroupList&>(list), from, undone);
      break;
  }
  return undone;
}

std::optional<std::uint64_t> LastCommon(const std::vector<SignedList::StatementPtr>& seen,
                                        const SignedList& list) {
  for (auto at = seen.rbegin(); at != seen.rend(); ++at) {
    const Head head = (*at)->head();
    if (list.HashAt(head.sequence) == head.hash) return head.sequence;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> AcceptedAt(const ListMemory& seen, std::uint64_t common,
                                        const SignedList& list) {
  const bool by_owner = list.id().kind == ListKind::kVault || list.id().kind == ListKind::kEnvironment;
  for (const auto& statement : list.Statements()) {
    const Statement& said = statement->statement();
    if (!std::holds_alternative<Restore>(said.act) || list.IsVoided(said.sequence)) continue;
    if (said.sequence <= common || said.sequence <= seen.head->sequence) continue;
    if (!by_owner || seen.owners.contains(said.signer)) return said.sequence;
  }
  return std::nullopt;
}

Status CheckRestored(const std::vector<SignedList::StatementPtr>& seen, const SignedList& list) {
  if (seen.empty()) return {};
  const auto common = LastCommon(seen, list);
  if (!common)
    return Refuse(list, "",
                  "the vault serves another history of this list than this home has verified (a fork): "
                  "nothing of it is used");
  if (*common == seen.back()->statement().sequence) return {};
  const ListMemory memory = ListMemory::Of(seen);
  const auto first = AcceptedAt(memory, *common, list);
  const auto last = list.LastRestore();
  const bool stranger = last && last->statement().sequence > memory.head->sequence;
  if (!first && stranger)
    return Refuse(
        list, "",
        "the vault goes on from a backup, which one accepts who was no owner any more as far as this home "
        "has seen; another owner has to run grantfs restore");
  if (!first)
    return Refuse(
        list, "",
        "the vault serves another history of this list than this home has verified (a fork): nothing of it "
        "is used; if it was restored from a backup, grantfs restore, run by an owner, accepts that");
  const Undone undone = UndoneBy(memory, list, *first);
  if (!undone.empty())
    return Refuse(
        list, undone.who,
        "came back with a restored backup, though this home saw that it had ended: an owner who saw it too "
        "ends it again with grantfs restore");
  return list.id().kind == ListKind::kSecret
             ? CheckNumbers(seen, *common, static_cast<const SecretList&>(list))
             : Status();
}

}  // namespace grantfs
