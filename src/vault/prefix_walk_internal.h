#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "append_plan_internal.h"

namespace grantfs {

/// As many secrets as one job of the store looks at: a few milliseconds, for which all other writing waits.
inline constexpr std::size_t kSecretsOfJob = 100;

/// The copies that an append's grants by prefix need of whatever is below them. Where that is much, they are
/// moved in place and looked for ahead of the append, in short jobs and between others' appends; what those
/// touch is looked at again by the append's own job. So there is nothing below the prefix without a copy when
/// the grant is there. Copies that are in use stay until then. What an append that fails has moved in place
/// is delivered by nothing, and is there for the next attempt. Threads: the appends' alone.
class PrefixWalk {
 public:
  /// Whether there is more than the append's own job should look at.
  static Result<bool> IsNeeded(StoreReader& reader, const AppendPlan& plan);

  /// Goes on for a turn. @param plan  of the same append, by the newest state.
  /// @return whether the append's job can do the rest.  Errors: kConflict (a copy is missing); the store's.
  Result<bool> GoOn(Vault::Core& core, const AppendPlan& plan);
  /// A secret was changed, or copies of its keys were taken away.
  void Touch(std::uint64_t secret) { touched_.insert(secret); }

  /// In the append's job: what was touched. Errors: as GoOn.
  Status Finish(StoreWriter& writer, const AppendPlan& plan, const AppendPlan::Appended& one,
                std::int64_t now) const;
  /// Secrets of which copies in use are to be replaced by others that were sent, once the append is there.
  const std::set<std::uint64_t>& renewed() const { return renewed_; }

 private:
  struct Page;
  Status TakePage(Store& store, const AppendPlan& plan, std::int64_t now);
  Status TakeTouched(Store& store, const AppendPlan& plan, std::int64_t now);
  Status Run(Store& store, const std::function<Status(StoreWriter&, Page*)>& job, Page* page);

  std::size_t grant_ = 0;  ///< which of the plan's grants by prefix it is at
  std::string after_;      ///< the last path below that was looked at
  std::set<std::uint64_t> touched_;
  std::set<std::uint64_t> renewed_;
};

/// What an append's grant by prefix needs of one secret, whose copies were sent ahead. Errors: kConflict.
/// @return whether others are in use, which stay.
Result<bool> AdoptBelow(StoreWriter& writer, const AppendPlan& plan, const AppendPlan::Appended& one,
                        const StoredSecret& secret, std::int64_t now);

/// The same, and replaces those that are in use.
Status RenewBelow(StoreWriter& writer, const AppendPlan& plan, const AppendPlan::Appended& one,
                  const StoredSecret& secret, std::int64_t now);

/// Whether there are more secrets below a prefix than that.
Result<bool> IsMoreBelow(StoreReader& reader, const std::string& environment, const std::string& prefix,
                         std::size_t than);

/// Copies that others have taken the place of, as far as they were sent: for each grant by prefix of the
/// plan.
std::vector<CopyRenewal> RenewalsOf(const AppendPlan& plan, const std::set<std::uint64_t>& secrets);

/// Does what an append has left to be done after it, in turns, on the appends' thread. What a vault's end
/// interrupts is not gone on with: copies that nothing delivers stay.
void DoLater(Vault::Core& core, LaterWork later);

}  // namespace grantfs
