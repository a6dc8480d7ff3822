#include <algorithm>

#include "grantfs/crypto/merkle.h"
#include "grantfs/trust/lists.h"
#include "list_internal.h"

namespace grantfs {
namespace {

const Hash kSelf{};  // a label that points at the very statement that carries it

void TakeVersion(SecretState& state, const VersionPublish& act, const Hash& statement) {
  state.version = act.version;
  if (act.label.empty())
    MoveCurrent(state, statement);
  else
    state.labels[act.label] = statement;
}

std::optional<SecretList::GrantKey> GrantKeyOf(const Act& act) {
  if (const auto* add = std::get_if<GrantAdd>(&act)) {
    return SecretList::GrantKey{add->grant.grantee.kind, add->grant.grantee.number};
  }
  if (const auto* revoke = std::get_if<GrantRevoke>(&act))
    return SecretList::GrantKey{revoke->kind, revoke->number};
  return std::nullopt;
}

const std::string* PathNamed(const Act& act) {
  if (const auto* create = std::get_if<SecretCreate>(&act)) return &create->path;
  if (const auto* version = std::get_if<VersionPublish>(&act)) return &version->path;
  return nullptr;
}

}  // namespace

SecretList SecretList::Partial(std::uint64_t number, std::uint64_t first_sequence) {
  SecretList list(number);
  list.partial_ = true;
  list.first_ = first_sequence;
  return list;
}

const SecretList::Version* SecretList::FindVersion(const Hash& statement) const {
  for (const auto& [number, version] : versions_) {
    if (version.statement->hash() == statement) return &version;
  }
  return nullptr;
}

const SecretList::Version* SecretList::Current() const {
  const auto label = state_.labels.find(kCurrentLabel);
  return label == state_.labels.end() ? nullptr : FindVersion(label->second);
}

Result<Permission> SecretList::Needed(const Statement& statement) const {
  if (IsAnyOf<SecretCreate, VersionPublish, LabelMove, LabelRemove, SecretDescribe>(statement.act))
    return Permission::kPublish;
  if (IsAnyOf<GrantAdd, GrantRevoke, VersionDestroy, SecretDelete, SecretUndelete, SecretDestroy, Vouch, Void,
              Restore>(statement.act))
    return Permission::kOwner;
  return Misplaced(statement);
}

const Identity* SecretList::SignerOf(const Statement& statement, const UpperLists& upper) const {
  if (const Identity* member = upper.environment->FindIdentity(statement.signer)) return member;
  // In whichever time: the right is judged by the heads that it names.
  return upper.vault->FindIdentity(statement.signer);
}

bool SecretList::Holds(const Hash& signer, Permission permission, const Act& act, const SeenHeads* at,
                       const UpperLists& upper) const {
  if (permission == Permission::kVaultOwner) return false;
  const auto* held = at != nullptr ? upper.environment->TenureAt(signer, at->environment->sequence)
                                   : upper.environment->TenureOf(signer);
  if (held != nullptr && held->role == Role::kOwner) return true;
  if (held != nullptr && held->role == Role::kWriter && permission == Permission::kPublish) {
    const std::string* named = PathNamed(act);
    return (named != nullptr ? *named : state_.path).starts_with(held->prefix);
  }
  const std::uint64_t now = at != nullptr ? at->vault->sequence : upper.vault->next_sequence();
  return upper.vault->WasRecovery(signer, now) && IsAnyOf<Vouch, Void>(act);
}

bool SecretList::HeldSince(const Statement& statement, const SeenHeads* at, const UpperLists& upper) const {
  const EnvironmentList& environment = *upper.environment;
  const std::uint64_t now = at != nullptr ? at->environment->sequence : environment.next_sequence();
  const std::uint64_t vault_now = at != nullptr ? at->vault->sequence : upper.vault->next_sequence();
  return upper.vault->WasRecoveryThrough(statement.signer, statement.heads.vault->sequence, vault_now) ||
         environment.WasMemberThrough(statement.signer, statement.heads.environment->sequence, now);
}

bool SecretList::CountsByLast(const Statement& last, const UpperLists& upper) {
  const SecretList list(last.list.number);
  return list.HeldSince(last, nullptr, upper) &&
         list.Holds(last.signer, Permission::kOwner, last.act, nullptr, upper);
}

bool SecretList::TwoOwnersAt(const Statement& statement, const UpperLists& upper) const {
  return upper.environment->TwoOwnersAfter(statement.heads.environment->sequence);
}

bool SecretList::OwnsThrough(const Consent& consent, const Statement& statement,
                             const UpperLists& upper) const {
  return OwnsEnvironmentThrough(*upper.environment, consent, statement);
}

Status SecretList::CheckNew(const Statement& statement, const UpperLists& upper) const {
  const auto* version = std::get_if<VersionPublish>(&statement.act);
  if (version != nullptr && version->epoch != upper.environment->newest_epoch().number) {
    return Error{Code::kConflict,
                 "the version is sealed to an environment key that is no longer the newest: read the lists "
                 "again, and seal it anew",
                 0, state_.path};
  }
  if (version != nullptr) GRANTFS_CHECK(CheckGroups(statement.time, upper));
  const auto* grant = std::get_if<GrantAdd>(&statement.act);
  // By the newest rule, whatever older head the statement names.
  if (grant != nullptr && upper.environment->two_owners() && !statement.consent) {
    return Error{Code::kDenied, "a grant here needs the signatures of two owners, by the environment's rule",
                 0, state_.path};
  }
  if (grant != nullptr && grant->grant.grantee.kind == GranteeKind::kGroup &&
      upper.environment->groups().Find(grant->grant.grantee) == nullptr) {
    return Error{Code::kInvalid, "the environment has no such group", 0, grant->grant.grantee.name};
  }
  if (grant != nullptr && upper.vault->IsRemoved(grant->grant.grantee.id)) {
    return Error{Code::kInvalid, "the machine was removed and can be granted nothing", 0,
                 grant->grant.grantee.name};
  }
  return {};
}

// Labels and root as the statement claims them, "this very statement" resolved.
static SecretState Resolved(const SignedStatement& statement) {
  SecretState state = *statement.statement().state;
  for (auto& [label, version] : state.labels) {
    if (version == kSelf) version = statement.hash();
  }
  return state;
}

Status SecretList::CheckClaimedState(const SignedStatement& statement) const {
  if (Resolved(statement) == state_) return {};
  return Nonsense(statement, "the statement claims labels or grants that do not follow from the list");
}

Result<SecretState> SecretList::StateAfter(const Act& act, const UpperLists& upper) const {
  if (const auto* taken_back = std::get_if<Void>(&act)) {
    SecretList after = *this;
    const auto from = IndexOf(taken_back->from);
    if (!from || *from == 0) {
      return Error{Code::kInvalid, "the void names no statement of the list"};
    }
    for (std::size_t i = *from; i < after.entries_.size(); ++i) after.entries_[i].voided = true;
    GRANTFS_CHECK(after.Rebuild(upper));
    return after.state_;
  }
  if (auto life = StateOfLife(act)) return *std::move(life);
  SecretState state = state_;
  if (const auto* create = std::get_if<SecretCreate>(&act)) state = {{}, MerkleRoot({}), create->path, 0};
  if (const auto* version = std::get_if<VersionPublish>(&act)) TakeVersion(state, *version, kSelf);
  if (const auto* add = std::get_if<GrantAdd>(&act)) {
    const Hash leaf = GrantLeaf(add->grant, next_sequence());
    MerkleTree tree = grants_tree_;
    SetLeaf(tree, {add->grant.grantee.kind, add->grant.grantee.number}, &leaf);
    state.grants = tree.Root();
  }
  if (const auto* revoke = std::get_if<GrantRevoke>(&act)) {
    MerkleTree tree = grants_tree_;
    if (!SetLeaf(tree, {revoke->kind, revoke->number}, nullptr))
      return Error{Code::kNotFound, "there is no such grant", 0, state_.path};
    state.grants = tree.Root();
  }
  return state;
}

// Machines' numbers rise, so that what comes goes to the end mostly.
std::size_t SecretList::PlaceOf(std::map<GrantKey, StandingGrant>::const_iterator grant) const {
  if (grant == grants_.end()) return grants_.size();
  return static_cast<std::size_t>(std::distance(grants_.begin(), grant));
}

bool SecretList::SetLeaf(MerkleTree& tree, const GrantKey& key, const Hash* leaf) const {
  const auto at = grants_.lower_bound(key);
  const bool stands = at != grants_.end() && at->first == key;
  if (leaf != nullptr) {
    stands ? tree.Replace(PlaceOf(at), *leaf) : tree.Insert(PlaceOf(at), *leaf);
  } else if (stands) {
    tree.Erase(PlaceOf(at));
  }
  return stands;
}

void SecretList::PutGrant(const GrantKey& key, StandingGrant standing) {
  SetLeaf(grants_tree_, key, &standing.leaf);
  grants_.insert_or_assign(key, std::move(standing));
}

bool SecretList::DropGrant(const GrantKey& key) {
  SetLeaf(grants_tree_, key, nullptr);
  return grants_.erase(key) != 0;
}

void SecretList::DropGrants() {
  grants_.clear();
  grants_tree_.Clear();
}

Status SecretList::ApplyCreate(const SecretCreate& act, const Statement& statement, const UpperLists& upper) {
  if (act.number < upper.vault->NumbersFrom(statement.heads.vault->sequence))
    return Error{Code::kInvalid, "the secret's number may have been another's, which a restored backup lost",
                 0, act.path};
  if (act.number != id().number)
    return Error{Code::kInvalid, "the creation names another secret's number", 0, act.path};
  if (act.environment != upper.environment->name()) {
    return Error{Code::kInvalid, "the secret was created in another environment", 0, act.path};
  }
  create_ = act;
  about_ = {act.owner, act.description};
  state_ = {{}, MerkleRoot({}), act.path, 0};
  return {};
}

Status SecretList::ApplyVersion(const VersionPublish& act, const StatementPtr& statement,
                                const UpperLists& upper) {
  if (act.environment != upper.environment->name() || act.path != state_.path) {
    return Nonsense(*statement, "the version names another secret");
  }
  if (act.version != next_version()) return Nonsense(*statement, "the version's number is not the next one");
  if (!partial_ && act.parts.empty() != (create_.type == SecretType::kValue)) {
    return Nonsense(*statement, "a template's versions name its parts, and a value's have none");
  }
  if (act.epoch != upper.environment->EpochAt(statement->statement().heads.environment->sequence)) {
    return Nonsense(*statement, "the version is not sealed to the newest environment key of its heads");
  }
  if (state_.deleted) return Nonsense(*statement, kWhereDeleted);
  versions_[act.version] = {act, statement};
  TakeVersion(state_, act, statement->hash());
  return {};
}

Status SecretList::ApplyGrant(const Grant& grant, const StatementPtr& statement) {
  if (state_.deleted) return Nonsense(*statement, kWhereDeleted);
  if (partial_) {
    state_.grants = statement->statement().state->grants;
    return {};
  }
  const std::uint64_t sequence = statement->statement().sequence;
  PutGrant({grant.grantee.kind, grant.grantee.number},
           {grant, sequence, GrantLeaf(grant, sequence), statement});
  state_.grants = grants_tree_.Root();
  return {};
}

Status SecretList::ApplyRevoke(const GrantRevoke& act, const StatementPtr& statement) {
  if (partial_) {
    state_.grants = statement->statement().state->grants;
    return {};
  }
  if (!DropGrant({act.kind, act.number})) return Nonsense(*statement, "there is no such grant to revoke");
  state_.grants = grants_tree_.Root();
  return {};
}

// A machine's view begins with a statement whose claimed state it takes as given: an owner's.
Status SecretList::ApplyFirstOfPartial(const SignedStatement& statement, const UpperLists& upper) {
  const Statement& said = statement.statement();
  const auto role = upper.environment->RoleAt(said.signer, said.heads.environment->sequence);
  if (role != Role::kOwner || !IsAnyOf<GrantAdd, GrantRevoke, Restore>(said.act)) {
    return Nonsense(statement, "a machine's view of a secret must begin where an owner set its grants");
  }
  state_ = Resolved(statement);
  return {};
}

Status SecretList::ApplyAct(const StatementPtr& statement, const UpperLists& upper) {
  const Act& act = statement->statement().act;
  if (destroyed_ && !std::holds_alternative<Vouch>(act))
    return Nonsense(*statement, "the secret was destroyed, and nothing follows that");
  if (const auto* create = std::get_if<SecretCreate>(&act))
    return ApplyCreate(*create, statement->statement(), upper);
  if (const auto* version = std::get_if<VersionPublish>(&act))
    return ApplyVersion(*version, statement, upper);
  if (const auto* add = std::get_if<GrantAdd>(&act)) return ApplyGrant(add->grant, statement);
  if (const auto* revoke = std::get_if<GrantRevoke>(&act)) return ApplyRevoke(*revoke, statement);
  return ApplyLife(statement);
}

Status SecretList::Apply(const StatementPtr& statement, const UpperLists& upper) {
  const Statement& said = statement->statement();
  const bool creates = std::holds_alternative<SecretCreate>(said.act);
  if (creates != (said.sequence == 0)) {
    return Nonsense(*statement, "a secret's list begins with its creation, and only there");
  }
  if (partial_ && said.sequence == first_ && !creates) return ApplyFirstOfPartial(*statement, upper);
  const SecretState state = state_;
  const auto key = GrantKeyOf(said.act);
  const auto standing = key && grants_.contains(*key) ? std::optional(grants_.at(*key)) : std::nullopt;
  Status applied = ApplyAct(statement, upper);
  if (applied) applied = CheckClaimedState(*statement);
  if (applied) return {};
  state_ = state;  // as if it had not been tried
  versions_.erase(versions_.upper_bound(state_.version), versions_.end());
  if (key) DropGrant(*key);
  if (standing) PutGrant(*key, *standing);
  return applied;
}

void SecretList::PassOver(const Statement& statement) {
  if (const auto* version = std::get_if<VersionPublish>(&statement.act)) state_.version = version->version;
  if (const auto* restore = std::get_if<Restore>(&statement.act))
    state_.version = std::max(state_.version, restore->version);
}

void SecretList::Reset() {
  create_ = {};
  about_ = {};
  state_ = {};
  destroyed_ = false;
  versions_.clear();
  ended_.clear();
  gone_.clear();
  DropGrants();
}

std::vector<SecretList::Target> SecretList::SealTargets(std::int64_t time, const UpperLists& upper) const {
  const Epoch& epoch = upper.environment->newest_epoch();
  const EnvironmentGroups& groups = upper.environment->groups();
  const auto& entry = upper.vault->environments().at(upper.environment->name());
  std::vector<Target> targets{
      {{RecipientKind::kEnvironment, entry.number, epoch.number}, epoch.key, upper.environment->name()}};
  std::set<std::uint64_t> sealed;
  const auto over = [&](std::int64_t end) { return end != 0 && end <= time; };
  const auto add_group = [&](const Grant& grant) {
    const auto* group = over(grant.expires) ? nullptr : groups.Find(grant.grantee);
    if (group != nullptr && sealed.insert(group->number).second)
      targets.push_back({group->recipient(), group->seal(), "@" + group->name});
  };
  for (const auto& [key, standing] : grants_) {
    const Grantee& grantee = standing.grant.grantee;
    if (!standing.IsInForce(*upper.environment)) continue;
    if (grantee.kind == GranteeKind::kGroup) {
      add_group(standing.grant);
      continue;
    }
    if (over(standing.grant.expires) || over(grantee.not_after) || upper.vault->IsRemoved(grantee.id))
      continue;
    targets.push_back({{RecipientKind::kMachine, grantee.number, 0}, grantee.seal, grantee.name});
  }
  for (const auto* standing : groups.Covering(state_.path)) add_group(standing->act.grant);
  return targets;
}

// Who has left the environment has had its groups' keys too. Those of its next epoch come with its departure;
// where a vault shows the one without the other, nothing more is sealed to them.
Status SecretList::CheckGroups(std::int64_t time, const UpperLists& upper) const {
  const auto owing = upper.environment->groups().OwingEpoch(upper.environment->newest_epoch().number);
  if (owing.empty()) return {};
  for (const Target& target : SealTargets(time, upper)) {
    if (target.recipient.kind != RecipientKind::kGroup ||
        std::find(owing.begin(), owing.end(), target.recipient.number) == owing.end())
      continue;
    return Error{Code::kConflict,
                 "a group's key is older than the environment's, which somebody left, or than the rule that "
                 "two owners sign: "
                 "read the lists again, or let an owner start the group's next epoch",
                 0, target.name};
  }
  return {};
}

}  // namespace grantfs
