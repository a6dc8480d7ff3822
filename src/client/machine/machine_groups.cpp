// The groups that a machine is in, and what it may read by them.

#include "grantfs/log/log.h"
#include "machine_internal.h"

namespace grantfs {
namespace {

const EnvironmentGroups::Group* FindGroup(const MachineView& view, const std::string& environment,
                                          std::uint64_t number) {
  const auto list = view.environments.find(environment);
  return list == view.environments.end() ? nullptr : list->second->groups().Find(number);
}

/// Whether the vault has not shown the keys that belong to the environments it has shown.
bool AreBehind(const MachineView& view, const std::vector<api::OwnGroupKey>& own) {
  return std::any_of(own.begin(), own.end(), [&](const api::OwnGroupKey& key) {
    const auto* group = FindGroup(view, key.environment, key.group);
    return group != nullptr && key.epoch < group->newest().epoch.number;
  });
}

constexpr int kMaxLooks = 3;

}  // namespace

const EnvironmentGroups::Group* MachineView::GroupOf(const std::string& environment,
                                                     std::uint64_t number) const {
  const auto* group = FindGroup(*this, environment, number);
  const auto keys = groups.find({environment, number});
  if (group != nullptr && environments.at(environment)->groups().IsOlderThanRule(*group)) return nullptr;
  return group != nullptr && keys != groups.end() && keys->second->IsNewest(*group) ? group : nullptr;
}

// A new epoch may come between the answer and the list: then the machine's copy of it is there by now.
Status MachineSessionImpl::TakeGroups(MachineView& next, const api::GrantsResponse& response) {
  std::vector<api::OwnGroupKey> own = response.groups;
  for (int looks = 0; AreBehind(next, own) && looks < kMaxLooks; ++looks) {
    api::GrantsRequest request;
    request.after = kMaxSecretNumber;
    request.limit = 1;
    const auto again = GRANTFS_TRY(vault_->Ask<api::GrantsResponse>(api::kMachineGrants, request));
    GRANTFS_CHECK(TakeVault(next, &again.vault_head));
    for (const auto& environment : again.environments)
      GRANTFS_CHECK(TakeEnvironment(next, environment.name, &environment.head));
    own = again.groups;
  }
  UseGroups(next, own);
  return {};
}

void MachineSessionImpl::UseGroups(MachineView& next, const std::vector<api::OwnGroupKey>& own) {
  GroupKeyRing ring;
  next.group_problems.clear();
  for (const api::OwnGroupKey& key : own) {
    const auto* group = FindGroup(next, key.environment, key.group);
    if (group == nullptr) continue;
    const auto held = next.groups.find({key.environment, key.group});
    if (held != next.groups.end() && held->second->own() == key && held->second->IsNewest(*group)) {
      ring.insert(*held);
      continue;
    }
    auto opened = GroupKeys::Open(me_.unseal_key(), key, *group);
    if (opened)
      ring[{key.environment, key.group}] = std::move(*opened);
    else
      next.group_problems.push_back(Describe(opened.error()));
  }
  next.groups = std::move(ring);
  ForgetForeign(next);
}

// What was read by a group that the machine has left is not granted to it. The vault may show it again when
// it is back: then it is proven by the group's key, so nothing of it is remembered as revoked.
void MachineSessionImpl::ForgetForeign(MachineView& next) {
  std::erase_if(next.secrets, [&](const auto& entry) {
    const SecretView& secret = *entry.second;
    if (secret.group == 0 || next.GroupOf(secret.environment, secret.group) != nullptr) return false;
    left_.insert(entry.first);
    return true;
  });
}

std::string MachineSessionImpl::TextOfGroups(const MachineView& view) {
  Json list = Json::Array();
  for (const auto& [place, keys] : view.groups) list.Append(keys->own().ToJson());
  return list.Dump();
}

Status MachineSessionImpl::LoadGroups(MachineView& next) {
  const std::string text = GRANTFS_TRY(known_->Groups());
  std::vector<api::OwnGroupKey> own;
  if (!text.empty()) {
    const Json list = GRANTFS_TRY(ParseJson(text, {.max_bytes = api::kMaxResponseBytes}));
    if (!list.is(Json::Kind::kArray))
      return Error{Code::kIntegrity, "what it keeps of groups is damaged", 0, home_.KnownPath()};
    for (const Json& item : list.Items()) own.push_back(GRANTFS_TRY(api::OwnGroupKey::FromJson(item)));
  }
  UseGroups(next, own);
  return {};
}

Result<SecretMemory> MachineSessionImpl::OpenKey(const api::ReadResponse& response,
                                                 const VersionPublish& publish) const {
  const ValueContext context{home_.profile().vault, publish.environment, response.secret, publish.version,
                             publish.epoch};
  if (response.group == 0) return OpenDataKey(me_.unseal_key(), response.sealed, publish.commitment, context);
  const auto now = view();
  const auto* group = now->GroupOf(publish.environment, response.group);
  if (group == nullptr)
    return Error{Code::kIntegrity,
                 "the vault answered with what is sealed to a group that this machine is not in"};
  return now->groups.at({publish.environment, response.group})
      ->OpenDataKey(*group, response.group_epoch, response.sealed, publish.commitment, context);
}

bool RefreshGroupTerms(std::shared_ptr<const SecretView>& secret, const EnvironmentList& environment) {
  const EnvironmentGroups& groups = environment.groups();
  if (!secret->prefix) return groups.Find(secret->terms.grantee) != nullptr;
  const auto* standing = groups.FindPrefix(*secret->prefix);
  if (standing == nullptr) return false;
  if (standing->sequence == secret->prefix_sequence) return true;
  if (standing->act.grant.label != secret->terms.label) return false;
  auto renewed = std::make_shared<SecretView>(*secret);
  renewed->terms = standing->act.grant;
  renewed->prefix_sequence = standing->sequence;
  renewed->unenforceable = UnenforceableReason(renewed->terms);
  secret = std::move(renewed);
  return true;
}

}  // namespace grantfs
