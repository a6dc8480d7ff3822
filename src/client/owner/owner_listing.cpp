#include <algorithm>
#include <array>
#include <map>

#include "grantfs/api/secrets.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

SecretInfo InfoOf(const SecretName& name, const SecretList& list) {
  SecretInfo info;
  info.name = name;
  info.number = list.id().number;
  info.type = list.create().type;
  info.grants = list.grants().size();
  info.owner = list.about().owner;
  info.description = list.about().description;
  info.deleted = list.state().deleted;
  const auto next = list.state().labels.find(kNextLabel);
  if (const auto* version = next == list.state().labels.end() ? nullptr : list.FindVersion(next->second))
    info.next = version->publish.version;
  if (const auto* current = list.Current()) {
    info.version = current->publish.version;
    info.size = current->publish.size;
    info.time = current->statement->statement().time;
    info.parts = current->publish.parts;
    info.rotate_after = current->publish.rotate_after;
    info.rotate_due = current->publish.RotationDue(info.time);
    info.expires_after = current->publish.expires_after;
    info.expires = current->publish.ExpiresAt(info.time);
  }
  return info;
}

}  // namespace

Result<std::vector<SecretInfo>> OwnerSessionImpl::ListSecrets(const std::string& environment,
                                                              const std::string& prefix) {
  GRANTFS_CHECK(Enter(environment, Operation::kList));
  const auto names = GRANTFS_TRY(ListNames(environment, prefix));
  std::vector<SecretInfo> all;
  const auto take = [&](const Listed& listed, Result<SecretList> list) -> Status {
    if (list) {
      all.push_back(InfoOf(listed.name, *list));
    } else if (list.error().code == Code::kIntegrity) {
      SecretInfo refused;
      refused.name = listed.name;
      refused.number = listed.number;
      refused.problem = Describe(list.error());
      all.push_back(std::move(refused));
    } else {
      return list.error();
    }
    Report("verifying", all.size(), names.size());
    return {};
  };
  GRANTFS_CHECK(keeper_->RefreshSecrets(environment, names, take));
  return all;
}

Result<std::vector<SecretInfo>> OwnerSessionImpl::ListOverdue() {
  GRANTFS_CHECK(keeper_->RefreshVault());
  std::vector<SecretInfo> all;
  for (const auto& environment : GRANTFS_TRY(EnvironmentsWith(Operation::kList))) {
    for (SecretInfo& info : GRANTFS_TRY(ListSecrets(environment, {})))
      if (!info.problem.empty() || info.IsOverdue(Now()) || (info.HasExpired(Now()) && !info.deleted))
        all.push_back(std::move(info));
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const SecretInfo& a, const SecretInfo& b) { return a.rotate_due < b.rotate_due; });
  return all;
}

Result<std::vector<VersionInfo>> OwnerSessionImpl::SecretHistory(const SecretName& name) {
  GRANTFS_CHECK(Enter(name.environment, Operation::kList));
  return VersionsOf(GRANTFS_TRY(FetchSecret(name)));
}

std::vector<VersionInfo> OwnerSessionImpl::VersionsOf(const SecretList& list) const {
  std::vector<VersionInfo> all;
  std::map<std::uint32_t, std::pair<const SecretList::Version*, bool>> versions;
  for (const auto& [number, version] : list.versions()) versions[number] = {&version, false};
  for (const auto& [number, ended] : list.ended()) versions[number] = {&ended.version, true};
  for (const auto& [number, one] : versions) {
    const SecretList::Version& version = *one.first;
    const Statement& said = version.statement->statement();
    VersionInfo info{number,
                     version.publish.size,
                     said.time,
                     NameOf(said.signer),
                     said.reason,
                     {},
                     version.statement->hash().Hex(),
                     version.publish.ExpiresAt(said.time),
                     one.second};
    for (const auto& [label, statement] : list.state().labels) {
      if (statement == version.statement->hash()) info.labels.push_back(label);
    }
    all.push_back(std::move(info));
  }
  std::reverse(all.begin(), all.end());
  return all;
}

