#include <poll.h>
#include <sys/eventfd.h>

#include <chrono>
#include <memory>
#include <string>

#include "grantfs/util/text.h"
#include "mount/base/mount_point_internal.h"
#include "mount/base/signals_internal.h"
#include "mount/kernel/kernel_link_internal.h"
#include "mount/supervisor/plain_mount_internal.h"

namespace grantfs {

namespace {

using Clock_ = std::chrono::steady_clock;

/// A mount from the first answer to the last.
class Running {
 public:
  Running(const PlainMount& options, MountedFuse mounted) : options_(options), mounted_(std::move(mounted)) {}
  ~Running() {
    if (made_ && options_.interrupt) options_.interrupt();
    if (session_) session_->Stop();
    if (made_ && options_.stop) options_.stop();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  Status Serve() {
    const UniqueFd memory = GRANTFS_TRY(Slots::Make());
    slots_ = GRANTFS_TRY(Slots::Map(memory.get()));
    GRANTFS_CHECK(AnswerInit(mounted_.fuse.get(), &slots_->shared()));
    session_ = GRANTFS_TRY(Session::Create(std::move(mounted_.fuse), slots_.get(), *options_.operations));
    void* owner = options_.make(mounted_.point, session_.get());
    made_ = true;
    GRANTFS_CHECK(session_->Start(options_.threads, owner));
    return {};
  }

  /// Until it is unmounted or a signal came.
  void UntilStopped() {
    while (!stopped_ && !session_->ended()) Wait(Clock_::time_point::max());
  }

  /// Unmounts; open files are served a little longer.
  void End() {
    UnmountOrDetach(mounted_, options_.log);
    stopped_ = false;
    const auto deadline = Clock_::now() + options_.last_wait;
    while (!session_->ended() && !stopped_ && Wait(deadline)) {
    }
    if (!session_->ended()) Log(LogLevel::kWarning, "files that are still open end with the mount");
  }

  void Log(LogLevel level, const std::string& line) const { options_.log(level, Printable(line)); }

 private:
  /// @return false when the time has come.
  bool Wait(Clock_::time_point deadline) {
    pollfd watched[] = {{signals_.fd(), POLLIN, 0}, {session_->event_fd(), POLLIN, 0}};
    int timeout = -1;
    if (deadline != Clock_::time_point::max()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock_::now()).count();
      if (left <= 0) return false;
      timeout = static_cast<int>(left);
    }
    poll(watched, 2, timeout);
    if (signals_.Take()) stopped_ = true;
    eventfd_t count = 0;
    eventfd_read(session_->event_fd(), &count);
    return true;
  }

  const PlainMount& options_;
  MountedFuse mounted_;
  StopSignals signals_;
  std::unique_ptr<Slots> slots_;
  std::unique_ptr<Session> session_;
  bool made_ = false;
  bool stopped_ = false;
};

}  // namespace

Status RunPlainMount(const PlainMount& mount) {
  GRANTFS_CHECK(CheckKernel(KernelRelease()));
  const auto note = [&](std::string_view line) { mount.log(LogLevel::kWarning, line); };
  const std::string point = GRANTFS_TRY(PrepareMountPoint(mount.mount_point, note));
  if (mount.prepare) GRANTFS_CHECK(mount.prepare(point));
  MountedFuse mounted = GRANTFS_TRY(MountFuse(point, mount.allow_other, mount.source));
  const MountedFuse place{{}, mounted.point, mounted.id};
  Running running(mount, std::move(mounted));
  const Status status = running.Serve();
  if (!status) {
    UnmountFuse(place, true);
    return status;
  }
  running.Log(LogLevel::kInfo, "mounted " + point);
  if (mount.ready) mount.ready();
  running.UntilStopped();
  running.End();
  return {};
}

}  // namespace grantfs
