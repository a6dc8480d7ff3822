#include "core_internal.h"
#include "grantfs/api/alerts.h"

// What an owner of the vault asks about alerts.

namespace grantfs {
namespace {

Status MayAsk(const Vault::Core& core, const VaultCaller& caller) {
  if (!caller.IsPerson()) return NotVisible();
  return core.state.Get()->IsVaultOwner(caller.id) ? Status() : Status(RoleMissing("alerts"));
}

}  // namespace

// Of a kind that is not there any more nothing is kept: where it comes back, it is told what is new then.
Status Vault::Core::StartAlerts() {
  std::vector<std::string> unused = {"webhook", "command", "syslog"};
  for (const auto& sink : options.alert_sinks) std::erase(unused, sink->kind());
  const auto forget = [&unused](StoreWriter& writer) {
    Status done;
    for (const std::string& kind : unused)
      if (done) done = writer.ForgetAlertSink(kind);
    return done;
  };
  GRANTFS_CHECK(store.WriteAndWait(forget));
  for (const auto& sink : options.alert_sinks)
    alerts.push_back(std::make_unique<AlertSender>(store, sink, [this] {
      const StatePtr now = state.Get();
      return now->claimed() ? now->vault->vault_id() : Hash{};
    }));
  alerts_started = true;
  return {};
}

Result<api::AlertsStateResponse> Vault::AlertsState(const VaultCaller& caller,
                                                    const api::AlertsStateRequest&) const {
  GRANTFS_CHECK(MayAsk(*core_, caller));
  api::AlertsStateResponse response;
  const auto reader = GRANTFS_TRY(core_->store.Read());
  for (const auto& sender : core_->alerts) {
    api::AlertState state = sender->State();
    state.waiting = GRANTFS_TRY(reader->CountCritical(state.reached));
    response.sinks.push_back(std::move(state));
  }
  return response;
}

void Vault::TestAlert(const VaultCaller& caller, const api::AlertTestRequest&,
                      Done<api::AlertTestResponse> done) {
  const Status may = MayAsk(*core_, caller);
  if (!may) return done(may.error());
  AuditRecord record = MakeRecord(core_->clock(), caller, "alert.test", "", "", kDone);
  record.severity = AuditSeverity::kCritical;
  const auto response = std::make_shared<api::AlertTestResponse>();
  core_->store.Write(
      [record = std::move(record), response](StoreWriter& writer) -> Status {
        response->record = GRANTFS_TRY(writer.Audit(record));
        return {};
      },
      [core = core_.get(), response, done = std::move(done)](Status status) {
        if (!status) return done(status.error());
        done(*response);
        for (const auto& sender : core->alerts) sender->Poke();
      });
}

}  // namespace grantfs