std::vector<GrantInfo> OwnerSessionImpl::GrantsOf(const SecretName& name, const SecretList& list) const {
  std::vector<GrantInfo> all;
  for (const auto& [key, standing] : list.grants()) {
    const Grantee& grantee = standing.grant.grantee;
    const Statement& said = standing.statement->statement();
    const std::string who = (grantee.kind == GranteeKind::kGroup ? "@" : "") + grantee.name;
    all.push_back({name, list.create().type, who, grantee.id.Hex(), standing.grant, said.time,
                   NameOf(said.signer)});
  }
  return all;
}

std::array<Head, 3> OwnerSessionImpl::HeadsFor(const Listed& listed) const {
  return {listed.head, *keeper_->FindEnvironment(listed.name.environment)->head(), *keeper_->vault().head()};
}

Result<std::shared_ptr<const SecretSurvey>> OwnerSessionImpl::Survey(const Listed& listed) {
  auto survey = std::make_shared<SecretSurvey>();
  const auto list = keeper_->RefreshSecret(listed.number, listed.name, listed.head);
  if (!list) {
    if (list.error().code != Code::kIntegrity) return list.error();
    survey->info.name = listed.name;
    survey->info.number = listed.number;
    survey->info.problem = Describe(list.error());
    return std::shared_ptr<const SecretSurvey>(std::move(survey));
  }
  survey->heads = HeadsFor(listed);  // what this one's list named may have moved those above it
  survey->info = InfoOf(listed.name, *list);
  survey->versions = VersionsOf(*list);
  survey->grants = GrantsOf(listed.name, *list);
  return std::shared_ptr<const SecretSurvey>(std::move(survey));
}

Result<SecretSurveys> OwnerSessionImpl::SurveySecrets(const SecretSurveys& before) {
  std::map<SecretName, const std::shared_ptr<const SecretSurvey>*> known;
  for (const auto& survey : before) known.emplace(survey->info.name, &survey);
  GRANTFS_CHECK(keeper_->RefreshVault());
  SecretSurveys all;
  for (const auto& environment : GRANTFS_TRY(EnvironmentsWith(Operation::kList))) {
    const auto names = GRANTFS_TRY(ListNames(environment, {}));
    for (const Listed& listed : names) {
      const auto found = known.find(listed.name);
      const bool same = found != known.end() && (*found->second)->info.number == listed.number &&
                        (*found->second)->heads == HeadsFor(listed);
      all.push_back(same ? *found->second : GRANTFS_TRY(Survey(listed)));
      Report("verifying", all.size(), 0);
    }
  }
  return all;
}

Result<std::vector<SecretName>> OwnerSessionImpl::ExpandSecrets(const std::vector<std::string>& patterns) {
  std::vector<SecretName> all;
  for (const std::string& pattern : patterns) {
    if (!pattern.ends_with("/*")) {
      all.push_back(GRANTFS_TRY(ParseSecretName(pattern)));
      continue;
    }
    // "shop/prod/*", "shop/prod/tls/*"
    const auto slash = pattern.find('/', pattern.find('/') + 1);
    if (slash == std::string::npos) {
      return Error{Code::kInvalid, "a pattern is an environment or a directory in it, and \"/*\"", 0,
                   pattern};
    }
    const std::string environment = pattern.substr(0, slash);
    GRANTFS_CHECK(Enter(environment, Operation::kList));
    const std::string prefix = pattern.substr(slash + 1, pattern.size() - slash - 2);
    const auto names = GRANTFS_TRY(ListNames(environment, prefix));
    if (names.empty()) return Error{Code::kNotFound, "no secret lies below it", 0, pattern};
    for (const Listed& listed : names) all.push_back(listed.name);
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace grantfs
