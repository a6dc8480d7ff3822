// Which acts a second owner signs, and until when his signature is good.

#include "grantfs/trust/consent.h"

#include <algorithm>

#include "grantfs/trust/lists.h"
#include "list_internal.h"

namespace grantfs {

bool NeedsTwoOwners(const Act& act, bool rule) {
  if (std::holds_alternative<RulesSet>(act)) return true;
  // A new owner by a change of role: it has no place for the second signature, and so cannot be.
  const auto* change = std::get_if<MemberChange>(&act);
  return rule && (MayBeConsentedTo(act) || (change != nullptr && change->role == Role::kOwner));
}

bool MayBeConsentedTo(const Act& act) {
  if (const auto* add = std::get_if<MemberAdd>(&act)) return add->role == Role::kOwner;
  return IsAnyOf<RulesSet, GrantAdd, PrefixGrant, GroupMachinesAdd, GroupInvitationAdd>(act);
}

namespace {

std::string SubjectOf(const Act& act) {
  const auto grant = [](GranteeKind kind, std::uint64_t number) {
    return "grant/" + std::string(GranteeKindName(kind)) + "/" + std::to_string(number);
  };
  if (const auto* add = std::get_if<GrantAdd>(&act))
    return grant(add->grant.grantee.kind, add->grant.grantee.number);
  if (const auto* revoke = std::get_if<GrantRevoke>(&act)) return grant(revoke->kind, revoke->number);
  if (const auto* add = std::get_if<MemberAdd>(&act)) return "member/" + add->member.Id().Hex();
  if (const auto* remove = std::get_if<MemberRemove>(&act)) return "member/" + remove->id.Hex();
  if (const auto* change = std::get_if<MemberChange>(&act)) return "member/" + change->id.Hex();
  if (std::holds_alternative<RulesSet>(act)) return "rules";
  const auto prefix = [](const std::string& path, std::uint64_t group) {
    return "prefix/" + std::to_string(group) + "/" + path;
  };
  if (const auto* add = std::get_if<PrefixGrant>(&act)) return prefix(add->prefix, add->grant.grantee.number);
  if (const auto* revoke = std::get_if<PrefixRevoke>(&act)) return prefix(revoke->prefix, revoke->group);
  const auto invitation = [](std::uint64_t number) { return "invitation/" + std::to_string(number); };
  if (const auto* add = std::get_if<GroupInvitationAdd>(&act)) return invitation(add->number);
  if (const auto* remove = std::get_if<GroupInvitationRemove>(&act)) return invitation(remove->number);
  return {};
}

}  // namespace

// Of several machines at once: whatever is done to any of them meanwhile is about the same.
std::vector<std::string> ConsentSubjects(const Act& act) {
  std::vector<std::string> subjects;
  const auto machine = [&](std::uint64_t number) { subjects.push_back("machine/" + std::to_string(number)); };
  if (const auto* add = std::get_if<GroupMachinesAdd>(&act)) {
    for (const Grantee& one : add->machines) machine(one.number);
  } else if (const auto* remove = std::get_if<GroupMachinesRemove>(&act)) {
    for (const std::uint64_t number : remove->machines) machine(number);
  } else if (std::string subject = SubjectOf(act); !subject.empty()) {
    subjects.push_back(std::move(subject));
  }
  std::sort(subjects.begin(), subjects.end());
  return subjects;
}

Act ConsentedAct(const Act& act) {
  Act meant = act;
  if (auto* member = std::get_if<MemberAdd>(&meant)) member->copy = Hash{};
  if (auto* machines = std::get_if<GroupMachinesAdd>(&meant)) {
    machines->epoch = 1;
    machines->copies_root = Hash{};
  }
  if (auto* invitation = std::get_if<GroupInvitationAdd>(&meant)) {
    invitation->epoch = 1;
    invitation->copy = Hash{};
  }
  return meant;
}

bool OwnsEnvironmentThrough(const EnvironmentList& environment, const Consent& consent,
                            const Statement& statement) {
  const std::uint64_t from = consent.environment->sequence;
  const std::uint64_t to = statement.heads.environment->sequence;
  return from <= to && environment.HashAt(from) == consent.environment->hash &&
         environment.RoleAt(consent.signer, to) == Role::kOwner &&
         environment.WasMemberThrough(consent.signer, from, to);
}

bool SignedList::TwoOwnersAt(const Statement&, const UpperLists&) const { return false; }

bool SignedList::OwnsThrough(const Consent&, const Statement&, const UpperLists&) const { return false; }

Status SignedList::CheckConsent(const SignedStatement& signed_statement, const UpperLists& upper) const {
  const Statement& statement = signed_statement.statement();
  const auto refuse = [&](const char* why) {
    return Error{Code::kDenied, why, 0, id_.Text() + "#" + std::to_string(statement.sequence)};
  };
  if (!statement.consent) {
    const bool recovers = id_.kind == ListKind::kEnvironment &&
                          upper.vault->WasRecovery(statement.signer, statement.heads.vault->sequence);
    if (recovers || !NeedsTwoOwners(statement.act, TwoOwnersAt(statement, upper))) return {};
    return refuse("the act needs the signatures of two owners, by the environment's rule");
  }
  const Consent& consent = *statement.consent;
  Statement by_second = statement;
  by_second.signer = consent.signer;
  const Identity* second = SignerOf(by_second, upper);
  const Identity* first = SignerOf(statement, upper);
  if (second == nullptr || first == nullptr || !OwnsThrough(consent, statement, upper))
    return refuse("the second signature is of none who was an owner all the while");
  if (first->name == second->name) return refuse("both signatures are of one person");
  if (!signed_statement.VerifyConsent(second->sign))
    return refuse("the second signature is not of this act in this list");
  // Both times are signed. Who makes something of a signature that has ended has to date it back.
  if (statement.time >= consent.expires)
    return refuse("the second signature had ended when the statement was made, by the statement's own time");
  return CheckUnused(consent, statement);
}

// Whatever became of the subject since, a void included, has used the consent up or overtaken it. So has a
// restored backup: nobody knows what it lost.
Status SignedList::CheckUnused(const Consent& consent, const Statement& statement) const {
  const auto refuse = [&](const char* why) {
    return Error{Code::kDenied, why, 0, id_.Text() + "#" + std::to_string(statement.sequence)};
  };
  const std::uint64_t after = consent.after.sequence;
  if (after >= statement.sequence) return refuse("the second signature is newer than its statement");
  if (after >= first_ && HashAt(after) != consent.after.hash)
    return refuse("the second signature was made over another history of the list");
  const auto subjects = ConsentSubjects(statement.act);
  const auto is_about = [&](const Act& act) {
    const auto others = ConsentSubjects(act);
    return std::any_of(others.begin(), others.end(), [&](const std::string& one) {
      return std::binary_search(subjects.begin(), subjects.end(), one);
    });
  };
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    const Statement& other = entry->statement->statement();
    if (other.sequence <= after) break;
    if (other.sequence >= statement.sequence) continue;  // a machine looks at one that others have followed
    if (std::holds_alternative<Restore>(other.act) || is_about(other.act))
      return refuse("the second signature was used, or the same thing was changed after it was made");
  }
  return {};
}

}  // namespace grantfs
