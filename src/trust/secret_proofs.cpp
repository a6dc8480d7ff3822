// What a machine checks of a secret that it does not see whole.

#include "grantfs/crypto/merkle.h"
#include "grantfs/trust/lists.h"
#include "list_internal.h"

namespace grantfs {
namespace {

Error Forged(const SignedStatement& statement, const char* why) {
  Error error = Nonsense(statement, why);
  error.code = Code::kIntegrity;
  return error;
}

}  // namespace

std::optional<SecretList::GrantProof> SecretList::ProveGrant(const GrantKey& key) const {
  const auto at = grants_.find(key);
  if (partial_ || at == grants_.end()) return std::nullopt;
  const std::size_t index = PlaceOf(at);
  return GrantProof{index, grants_.size(), grants_tree_.InclusionProof(index)};
}

// A statement that is known only by hash or proof: its place, its signature, and that its signer could make
// it then.
Status SecretList::VerifyLoose(const SignedStatement& statement, Permission permission,
                               const UpperLists& upper) const {
  const Statement& said = statement.statement();
  if (said.list != id() || said.vault != upper.vault->vault_id())
    return Forged(statement, "the statement belongs to another list");
  if (said.sequence >= next_sequence()) return Forged(statement, "the statement is newer than its list");
  if (const auto known = HashAt(said.sequence);
      known && (*known != statement.hash() || IsVoided(said.sequence))) {
    return Forged(statement, "the statement is not the one that the list has in its place");
  }
  const Identity* signer = SignerOf(said, upper);
  if (signer == nullptr || !statement.VerifySignature(signer->sign)) {
    return Forged(statement, "the statement's signature does not match");
  }
  if (upper.environment->HashAt(said.heads.environment->sequence) != said.heads.environment->hash ||
      upper.vault->HashAt(said.heads.vault->sequence) != said.heads.vault->hash) {
    return Forged(statement, "the statement was made over another history than the one served here (a fork)");
  }
  if (!Holds(said.signer, permission, said.act, &said.heads, upper)) {
    return Forged(statement, "the statement's signer did not hold the role that the act needs");
  }
  return {};
}

Result<Grant> SecretList::VerifyStanding(const SignedStatement& grant, const GrantProof& proof,
                                         const UpperLists& upper) const {
  GRANTFS_CHECK(VerifyLoose(grant, Permission::kOwner, upper));
  const auto* add = std::get_if<GrantAdd>(&grant.statement().act);
  if (add == nullptr) return Forged(grant, "the statement is not a grant");
  if (const Status agreed = CheckConsent(grant, upper); !agreed) return Forged(grant, agreed.error().where);
  if (upper.environment->two_owners() && !grant.statement().consent) {
    return Forged(grant,
                  "the grant has one owner's signature, and the environment's rule asks for two: an owner "
                  "grants it anew");
  }
  const Hash leaf = GrantLeaf(add->grant, grant.statement().sequence);
  if (!VerifyInclusion(leaf, proof.index, proof.leaves, proof.path, state_.grants)) {
    return Forged(grant,
                  "the grant does not stand in the secret's list: it was revoked, replaced or never made");
  }
  return add->grant;
}

Result<Grant> SecretList::VerifyGrant(const SignedStatement& grant, const GrantProof& proof,
                                      const Identity& machine, const UpperLists& upper) const {
  Grant standing = GRANTFS_TRY(VerifyStanding(grant, proof, upper));
  const Grantee& grantee = standing.grantee;
  if (grantee.kind != GranteeKind::kMachine || grantee.id != machine.Id() || grantee.seal != machine.seal)
    return Forged(grant, "the grant is for another machine");
  return standing;
}

Result<Grant> SecretList::VerifyGroupGrant(const SignedStatement& grant, const GrantProof& proof,
                                           const UpperLists& upper) const {
  Grant standing = GRANTFS_TRY(VerifyStanding(grant, proof, upper));
  if (upper.environment->groups().Find(standing.grantee) == nullptr)
    return Forged(grant, "the grant is for no group of the environment");
  return standing;
}

Result<VersionPublish> SecretList::VerifyVersion(const std::string& label, const SignedStatement& version,
                                                 const UpperLists& upper) const {
  const Hash* at = state_.ReadBy(label);
  if (at == nullptr) return Error{Code::kNotFound, "the grant's label points at no version", 0, label};
  if (*at != version.hash())
    return Forged(version, "the version is not the one that the secret's label points at");
  return VerifyOldVersion(version, upper);
}

Result<VersionPublish> SecretList::VerifyOldVersion(const SignedStatement& version,
                                                    const UpperLists& upper) const {
  GRANTFS_CHECK(VerifyLoose(version, Permission::kPublish, upper));
  const auto* publish = std::get_if<VersionPublish>(&version.statement().act);
  if (publish == nullptr) return Forged(version, "the statement publishes no version");
  if (publish->environment != upper.environment->name() || publish->path != state_.path) {
    return Forged(version, "the version belongs to another secret");
  }
  return *publish;
}

}  // namespace grantfs
