#include <algorithm>

#include "client/log/audit_line_internal.h"
#include "client/log/wire_audit_internal.h"
#include "grantfs/api/audit.h"
#include "owner_internal.h"

namespace grantfs {

namespace {

/// Each record, and the page's end, is before the last.
bool GoesDown(const api::AuditSearchResponse& page, std::optional<std::uint64_t> before) {
  for (const AuditEntry& entry : page.records) {
    if (before && entry.sequence >= *before) return false;
    before = entry.sequence;
  }
  return !page.next || !before || *page.next <= *before;
}

void SetObject(const std::string& object, api::AuditSearchRequest* request) {
  if (!object.ends_with("/*")) {
    request->object = object;
    return;
  }
  request->below = object.substr(0, object.size() - 1);
  // Within one environment the vault looks at no other's records.
  const auto slash = object.find('/', object.find('/') + 1);
  if (request->environment.empty() && slash != std::string::npos)
    request->environment = object.substr(0, slash);
}

}  // namespace

Result<std::vector<AuditLine>> OwnerSessionImpl::ListAudit(const AuditFilter& filter) {
  const auto request = GRANTFS_TRY(SearchFor(filter));
  std::vector<AuditLine> lines;
  const std::size_t limit = filter.limit == 0 ? kMaxListedRecords + 1 : filter.limit;
  GRANTFS_CHECK(
      EachFound(request, limit, [&](const AuditEntry& entry) { lines.push_back(NamedLineOf(entry)); }));
  if (lines.size() <= std::max(kMaxListedRecords, filter.limit)) return lines;
  return Error{Code::kInvalid, "are more than are listed at once: narrow them, or use grantfs audit export",
               0, "these records"};
}

AuditLine OwnerSessionImpl::NamedLineOf(const AuditEntry& entry) const {
  AuditLine line = LineOf(entry);
  if (const auto id = Hash::FromHex(line.actor_id)) line.actor = NameOf(*id);
  return line;
}

Result<api::AuditSearchRequest> OwnerSessionImpl::SearchFor(const AuditFilter& filter) {
  GRANTFS_CHECK(keeper_->RefreshVault());
  if (keeper_->vault().IsOwner(me_.Id())) GRANTFS_CHECK(keeper_->RefreshMachines());  // for names
  GRANTFS_TRY(EnvironmentsWith(Operation::kReadAudit));
  api::AuditSearchRequest request;
  request.environment = filter.environment;
  SetObject(filter.object, &request);
  request.actor = filter.actor;
  request.type = filter.action;
  request.outcome = filter.outcome;
  request.at_least = filter.at_least;
  request.since_ms = filter.since_ms;
  request.until_ms = filter.until_ms;
  if (const auto who = GRANTFS_TRY(AnyoneNamed(filter.actor))) request.actor = who->Id().Hex();
  return request;
}

Status OwnerSessionImpl::EachFound(api::AuditSearchRequest request, std::size_t limit,
                                   const std::function<void(const AuditEntry&)>& take) {
  std::size_t found = 0;
  for (std::size_t pages = 0; pages < kMaxLogPages; ++pages) {
    request.limit = limit == 0 ? api::kMaxAuditRecords : std::min(limit - found, api::kMaxAuditRecords);
    const auto page = GRANTFS_TRY(vault_->Ask<api::AuditSearchResponse>(api::kAuditSearch, request));
    if (page.records.size() > request.limit || !GoesDown(page, request.before)) return vault_->Malformed();
    std::for_each(page.records.begin(), page.records.end(), take);
    found += page.records.size();
    if (!page.next || found == limit) return {};
    request.before = page.next;
  }
  return vault_->Malformed();
}

Result<AuditPage> OwnerSessionImpl::NextAudit(const AuditFilter& filter, std::uint64_t from) {
  if (!following_ || following_->first != filter) following_.emplace(filter, GRANTFS_TRY(SearchFor(filter)));
  api::AuditSearchRequest request = following_->second;
  request.from = from;
  request.limit = api::kMaxAuditRecords;
  const auto found = GRANTFS_TRY(vault_->Ask<api::AuditSearchResponse>(api::kAuditSearch, request));
  AuditPage page;
  page.next = found.next.value_or(from);
  page.end = found.records.empty() && page.next == from;
  std::uint64_t least = from;
  bool unknown = false;
  for (const AuditEntry& entry : found.records) {
    if (entry.sequence < least) return vault_->Malformed();
    least = entry.sequence + 1;
    page.lines.push_back(NamedLineOf(entry));
    unknown = unknown || (page.lines.back().actor == page.lines.back().actor_id &&
                          Hash::FromHex(page.lines.back().actor_id).has_value());
  }
  if (page.next < least) return vault_->Malformed();
  // Somebody who came since the lists were read.
  if (unknown) {
    following_->second = GRANTFS_TRY(SearchFor(filter));
    for (AuditLine& line : page.lines)
      if (const auto id = Hash::FromHex(line.actor_id)) line.actor = NameOf(*id);
  }
  return page;
}

Result<AuditVerdict> OwnerSessionImpl::VerifyAudit() {
  GRANTFS_CHECK(keeper_->RefreshVault());
  const auto peer = GRANTFS_TRY(known_->ReadPeer());
  const auto anchor = GRANTFS_TRY(AnchorOf(keeper_->vault(), peer.checkpoint));
  WireAudit source(vault_.get(), [this](std::uint64_t done) { Report("verifying", done, 0); });
  AuditVerdict verdict = GRANTFS_TRY(grantfs::VerifyAudit(source, anchor));
  if (verdict.checkpoint.empty()) return verdict;
  if (verdict.good) GRANTFS_CHECK(known_->RememberCheckpoint(verdict.checkpoint));
  // The verdict says more than this would; what is complained of is told.
  [[maybe_unused]] const auto compared = CompareLog({peer.checkpoint, verdict.checkpoint});
  return verdict;
}

Result<AuditVerdict> VerifyAuditCopy(const std::string& database_path, const std::string& home_directory) {
  const auto source = GRANTFS_TRY(OpenAuditDatabase(database_path));
  if (home_directory.empty()) return grantfs::VerifyAudit(*source, {});
  const Home home = GRANTFS_TRY(Home::Open(home_directory));
  const auto known = GRANTFS_TRY(KnownStore::Open(home.KnownPath(), KnownStore::Missing::kRefuse));
  ListKeeper keeper(known.get(), nullptr, home.profile().vault);
  GRANTFS_CHECK(keeper.Load());
  if (keeper.vault().empty()) {
    return Error{Code::kNotFound, "this home has not seen its vault's list yet: run grantfs status once", 0,
                 home_directory};
  }
  const auto anchor = GRANTFS_TRY(AnchorOf(keeper.vault(), GRANTFS_TRY(known->ReadPeer()).checkpoint));
  return grantfs::VerifyAudit(*source, anchor);
}

}  // namespace grantfs
