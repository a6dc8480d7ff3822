#include "append_plan_internal.h"
#include "granted_internal.h"
#include "grantfs/crypto/merkle.h"

// A machine's listing: each grant with what proves it.

namespace grantfs {
namespace {

/// The last statement of a whole list that set the root of the grants and counts.
std::uint64_t RootSequence(const SecretList& list, const std::vector<SignedList::StatementPtr>& statements) {
  for (auto at = statements.rbegin(); at != statements.rend(); ++at) {
    const Statement& said = (*at)->statement();
    if (SetsGrantsRoot(said.act) && !list.IsVoided(said.sequence)) return said.sequence;
  }
  return 0;
}

/// One machine's listing as it is put together.
class GrantLister {
 public:
  GrantLister(Vault::Core& core, StoreReader& reader, const VaultCaller& caller)
      : core_(core), reader_(reader), caller_(caller) {}

  /// Nothing, where it is not granted.
  Status Add(std::uint64_t number, std::uint64_t from) {
    const auto secret = GRANTFS_TRY(reader_.GetSecret(number));
    if (!secret || secret->destroyed) return {};
    const auto grant = GRANTFS_TRY(FindGrantedBy(reader_, caller_, *secret, core_.Now()));
    if (!grant) return {};
    const auto list = GRANTFS_TRY(core_.LoadSecret(reader_, *secret));
    api::GrantEvidence evidence;
    evidence.secret = number;
    evidence.environment = secret->environment;
    evidence.path = secret->path;
    if (grant->prefix) {
      evidence.prefix = {*grant->prefix, grant->number};
    } else {
      const SecretList::GrantKey key{grant->kind, grant->number};
      const auto standing = list->grants().find(key);
      const auto proof = list->ProveGrant(key);
      if (standing == list->grants().end() || !proof)
        return Error{Code::kIntegrity, "a grant's row contradicts the secret's list", 0, secret->path};
      evidence.grant = standing->second.statement->envelope();
      evidence.proof = *proof;
    }
    if (const Hash* at = list->state().ReadBy(grant->label)) {
      if (const auto* version = list->FindVersion(*at)) evidence.version = version->statement->envelope();
    }
    bytes_ += evidence.grant.size() + evidence.version.size();
    AddTail(*list, from, &evidence);
    grants_.push_back(std::move(evidence));
    return {};
  }

  /// About as much as one response should have is there.
  bool full() const { return bytes_ >= api::kStatementBytes; }
  std::vector<api::GrantEvidence> Take() { return std::move(grants_); }

 private:
  void AddTail(const SecretList& list, std::uint64_t from, api::GrantEvidence* evidence) {
    // A restore sets the root too: behind the last one that did no sequence is left out. One that was voided has
    // left out as many as it liked all the same.
    const auto statements = list.Statements();
    const std::uint64_t root = RootSequence(list, statements);
    evidence->first = from == 0 || root > from ? root : from + 1;
    for (const auto& statement : statements) {
      if (statement->statement().sequence < evidence->first) continue;
      evidence->more = (full() || evidence->statements.size() >= api::kMaxStatements) && !evidence->statements.empty();
      if (evidence->more) break;
      evidence->statements.push_back(statement->envelope());
      bytes_ += evidence->statements.back().size();
    }
  }

  Vault::Core& core_;
  StoreReader& reader_;
  const VaultCaller& caller_;
  std::size_t bytes_ = 0;
  std::vector<api::GrantEvidence> grants_;
};

Status AddEnvironments(StoreReader& reader, const VaultCaller& caller, api::GrantsResponse* response) {
  for (std::string& name : GRANTFS_TRY(reader.EnvironmentsOf(GranteeKind::kMachine, caller.machine))) {
    const auto head = GRANTFS_TRY(reader.FindHead(ListId::Environment(name).Text()));
    if (head) response->environments.push_back({std::move(name), *head});
  }
  return {};
}

Status AddGroups(StoreReader& reader, const VaultCaller& caller, api::GrantsResponse* response) {
  for (StoredGroupCopy& one : GRANTFS_TRY(reader.GroupsOf(RecipientKind::kMachine, caller.machine))) {
    if (response->groups.size() == api::kMaxOwnGroups) return {};
    response->groups.push_back({one.environment, one.group, one.epoch, std::move(one.copy.sealed)});
  }
  return {};
}

Status AddPage(GrantLister& lister, StoreReader& reader, const VaultCaller& caller,
               const api::GrantsRequest& request, api::GrantsResponse* response) {
  const auto secrets =
      GRANTFS_TRY(reader.SecretsFor(caller.machine, request.after, request.limit + 1));
  std::size_t sent = 0;
  for (; sent < secrets.size() && sent < request.limit && !lister.full(); ++sent)
    GRANTFS_CHECK(lister.Add(secrets[sent], 0));
  response->more = sent < secrets.size();
  return {};
}

Status AddAsked(GrantLister& lister, const api::GrantsRequest& request, api::GrantsResponse* response) {
  for (const auto& asked : request.secrets) {
    if (lister.full()) {
      response->more = true;
      return {};
    }
    GRANTFS_CHECK(lister.Add(asked.number, asked.from));
  }
  return {};
}

}  // namespace

Result<api::GrantsResponse> Vault::MachineGrants(const VaultCaller& caller,
                                                 const api::GrantsRequest& request) const {
  const auto reader = GRANTFS_TRY(core_->store.Read());
  api::GrantsResponse response;
  const auto head = GRANTFS_TRY(reader->FindHead(ListId::Vault().Text()));
  if (!head) return Error{Code::kIntegrity, "the vault's list is missing: restore a backup"};
  response.vault_head = *head;
  GRANTFS_CHECK(AddEnvironments(*reader, caller, &response));
  GRANTFS_CHECK(AddGroups(*reader, caller, &response));
  response.freezes = GRANTFS_TRY(FreezesFor(*reader, caller));
  GrantLister lister(*core_, *reader, caller);
  if (request.secrets.empty()) {
    GRANTFS_CHECK(AddPage(lister, *reader, caller, request, &response));
  } else {
    GRANTFS_CHECK(AddAsked(lister, request, &response));
  }
  response.grants = lister.Take();
  return response;
}

}  // namespace grantfs
