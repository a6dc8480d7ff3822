#include <algorithm>
#include <memory>
#include <utility>

#include "grantfs/log/log.h"
#include "prefix_walk_internal.h"

// What an append leaves to be done after it: between others' appends, a bounded part at a time.

namespace grantfs {
namespace {

/// @return whether it is through.
Result<bool> Sweep(Vault::Core& core, GroupSweep* sweep) {
  const StatePtr state = core.state.Get();
  std::vector<std::uint64_t> touched;
  GroupSweep next;
  bool through = false;
  GRANTFS_CHECK(core.store.WriteAndWait([&](StoreWriter& writer) -> Status {
    next = *sweep;  // it may run more than once
    touched.clear();
    through = GRANTFS_TRY(SweepCopies(writer, *state, kSecretsOfJob, &next, &touched));
    return {};
  }));
  *sweep = std::move(next);
  core.Touch(touched);
  return through;
}

/// Who has sent them was an owner when the append was made, which says that they are to be replaced.
Result<bool> Renew(Vault::Core& core, CopyRenewal* renewal) {
  const std::size_t count = std::min(renewal->secrets.size(), kSecretsOfJob);
  const auto first = renewal->secrets.end() - static_cast<std::ptrdiff_t>(count);
  GRANTFS_CHECK(core.store.WriteAndWait([&](StoreWriter& writer) -> Status {
    for (auto secret = first; secret != renewal->secrets.end(); ++secret)
      GRANTFS_TRY(writer.AdoptCopiesFor(renewal->signer, *secret, renewal->to, true, core.Now()));
    return {};
  }));
  renewal->secrets.erase(first, renewal->secrets.end());
  return renewal->secrets.empty();
}

/// One job of it. What the store does not take for now is tried again.
template <typename Work>
Status SweepStep(Vault::Core& core, std::vector<Work>* all, Result<bool> (*step)(Vault::Core&, Work*)) {
  const auto through = step(core, &all->back());
  if (!through && through.error().code == Code::kThrottled) return {};
  if (!through || *through) all->pop_back();
  return through ? Status() : Status(through.error());
}

void TakeTurn(Vault::Core& core, const std::shared_ptr<LaterWork>& later) {
  const auto until = std::chrono::steady_clock::now() + core.options.append_turn;
  const auto is_left = [&] { return !later->sweeps.empty() || !later->renewals.empty(); };
  if (!is_left()) return;
  do {
    const Status done = later->renewals.empty() ? SweepStep(core, &later->sweeps, Sweep)
                                                : SweepStep(core, &later->renewals, Renew);
    if (!done)
      Log(LogLevel::kWarning, "copies of a group's keys could not be brought up to date", done.error());
  } while (is_left() && std::chrono::steady_clock::now() < until);
  if (!is_left()) return;
  core.appends.GoOn([&core, later](bool cancelled) {
    if (!cancelled) TakeTurn(core, later);
  });
}

}  // namespace

void DoLater(Vault::Core& core, LaterWork later) {
  TakeTurn(core, std::make_shared<LaterWork>(std::move(later)));
}

}  // namespace grantfs
