#include <signal.h>

#include <ctime>

#include "audit_forward_internal.h"
#include "grantfs/util/text.h"

namespace grantfs {
namespace {

constexpr std::chrono::milliseconds kPause{1000};

bool MayPass(const Error& error) {
  return error.code == Code::kUnreachable || error.code == Code::kThrottled;
}

sigset_t Signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

EndSignals::EndSignals() {
  const sigset_t signals = Signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

bool EndSignals::Wait(std::chrono::milliseconds at_most) {
  const sigset_t signals = Signals();
  const timespec time{static_cast<time_t>(at_most.count() / 1000), (at_most.count() % 1000) * 1'000'000L};
  came_ = came_ || ::sigtimedwait(&signals, nullptr, &time) > 0;
  return came_;
}

Status WalkAudit(Terminal& terminal, OwnerSession& session, EndSignals& stop, AuditWalk walk) {
  bool told = false;
  while (!stop.stopped()) {
    bool end = false;
    const auto step = [&]() -> Status {
      const AuditPage page = GRANTFS_TRY(session.NextAudit(walk.filter, walk.from));
      if (page.next != walk.from) GRANTFS_CHECK(walk.take(page));
      walk.from = page.next;
      end = page.end;
      return {};
    };
    const Status done = step();
    if (!done && (!walk.follow || !MayPass(done.error()))) return done;
    if (!done && !told) terminal.Note("going on when it can: " + Describe(done.error()));
    if (done && told) terminal.Note("going on");
    told = !done.has_value();
    if (end && !walk.follow) return {};
    if ((end || told) && stop.Wait(kPause)) break;
  }
  return {};
}

}  // namespace grantfs
