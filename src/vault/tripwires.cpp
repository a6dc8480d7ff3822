#include "grantfs/api/tripwires.h"

#include <algorithm>

#include "core_internal.h"

// What an environment's owners and operators set about its tripwires. Anyone may read the header of a record,
// and a machine sees when a secret came: so all that is set here has one type, which says nothing of
// canaries. It is critical, so that whoever takes an operator's key cannot disarm them unheard.

namespace grantfs {
namespace {

constexpr char kConfigured[] = "environment.configured";

AuditRecord ConfiguredRecord(const Vault::Core& core, const VaultCaller& caller, const char* action,
                             const std::string& environment, const std::string& object) {
  AuditRecord record = MakeRecord(core.clock(), caller, kConfigured, environment, object, kDone);
  record.severity = AuditSeverity::kCritical;
  record.body.Set("action", action);
  return record;
}

/// Who may is asked again where it is written: his role may have ended meanwhile.
Status MayConfigure(const Vault::Core& core, const VaultCaller& caller, const std::string& environment) {
  return core.state.Get()->CheckMember(caller, environment, Operation::kConfigure);
}

Status WriteCanary(const Vault::Core& core, StoreWriter& writer, const VaultCaller& caller,
                   const StoredSecret& secret, bool canary, api::CanaryResponse* response) {
  *response = {};  // it may run more than once
  GRANTFS_CHECK(MayConfigure(core, caller, secret.environment));
  const auto now = GRANTFS_TRY(writer.GetSecret(secret.number));
  if (!now || now->destroyed) return NotVisible(secret.path);
  if (GRANTFS_TRY(writer.IsCanary(secret.number)) == canary) return {};
  if (canary)
    GRANTFS_CHECK(writer.PutCanary({secret.number, caller.name, core.Now()}));
  else
    GRANTFS_CHECK(writer.RemoveCanary(secret.number));
  GRANTFS_TRY(writer.Audit(ConfiguredRecord(core, caller, canary ? "canary.set" : "canary.cleared",
                                            secret.environment, secret.environment + "/" + secret.path)));
  response->changed = true;
  return {};
}

/// What a project's scope stands for from now on, whatever becomes of who says so.
std::vector<std::string> ReachOf(const VaultState& now, const VaultCaller& caller,
                                 const StoredTripwire& tripwire) {
  std::vector<std::string> reach;
  if (tripwire.policy.scope != TripScope::kProject) return reach;
  const std::string project = tripwire.environment.substr(0, tripwire.environment.find('/') + 1);
  for (const auto& [name, list] : now.environments)
    if (name.starts_with(project) && now.CheckMember(caller, name, Operation::kFreeze)) reach.push_back(name);
  return reach;
}

Status WriteTripwire(const Vault::Core& core, StoreWriter& writer, const VaultCaller& caller,
                     StoredTripwire tripwire) {
  GRANTFS_CHECK(MayConfigure(core, caller, tripwire.environment));
  tripwire.reach = ReachOf(*core.state.Get(), caller, tripwire);
  GRANTFS_CHECK(writer.PutTripwire(tripwire));
  AuditRecord record =
      ConfiguredRecord(core, caller, "tripwire.set", tripwire.environment, tripwire.environment);
  record.body.Set("policy", api::PolicyToJson(tripwire.policy));
  if (!tripwire.reach.empty())
    record.body.Set("reach", Json::Array({tripwire.reach.begin(), tripwire.reach.end()}));
  GRANTFS_TRY(writer.Audit(record));
  return {};
}

}  // namespace

void Vault::SetCanary(const VaultCaller& caller, const api::CanaryRequest& request,
                      Done<api::CanaryResponse> done) {
  const auto find = [&]() -> Result<StoredSecret> {
    const auto reader = GRANTFS_TRY(core_->store.Read());
    return core_->SecretFor(*core_->state.Get(), *reader, caller, request.secret, Operation::kConfigure);
  };
  const auto secret = find();
  if (!secret) return done(secret.error());
  const auto response = std::make_shared<api::CanaryResponse>();
  core_->store.Write(
      [core = core_.get(), caller, secret = *secret, canary = request.canary, response](StoreWriter& writer) {
        return WriteCanary(*core, writer, caller, secret, canary, response.get());
      },
      [response, done = std::move(done)](Status status) {
        if (!status) return done(status.error());
        done(*response);
      });
}

Result<api::CanariesListResponse> Vault::ListCanaries(const VaultCaller& caller,
                                                      const api::CanariesListRequest& request) const {
  GRANTFS_CHECK(MayConfigure(*core_, caller, request.environment));
  const auto reader = GRANTFS_TRY(core_->store.Read());
  const auto found = GRANTFS_TRY(reader->ListCanaries(request.environment, request.after, request.limit + 1));
  api::CanariesListResponse response;
  response.more = found.size() > request.limit;
  for (std::size_t i = 0; i < std::min(found.size(), request.limit); ++i) {
    const auto secret = GRANTFS_TRY(reader->GetSecret(found[i].secret));
    if (secret) response.canaries.push_back({found[i].secret, secret->path, found[i].name, found[i].time});
  }
  return response;
}

void Vault::SetTripwire(const VaultCaller& caller, const api::TripwireSetRequest& request,
                        Done<api::TripwireResponse> done) {
  const Status may = MayConfigure(*core_, caller, request.environment);
  if (!may) return done(may.error());
  const StoredTripwire tripwire{request.environment, caller.id,      caller.name,
                                core_->Now(),        request.policy, {}};
  core_->store.Write([core = core_.get(), caller, tripwire](
                         StoreWriter& writer) { return WriteTripwire(*core, writer, caller, tripwire); },
                     [tripwire, done = std::move(done)](Status status) {
                       if (!status) return done(status.error());
                       done(api::TripwireResponse{tripwire.name, tripwire.time, tripwire.policy});
                     });
}

Result<api::TripwireResponse> Vault::ShowTripwire(const VaultCaller& caller,
                                                  const api::TripwireShowRequest& request) const {
  GRANTFS_CHECK(MayConfigure(*core_, caller, request.environment));
  const auto reader = GRANTFS_TRY(core_->store.Read());
  const auto found = GRANTFS_TRY(reader->FindTripwire(request.environment));
  if (!found) return api::TripwireResponse{};
  return api::TripwireResponse{found->name, found->time, found->policy};
}

}  // namespace grantfs
