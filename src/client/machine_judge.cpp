#include "machine_view_internal.h"

namespace grantfs {
namespace {

Error Refused(const SecretView& secret, const char* why) {
  return Error{Code::kIntegrity, why, 0, secret.environment + "/" + secret.path};
}

bool Newer(const Head& said, const SignedList& list) { return said.sequence >= list.next_sequence(); }

// A head that the vault names must be of the history that was verified, and not lower than what it was asked
// with.
Status CheckHead(const SecretView& secret, const Head& said, const SignedList& asked, const SignedList& now) {
  if (said.sequence + 1 < asked.next_sequence()) {
    return Refused(secret,
                   "the vault answered from an older state than this machine has verified (a rollback)");
  }
  const auto known = now.HashAt(said.sequence);
  if (known && *known != said.hash) {
    return Refused(secret, "the vault answered from another history than this machine has verified (a fork)");
  }
  return {};
}

// The versions that an answer may be of: the label's when it was asked and now; with grace what was before.
SignedList::StatementPtr FindAllowed(const Hash& statement, bool grace, const SecretView& asked,
                                     const SecretView& now) {
  for (const SecretView* view : {&now, &asked}) {
    if (view->version && view->version->hash() == statement) return view->version;
  }
  if (!grace) return nullptr;
  for (const auto& [number, older] : now.older) {
    if (older->hash() == statement) return older;
  }
  for (const auto& [number, version] : now.list.versions()) {
    if (version.statement->hash() == statement) return version.statement;
  }
  return nullptr;
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
  if (const std::string& problem = now.ProblemOf(secret); !problem.empty()) {
    return Refused(secret, "what the vault serves of this secret does not verify: see the mount's status");
  }
  const UpperLists upper = now.UpperOf(secret.environment);
  if (Newer(response.vault_head, *upper.vault) || Newer(response.environment_head, *upper.environment) ||
      Newer(response.secret_head, secret.list)) {
    return ReadVerdict{ReadVerdict::Kind::kNewer, {}};
  }
  const UpperLists upper_asked = asked.UpperOf(before->second->environment);
  GRANTFS_CHECK(CheckHead(secret, response.vault_head, *upper_asked.vault, *upper.vault));
  GRANTFS_CHECK(CheckHead(secret, response.environment_head, *upper_asked.environment, *upper.environment));
  GRANTFS_CHECK(CheckHead(secret, response.secret_head, before->second->list, secret.list));
  const auto version =
      FindAllowed(response.statement, request.grace && request.version != 0, *before->second, secret);
  if (version == nullptr) {
    return Refused(secret, "the vault answered with a version that the secret's label does not point at");
  }
  const auto publish = GRANTFS_TRY(secret.list.VerifyOldVersion(*version, upper));
  if (response.secret != request.number || response.version != publish.version ||
      (request.version != 0 && request.version != publish.version)) {
    return Refused(secret, "the vault answered with another version than the one it names");
  }
  return ReadVerdict{ReadVerdict::Kind::kGood, publish};
}

}  // namespace grantfs
