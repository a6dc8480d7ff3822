#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "alerts_internal.h"
#include "counts_internal.h"
#include "grantfs/vault/vault.h"
#include "minute_budget_internal.h"
#include "retention_internal.h"
#include "secret_cache_internal.h"
#include "state_internal.h"
#include "trips_internal.h"
#include "vault_queue_internal.h"
#include "watch_hub_internal.h"

namespace grantfs {

/// What the store says when it could not record is told as that: nothing was released.
Error Unrecorded(const Error& error);

/// That nothing stands against a read. @param machine  null: a person reads.  Errors: kDenied with
/// kWhereNotDelivered; those of the store.
Status CheckNotFrozen(StoreReader& reader, const Hash* machine, const std::string& environment);
/// What is frozen of a machine and of the environments of its grants.
Result<std::vector<api::Freeze>> FreezesFor(StoreReader& reader, const VaultCaller& machine);

/// What a machine's journals may add within a minute: twice what a thousand reads a second make, with long
/// paths in them, so that what has waited while the vault was away is told too.
inline constexpr std::size_t kJournalBytesPerMinute = std::size_t{160} << 20;

class PrefixWalk;

/// What the vault's operations share. Threads: members are safe, or guarded as said.
struct Vault::Core {
  Core(Store& the_store, VaultOptions the_options);
  ~Core();

  std::int64_t Now() const { return options.clock->WallSeconds(); }
  const Clock& clock() const { return *options.clock; }

  /// A secret's row and its environment, if the caller may do that in it; else as CheckMember.
  Result<StoredSecret> SecretFor(const VaultState& now, StoreReader& reader, const VaultCaller& caller,
                                 std::uint64_t number, Operation operation) const;
  /// The whole verified list of a secret, from memory if it is there. Errors: kNotFound, kIntegrity.
  /// @param begun  an older state of it, or nullptr: only what is newer is verified.
  Result<SecretCache::ListPtr> LoadSecret(StoreReader& reader, const StoredSecret& secret,
                                          const SecretCache::ListPtr& begun = nullptr);
  /// Errors: kIo, kNoSpace.
  Status StartAlerts();
  /// Errors: kUnrecorded, where what is left of the disk is for others than readers.
  Status CheckRoom() const;
  /// Records where the disk has come to, once for each step on the way to full, and that there is room again.
  void WatchDisk();
  /// Once a second: what is to be told a little later is told.
  void Beat();
  /// Once a minute: records what was counted, drops what has expired.
  void Upkeep();
  /// The same at the end, waiting for all that was queued before.
  void FinishUpkeep();
  Store::Job UpkeepJob(std::shared_ptr<const std::vector<CountedEvent>> events) const;
  /// Tells whom it concerns that these were frozen by themselves. @param last  the machine (its number) that
  /// is told a moment later, since what it has just been answered is to reach its reader; 0 = none.
  void TellFrozen(const std::vector<FrozenObject>& objects, std::uint64_t last);
  /// Counts a refusal that is not worth a record of its own.
  void CountRefusal(const VaultCaller& caller, const char* type, const std::string& environment = {});

  Store& store;
  const VaultOptions options;
  StateHolder state;
  /// The same, but from just before an append is written: whatever a reader of the store can see names no
  /// head that is newer. For verifying secrets' lists, which depends on the heads that they name alone.
  StateHolder ahead;
  SecretCache secrets;
  EventCounts counts;
  MinuteBudget refusals{400};                     ///< reports of refused reads: a mount counts them together
  MinuteBudget journals{kJournalBytesPerMinute};  ///< of what machines have served by themselves

  mutable MinuteBudget proofs{20'000};  ///< that reads are in the log
  MinuteBudget complaints{12};          ///< of the log, in an hour

  std::mutex claim_mutex;
  std::optional<Vault::Key> claim;       ///< guarded; also a used one, which is `gone`
  std::function<void()> claimed;         ///< guarded
  std::function<Status()> tls_switched;  ///< guarded by the same

  std::vector<std::unique_ptr<AlertSender>> alerts;  ///< stay as they are once they are started
  std::atomic<bool> alerts_started{false};
  std::unique_ptr<Retention> retention;    ///< null: all is kept
  DiskRoom room_told = DiskRoom::kEnough;  ///< the hub's thread's own
  Tripwires tripwires;
  std::mutex late_mutex;
  std::map<std::uint64_t, std::chrono::steady_clock::time_point>
      late;  ///< guarded: machines to be told, since

  std::mutex frozen_mutex;
  /// Guarded: whose appends to an environment's lists ("": the vault's), until when (Clock::Boot).
  std::map<std::pair<Hash, std::string>, std::chrono::nanoseconds> frozen;

  std::atomic<std::uint64_t> failed_authentications{0};
  /// Secrets that an append has changed: grants by prefix that are under way look at them again.
  void Touch(std::span<const std::uint64_t> numbers);
  std::vector<std::weak_ptr<PrefixWalk>> walks;  ///< of those; the appends' thread's own
  WatchHub hub;
  VaultQueue appends;
};

}  // namespace grantfs
