#include "client/connection/problem_internal.h"
#include "client/lists/standing_changes_internal.h"
#include "grantfs/util/text.h"
#include "machine_view_internal.h"

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

Result<SecretList> Trimmed(SecretList list, const UpperLists& upper) {
  const std::uint64_t first = list.first_sequence();
  if (list.next_sequence() - first <= kTrimAbove) return list;
  std::uint64_t from = list.next_sequence() - 1;
  while (from > first && (list.IsVoided(from) || !SetsGrantsRoot(list.At(from)->statement().act))) --from;
  if (from == first) return list;
  std::vector<SignedList::StatementPtr> rest;
  for (std::uint64_t i = from; i < list.next_sequence(); ++i) rest.push_back(list.At(i));
  return ListBeginningWith(list.id().number, rest, upper);
}

/// @param before  what it may go on from; nullptr: nothing.
Result<SecretList> ReceiveTail(const api::GrantEvidence& evidence, const SecretList* before,
                               const UpperLists& upper) {
  const bool goes_on = before != nullptr && evidence.first == before->next_sequence();
  if (evidence.statements.empty() && !goes_on) {
    return Refused(evidence, "the vault names a grant and does not show the secret's list");
  }
  SecretList list = goes_on ? *before : SecretList::Partial(evidence.secret, evidence.first);
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
        "the vault serves an older state of this secret than this machine has verified (a rollback): nothing of it "
        "is used; if it was restored from a backup, an owner accepts that with grantfs restore");
  }
  // The environment's list, which never goes back, says whether a grant by prefix stands.
  if (!evidence.prefix && sequence < mark.minimum) {
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

// What this machine saw end does not come back with a restored backup, only by a grant that was made since.
Status CheckNotRevived(const api::GrantEvidence& evidence, const SignedStatement& grant,
                       const UpperLists& upper, const SecretMark& mark) {
  const Statement& said = grant.statement();
  if (mark.minimum == 0 || said.sequence >= mark.minimum) return {};
  const auto restore = upper.environment->LastRestore();
  if (restore == nullptr) return {};
  const std::uint64_t restored = restore->statement().sequence;
  if (restored <= mark.restored || said.heads.environment->sequence >= restored) return {};
  return Refused(evidence,
                 "a grant that this machine saw end came back with a restored backup: an owner who means it grants "
                 "it anew");
}

Status TakeVersion(const api::GrantEvidence& evidence, VerifiedSecret& secret, const UpperLists& upper) {
  SecretView& view = *secret.view;
  const bool labelled = secret.proof->list.state().ReadBy(view.terms.label) != nullptr;
  if (evidence.version.empty()) {
    if (!labelled) return {};
    return Refused(evidence, "the vault does not show the version that the grant's label points at");
  }
  const auto version = GRANTFS_TRY(Parse(evidence, evidence.version));
  const auto publish = GRANTFS_TRY(secret.proof->list.VerifyVersion(view.terms.label, *version, upper));
  if (publish.environment != evidence.environment || publish.path != evidence.path) {
    return Refused(evidence, "the vault serves another secret under this name");
  }
  view.publish = publish;
  view.version = version->hash();
  view.time = version->statement().time;
  secret.proof->version = version;
  return {};
}

Status TakePrefix(const api::GrantEvidence& evidence, VerifiedSecret& secret, const UpperLists& upper) {
  // By the newest rule, as grants in the secret's own list are.
  const auto* standing = upper.environment->groups().FindPrefix(*evidence.prefix);
  if (standing == nullptr || !evidence.path.starts_with(evidence.prefix->first))
    return Refused(evidence, "the environment's list has no grant by that prefix that is in force");
  if (secret.proof->list.state().path != evidence.path)
    return Refused(evidence, "the vault serves another secret under this name");
  secret.view->terms = standing->act.grant;
  secret.view->prefix = evidence.prefix;
  secret.view->prefix_sequence = standing->sequence;
  secret.view->group = evidence.prefix->second;
  return {};
}

/// The grant in the secret's own list: to the machine, or to a group of the environment's.
Result<Grant> VerifyListed(const SecretProof& proof, const Identity& machine, const UpperLists& upper) {
  const auto* add = std::get_if<GrantAdd>(&proof.grant->statement().act);
  if (add != nullptr && add->grant.grantee.kind == GranteeKind::kGroup)
    return proof.list.VerifyGroupGrant(*proof.grant, proof.place, upper);
  return proof.list.VerifyGrant(*proof.grant, proof.place, machine, upper);
}

Status TakeTerms(const api::GrantEvidence& evidence, VerifiedSecret& secret, const UpperLists& upper,
                 const Identity& machine, const SecretMark& mark) {
  if (evidence.prefix) return TakePrefix(evidence, secret, upper);
  secret.proof->grant = GRANTFS_TRY(Parse(evidence, evidence.grant));
  secret.proof->place = evidence.proof;
  secret.view->terms = GRANTFS_TRY(VerifyListed(*secret.proof, machine, upper));
  const Grantee& grantee = secret.view->terms.grantee;
  if (grantee.kind == GranteeKind::kGroup) secret.view->group = grantee.number;
  return CheckNotRevived(evidence, *secret.proof->grant, upper, mark);
}

/// @param before  nullptr: nothing to go on from.
Result<VerifiedSecret> VerifyOver(const api::GrantEvidence& evidence, const SecretList* before,
                                  const UpperLists& upper, const Identity& machine, const SecretMark& mark) {
  SecretList list = GRANTFS_TRY(ReceiveTail(evidence, before, upper));
  GRANTFS_CHECK(CheckMark(evidence, list, mark));
  GRANTFS_CHECK(list.CheckStanding(upper));
  // Not of one piece with its count, which each view keeps for as long as it is shown.
  VerifiedSecret secret{std::make_shared<SecretView>(),
                        std::shared_ptr<SecretProof>(new SecretProof(std::move(list)))};
  SecretView& view = *secret.view;
  view.number = evidence.secret;
  view.environment = evidence.environment;
  view.path = evidence.path;
  GRANTFS_CHECK(TakeTerms(evidence, secret, upper, machine, mark));
  GRANTFS_CHECK(TakeVersion(evidence, secret, upper));
  view.unenforceable = UnenforceableReason(view.terms);
  return secret;
}

/// The version that a view shows and those before it.
Result<KeptProof::Versions> VersionsOf(const SecretView& secret) {
  const auto proof = secret.unpacked.lock();
  if (!proof) return secret.proof.UnpackVersions();
  KeptProof::Versions versions = proof->older;
  if (proof->version && secret.publish) versions[secret.publish->version] = proof->version;
  return versions;
}

/// Beside those of its own: versions that were verified before.
VerifiedSecret WithOlder(VerifiedSecret secret, KeptProof::Versions older, const KeptProof* before) {
  if (secret.view->publish) older.erase(secret.view->publish->version);
  while (older.size() > kMaxOlder) older.erase(older.begin());
  secret.proof->older = std::move(older);
  secret.view->proof = KeptProof(*secret.proof, before);
  secret.view->unpacked = secret.proof;
  secret.view->signers = SignersOf(secret.proof->list);
  return secret;
}

}  // namespace

