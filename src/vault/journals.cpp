#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "granted_internal.h"
#include "grantfs/crypto/encoding.h"
#include "grantfs/journal/entry.h"

// What machines have served by themselves, under leases and offline, recorded when they tell of it.

namespace grantfs {
namespace {

/// What a record costs beside the entry in it.
constexpr std::size_t kRecordCost = 512;
/// Gaps are rare, and their records are kept for ever: about one a second.
constexpr std::size_t kGapCost = kJournalBytesPerMinute / 64;

std::size_t CostOf(const std::vector<std::string>& entries) {
  return std::accumulate(
      entries.begin(), entries.end(), std::size_t{0},
      [](std::size_t cost, const std::string& entry) { return cost + entry.size() + kRecordCost; });
}

/// How many records of the log one batch may have looked at: it is done where all writing waits for it, and
/// what a machine names is its own choice.
constexpr std::size_t kScanOfBatch = 20'000;
/// Sixteen batches a minute may ask for that.
constexpr std::size_t kScanCost = kJournalBytesPerMinute / 16;

Error TooMuch() {
  return {Code::kThrottled,
          "this machine has told of too many reads within a minute; keep them and tell later"};
}

/// A batch whose chain and signature hold.
struct CheckedBatch {
  std::string journal;
  std::vector<std::string> texts;
  std::vector<JournalEntry> entries;
  Signature signature;
  Hash head;
};

/// Errors: kInvalid, kIntegrity.
Result<CheckedBatch> CheckBatch(const VerifyKey& key, const Hash& vault, const api::JournalRequest& request) {
  CheckedBatch batch{request.journal, request.entries, {}, request.signature, {}};
  for (const std::string& text : batch.texts) {
    auto entry = GRANTFS_TRY(JournalEntry::Parse(text));
    const bool follows = batch.entries.empty() || (entry.sequence == batch.entries.back().sequence + 1 &&
                                                   entry.previous == batch.head);
    if (!follows) return Error{Code::kIntegrity, "the journal's chain is broken", 0, request.journal};
    batch.head = JournalHash(text);
    batch.entries.push_back(std::move(entry));
  }
  if (VerifyJournal(key, vault, batch.journal, batch.entries.back().sequence, batch.head, batch.signature))
    return batch;
  return Error{Code::kIntegrity, "the journal's signature is not good", 0, request.journal};
}

/// What a batch's job has taken from the machine's budget already: it may run more than once.
struct Paid {
  bool gap = false;
  bool scan = false;
};

/// One secret that a machine says it has read, as the vault knows it.
struct Named {
  std::string environment;
  std::string path;
  bool delivered = false;  ///< to this machine, some time
  SecretWatch watch;
};

/// @param scan  how many records may be looked at still. Where they do not suffice, it was not delivered.
/// Errors: kThrottled, and as the store's.
Result<Named> FindNamed(Vault::Core& core, StoreReader& reader, const VaultCaller& caller,
                        std::uint64_t number, std::size_t* scan, Paid* paid) {
  const auto secret = GRANTFS_TRY(reader.GetSecret(number));
  if (!secret) return Named{};
  Named named{secret->environment, secret->path, false,
              GRANTFS_TRY(WatchOf(reader, number, secret->environment))};
  named.delivered = GRANTFS_TRY(FindGrantedBy(reader, caller, *secret, core.Now())).has_value();
  if (named.delivered) return named;
  // Whom nothing is granted any more is to stop nobody's reads by what he says of the past.
  named.watch.policy.canary = TripAction::kAlert;
  if (!paid->scan && !core.journals.Take(caller.id, kScanCost, core.Now())) return TooMuch();
  paid->scan = true;
  AuditQuery query;
  query.object = named.environment + "/" + named.path;
  query.actor = caller.Actor();
  query.limit = 1;
  while (*scan > 0) {
    query.scan = std::min(*scan, kMaxAuditScan);
    const auto found = GRANTFS_TRY(reader.SearchAudit(query));
    *scan -= found.scanned;
    named.delivered = !found.records.empty();
    query.before = found.next;
    if (named.delivered || !query.before) break;
  }
  return named;
}

AuditRecord RecordOfEntry(const Clock& clock, const VaultCaller& caller, const CheckedBatch& batch,
                          std::size_t at, const Named& named) {
  const JournalEntry& entry = batch.entries[at];
  const api::CallerInfo process{entry.caller.pid, entry.caller.uid, entry.caller.gid, entry.caller.executable,
                                entry.caller.cgroup};
  ReadRecord read{named.environment, named.path, entry.secret, entry.version,
                  entry.open,        &process,   nullptr,      false};
  // A machine cannot put into an environment's log what it never had to do with.
  if (!named.delivered) {
    read.environment.clear();
    read.path.clear();
    read.refusal = "the vault finds no grant or delivery of this secret to this machine";
  }
  AuditRecord record = MakeReadRecord(clock, caller, read);
  if (entry.aggregate()) {
    record.body.Set("count", entry.count)
        .Set("first", entry.time_ms / 1000)
        .Set("last", entry.last_ms / 1000);
  }
  record.body.Set("lease", Json::Object({{"record", entry.record},
                                         {"time", entry.time_ms},
                                         {"journal", batch.journal},
                                         {"sequence", entry.sequence},
                                         {"entry", batch.texts[at]},
                                         {"signature", HexEncode(batch.signature.bytes)},
                                         {"through", batch.entries.back().sequence}}));
  return record;
}

/// Entries that this vault has no record of: its database was put back to an older copy after it had taken
/// them, or the machine leaves them out. They come from nowhere any more, the machine having cut what was
/// taken; so what follows is taken after a record that names them, and they are recorded by nothing else: the
/// journal is reached beyond them in the same commit.
AuditRecord RecordOfGap(const Clock& clock, const VaultCaller& caller, const CheckedBatch& batch,
                        const StoredJournal& reached) {
  const JournalEntry& next = batch.entries.front();
  AuditRecord record = MakeRecord(clock, caller, kJournalGap, {}, caller.name, kRefused);
  record.severity = AuditSeverity::kCritical;
  const std::string from = std::to_string(reached.sequence + 1);
  const std::string to = std::to_string(next.sequence - 1);
  record.body.Set("reason", "reads " + from + " to " + to + " of this machine's journal " + batch.journal +
                                " are not in this vault: its database was put back to an older copy, or the "
                                "machine has left them out");
  // What the machine signed names the last of them.
  record.body.Set("gap", Json::Object({{"journal", batch.journal},
                                       {"from", reached.sequence + 1},
                                       {"to", next.sequence - 1},
                                       {"recorded", reached.hash.Hex()},
                                       {"entry", batch.texts.front()}}));
  return record;
}

/// Where the batch goes on from what is recorded, without a gap: the index of the first new entry.
/// Errors: kIntegrity (another chain).
Result<std::size_t> FirstNew(const CheckedBatch& batch, const StoredJournal& reached) {
  const JournalEntry& first = batch.entries.front();
  if (batch.entries.back().sequence <= reached.sequence) return batch.entries.size();
  const std::size_t at = reached.sequence + 1 - first.sequence;
  if (batch.entries[at].previous == reached.hash) return at;
  return Error{Code::kIntegrity, "the journal is another one than was recorded", 0, batch.journal};
}

/// The tripwires of a batch's job: in one run each is recorded once.
struct BatchTrips {
  Tripwires::TokenPtr token = std::make_shared<Tripwires::Token>();
  std::set<std::uint64_t> canaries;
  bool rate = false;
  std::vector<FrozenObject> frozen;
};

Status TouchBy(Vault::Core& core, StoreWriter& writer, const VaultCaller& caller, const JournalEntry& entry,
               const Named& named, std::uint64_t record, BatchTrips* trips) {
  WatchedRead read{caller,     entry.secret, named.environment,    named.path, entry.version,
                   entry.open, {},           entry.time_ms / 1000, true};
  read.process = api::CallerInfo{entry.caller.pid, entry.caller.uid, entry.caller.gid,
                                 entry.caller.executable, entry.caller.cgroup};
  Trip trip = core.tripwires.Judge(read, named.watch, core.Now(), trips->token);
  if (trip.canary && !trips->canaries.insert(entry.secret).second) trip.canary = trip.freezes_scope = false;
  if (trip.rate && std::exchange(trips->rate, true))
    trip.rate = trip.freezes_machine = trip.freezes_here = false;
  return core.tripwires.Act(writer, *core.state.Get(), core.clock().WallMilliseconds(), read, named.watch,
                            trip, record, &trips->frozen);
}

Result<api::JournalResponse> RecordBatch(Vault::Core& core, StoreWriter& writer, const VaultCaller& caller,
                                         const CheckedBatch& batch, Paid* paid, BatchTrips* trips) {
  trips->canaries.clear();  // it may run more than once
  trips->rate = false;
  trips->frozen.clear();
  const auto stored = GRANTFS_TRY(writer.FindJournal(caller.id, batch.journal));
  const StoredJournal reached = stored.value_or(StoredJournal{});
  std::map<std::uint64_t, Named> names;
  std::size_t scan = kScanOfBatch;
  std::size_t at = 0;
  if (batch.entries.front().sequence > reached.sequence + 1) {
    if (!paid->gap && !core.journals.Take(caller.id, kGapCost, core.Now())) return TooMuch();
    paid->gap = true;
    GRANTFS_TRY(writer.Audit(RecordOfGap(core.clock(), caller, batch, reached)));
  } else {
    at = GRANTFS_TRY(FirstNew(batch, reached));
    if (at == batch.entries.size()) return api::JournalResponse{reached.sequence, {}};
  }
  api::JournalResponse response;
  for (; at < batch.entries.size(); ++at) {
    const std::uint64_t number = batch.entries[at].secret;
    auto named = names.find(number);
    if (named == names.end())
      named = names.emplace(number, GRANTFS_TRY(FindNamed(core, writer, caller, number, &scan, paid))).first;
    const auto record =
        GRANTFS_TRY(writer.Audit(RecordOfEntry(core.clock(), caller, batch, at, named->second)));
    response.places.push_back(record);
    if (named->second.delivered)
      GRANTFS_CHECK(TouchBy(core, writer, caller, batch.entries[at], named->second, record, trips));
  }
  const StoredJournal now{batch.entries.back().sequence, batch.head};
  GRANTFS_CHECK(writer.PutJournal(caller.id, batch.journal, now, core.Now()));
  response.sequence = now.sequence;
  return response;
}

}  // namespace

void Vault::MachineJournal(const VaultCaller& caller, const api::JournalRequest& request,
                           Done<api::JournalResponse> done) {
  const auto principal = core_->state.Get()->FindPrincipal(caller.id, core_->Now());
  if (!principal) return done(NotVisible());
  // A machine keeps these. What owners do, and reads that the vault is asked for, need the room that is left.
  if (core_->store.IsNearlyFull())
    return done(Error{Code::kUnrecorded, "the vault's disk is nearly full; keep these reads and tell later"});
  // To check them is work too, good or not.
  if (!core_->journals.Take(caller.id, CostOf(request.entries), core_->Now())) return done(TooMuch());
  auto checked = CheckBatch(principal->identity->sign, vault_id(), request);
  if (!checked) return done(checked.error());
  const auto batch = std::make_shared<const CheckedBatch>(*std::move(checked));
  const auto reached = std::make_shared<api::JournalResponse>();
  const auto trips = std::make_shared<BatchTrips>();
  core_->store.Write(
      [core = core_.get(), caller, batch, reached, trips, places = request.places,
       paid = Paid()](StoreWriter& writer) mutable -> Status {
        *reached = GRANTFS_TRY(RecordBatch(*core, writer, caller, *batch, &paid, trips.get()));
        if (!places) reached->places.clear();
        return {};
      },
      [core = core_.get(), reached, trips, done = std::move(done)](Status status) {
        core->tripwires.Settle(trips->token, status.has_value(), core->Now());
        if (!status) return done(status.error());
        done(*reached);
        core->TellFrozen(trips->frozen, 0);
      });
}

}  // namespace grantfs
