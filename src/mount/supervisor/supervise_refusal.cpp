#include <unistd.h>

#include <algorithm>

#include "mount/base/helper_process_internal.h"
#include "mount/base/privileges_internal.h"
#include "mount/kernel/kernel_link_internal.h"
#include "mount/supervisor/supervisor_internal.h"
#include "mount/tree/kept_files_internal.h"

// Where no worker can answer, nobody is to wait: a process of this program's own answers with EIO.

namespace grantfs {

namespace {
constexpr std::chrono::seconds kFirstRefusal{2};
constexpr std::chrono::seconds kLongestRefusal{60};
}  // namespace

/// For a while; then workers are tried again.
void Supervisor::Refuse() {
  const auto pause = std::min(kFirstRefusal * (1U << std::min(refusals_, 5U)), kLongestRefusal);
  ++refusals_;
  ++slots_->shared().refused;
  quick_deaths_ = kMostQuickDeaths - 1;  // one more, and it is refused again
  vain_kills_ = kMostVainKills - 1;
  refuse_until_ = Now() + pause;
  slots_->ForgetWork();
  const std::string line = "workers end again and again: every read fails for the next " +
                           std::to_string(pause.count()) + " s, then it is tried again";
  Log(LogLevel::kError, line);
  Announce();
  Tell(line);
  promote_ = true;
  refuser_ = StartRefuser(Refused::kAll);
}

/// What the slots hold alone it answers although a process that served may not be wholly gone.
ChildProcess Supervisor::StartRefuser(Refused what) {
  const pid_t supervisor = getpid();
  const auto process = ForkSilent([&] {
    // It ends with its parent, unless that ended before it was said.
    if (DropPrivileges(options_.user, options_.group, false) && getppid() == supervisor &&
        (what == Refused::kLeft || Slots::AwaitOthers(slots_fd_.get())))
      RefuseAndForget(what);
  });
  if (process) return ChildProcess(*process, UniqueFd());
  Log(LogLevel::kError, Describe(process.error()));
  return {};
}

/// In that process: what is closed meanwhile, no worker shall open again.
void Supervisor::RefuseAndForget(Refused what) {
  const auto kept = KeptMemory::Attach(kept_fd_.get());
  KeptFiles files(kept ? kept->get() : nullptr, &slots_->shared().next_handle);
  const RefusedFiles told{.closed = [&](std::uint64_t handle) { files.Forget(handle); },
                          .not_opened = [&](std::uint64_t unique) { files.ForgetOpen(unique); }};
  if (what == Refused::kAll) return RefuseEverything(mounted_.fuse.get(), slots_.get(), told);
  slots_->MakePresent();
  RefuseLeft(mounted_.fuse.get(), slots_.get(), told);
}

/// The time of refusing is over.
void Supervisor::TryAgain() {
  if (!refuser_) return;
  if (refuser_.Reap()) {
    if (!Unmounted()) Log(LogLevel::kError, "the process that refuses requests ended");
    return Promote();
  }
  if (Now() < refuse_until_ || !standby_.ready) return;
  refuser_.End();
  TellServing();
  Promote();
}

}  // namespace grantfs