Result<std::shared_ptr<const SecretProof>> ProofOf(const SecretView& secret, const UpperLists& upper) {
  if (auto unpacked = secret.unpacked.lock()) return unpacked;
  return std::make_shared<const SecretProof>(GRANTFS_TRY(secret.proof.Unpack(secret.number, upper)));
}

Result<VerifiedSecret> VerifyEvidence(const api::GrantEvidence& evidence, const SecretView* before,
                                      const UpperLists& upper, const Identity& machine,
                                      const SecretMark& mark) {
  if (upper.environment == nullptr)
    return Refused(evidence, "the vault does not show this secret's environment");
  std::shared_ptr<const SecretProof> known;
  if (before != nullptr && evidence.first == before->proof.next_sequence())
    known = GRANTFS_TRY(ProofOf(*before, upper));
  auto verified = GRANTFS_TRY(VerifyOver(evidence, known ? &known->list : nullptr, upper, machine, mark));
  if (before != nullptr && before->publish &&
      before->publish->version > verified.proof->list.state().version) {
    return Refused(evidence,
                   "the vault counts this secret's versions from a number that this machine has seen used: an owner "
                   "has to run grantfs restore");
  }
  KeptProof::Versions older;
  if (before != nullptr && (before->proof.has_older() || before->version != verified.view->version))
    older = GRANTFS_TRY(VersionsOf(*before));
  return WithOlder(std::move(verified), std::move(older), before != nullptr ? &before->proof : nullptr);
}

Status VerifyAgain(const SecretView& secret, const UpperLists& upper, const Identity& machine) {
  const SecretProof proof = GRANTFS_TRY(secret.proof.Unpack(secret.number, upper));
  GRANTFS_CHECK(proof.list.CheckStanding(upper));
  if (proof.grant) GRANTFS_TRY(VerifyListed(proof, machine, upper));
  if (proof.version) GRANTFS_TRY(proof.list.VerifyVersion(secret.terms.label, *proof.version, upper));
  return {};
}

std::string ViewToText(const SecretView& secret, const SecretProof& proof) {
  api::GrantEvidence evidence;
  evidence.secret = secret.number;
  evidence.environment = secret.environment;
  evidence.path = secret.path;
  evidence.first = proof.list.first_sequence();
  evidence.prefix = secret.prefix;
  if (proof.grant) {
    evidence.grant = proof.grant->envelope();
    evidence.proof = proof.place;
  }
  if (proof.version) evidence.version = proof.version->envelope();
  std::string text = evidence.ToJson().Dump();
  for (const auto& [number, older] : proof.older) text += '\n' + older->envelope();
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
  const SecretList list = GRANTFS_TRY(ListBeginningWith(evidence.secret, statements, upper));
  evidence.first = list.next_sequence();
  KeptProof::Versions versions;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    // Verified when an answer is judged by it.
    const auto older = GRANTFS_TRY(Parse(evidence, std::string(lines[i])));
    if (const auto* publish = std::get_if<VersionPublish>(&older->statement().act))
      versions[publish->version] = older;
  }
  auto verified = GRANTFS_TRY(VerifyOver(evidence, &list, upper, machine, {}));
  return WithOlder(std::move(verified), std::move(versions), nullptr).view;
}

}  // namespace grantfs
