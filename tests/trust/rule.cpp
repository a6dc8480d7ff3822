#include "rule.h"

#include <algorithm>

#include "grantfs/crypto/merkle.h"

namespace grantfs::testing {
namespace {

bool NeedsOwner(const Act& act) { return !IsAnyOf<SecretCreate, VersionPublish, LabelMove>(act); }

bool Mends(const Act& act) { return std::holds_alternative<Vouch>(act) || std::holds_alternative<Void>(act); }

bool SetsGrants(const Act& act) {
  return std::holds_alternative<GrantAdd>(act) || std::holds_alternative<GrantRevoke>(act);
}

std::string PathOf(const Statement& said) {
  if (const auto* create = std::get_if<SecretCreate>(&said.act)) return create->path;
  if (const auto* version = std::get_if<VersionPublish>(&said.act)) return version->path;
  return said.state->path;
}

SecretState Claimed(const SignedStatement& statement) {
  SecretState state = *statement.statement().state;
  for (auto& [label, version] : state.labels) version = version == Hash{} ? statement.hash() : version;
  return state;
}

Hash LeafOf(const Statement& said) {
  const auto* add = std::get_if<GrantAdd>(&said.act);
  return add == nullptr ? Hash{} : GrantLeaf(add->grant, said.sequence);
}

Hash Root(const std::map<std::uint64_t, Hash>& grants) {
  std::vector<Hash> leaves;
  for (const auto& [number, leaf] : grants) leaves.push_back(leaf);
  return MerkleRoot(leaves);
}

}  // namespace

bool Rule::MayAt(const Statement& said, bool needs_owner, std::uint64_t environment) const {
  if (said.signer == past_->recovery) return Mends(said.act);
  const auto& members = past_->members.at(environment);
  const auto member = members.find(said.signer);
  if (member == members.end()) return false;
  if (member->second.role == Role::kOwner) return true;
  return member->second.role == Role::kWriter && !needs_owner &&
         PathOf(said).starts_with(member->second.prefix);
}

bool Rule::Unbroken(const Hash& signer, std::uint64_t from, std::uint64_t to) const {
  if (signer == past_->recovery) return true;
  for (std::uint64_t i = from; i <= to; ++i) {
    if (!past_->members[i].contains(signer)) return false;
  }
  return true;
}

bool Rule::HasRight(const Statement& said) const {
  for (const Entry& entry : entries_) {
    const SeenHeads& before = entry.statement->statement().heads;
    if (!entry.stands || entry.voided) continue;
    if (said.heads.vault->sequence < before.vault->sequence) return false;
    if (said.heads.environment->sequence < before.environment->sequence) return false;
  }
  return MayAt(said, NeedsOwner(said.act), said.heads.environment->sequence);
}

bool Rule::HoldsStill(const Entry& entry, bool needs_owner, std::uint64_t at) const {
  const Statement& said = entry.statement->statement();
  return entry.stands && !entry.voided && Unbroken(said.signer, said.heads.environment->sequence, at) &&
         MayAt(said, needs_owner, at);
}

bool Rule::Counts(std::size_t i, std::uint64_t at) const {
  const bool needs_owner = NeedsOwner(entries_[i].statement->statement().act);
  return entries_[i].stands &&
         std::any_of(entries_.begin() + static_cast<std::ptrdiff_t>(i), entries_.end(),
                     [&](const Entry& entry) { return HoldsStill(entry, needs_owner, at); });
}

std::optional<std::uint64_t> Rule::FirstUncountedAt(std::uint64_t environment) const {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (!entries_[i].voided && !Counts(i, environment)) return first_ + i;
  }
  return std::nullopt;
}

