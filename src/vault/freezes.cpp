#include <algorithm>
#include <tuple>

#include "core_internal.h"
#include "grantfs/api/problem.h"

// What is frozen: no value of it is delivered until that is lifted. What it has served before is still taken
// from its journals, and its listing stays as it is.

namespace grantfs {
namespace {

api::Freeze TellFreeze(const StoredFreeze& stored) {
  return {stored.object, stored.name, stored.time, stored.reason};
}

const MachinesList::Machine* MachineOf(const VaultState& now, const FrozenObject& object) {
  const auto id = Hash::FromHex(object.id);
  return id ? now.machines->FindById(*id) : nullptr;
}

/// A machine is the vault's owners' business; an environment, and a machine as far as that goes, its owners'
/// and operators'.
Status MayFreeze(const VaultState& now, const VaultCaller& caller, const FrozenObject& object) {
  if (object.kind != FrozenKind::kMachine) {
    GRANTFS_CHECK(now.CheckMember(caller, object.Where(), Operation::kFreeze));
    if (object.kind == FrozenKind::kEnvironment) return {};
    return MachineOf(now, object) != nullptr ? Status() : Status(NotVisible(object.id));
  }
  if (!caller.IsPerson()) return NotVisible(object.id);
  if (!now.IsVaultOwner(caller.id)) return RoleMissing("machines");
  return MachineOf(now, object) != nullptr ? Status() : Status(NotVisible(object.id));
}

bool MaySeeFreeze(const VaultState& now, const VaultCaller& caller, const FrozenObject& object) {
  if (object.IsMachine() && now.IsVaultOwner(caller.id)) return true;
  return object.kind != FrozenKind::kMachine && now.RoleOf(caller.id, object.Where()).has_value();
}

AuditRecord RecordFreeze(const Vault::Core& core, const VaultCaller& caller, const char* type,
                         const FrozenObject& object, const std::string& reason) {
  const bool machine = object.IsMachine();
  const auto* known = machine ? MachineOf(*core.state.Get(), object) : nullptr;
  AuditRecord record = MakeRecord(core.clock(), caller, type, object.Where(),
                                  known != nullptr ? known->identity.name : object.id, kDone);
  record.severity = AuditSeverity::kCritical;
  if (machine) record.body.Set("machine", object.id);
  if (object.kind == FrozenKind::kMachineIn) record.body.Set("environment", object.environment);
  if (!reason.empty()) record.body.Set("reason", reason);
  return record;
}

std::vector<WatchEvent> FreezeEvents(const VaultState& now, const std::vector<FrozenObject>& objects) {
  std::vector<WatchEvent> events;
  for (const FrozenObject& object : objects) {
    WatchEvent event;
    event.what = api::ChangeKind::kFreeze;
    event.environment = object.Where();
    event.machines_alone = object.IsMachine();
    if (const auto* machine = object.IsMachine() ? MachineOf(now, object) : nullptr)
      event.machines = {machine->number};
    events.push_back(std::move(event));
  }
  return events;
}

/// What one request did, filled in by its job.
struct FreezeOutcome {
  api::FreezeResponse response;
  std::vector<FrozenObject> changed;
};

// What is frozen already stays as it is: who was first stands there.
Status SetFreezesOf(StoreWriter& writer, const Vault::Core& core, const VaultCaller& caller,
                    const api::FreezeRequest& request, FreezeOutcome* outcome) {
  for (const FrozenObject& object : request.objects) {
    if (const auto before = GRANTFS_TRY(writer.FindFreeze(object))) {
      outcome->response.before.push_back(TellFreeze(*before));
      continue;
    }
    const StoredFreeze freeze{object, caller.id, caller.name, core.Now(), request.reason};
    GRANTFS_CHECK(writer.PutFreeze(freeze));
    GRANTFS_TRY(writer.Audit(RecordFreeze(core, caller, "freeze.set", object, request.reason)));
    outcome->response.freezes.push_back(TellFreeze(freeze));
    outcome->changed.push_back(object);
  }
  return {};
}

Status LiftFreezesOf(StoreWriter& writer, const Vault::Core& core, const VaultCaller& caller,
                     const api::FreezeRequest& request, FreezeOutcome* outcome) {
  for (const FrozenObject& object : request.objects) {
    const auto before = GRANTFS_TRY(writer.FindFreeze(object));
    if (!before) continue;
    GRANTFS_CHECK(writer.RemoveFreeze(object));
    GRANTFS_TRY(writer.Audit(RecordFreeze(core, caller, "freeze.lifted", object, request.reason)));
    outcome->response.freezes.push_back(TellFreeze(*before));
    outcome->changed.push_back(object);
  }
  return {};
}

using FreezeChange = Status (*)(StoreWriter&, const Vault::Core&, const VaultCaller&,
                                const api::FreezeRequest&, FreezeOutcome*);

Status CheckFreezes(Vault::Core& core, const VaultCaller& caller, const api::FreezeRequest& request) {
  const StatePtr now = core.state.Get();
  for (const FrozenObject& object : request.objects) {
    const Status may = MayFreeze(*now, caller, object);
    if (may) continue;
    // Nobody writes into the log of an environment that is not his.
    const bool member = object.kind != FrozenKind::kMachine && now->RoleOf(caller.id, object.Where());
    core.CountRefusal(caller, "freeze.refused", member ? object.Where() : "");
    return may;
  }
  auto objects = request.objects;
  std::sort(objects.begin(), objects.end());
  if (std::adjacent_find(objects.begin(), objects.end()) == objects.end()) return {};
  return Error{Code::kInvalid, "names one thing twice", 0, "objects"};
}

/// State, record and number of the change in one commit; then whom it concerns is told.
Result<api::FreezeResponse> ChangeFreezes(Vault::Core& core, const VaultCaller& caller,
                                          const api::FreezeRequest& request, FreezeChange change) {
  GRANTFS_CHECK(CheckFreezes(core, caller, request));
  const auto outcome = std::make_shared<FreezeOutcome>();
  const auto job = [&core, caller, request, change, outcome](StoreWriter& writer) -> Status {
    *outcome = {};  // it may run more than once
    GRANTFS_CHECK(change(writer, core, caller, request, outcome.get()));
    if (!outcome->changed.empty()) outcome->response.change = GRANTFS_TRY(writer.NextChange());
    return {};
  };
  GRANTFS_CHECK(core.store.WriteAndWait(job));
  if (!outcome->changed.empty()) {
    const StatePtr now = core.state.Get();
    core.hub.Publish(outcome->response.change, FreezeEvents(*now, outcome->changed), *now);
  }
  return std::move(outcome->response);
}

// In one queue with the appends: watches are told of changes in the order of their numbers, and who may does
// not change meanwhile.
void QueueFreezes(Vault::Core& core, const VaultCaller& caller, const api::FreezeRequest& request,
                  FreezeChange change, Vault::Done<api::FreezeResponse> done) {
  auto shared = std::make_shared<Vault::Done<api::FreezeResponse>>(std::move(done));
  const auto work = [&core, caller, request, change, shared](bool cancelled) {
    if (cancelled) return (*shared)(Error{Code::kUnreachable, "the vault is stopping"});
    (*shared)(ChangeFreezes(core, caller, request, change));
  };
  const bool queued = core.appends.Add(work, caller.id);
  if (!queued) (*shared)(Error{Code::kThrottled, "too many changes wait: try again"});
}

/// How long a machine that is to be told later has at least.
constexpr std::chrono::milliseconds kLate{300};

/// In the queue of the changes; where that is full, with the next commit.
void PublishFrozen(Vault::Core& core, std::vector<WatchEvent> events) {
  const auto shared = std::make_shared<const std::vector<WatchEvent>>(std::move(events));
  const auto number = std::make_shared<std::uint64_t>(0);
  const auto next = [number](StoreWriter& writer) -> Status {
    *number = GRANTFS_TRY(writer.NextChange());
    return {};
  };
  const auto tell = [&core, shared, number](const Status& status) {
    if (status) core.hub.Publish(*number, *shared, *core.state.Get());
  };
  const bool queued = core.appends.Add([&core, next, tell](bool cancelled) {
    if (!cancelled) tell(core.store.WriteAndWait(next));
  });
  if (!queued) core.store.Write(next, tell);
}

}  // namespace

// A watch that ends before it is told asks anew for what is frozen when it comes again.
void Vault::Core::TellFrozen(const std::vector<FrozenObject>& objects, std::uint64_t last) {
  if (objects.empty()) return;
  auto events = FreezeEvents(*state.Get(), objects);
  for (WatchEvent& event : events) event.except = last;
  PublishFrozen(*this, std::move(events));
  if (last == 0) return;
  const std::lock_guard lock(late_mutex);
  late.emplace(last, std::chrono::steady_clock::now());
}

void Vault::Core::Beat() {
  WatchDisk();
  WatchEvent event;
  event.what = api::ChangeKind::kFreeze;
  {
    const std::lock_guard lock(late_mutex);
    const auto now = std::chrono::steady_clock::now();
    for (auto at = late.begin(); at != late.end();) {
      const bool due = now - at->second >= kLate;
      if (due) event.machines.push_back(at->first);
      at = due ? late.erase(at) : std::next(at);
    }
  }
  if (!event.machines.empty()) PublishFrozen(*this, {std::move(event)});
  if (!alerts_started) return;
  for (const auto& sender : alerts) sender->Poke();
}

Status CheckNotFrozen(StoreReader& reader, const Hash* machine, const std::string& environment) {
  const auto freeze = GRANTFS_TRY(reader.FreezeOf(machine, environment));
  if (!freeze) return {};
  return Error{Code::kDenied, api::kWhereNotDelivered, 0, TellFreeze(*freeze).SentenceForMachine()};
}

Result<std::vector<api::Freeze>> FreezesFor(StoreReader& reader, const VaultCaller& machine) {
  std::vector<api::Freeze> freezes;
  for (const StoredFreeze& one : GRANTFS_TRY(reader.FreezesOf(machine.id, machine.machine)))
    freezes.push_back(TellFreeze(one));
  return freezes;
}

void Vault::SetFreezes(const VaultCaller& caller, const api::FreezeRequest& request,
                       Done<api::FreezeResponse> done) {
  QueueFreezes(*core_, caller, request, SetFreezesOf, std::move(done));
}

void Vault::LiftFreezes(const VaultCaller& caller, const api::FreezeRequest& request,
                        Done<api::FreezeResponse> done) {
  QueueFreezes(*core_, caller, request, LiftFreezesOf, std::move(done));
}

Result<api::FollowedResponse> Vault::FreezeFollowed(const VaultCaller& caller,
                                                    const api::FollowedRequest& request) const {
  const StatePtr now = core_->state.Get();
  GRANTFS_CHECK(now->CheckMember(caller, request.environment, Operation::kFreeze));
  const auto reader = GRANTFS_TRY(core_->store.Read());
  api::FollowedResponse response;
  for (const std::uint64_t number : GRANTFS_TRY(reader->MachinesIn(request.environment))) {
    const auto machine = now->machines->machines().find(number);
    if (machine == now->machines->machines().end() || machine->second.removed) continue;
    ++response.machines;
    const auto presence = core_->hub.PresenceOf(machine->second.identity.Id());
    if (presence.online && presence.acknowledged >= request.change) {
      ++response.followed;
      continue;
    }
    if (presence.online) ++response.pending;
    response.behind.push_back({machine->second.identity.name, presence.online, presence.last_seen});
  }
  std::sort(response.behind.begin(), response.behind.end(), [](const auto& a, const auto& b) {
    return std::tuple(!a.online, std::string_view(a.machine)) <
           std::tuple(!b.online, std::string_view(b.machine));
  });
  if (response.behind.size() > api::kMaxBehind) response.behind.resize(api::kMaxBehind);
  return response;
}

Result<api::FreezesListResponse> Vault::ListFreezes(const VaultCaller& caller,
                                                    const api::FreezesListRequest& request) const {
  if (!caller.IsPerson()) return NotVisible();
  const StatePtr now = core_->state.Get();
  const auto reader = GRANTFS_TRY(core_->store.Read());
  // Machines come first, and whoever may not see them is not to learn by `next` which are frozen.
  const FrozenObject no_machine{FrozenKind::kEnvironment, ""};
  const FrozenObject* after = request.after ? &*request.after : nullptr;
  if (!now->IsVaultOwner(caller.id) && (after == nullptr || *after < no_machine)) after = &no_machine;
  // Nor by it which machines are in another's environment: it names what the caller sees.
  api::FreezesListResponse response;
  constexpr std::size_t kPage = 1000;  // whoever sees few of many has them looked through all the same
  for (FrozenObject place;; after = &place) {
    const auto page = GRANTFS_TRY(reader->ListFreezes(after, kPage));
    for (const StoredFreeze& one : page) {
      if (!MaySeeFreeze(*now, caller, one.object)) continue;
      if (response.freezes.size() == request.limit) {
        response.next = response.freezes.back().object;
        return response;
      }
      response.freezes.push_back(TellFreeze(one));
    }
    if (page.size() < kPage) return response;
    place = page.back().object;
  }
}

}  // namespace grantfs
