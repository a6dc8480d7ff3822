#include <algorithm>

#include "records_internal.h"
#include "trips_internal.h"

namespace grantfs {
namespace {

constexpr std::int64_t kSilentSeconds = 60;

bool Passes(const WatchedRead& read, const SecretWatch& watch) {
  return read.process &&
         MayPass(watch.policy.passes, read.process->uid, read.process->executable, read.process->cgroup);
}

const char* ReactionName(const Trip& trip, bool passes) {
  if (trip.freezes_machine || trip.freezes_scope) return "freeze";
  return passes ? "pass" : "alert";
}

std::string Sentence(const WatchedRead& read, const SecretWatch& watch, const Trip& trip) {
  std::string text;
  if (trip.canary) text = "a canary was read";
  if (trip.rate)
    text += std::string(text.empty() ? "" : "; ") + std::to_string(trip.secrets) +
            " distinct secrets were read within a minute, the limit of " + read.environment + " is " +
            std::to_string(watch.policy.rate);
  if (trip.freezes_scope) text += std::string(": the ") + TripScopeName(watch.policy.scope) + " is frozen";
  if (trip.freezes_machine) text += ": the machine is frozen";
  if (ReactionName(trip, Passes(read, watch)) == std::string_view("pass"))
    text += ", by a program that may pass";
  return text;
}

AuditRecord TripRecord(std::int64_t now_ms, const WatchedRead& read, const SecretWatch& watch,
                       const Trip& trip, std::uint64_t record) {
  AuditRecord out;
  out.time_ms = now_ms;
  out.severity = AuditSeverity::kCritical;
  out.type = kTripped;
  out.environment = read.environment;
  out.body = Json::Object({{kAuditActor, read.caller.Actor()}, {"name", read.caller.name}});
  out.body.Set("action", kTripped).Set(kAuditObject, read.environment + "/" + read.path);
  out.body.Set("outcome", trip.freezes_machine ? kRefused : kDone);
  if (!read.caller.remote.empty()) out.body.Set("source", read.caller.remote);
  out.body.Set("reason", Sentence(read, watch, trip));
  Json touched = Json::Array();
  if (trip.canary) touched.Append("canary");
  if (trip.rate) touched.Append("rate");
  out.body.Set("tripwire", std::move(touched)).Set("reaction", ReactionName(trip, Passes(read, watch)));
  if (trip.rate) out.body.Set("secrets", std::uint64_t{trip.secrets}).Set("limit", watch.policy.rate);
  out.body.Set("secret", read.secret).Set("version", read.version).Set("open", read.open);
  out.body.Set("record", record);
  if (read.leased) out.body.Set("read", read.time);
  if (read.process) out.body.Set("caller", ProcessJson(*read.process));
  return out;
}

AuditRecord FrozenRecord(std::int64_t now_ms, const FrozenObject& object, const std::string& machine) {
  const bool of_machine = object.kind == FrozenKind::kMachine;
  AuditRecord out;
  out.time_ms = now_ms;
  out.severity = AuditSeverity::kCritical;
  out.type = "freeze.set";
  out.environment = of_machine ? "" : object.id;
  out.body = Json::Object({{"name", kTripwireName}, {"action", "freeze.set"}});
  out.body.Set(kAuditObject, of_machine ? machine : object.id).Set("outcome", kDone);
  if (of_machine) out.body.Set("machine", object.id);
  out.body.Set("reason", kTripwireReason);
  return out;
}

/// A project stands for those of its environments that whoever set the tripwire may freeze.
std::vector<FrozenObject> ScopeOf(const VaultState& now, const WatchedRead& read, const SecretWatch& watch) {
  std::vector<FrozenObject> objects = {{FrozenKind::kEnvironment, read.environment}};
  if (watch.policy.scope == TripScope::kEnvironment) return objects;
  VaultCaller setter;
  setter.id = watch.setter;
  const std::string project = read.environment.substr(0, read.environment.find('/') + 1);
  for (const auto& [name, list] : now.environments) {
    if (name == read.environment || !name.starts_with(project)) continue;
    if (now.CheckMember(setter, name, Operation::kFreeze))
      objects.push_back({FrozenKind::kEnvironment, name});
  }
  return objects;
}

}  // namespace

Result<SecretWatch> WatchOf(StoreReader& reader, std::uint64_t secret, const std::string& environment) {
  SecretWatch watch;
  watch.canary = GRANTFS_TRY(reader.IsCanary(secret));
  if (auto set = GRANTFS_TRY(reader.FindTripwire(environment))) {
    watch.setter = set->signer;
    watch.policy = std::move(set->policy);
  }
  return watch;
}

bool Tripwires::ClaimCanary(const WatchedRead& read, std::int64_t now, const TokenPtr& token) {
  const std::pair key(read.caller.id, read.secret);
  Touch& touch = touched_[key];
  if (touch.by != nullptr ? touch.by != token : touch.time + kSilentSeconds > now) return false;
  if (touch.by == nullptr) token->canaries.push_back(key);
  touch.by = token;
  return true;
}

bool Tripwires::ClaimRate(const Hash& machine, const TokenPtr& token) {
  TokenPtr& by = tripping_[machine];
  if (by != nullptr && by != token) return false;
  if (by == nullptr) token->machines.push_back(machine);
  by = token;
  return true;
}

Trip Tripwires::Judge(const WatchedRead& read, const SecretWatch& watch, std::int64_t now,
                      const TokenPtr& token) {
  const bool passes = Passes(read, watch);
  Trip trip;
  const std::lock_guard lock(mutex_);
  // What comes here and freezes finds nothing frozen, but for what a journal tells late: it needs no silence.
  const bool freezes = watch.policy.canary == TripAction::kFreeze && !passes;
  if (watch.canary && ((freezes && !read.leased) || ClaimCanary(read, now, token))) {
    trip.canary = true;
    trip.freezes_scope = freezes;
  }
  if (!read.caller.IsMachine()) return trip;
  const ReadRates::Read noted{read.caller.id,           read.secret, watch.policy.rate, passes,
                              std::min(read.time, now), now};
  const auto verdict = rates_.Note(noted);
  if (verdict == ReadRates::Verdict::kWithin) return trip;
  trip.freezes_machine =
      verdict == ReadRates::Verdict::kOver && watch.policy.rate_action == TripAction::kFreeze;
  const bool claimed = ClaimRate(read.caller.id, token);
  trip.rate = claimed || trip.freezes_machine;
  trip.secrets = rates_.CountOf(noted);
  return trip;
}

Status Tripwires::Act(StoreWriter& writer, const VaultState& now, std::int64_t now_ms,
                      const WatchedRead& read, const SecretWatch& watch, const Trip& trip,
                      std::uint64_t record, std::vector<FrozenObject>* frozen) {
  if (!trip.any()) return {};
  GRANTFS_TRY(writer.Audit(TripRecord(now_ms, read, watch, trip, record)));
  std::vector<FrozenObject> objects;
  if (trip.freezes_scope) objects = ScopeOf(now, read, watch);
  if (trip.freezes_machine) objects.push_back({FrozenKind::kMachine, read.caller.id.Hex()});
  for (const FrozenObject& object : objects) {
    if (GRANTFS_TRY(writer.FindFreeze(object))) continue;  // who was first stands there
    GRANTFS_CHECK(writer.PutFreeze({object, Hash{}, kTripwireName, now_ms / 1000, kTripwireReason}));
    GRANTFS_TRY(writer.Audit(FrozenRecord(now_ms, object, read.caller.name)));
    frozen->push_back(object);
  }
  return {};
}

void Tripwires::Settle(const TokenPtr& token, bool committed, std::int64_t now) {
  if (token->machines.empty() && token->canaries.empty()) return;
  const std::lock_guard lock(mutex_);
  for (const Hash& machine : token->machines) {
    tripping_.erase(machine);
    if (committed) rates_.Clear(machine);
  }
  for (const auto& key : token->canaries) {
    if (committed)
      touched_[key] = {now, nullptr};
    else
      touched_.erase(key);
  }
}

void Tripwires::Sweep(std::int64_t now) {
  const std::lock_guard lock(mutex_);
  rates_.Sweep(now);
  std::erase_if(touched_, [now](const auto& one) {
    return one.second.by == nullptr && one.second.time + kSilentSeconds <= now;
  });
}

}  // namespace grantfs
