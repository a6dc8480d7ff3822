#include "machine_view_internal.h"

namespace grantfs {
namespace {

Error Refused(const SecretView& secret, const char* why) {
  return Error{Code::kIntegrity, why, 0, secret.environment + "/" + secret.path};
}

bool Newer(const Head& said, std::uint64_t next_sequence) { return said.sequence >= next_sequence; }

// A head that the vault names must be of the history that was verified, and not lower than what it was asked
// with.
Status CheckHead(const SecretView& secret, const Head& said, std::uint64_t asked_next,
                 const std::optional<Hash>& known) {
  if (said.sequence + 1 < asked_next) {
    return Refused(secret,
                   "the vault answered from an older state than this machine has verified (a rollback)");
  }
  if (known && *known != said.hash) {
    return Refused(secret, "the vault answered from another history than this machine has verified (a fork)");
  }
  return {};
}

// The versions that an answer may be of: the label's when it was asked and now; with grace what was before.
Result<SignedList::StatementPtr> FindAllowed(const Hash& statement, bool grace, const SecretView& asked,
                                             const SecretProof& now) {
  if (now.version && now.version->hash() == statement) return now.version;
  const bool of_asked = asked.publish && asked.version == statement;
  if (!grace && !of_asked) return SignedList::StatementPtr();
  for (const auto& [number, older] : now.older) {
    if (older->hash() == statement) return older;
  }
  for (const auto& [number, version] : now.list.versions()) {
    if (version.statement->hash() == statement) return version.statement;
  }
  if (!of_asked) return SignedList::StatementPtr();
  const auto versions = GRANTFS_TRY(asked.proof.UnpackVersions());
  const auto version = versions.find(asked.publish->version);
  return version == versions.end() ? SignedList::StatementPtr() : version->second;
}

// What is kept of a secret says enough of nearly every answer: that it is of the newest state. Then its
// version is the one that was verified with that. For the rest, what was verified is unpacked.
Result<VersionPublish> JudgeVersion(const api::ReadResponse& response, bool grace, const SecretView& asked,
                                    const SecretView& now, const UpperLists& upper) {
  const bool newest = response.secret_head.sequence == now.proof.head().sequence;
  if (newest && now.publish && response.statement == now.version) {
    GRANTFS_CHECK(CheckHead(now, response.secret_head, asked.proof.next_sequence(), now.proof.head().hash));
    return *now.publish;
  }
  const auto proof = GRANTFS_TRY(ProofOf(now, upper));
  GRANTFS_CHECK(CheckHead(now, response.secret_head, asked.proof.next_sequence(),
                          proof->list.HashAt(response.secret_head.sequence)));
  const auto version = GRANTFS_TRY(FindAllowed(response.statement, grace, asked, *proof));
  if (version == nullptr)
    return Refused(now, "the vault answered with a version that the secret's label does not point at");
  return proof->list.VerifyOldVersion(*version, upper);
}

}  // namespace

Result<ReadVerdict> JudgeRead(const api::ReadResponse& response, const SecretSource::OpenRequest& request,
                              const MachineView& asked, const MachineView& now) {
  const auto before = asked.secrets.find(request.number);
  const auto at = now.secrets.find(request.number);
  if (at == now.secrets.end() || before == asked.secrets.end()) {
    return Error{Code::kNotFound, "it is not granted to this machine any more"};
  }
  const SecretView& secret = *at->second;
  if (!secret.publish)
    return Error{Code::kNotFound, "nothing of it can be read any more", 0,
                 secret.environment + "/" + secret.path};
  if (const std::string& problem = now.ProblemOf(secret); !problem.empty()) {
    return Refused(secret, "what the vault serves of this secret does not verify: see the mount's status");
  }
  const UpperLists upper = now.UpperOf(secret.environment);
  if (Newer(response.vault_head, upper.vault->next_sequence()) ||
      Newer(response.environment_head, upper.environment->next_sequence()) ||
      Newer(response.secret_head, secret.proof.next_sequence())) {
    return ReadVerdict{ReadVerdict::Kind::kNewer, {}};
  }
  const UpperLists upper_asked = asked.UpperOf(before->second->environment);
  const auto check = [&](const Head& said, const SignedList& then, const SignedList& list) {
    return CheckHead(secret, said, then.next_sequence(), list.HashAt(said.sequence));
  };
  GRANTFS_CHECK(check(response.vault_head, *upper_asked.vault, *upper.vault));
  GRANTFS_CHECK(check(response.environment_head, *upper_asked.environment, *upper.environment));
  const auto publish = GRANTFS_TRY(
      JudgeVersion(response, request.grace && request.version != 0, *before->second, secret, upper));
  if (response.secret != request.number || response.version != publish.version ||
      (request.version != 0 && request.version != publish.version)) {
    return Refused(secret, "the vault answered with another version than the one it names");
  }
  return ReadVerdict{ReadVerdict::Kind::kGood, publish};
}

}  // namespace grantfs
