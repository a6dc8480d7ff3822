#include <algorithm>

#include "grantfs/crypto/hash.h"
#include "records_internal.h"
#include "trips_internal.h"

namespace grantfs {
namespace {

constexpr std::int64_t kSilentSeconds = 60;

bool Passes(const WatchedRead& read, const SecretWatch& watch) {
  return read.process &&
         MayPass(watch.policy.passes, read.process->uid, read.process->executable, read.process->cgroup);
}

/// What is counted together: a machine's reads in an environment.
Hash CountKey(const WatchedRead& read) {
  return Blake2b256({read.caller.id.bytes, AsBytes(read.environment)});
}

const char* ReactionName(const Trip& trip, bool passes) {
  if (trip.refuses() || trip.freezes_scope) return "freeze";
  return passes ? "pass" : "alert";
}

std::string Sentence(const WatchedRead& read, const SecretWatch& watch, const Trip& trip) {
  std::string text;
  if (trip.canary) text = "a canary was read";
  if (trip.rate)
    text += std::string(text.empty() ? "" : "; ") + std::to_string(trip.secrets) +
            " distinct secrets were read within a minute, the limit of " +
            (trip.usual ? "the vault" : read.environment) + " is " + std::to_string(trip.limit);
  if (trip.freezes_scope) text += std::string(": the ") + TripScopeName(watch.policy.scope) + " is frozen";
  if (trip.freezes_machine) text += ": the machine is frozen";
  if (trip.freezes_here) text += ": the machine is frozen in " + read.environment;
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
  out.body.Set("outcome", trip.refuses() ? kRefused : kDone);
  if (!read.caller.remote.empty()) out.body.Set("source", read.caller.remote);
  out.body.Set("reason", Sentence(read, watch, trip));
  Json touched = Json::Array();
  if (trip.canary) touched.Append("canary");
  if (trip.rate) touched.Append("rate");
  out.body.Set("tripwire", std::move(touched)).Set("reaction", ReactionName(trip, Passes(read, watch)));
  if (trip.rate) out.body.Set("secrets", std::uint64_t{trip.secrets}).Set("limit", trip.limit);
  out.body.Set("secret", read.secret).Set("version", read.version).Set("open", read.open);
  out.body.Set("record", record);
  if (read.leased) out.body.Set("read", read.time);
  if (read.process) out.body.Set("caller", ProcessJson(*read.process));
  return out;
}

AuditRecord FrozenRecord(std::int64_t now_ms, const FrozenObject& object, const std::string& machine) {
  AuditRecord out;
  out.time_ms = now_ms;
  out.severity = AuditSeverity::kCritical;
  out.type = "freeze.set";
  out.environment = object.Where();
  out.body = Json::Object({{"name", kTripwireName}, {"action", "freeze.set"}});
  out.body.Set(kAuditObject, object.IsMachine() ? machine : object.id).Set("outcome", kDone);
  if (object.IsMachine()) out.body.Set("machine", object.id);
  if (object.kind == FrozenKind::kMachineIn) out.body.Set("environment", object.environment);
  out.body.Set("reason", kTripwireReason);
  return out;
}

/// A project stands for those of its environments that whoever set the tripwire might freeze when he set it,
/// wherever he has gone since, and for those that he may now.
std::vector<FrozenObject> ScopeOf(const VaultState& now, const WatchedRead& read, const SecretWatch& watch) {
  std::vector<FrozenObject> objects = {{FrozenKind::kEnvironment, read.environment}};
  if (watch.policy.scope == TripScope::kEnvironment) return objects;
  VaultCaller setter;
  setter.id = watch.setter;
  const std::string project = read.environment.substr(0, read.environment.find('/') + 1);
  for (const auto& [name, list] : now.environments) {
    if (name == read.environment || !name.starts_with(project)) continue;
    const bool then = std::binary_search(watch.reach.begin(), watch.reach.end(), name);
    if (then || now.CheckMember(setter, name, Operation::kFreeze))
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
    watch.reach = std::move(set->reach);
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

bool Tripwires::ClaimRate(const Hash& count, const TokenPtr& token) {
  TokenPtr& by = tripping_[count];
  if (by != nullptr && by != token) return false;
  if (by == nullptr) token->counts.push_back(count);
  by = token;
  return true;
}

// An environment's own rate reaches as far as who sets it does.
void Tripwires::CountHere(const WatchedRead& read, const SecretWatch& watch, bool passes, std::int64_t now,
                          const TokenPtr& token, Trip* trip) {
  if (watch.setter == Hash{}) return;
  const ReadRates::Read noted{CountKey(read),           read.secret, watch.policy.rate, passes,
                              std::min(read.time, now), now};
  const auto verdict = rates_.Note(noted);
  if (verdict == ReadRates::Verdict::kWithin) return;
  trip->freezes_here =
      verdict == ReadRates::Verdict::kOver && watch.policy.rate_action == TripAction::kFreeze;
  trip->rate = ClaimRate(noted.machine, token) || trip->freezes_here;
  trip->secrets = rates_.CountOf(noted);
  trip->limit = watch.policy.rate;
}

// Over both, the machine is frozen everywhere.
void Tripwires::CountEverywhere(const WatchedRead& read, std::int64_t now, const TokenPtr& token,
                                Trip* trip) {
  const ReadRates::Read noted{read.caller.id, read.secret, usual_rate_, false, std::min(read.time, now), now};
  if (rates_.Note(noted) != ReadRates::Verdict::kOver) return;
  ClaimRate(noted.machine, token);
  trip->freezes_machine = trip->rate = trip->usual = true;
  trip->freezes_here = false;
  trip->secrets = rates_.CountOf(noted);
  trip->limit = usual_rate_;
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
  CountHere(read, watch, passes, now, token, &trip);
  // An environment that lets more be read than is usual, or freezes nobody, says so for its own secrets.
  const TripwirePolicy& policy = watch.policy;
  const bool own = watch.setter != Hash{};
  const bool strict =
      policy.rate != 0 && policy.rate <= usual_rate_ && policy.rate_action == TripAction::kFreeze;
  if ((!own || strict) && !passes) CountEverywhere(read, now, token, &trip);
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
  if (trip.freezes_here) objects.push_back({FrozenKind::kMachineIn, read.caller.id.Hex(), read.environment});
  for (const FrozenObject& object : objects) {
    if (GRANTFS_TRY(writer.FindFreeze(object))) continue;  // who was first stands there
    GRANTFS_CHECK(writer.PutFreeze({object, Hash{}, kTripwireName, now_ms / 1000, kTripwireReason}));
    GRANTFS_TRY(writer.Audit(FrozenRecord(now_ms, object, read.caller.name)));
    frozen->push_back(object);
  }
  return {};
}

void Tripwires::Settle(const TokenPtr& token, bool committed, std::int64_t now) {
  if (token->counts.empty() && token->canaries.empty()) return;
  const std::lock_guard lock(mutex_);
  for (const Hash& count : token->counts) {
    tripping_.erase(count);
    if (committed) rates_.Clear(count);
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
