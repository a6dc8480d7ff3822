#include <tuple>

#include "client/lists/standing_changes_internal.h"
#include "machine_internal.h"

namespace grantfs {
namespace {

// What the vault says of its lists, as opposed to not reaching it or this machine's own troubles.
bool IsRefusal(const Error& error) {
  switch (error.code) {
    case Code::kIntegrity:
    case Code::kInvalid:
    case Code::kNotFound:
    case Code::kDenied:
    case Code::kUnsupported:
    case Code::kConflict:
      return true;
    default:
      return false;
  }
}

/// Pages of a secret's end, each of a few MiB at most; an owner who grants or revokes anything begins it
/// anew.
constexpr int kMaxTailPages = 64;

constexpr char kHeadNotShown[] = "the vault names a head that its list does not have";
constexpr char kLower[] =
    "the vault serves an older state than this machine has verified (a rollback): nothing of it is used; if "
    "it "
    "was restored from a backup, an owner accepts that with grantfs restore";

// What is new of a secret's list since the view before, for known.db.
KnownStore::Granted ToKeep(const VerifiedSecret& secret, const SecretView* before) {
  const SecretList& list = secret.proof->list;
  KnownStore::Granted granted;
  granted.number = secret.view->number;
  granted.data = ViewToText(*secret.view, *secret.proof);
  granted.first = list.first_sequence();
  granted.head = *list.head();
  std::uint64_t from = granted.first;
  // A view that begins earlier than the one before it is kept whole.
  if (before != nullptr && before->proof.first_sequence() <= from)
    from = std::max(from, before->proof.next_sequence());
  for (; from < list.next_sequence(); ++from) granted.statements.push_back(list.At(from));
  return granted;
}

bool SameTerms(const Grant& a, const Grant& b) {
  const auto key = [](const Grant& one) {
    return std::tie(one.grantee.kind, one.grantee.number, one.grantee.not_after, one.label, one.owner,
                    one.group, one.mode, one.conditions, one.lease, one.offline, one.record, one.expires,
                    one.strict);
  };
  return key(a) == key(b);
}

// Told again, and nothing of it is new.
bool SaysTheSame(const SecretView& shown, const SecretView& told) {
  return shown.problem.empty() && shown.environment == told.environment && shown.path == told.path &&
         SameTerms(shown.terms, told.terms) && shown.proof.IsSame(told.proof);
}

bool Has(const SignedList& list, const Head& head) { return list.HashAt(head.sequence) == head.hash; }

// What is said now must not lie behind what was verified before it was asked.
bool IsLower(const Head& head, const SignedList& list) { return head.sequence + 1 < list.next_sequence(); }

}  // namespace

Status MachineSessionImpl::TakeVault(MachineView& next, const Head* said) {
  if (said != nullptr && IsLower(*said, *next.vault)) {
    next.vault_problem = kLower;
    return {};
  }
  if (said == nullptr || !next.vault_problem.empty() || !Has(*next.vault, *said)) {
    const Status fetched = keeper_->RefreshVault();
    if (!fetched && !IsRefusal(fetched.error())) return fetched;
    next.vault_problem = fetched ? std::string() : Describe(fetched.error());
    if (fetched && next.vault->head() != keeper_->vault().head()) {
      next.vault = std::make_shared<const VaultList>(keeper_->vault());
    }
  }
  if (next.vault_problem.empty() && said != nullptr && !Has(*next.vault, *said))
    next.vault_problem = kHeadNotShown;
  return {};
}

Status MachineSessionImpl::TakeEnvironment(MachineView& next, const std::string& name, const Head* said) {
  const auto known = next.environments.find(name);
  if (known != next.environments.end() && said != nullptr && IsLower(*said, *known->second)) {
    next.environment_problems[name] = kLower;
    return {};
  }
  const bool fresh = known != next.environments.end() && said != nullptr && Has(*known->second, *said) &&
                     !next.environment_problems.contains(name);
  if (fresh) return {};
  const Status fetched = keeper_->RefreshEnvironment(name);
  if (!fetched && !IsRefusal(fetched.error())) return fetched;
  if (!fetched) {
    next.environment_problems[name] = Describe(fetched.error());
    return {};
  }
  next.environment_problems.erase(name);
  const EnvironmentList& list = *keeper_->FindEnvironment(name);
  auto& shown = next.environments[name];
  if (!shown || shown->head() != list.head()) shown = std::make_shared<const EnvironmentList>(list);
  if (said != nullptr && !Has(*shown, *said)) next.environment_problems[name] = kHeadNotShown;
  // Fetching it may have shown that the vault's list is newer too.
  if (next.vault->head() != keeper_->vault().head()) {
    next.vault = std::make_shared<const VaultList>(keeper_->vault());
  }
  return {};
}

// Nobody signed it, but it can only deny.
void MachineSessionImpl::TakeFreezes(MachineView& next, const api::GrantsResponse& response) const {
  next.freezes = response.freezes;
  std::erase_if(next.freezes, [&](const api::Freeze& freeze) {
    return freeze.object.IsMachine() && freeze.object.id != me_.Id().Hex();
  });
}

Status MachineSessionImpl::TakeUpper(MachineView& next, const api::GrantsResponse& response) {
  TakeFreezes(next, response);
  GRANTFS_CHECK(TakeVault(next, &response.vault_head));
  for (const auto& environment : response.environments) {
    GRANTFS_CHECK(TakeEnvironment(next, environment.name, &environment.head));
  }
  return TakeGroups(next, response);
}

// Standing is judged by the newest lists above: what counted yesterday may lack its successor today.
void MachineSessionImpl::JudgeAgain(MachineView& next, const MachineView& before) {
  if (next.vault == before.vault && next.environments == before.environments) return;
  std::map<std::string, StandingChanges> changes;
  for (auto at = next.secrets.begin(); at != next.secrets.end();) {
    const UpperLists now = next.UpperOf(at->second->environment);
    const bool gone = at->second->group != 0 && now.environment != nullptr &&
                      !RefreshGroupTerms(at->second, *now.environment);
    at = gone ? next.secrets.erase(at) : std::next(at);
  }
  ForgetForeign(next);
  for (auto& [number, secret] : next.secrets) {
    const UpperLists now = next.UpperOf(secret->environment);
    const UpperLists then = before.UpperOf(secret->environment);
    if ((now.vault == then.vault && now.environment == then.environment) || !secret->problem.empty())
      continue;
    if (now.environment == nullptr) continue;
    // What was taken since was verified by lists that may have been neither.
    const auto shown = before.secrets.find(number);
    if (then.environment != nullptr && shown != before.secrets.end() && shown->second == secret &&
        changes.try_emplace(secret->environment, then, now).first->second.Stands(secret->signers))
      continue;
    const Status good = VerifyAgain(*secret, now, me_.identity());
    if (good) continue;
    auto refused = std::make_shared<SecretView>(*secret);
    refused->problem = Describe(good.error());
    secret = std::move(refused);
  }
}

// The end of a long list comes in pieces; what proves the grant belongs to the last.
Result<api::GrantEvidence> MachineSessionImpl::Complete(api::GrantEvidence evidence) {
  const Error withheld{Code::kIntegrity, "the vault names a newer state of this list and does not show it", 0,
                       evidence.environment + "/" + evidence.path};
  for (int pages = 0; evidence.more; ++pages) {
    if (pages == kMaxTailPages) {
      return Error{Code::kIntegrity, "the vault serves an end of this secret's list that has no end", 0,
                   evidence.environment + "/" + evidence.path};
    }
    if (evidence.statements.empty()) return withheld;
    const std::uint64_t last = evidence.first + evidence.statements.size() - 1;
    api::GrantsRequest request;
    request.secrets = {{evidence.secret, last}};
    auto response = GRANTFS_TRY(vault_->Ask<api::GrantsResponse>(api::kMachineGrants, request));
    if (response.grants.size() != 1 || response.grants[0].secret != evidence.secret) return withheld;
    api::GrantEvidence rest = std::move(response.grants[0]);
    if (rest.statements.empty()) return withheld;
    if (rest.first == last + 1) {
      rest.first = evidence.first;
      rest.statements.insert(rest.statements.begin(), evidence.statements.begin(), evidence.statements.end());
    }
    evidence = std::move(rest);
  }
  return evidence;
}

Result<VerifiedSecret> MachineSessionImpl::VerifyGrant(MachineView& next, const api::GrantEvidence& evidence,
                                                       const SecretView* before) {
  const SecretMark mark{GRANTFS_TRY(known_->HighestHead(ListId::Secret(evidence.secret))),
                        GRANTFS_TRY(known_->MinimumSequence(evidence.secret)),
                        GRANTFS_TRY(known_->GoneSince(evidence.secret))};
  auto verified = VerifyEvidence(evidence, before, next.UpperOf(evidence.environment), me_.identity(), mark);
  if (!verified && verified.error().code == Code::kConflict) {
    GRANTFS_CHECK(TakeVault(next, nullptr));
    GRANTFS_CHECK(TakeEnvironment(next, evidence.environment, nullptr));
    verified = VerifyEvidence(evidence, before, next.UpperOf(evidence.environment), me_.identity(), mark);
  }
  if (!verified) return verified;
  const SecretView& view = *verified->view;
  if (view.group != 0 && next.GroupOf(view.environment, view.group) == nullptr)
    return Error{Code::kIntegrity, "the vault shows a grant to a group whose key this machine does not have", 0,
                 view.environment + "/" + view.path};
  // A secret that is not granted any more may have been destroyed, and its name another's now: that one's
  // grant is an owner's word, and what is gone never comes back.
  const SecretName name{evidence.environment, evidence.path};
  const auto number = GRANTFS_TRY(known_->NumberOf(name));
  if (number && *number != evidence.secret && !next.secrets.contains(*number) &&
      GRANTFS_TRY(known_->MinimumSequence(*number)) > 0)
    GRANTFS_CHECK(known_->FreeName(*number));
  GRANTFS_CHECK(known_->RememberNumber(evidence.secret, name));
  return verified;
}

// What begins with a statement that was voided since never verifies by going on: from 0, the vault begins
// with one that stands.
Result<api::GrantEvidence> MachineSessionImpl::AskFromTheStart(std::uint64_t number) {
  api::GrantsRequest request;
  request.secrets = {{number, 0}};
  auto response = GRANTFS_TRY(vault_->Ask<api::GrantsResponse>(api::kMachineGrants, request));
  if (response.grants.size() != 1 || response.grants[0].secret != number)
    return Error{Code::kNotFound, "it is not granted to this machine any more"};
  return Complete(std::move(response.grants[0]));
}

Status MachineSessionImpl::TakeGrant(Draft& draft, api::GrantEvidence evidence) {
  MachineView& next = *draft.next;
  const std::uint64_t number = evidence.secret;
  const auto at = next.secrets.find(number);
  const std::shared_ptr<const SecretView> before = at == next.secrets.end() ? nullptr : at->second;
  const bool goes_on = before && evidence.first == before->proof.next_sequence();
  auto complete = Complete(std::move(evidence));
  auto verified =
      complete ? VerifyGrant(next, *complete, before.get()) : Result<VerifiedSecret>(complete.error());
  if (!verified && goes_on && IsRefusal(verified.error())) {
    const auto anew = AskFromTheStart(number);
    auto again = anew ? VerifyGrant(next, *anew, before.get()) : anew.error();
    if (again) verified = std::move(again);
  }
  // What is shown and remembered stays, and is not there twice meanwhile.
  if (verified && before && SaysTheSame(*before, *verified->view)) {
    next.refused.erase(number);
    return {};
  }
  if (verified) {
    draft.urgent =
        draft.urgent ||
        (before && (before->proof.head() != verified->view->proof.head() || !before->problem.empty()));
    // Also where nothing has changed since: this view takes the place of the one whose proof is kept.
    if (before && (before->proof.head() != verified->view->proof.head() || !before->unpacked.expired()))
      recent_proofs_.Keep(verified->proof);
    draft.keep.push_back(ToKeep(*verified, before.get()));
    next.refused.erase(number);
    left_.erase(number);
    next.secrets[number] = std::move(verified->view);
    return {};
  }
  if (!IsRefusal(verified.error())) return verified.error();
  draft.urgent = true;
  const std::string problem = Describe(verified.error());
  if (!before) {
    next.refused[number] = problem;
    return {};
  }
  auto refused = std::make_shared<SecretView>(*before);
  refused->problem = problem;
  next.secrets[number] = std::move(refused);
  return {};
}

}  // namespace grantfs
