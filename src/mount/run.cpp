#include <poll.h>
#include <sys/eventfd.h>

#include <chrono>
#include <memory>
#include <string>

#include "grantfs/mount/mount.h"
#include "grantfs/util/text.h"
#include "mount/filesystem_internal.h"
#include "mount/kernel_link_internal.h"
#include "mount/mount_point_internal.h"
#include "mount/operations_internal.h"
#include "mount/signals_internal.h"

namespace grantfs {

namespace {

using Clock_ = std::chrono::steady_clock;

Status CheckOptions(const MountOptions& options) {
  if (options.source == nullptr) return Error{Code::kInvalid, "a mount needs a source of secrets", 0, {}};
  return CheckMountOptions(options);
}

}  // namespace

Status CheckMountOptions(const MountOptions& options) {
  if (options.threads < 1 || options.threads > 64) {
    return Error{Code::kInvalid, "the number of threads must be 1 to 64", 0, std::to_string(options.threads)};
  }
  const auto parts = Split(options.root, '/');
  if (!options.root.empty() && (parts.size() != 2 || parts[0].empty() || parts[1].empty())) {
    return Error{Code::kInvalid, "the root must be an environment, like shop/prod", 0, options.root};
  }
  return {};
}

namespace {

/// A mount from the first answer to the last.
class Running {
 public:
  Running(const MountOptions& options, MountedFuse mounted)
      : options_(options), mounted_(std::move(mounted)) {}
  ~Running() {
    if (session_) session_->Stop();
    if (filesystem_) filesystem_->Stop();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  Status Serve() {
    const UniqueFd memory = GRANTFS_TRY(Slots::Make());
    slots_ = GRANTFS_TRY(Slots::Map(memory.get()));
    GRANTFS_CHECK(AnswerInit(mounted_.fuse.get(), &slots_->shared()));
    session_ = GRANTFS_TRY(Session::Create(std::move(mounted_.fuse), slots_.get(), FuseOperations()));
    filesystem_ = std::make_shared<Filesystem>(options_, mounted_.point, session_.get());
    filesystem_->Start();
    GRANTFS_CHECK(session_->Start(options_.threads, filesystem_.get()));
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
    const auto deadline = Clock_::now() + options_.open_deadline;
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

  const MountOptions& options_;
  MountedFuse mounted_;
  StopSignals signals_;
  std::unique_ptr<Slots> slots_;
  std::unique_ptr<Session> session_;
  std::shared_ptr<Filesystem> filesystem_;
  bool stopped_ = false;
};

}  // namespace

Status RunMount(const MountOptions& given) {
  MountOptions options = given;
  if (!options.log) options.log = [](LogLevel level, std::string_view line) { Log(level, line); };
  GRANTFS_CHECK(CheckOptions(options));
  GRANTFS_CHECK(CheckKernel(KernelRelease()));
  const auto note = [&](std::string_view line) { options.log(LogLevel::kWarning, line); };
  const std::string point = GRANTFS_TRY(PrepareMountPoint(options.mount_point, note));
  MountedFuse mounted = GRANTFS_TRY(MountFuse(point));
  const MountedFuse place{{}, mounted.point, mounted.id};
  Running running(options, std::move(mounted));
  const Status status = running.Serve();
  if (!status) {
    UnmountFuse(place, true);
    return status;
  }
  running.Log(LogLevel::kInfo, "mounted " + point);
  if (options.ready) options.ready();
  running.UntilStopped();
  running.End();
  return {};
}

}  // namespace grantfs