void Rule::Follow(Now& now, const SignedStatement& statement, const Hash& leaf) const {
  const Statement& said = statement.statement();
  if (first_ != 0 && SetsGrants(said.act)) now.state.grants = said.state->grants;
  if (const auto* create = std::get_if<SecretCreate>(&said.act)) now.state = {{}, Root({}), create->path, 0};
  const auto lead = [&](const Hash& to) {
    if (now.state.labels.contains("current")) now.state.labels["previous"] = now.state.labels["current"];
    now.state.labels["current"] = to;
    if (now.state.labels.contains("next") && now.state.labels["next"] == to) now.state.labels.erase("next");
  };
  if (const auto* version = std::get_if<VersionPublish>(&said.act)) {
    if (version->label == "next") now.state.labels["next"] = statement.hash();
    if (version->label.empty()) lead(statement.hash());
    now.state.version = version->version;
  }
  if (const auto* move = std::get_if<LabelMove>(&said.act)) lead(move->statement);
  if (std::holds_alternative<SecretDelete>(said.act)) now.state.deleted = true;
  if (std::holds_alternative<SecretUndelete>(said.act)) now.state.deleted = false;
  if (const auto* add = std::get_if<GrantAdd>(&said.act)) now.grants[add->grant.grantee.number] = leaf;
  if (const auto* revoke = std::get_if<GrantRevoke>(&said.act)) now.grants.erase(revoke->number);
  if (first_ == 0) now.state.grants = Root(now.grants);
}

Rule::Now Rule::Replay() const {
  Now now;
  for (const Entry& entry : entries_) {
    if (!entry.stands) continue;
    const auto* version = std::get_if<VersionPublish>(&entry.statement->statement().act);
    if (entry.voided) {
      if (version != nullptr) now.state.version = version->version;
    } else if (first_ != 0 && &entry == &entries_.front()) {
      now.state = Claimed(*entry.statement);
    } else {
      Follow(now, *entry.statement, entry.leaf);
    }
  }
  return now;
}

bool Rule::MayMove(const LabelMove& move, const Now& now) const {
  const auto current = now.state.labels.find("current");
  if (current != now.state.labels.end() && current->second == move.statement) return false;
  for (const Entry& entry : entries_) {
    const auto* version = std::get_if<VersionPublish>(&entry.statement->statement().act);
    if (entry.stands && !entry.voided && version != nullptr && version->version == move.version)
      return entry.statement->hash() == move.statement;
  }
  return first_ != 0 && move.version <= now.state.version;
}

bool Rule::MakesSense(const SignedStatement& statement) const {
  const Statement& said = statement.statement();
  if (std::holds_alternative<SecretCreate>(said.act) != (said.sequence == 0)) return false;
  if (first_ != 0 && entries_.empty()) return SetsGrants(said.act);
  Now now = Replay();
  if (const auto* version = std::get_if<VersionPublish>(&said.act)) {
    if (version->path != now.state.path || version->version != now.state.version + 1 ||
        version->epoch != past_->epochs.at(said.heads.environment->sequence)) {
      return false;
    }
  }
  if (now.state.deleted && IsAnyOf<VersionPublish, LabelMove, GrantAdd, SecretDelete>(said.act)) return false;
  if (!now.state.deleted && std::holds_alternative<SecretUndelete>(said.act)) return false;
  const auto* move = std::get_if<LabelMove>(&said.act);
  if (move != nullptr && !MayMove(*move, now)) return false;
  const auto* revoke = std::get_if<GrantRevoke>(&said.act);
  if (revoke != nullptr && first_ == 0 && !now.grants.contains(revoke->number)) return false;
  Follow(now, statement, LeafOf(said));
  return now.state == Claimed(statement);
}

bool Rule::VoidStands(const SignedStatement& statement, const Void& act) const {
  if (act.from <= first_ || act.from >= first_ + entries_.size()) return false;
  if (entries_[act.from - first_].statement->hash() != act.hash) return false;
  if (FirstUncountedAt(statement.statement().heads.environment->sequence) != act.from) return false;
  Rule after = *this;
  for (std::size_t i = act.from - first_; i < after.entries_.size(); ++i) after.entries_[i].voided = true;
  return after.State() == Claimed(statement);
}

bool Rule::CouldStand(const SignedStatement& statement) const {
  if (!HasRight(statement.statement())) return false;
  if (const auto* act = std::get_if<Void>(&statement.statement().act)) return VoidStands(statement, *act);
  const bool after_bad = std::any_of(entries_.begin(), entries_.end(),
                                     [](const Entry& entry) { return !entry.stands && !entry.voided; });
  return !after_bad && MakesSense(statement);
}

void Rule::Take(const SignedList::StatementPtr& statement) {
  const bool stands = CouldStand(*statement);
  const auto* act = std::get_if<Void>(&statement->statement().act);
  if (stands && act != nullptr) {
    for (std::size_t i = act->from - first_; i < entries_.size(); ++i) entries_[i].voided = true;
  }
  entries_.push_back({statement, LeafOf(statement->statement()), stands, false});
}

}  // namespace grantfs::testing
