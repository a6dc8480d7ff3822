#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "grantfs/api/machine.h"
#include "grantfs/store/store.h"
#include "grantfs/vault/caller.h"
#include "read_rates_internal.h"
#include "state_internal.h"

namespace grantfs {

/// Who froze what a tripwire did; and why, as whoever is frozen is told: not which one it was.
inline constexpr char kTripwireName[] = "a tripwire";
inline constexpr char kTripwireReason[] = "the audit log of whom it concerns says why";
inline constexpr char kTripped[] = "tripwire.touched";  ///< its record

/// A read as the tripwires see it.
struct WatchedRead {
  VaultCaller caller;
  std::uint64_t secret = 0;
  std::string environment;
  std::string path;
  std::uint32_t version = 0;
  std::string open;
  std::optional<api::CallerInfo> process;  ///< of a machine's read
  std::int64_t time = 0;                   ///< when it was: unix seconds
  bool leased = false;                     ///< told of by a journal, delivered before
};

/// What stands around a secret.
struct SecretWatch {
  bool canary = false;
  Hash setter;  ///< of the policy; zero: nobody has set any
  TripwirePolicy policy;
  std::vector<std::string> reach;  ///< StoredTripwire::reach
};
Result<SecretWatch> WatchOf(StoreReader& reader, std::uint64_t secret, const std::string& environment);

/// What a read has touched.
struct Trip {
  bool canary = false;
  bool rate = false;
  bool freezes_scope = false;    ///< its environment, or project
  bool freezes_machine = false;  ///< everywhere: by the vault's usual rate
  bool freezes_here = false;     ///< the machine in this environment, by whose rate it is
  std::size_t secrets = 0;       ///< of `rate`: distinct ones within the minute
  std::uint32_t limit = 0;       ///< of `rate`: of them
  bool usual = false;            ///< of `rate`: it is the vault's, over all environments
  bool any() const { return canary || rate; }
  bool refuses() const { return freezes_machine || freezes_here; }  ///< the read itself
};

/// Judges reads in the jobs that record them. A job may run more than once: what it has claimed stands under
/// its token until it is known whether it was committed. Threads: safe.
class Tripwires {
 public:
  explicit Tripwires(std::uint32_t usual_rate) : usual_rate_(usual_rate) {}
  struct Token {
    std::vector<Hash> counts;  ///< CountKey
    std::vector<std::pair<Hash, std::uint64_t>> canaries;
  };
  using TokenPtr = std::shared_ptr<Token>;

  Trip Judge(const WatchedRead& read, const SecretWatch& watch, std::int64_t now, const TokenPtr& token);
  /// Records it and freezes. @param record  of the read.  @param frozen  what was not frozen before is added.
  Status Act(StoreWriter& writer, const VaultState& now, std::int64_t now_ms, const WatchedRead& read,
             const SecretWatch& watch, const Trip& trip, std::uint64_t record,
             std::vector<FrozenObject>* frozen);
  void Settle(const TokenPtr& token, bool committed, std::int64_t now);
  void Sweep(std::int64_t now);

 private:
  /// Where nothing is frozen, one critical record a minute for each reader and canary: the reads themselves
  /// are recorded each.
  struct Touch {
    std::int64_t time = 0;
    TokenPtr by;  ///< a job that is not committed yet
  };
  bool ClaimCanary(const WatchedRead& read, std::int64_t now, const TokenPtr& token);
  bool ClaimRate(const Hash& count, const TokenPtr& token);
  void CountHere(const WatchedRead& read, const SecretWatch& watch, bool passes, std::int64_t now,
                 const TokenPtr& token, Trip* trip);
  void CountEverywhere(const WatchedRead& read, std::int64_t now, const TokenPtr& token, Trip* trip);

  const std::uint32_t usual_rate_;
  std::mutex mutex_;
  ReadRates rates_;  ///< by machine, and by machine and environment
  std::map<Hash, TokenPtr> tripping_;
  std::map<std::pair<Hash, std::uint64_t>, Touch> touched_;
};

}  // namespace grantfs
