#include "grantfs/api/alerts.h"
#include "owner_internal.h"

namespace grantfs {

Result<std::vector<AlertSinkInfo>> OwnerSessionImpl::AlertSinks() {
  const auto said =
      GRANTFS_TRY(vault_->Ask<api::AlertsStateResponse>(api::kAlertsState, api::AlertsStateRequest{}));
  std::vector<AlertSinkInfo> sinks;
  for (const api::AlertState& one : said.sinks)
    sinks.push_back({one.sink, one.reached, one.waiting, one.delivered, one.failures, one.since, one.error});
  return sinks;
}

Result<std::uint64_t> OwnerSessionImpl::TestAlert() {
  return GRANTFS_TRY(vault_->Ask<api::AlertTestResponse>(api::kAlertsTest, api::AlertTestRequest{})).record;
}

}  // namespace grantfs
