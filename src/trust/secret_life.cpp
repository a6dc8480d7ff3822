// Labels that move, and what is deleted and destroyed.

#include <algorithm>

#include "grantfs/crypto/merkle.h"
#include "grantfs/trust/lists.h"
#include "list_internal.h"

namespace grantfs {

void MoveCurrent(SecretState& state, const Hash& to) {
  const auto current = state.labels.find(kCurrentLabel);
  if (current != state.labels.end()) state.labels[kPreviousLabel] = current->second;
  state.labels[kCurrentLabel] = to;
  const auto next = state.labels.find(kNextLabel);
  if (next != state.labels.end() && next->second == to) state.labels.erase(next);
}

std::vector<std::string> SecretList::LabelsAt(const std::vector<std::uint32_t>& versions) const {
  std::vector<std::string> labels;
  for (const auto& [label, statement] : state_.labels) {
    const Version* version = FindVersion(statement);
    if (version != nullptr &&
        std::find(versions.begin(), versions.end(), version->publish.version) != versions.end())
      labels.push_back(label);
  }
  return labels;
}

bool SecretList::MayBeThere(std::uint32_t version) const {
  if (versions_.contains(version)) return true;
  return partial_ && version <= state_.version && !ended_.contains(version) && !gone_.contains(version);
}

// A machine's list knows few versions: of another it takes the signer's word, and holds whatever is served
// as that version against it.
Result<SecretState> SecretList::StateAfterMove(const LabelMove& act) const {
  const auto refuse = [&](const char* why) { return Error{Code::kInvalid, why, 0, state_.path}; };
  if (state_.deleted) return refuse(kWhereDeleted);
  const auto known = versions_.find(act.version);
  const bool there =
      known != versions_.end() ? known->second.statement->hash() == act.statement : MayBeThere(act.version);
  if (!there) return refuse("the label would move to a version that is not there");
  const auto current = state_.labels.find(kCurrentLabel);
  if (current != state_.labels.end() && current->second == act.statement)
    return refuse("the version is current already");
  SecretState state = state_;
  MoveCurrent(state, act.statement);
  return state;
}

Result<SecretState> SecretList::StateAfterDestroying(const VersionDestroy& act) const {
  const auto refuse = [&](const char* why) { return Error{Code::kInvalid, why, 0, state_.path}; };
  const auto there = [&](std::uint32_t number) { return MayBeThere(number); };
  if (act.versions.empty() || !std::all_of(act.versions.begin(), act.versions.end(), there))
    return refuse("a version that would be destroyed is not there");
  SecretState state = state_;
  for (const std::string& label : act.labels) {
    if (label == kCurrentLabel) return refuse("the version that is current is not destroyed by itself");
    if (state.labels.erase(label) == 0) return refuse("a label that would go is not there");
  }
  const auto pointing = LabelsAt(act.versions);
  const bool all = std::includes(act.labels.begin(), act.labels.end(), pointing.begin(), pointing.end());
  if (!all || (!partial_ && pointing.size() != act.labels.size()))
    return refuse("the labels that would go are not those that point at the versions");
  return state;
}

std::optional<Result<SecretState>> SecretList::StateOfLife(const Act& act) const {
  const auto refuse = [&](const char* why) -> Result<SecretState> {
    return Error{Code::kInvalid, why, 0, state_.path};
  };
  if (const auto* move = std::get_if<LabelMove>(&act)) return StateAfterMove(*move);
  if (const auto* destroy = std::get_if<VersionDestroy>(&act)) return StateAfterDestroying(*destroy);
  SecretState state = state_;
  if (const auto* remove = std::get_if<LabelRemove>(&act)) {
    if (state_.deleted) return refuse(kWhereDeleted);
    if (remove->label != kNextLabel || state.labels.erase(remove->label) == 0)
      return refuse("the label that would go is not there");
  } else if (std::holds_alternative<SecretDelete>(act)) {
    if (state_.deleted) return refuse("the secret is deleted already");
    state.deleted = true;
  } else if (std::holds_alternative<SecretUndelete>(act)) {
    if (!state_.deleted) return refuse("the secret is not deleted");
    state.deleted = false;
  } else if (std::holds_alternative<SecretDestroy>(act)) {
    state = {{}, MerkleRoot({}), state_.path, state_.version, true};
  } else if (const auto* restore = std::get_if<Restore>(&act)) {
    if (restore->version < state_.version) return refuse("a restore gives no version's number free");
    state.version = restore->version;
  } else if (!std::holds_alternative<SecretDescribe>(act)) {
    return std::nullopt;
  }
  return Result<SecretState>(std::move(state));
}

// The claim is held against the state before anything else is changed: what fails has left no trace.
Status SecretList::ApplyLife(const StatementPtr& statement) {
  const Act& act = statement->statement().act;
  const auto after = StateOfLife(act);
  if (!after) return {};  // a vouch
  if (!*after) return Nonsense(*statement, after->error().where);
  state_ = **after;
  GRANTFS_CHECK(CheckClaimedState(*statement));
  if (const auto* about = std::get_if<SecretDescribe>(&act)) about_ = *about;
  if (const auto* destroy = std::get_if<VersionDestroy>(&act)) {
    for (const std::uint32_t number : destroy->versions) {
      const auto version = versions_.find(number);
      if (version == versions_.end()) {
        gone_.insert(number);
        continue;
      }
      ended_[number] = {version->second, statement};
      versions_.erase(version);
    }
  }
  if (std::holds_alternative<SecretDestroy>(act)) {
    destroyed_ = true;
    for (auto& [number, version] : versions_) ended_[number] = {std::move(version), statement};
    versions_.clear();
    DropGrants();
  }
  return {};
}

}  // namespace grantfs
