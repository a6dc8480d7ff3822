#include "grantfs/util/text.h"
#include "machine_view_internal.h"
#include "problem_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMaxOlder = 4;
/// A view that has grown longer than this begins anew where the grants were set last.
constexpr std::size_t kTrimAbove = 64;

std::string Name(const api::GrantEvidence& evidence) { return evidence.environment + "/" + evidence.path; }

Error Refused(const api::GrantEvidence& evidence, const char* why) {
  return Error{Code::kIntegrity, why, 0, Name(evidence)};
}

Result<SignedList::StatementPtr> Parse(const api::GrantEvidence& evidence, const std::string& envelope) {
  auto parsed = SignedStatement::Parse(envelope);
  if (!parsed) return Refused(evidence, "the vault serves what is no statement of this version");
  return std::make_shared<const SignedStatement>(std::move(*parsed));
}

Result<SecretList> BeginningAt(std::uint64_t number, const std::vector<SignedList::StatementPtr>& statements,
                               const UpperLists& upper) {
  auto list = SecretList::Partial(number, statements.front()->statement().sequence);
  for (const auto& statement : statements) GRANTFS_CHECK(list.Receive(statement, upper));
  return list;
}

Result<SecretList> Trimmed(SecretList list, const UpperLists& upper) {
  const std::uint64_t first = list.first_sequence();
  if (list.next_sequence() - first <= kTrimAbove) return list;
  std::uint64_t from = list.next_sequence() - 1;
  while (from > first && (list.IsVoided(from) || !SetsGrantsRoot(list.At(from)->statement().act))) --from;
  if (from == first) return list;
  std::vector<SignedList::StatementPtr> rest;
  for (std::uint64_t i = from; i < list.next_sequence(); ++i) rest.push_back(list.At(i));
  return BeginningAt(list.id().number, rest, upper);
}

Result<SecretList> ReceiveTail(const api::GrantEvidence& evidence, const SecretView* before,
                               const UpperLists& upper) {
  const bool goes_on = before != nullptr && evidence.first == before->list.next_sequence();
  if (evidence.statements.empty() && !goes_on) {
    return Refused(evidence, "the vault names a grant and does not show the secret's list");
  }
  SecretList list = goes_on ? before->list : SecretList::Partial(evidence.secret, evidence.first);
  for (const std::string& envelope : evidence.statements) {
    GRANTFS_CHECK(list.Receive(GRANTFS_TRY(Parse(evidence, envelope)), upper));
  }
  return Trimmed(std::move(list), upper);
}

// Lower or forked against what this home has seen, or seen again after it was gone.
Status CheckMark(const api::GrantEvidence& evidence, const SecretList& list, const SecretMark& mark) {
  const std::uint64_t sequence = list.head()->sequence;
  if (mark.highest && sequence < mark.highest->sequence) {
    return Refused(
        evidence,
        "the vault serves an older state of this secret than this machine has verified (a rollback)");
  }
  if (sequence < mark.minimum) {
    return Refused(evidence,
                   "the vault shows a grant again that it had said was gone (a revoked grant revived)");
  }
  if (!mark.highest) return {};
  const auto known = list.HashAt(mark.highest->sequence);
  const bool follows = mark.highest->sequence + 1 != list.first_sequence() ||
                       list.At(list.first_sequence())->statement().previous == mark.highest->hash;
  if ((known && *known != mark.highest->hash) || !follows) {
    return Refused(evidence,
                   "the vault serves another history of this secret than this machine has verified (a fork)");
  }
  return {};
}

Status TakeVersion(const api::GrantEvidence& evidence, SecretView& view, const UpperLists& upper) {
  const bool labelled = view.list.state().labels.contains(view.terms.label);
  if (evidence.version.empty()) {
    if (!labelled) return {};
    return Refused(evidence, "the vault does not show the version that the grant's label points at");
  }
  view.version = GRANTFS_TRY(Parse(evidence, evidence.version));
  const auto publish = GRANTFS_TRY(view.list.VerifyVersion(view.terms.label, *view.version, upper));
  if (publish.environment != evidence.environment || publish.path != evidence.path) {
    return Refused(evidence, "the vault serves another secret under this name");
  }
  view.publish = publish;
  return {};
}

