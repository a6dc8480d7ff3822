#include <algorithm>
#include <set>
#include <tuple>

#include "grantfs/api/audit.h"
#include "grantfs/client/readership.h"
#include "owner_internal.h"

// Which machines and programs have picked a version up.

namespace grantfs {
namespace {

using Key = std::tuple<std::string, bool, std::uint32_t, std::string>;
using Merged = std::map<Key, api::AuditReader>;

void Merge(Merged& all, const api::AuditReader& reader) {
  const auto [found, added] =
      all.emplace(Key(reader.actor, reader.process, reader.uid, reader.executable), reader);
  if (added) return;
  api::AuditReader& known = found->second;
  const std::uint64_t count = known.count + reader.count;
  if (std::tie(reader.time_ms, reader.record) > std::tie(known.time_ms, known.record)) known = reader;
  known.count = count;
}

}  // namespace

// Of the groups those alone that are granted it.
Result<std::vector<GrantInfo>> OwnerSessionImpl::WhoMayRead(const SecretName& name, const SecretList& list,
                                                            ReadersReport& report) {
  SecretSurvey secret;
  secret.info.name = name;
  secret.info.type = list.create().type;
  secret.grants = GrantsOf(name, list);
  std::set<std::uint64_t> numbers;
  for (const auto& [key, standing] : list.grants())
    if (key.first == GranteeKind::kGroup) numbers.insert(key.second);
  for (const auto* prefix : keeper_->FindEnvironment(name.environment)->groups().Covering(name.path))
    numbers.insert(prefix->act.grant.grantee.number);
  const auto groups = GRANTFS_TRY(GroupsIn(name.environment, &numbers));
  for (const GroupSurvey& group : groups)
    if (!group.members_known) report.unseen.push_back("@" + group.name);
  auto readers = Readership({}, groups).OfSecret(secret, Now());
  std::erase_if(readers, [](const GrantInfo& one) { return IsGroupName(one.machine); });
  return readers;
}

Result<ReadersReport> OwnerSessionImpl::ReadersOf(const SecretName& name) {
  GRANTFS_CHECK(Enter(name.environment, Operation::kReadAudit));
  if (keeper_->vault().IsOwner(me_.Id())) GRANTFS_CHECK(keeper_->RefreshMachines());  // for names
  api::AuditReadersRequest request;
  request.environment = name.environment;
  request.path = name.path;
  Merged merged;
  for (std::size_t pages = 1;; ++pages) {
    const auto page = GRANTFS_TRY(vault_->Ask<api::AuditReadersResponse>(api::kAuditReaders, request));
    for (const auto& reader : page.readers) Merge(merged, reader);
    if (!page.next) break;
    if (pages == kMaxLogPages || (request.before && *page.next >= *request.before))
      return vault_->Malformed();
    request.before = page.next;
    Report("reading records", merged.size(), 0);
  }
  // The list comes after the reads: a version that is read meanwhile is not called an unknown one.
  const SecretList list = GRANTFS_TRY(FetchSecret(name));
  ReadersReport report;
  if (const auto* current = list.Current()) report.version = current->publish.version;
  std::map<std::string, GrantInfo> granted;
  for (GrantInfo& one : GRANTFS_TRY(WhoMayRead(name, list, report))) {
    const std::string id = one.machine_id;
    granted.emplace(id, std::move(one));
  }
  std::set<std::string> seen;
  for (const auto& [key, reader] : merged) {
    SecretReader one;
    one.id = reader.actor;
    const auto id = Hash::FromHex(reader.actor);
    const auto machine = granted.find(reader.actor);
    one.granted = machine != granted.end();
    one.who = one.granted ? machine->second.machine : id ? NameOf(*id) : reader.actor;
    if (one.granted) one.by = machine->second.by;
    const auto role = id ? keeper_->FindEnvironment(name.environment)->RoleOf(*id) : std::nullopt;
    if (role && RoleAllows(*role, Operation::kReadValue)) one.by = RoleName(*role);
    if (one.who == reader.actor && !reader.name.empty()) one.who = reader.name;
    one.process = reader.process;
    one.uid = reader.uid;
    one.executable = reader.executable;
    one.version = reader.version;
    one.time = reader.time_ms / 1000;
    one.record = reader.record;
    one.count = reader.count;
    one.current = reader.version == report.version;
    seen.insert(reader.actor);
    report.readers.push_back(std::move(one));
  }
  for (const auto& [id, grant] : granted) {
    if (seen.contains(id)) continue;
    SecretReader never;
    never.who = grant.machine;
    never.by = grant.by;
    never.id = id;
    never.granted = true;
    report.readers.push_back(std::move(never));
  }
  std::stable_sort(report.readers.begin(), report.readers.end(), [](const auto& a, const auto& b) {
    return std::tie(a.who, a.executable, a.uid) < std::tie(b.who, b.executable, b.uid);
  });
  return report;
}

}  // namespace grantfs
