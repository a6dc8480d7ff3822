#include <algorithm>

#include "mount/kernel/kernel_link_internal.h"
#include "mount/supervisor/supervisor_internal.h"
#include "mount/worker/worker_internal.h"

// A worker that stands still is worse than one that ends: nobody is told. Each is asked to show that it
// lives.

namespace grantfs {

namespace {

// Of heartbeats: how long a worker may take for what it does once.
constexpr int kFirstBeats = 12;
constexpr int kNextBeats = 4;
// Twice: when all of this machine stood still, a worker gets the time to show that it lives.
constexpr unsigned kMostSilent = 2;
constexpr std::chrono::seconds kRefusalTakes{2};  // it waits for nobody

}  // namespace

/// The first worker, to get ready and to serve: nobody waits yet but whoever mounts.
std::chrono::milliseconds Supervisor::FirstDeadline() const { return options_.heartbeat * kFirstBeats; }

/// Those that follow: what takes long they do when they serve.
std::chrono::milliseconds Supervisor::NextDeadline() const { return options_.heartbeat * kNextBeats; }

void Supervisor::CheckHeartbeat() {
  if (!leader_.process || leader_.hung || draining_ || Now() < next_check_) return;
  const auto period =
      std::clamp(options_.heartbeat / 4, std::chrono::milliseconds(100), std::chrono::milliseconds(1000));
  next_check_ = Now() + period;
  MountShared& shared = slots_->shared();
  const std::int64_t least =
      MonotonicNow() - std::chrono::duration_cast<std::chrono::nanoseconds>(options_.heartbeat).count();
  const auto stuck = std::find_if(std::begin(shared.work), std::end(shared.work),
                                  [&](const auto& work) { return work.unique != 0 && work.since < least; });
  const bool in_work = stuck != std::end(shared.work);
  const bool late = !leader_.ready && Now() > leader_.since + NextDeadline();
  silent_checks_ = in_work || late || shared.beat < least ? silent_checks_ + 1 : 0;
  if (silent_checks_ < kMostSilent) return;
  silent_checks_ = 0;
  ++shared.hung;
  leader_.hung = true;
  hung_since_ = least;
  Log(LogLevel::kError, "the worker does not answer any more and is replaced" +
                            (in_work ? ": it is at " + NameOfRequest(slots_->Find(stuck->unique))
                             : late  ? std::string(": it does not come to serve")
                                     : std::string()));
  leader_.Kill();
}

/// Whoever needs the one that stands by needs it at once.
void Supervisor::CheckWaiting() {
  if (HasHung(&standby_)) {
    Log(LogLevel::kError, "the worker that stands by does not answer and is replaced");
    standby_.Kill();
  }
  if (HasHung(&candidate_)) candidate_.Kill();
}

/// One that was killed cannot end while a thread of it waits for an answer of this mount, which only another
/// worker would give, and that one waits for its end.
void Supervisor::CheckDying() {
  if (!leader_.process || leader_.killed == Time{} || leader_.process.Ended()) return;
  if (leader_.eased == Time{} && Now() > leader_.killed + options_.heartbeat) {
    Log(LogLevel::kError,
        "the worker was killed and does not end, as one that waits for this mount itself: what waits for an "
        "answer gets an error");
    ChildProcess refuser = StartRefuser(Refused::kLeft);
    refuser.Await(kRefusalTakes);
    leader_.eased = Now();
  } else if (leader_.eased != Time{} && Now() > leader_.eased + options_.heartbeat) {
    Log(LogLevel::kError,
        "the worker that was killed does not end, and no other may serve before that: the mount is given up");
    given_up_ = ended_ = true;
    if (const auto aborted = AbortConnection(mounted_); !aborted)
      Log(LogLevel::kWarning, Describe(aborted.error()));
  }
}

/// Whether one that waits for the word to go stands still, as it comes to be known.
bool Supervisor::HasHung(Worker* worker) {
  if (!worker->process || worker->hung) return false;
  if (!worker->ready) {
    worker->hung = Now() > worker->ready_by;
  } else if (Now() > worker->pinged + options_.heartbeat / 2) {
    worker->hung = worker->unanswered >= kMostSilent;
    worker->pinged = Now();
    ++worker->unanswered;
    SendMessage(worker->process.control(), kPingMessage);
  }
  return worker->hung;
}

}  // namespace grantfs