void KeepOlder(const SecretView& before, SecretView& view) {
  view.older = before.older;
  if (before.publish && view.publish && before.publish->version != view.publish->version) {
    view.older[before.publish->version] = before.version;
  }
  while (view.older.size() > kMaxOlder) view.older.erase(view.older.begin());
}

}  // namespace

Result<std::shared_ptr<SecretView>> VerifyEvidence(const api::GrantEvidence& evidence,
                                                   const SecretView* before, const UpperLists& upper,
                                                   const Identity& machine, const SecretMark& mark) {
  if (upper.environment == nullptr)
    return Refused(evidence, "the vault does not show this secret's environment");
  SecretList list = GRANTFS_TRY(ReceiveTail(evidence, before, upper));
  GRANTFS_CHECK(CheckMark(evidence, list, mark));
  GRANTFS_CHECK(list.CheckStanding(upper));
  auto view = std::make_shared<SecretView>(std::move(list));
  view->number = evidence.secret;
  view->environment = evidence.environment;
  view->path = evidence.path;
  view->grant = GRANTFS_TRY(Parse(evidence, evidence.grant));
  view->proof = evidence.proof;
  view->terms = GRANTFS_TRY(view->list.VerifyGrant(*view->grant, view->proof, machine, upper));
  GRANTFS_CHECK(TakeVersion(evidence, *view, upper));
  view->unenforceable = UnenforceableReason(view->terms);
  if (before != nullptr) KeepOlder(*before, *view);
  return view;
}

Status VerifyAgain(const SecretView& secret, const UpperLists& upper, const Identity& machine) {
  GRANTFS_CHECK(secret.list.CheckStanding(upper));
  GRANTFS_TRY(secret.list.VerifyGrant(*secret.grant, secret.proof, machine, upper));
  if (secret.version) GRANTFS_TRY(secret.list.VerifyVersion(secret.terms.label, *secret.version, upper));
  return {};
}

std::string ViewToText(const SecretView& secret) {
  api::GrantEvidence evidence;
  evidence.secret = secret.number;
  evidence.environment = secret.environment;
  evidence.path = secret.path;
  evidence.first = secret.list.first_sequence();
  evidence.grant = secret.grant->envelope();
  evidence.proof = secret.proof;
  if (secret.version) evidence.version = secret.version->envelope();
  std::string text = evidence.ToJson().Dump();
  for (const auto& [number, older] : secret.older) text += '\n' + older->envelope();
  return text;
}

Result<std::shared_ptr<SecretView>> ViewFromText(const std::string& text,
                                                 const std::vector<SignedList::StatementPtr>& statements,
                                                 const MachineView& view, const Identity& machine) {
  const auto lines = Split(text, '\n');
  api::GrantEvidence evidence = GRANTFS_TRY(api::GrantEvidence::FromJson(GRANTFS_TRY(ParseJson(lines[0]))));
  const UpperLists upper = view.UpperOf(evidence.environment);
  if (upper.environment == nullptr || statements.empty())
    return Refused(evidence, "the home has not kept all of it");
  SecretView kept(GRANTFS_TRY(BeginningAt(evidence.secret, statements, upper)));
  evidence.first = kept.list.next_sequence();
  for (std::size_t i = 1; i < lines.size(); ++i) {
    // Verified when an answer is judged by it.
    const auto older = GRANTFS_TRY(Parse(evidence, std::string(lines[i])));
    if (const auto* publish = std::get_if<VersionPublish>(&older->statement().act))
      kept.older[publish->version] = older;
  }
  return VerifyEvidence(evidence, &kept, upper, machine, {});
}

}  // namespace grantfs
