#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "grantfs/mount/mount.h"
#include "grantfs/util/kept_memory.h"
#include "grantfs/util/text.h"
#include "mount/kernel/kernel_link_internal.h"
#include "mount/supervisor/supervisor_internal.h"
#include "mount/worker/worker_internal.h"

namespace grantfs {

namespace {

// Ciphertexts of what is open and leased, and a few hundred bytes a secret, at most; it takes room as it is
// used.
constexpr std::size_t kKeptBytes = std::size_t{96} << 20;
constexpr std::chrono::milliseconds kTick{1000};
constexpr std::chrono::seconds kLastWords{15};
constexpr std::chrono::seconds kProcessEnd{2};  // of one that was killed
constexpr int kReadsAtOnce = 16;                // then others are served
constexpr std::int64_t kMostRelayed = 1 << 20;
constexpr std::int64_t kRelayedPerMs = 64;

}  // namespace

Status RunSupervisor(const SupervisorOptions& options) {
  MountOptions checked;
  checked.root = options.root;
  checked.threads = options.threads;
  GRANTFS_CHECK(CheckMountOptions(checked));
  GRANTFS_CHECK(CheckKernel(KernelRelease()));
  return Supervisor(options).Run();
}

void Supervisor::Log(LogLevel level, const std::string& line) const {
  if (options_.log) return options_.log(level, Printable(line));
  grantfs::Log(level, line);
}

Status Supervisor::Run() {
  GRANTFS_CHECK(Prepare());
  if (!TakeStored()) GRANTFS_CHECK(Begin());
  start_standby_at_ = Now();
  if (took_over_) ReplaceStandby();  // at once: readers wait
  Loop();
  End();
  if (!given_up_) return {};
  return Error{Code::kIo, "the mount was given up: a worker that was killed did not end; mount it again", 0,
               point_};
}

Status Supervisor::Prepare() {
  std::signal(SIGCHLD, SIG_DFL);  // whoever ignored it would not be told how a worker ended
  program_ = GRANTFS_TRY(OwnProgram());
  if (options_.relay_log) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return Error{Code::kIo, "cannot make a pipe", errno, {}};
    relay_reading_.Reset(ends[0]);
    relay_writing_.Reset(ends[1]);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
  }
  return {};
}

/// A new mount.
Status Supervisor::Begin() {
  const auto note = [this](std::string_view line) { Log(LogLevel::kWarning, std::string(line)); };
  point_ = GRANTFS_TRY(PrepareMountPoint(options_.mount_point, note));
  slots_fd_ = GRANTFS_TRY(Slots::Make());
  slots_ = GRANTFS_TRY(Slots::Map(slots_fd_.get()));
  kept_fd_ = GRANTFS_TRY(KeptMemory::Make(kKeptBytes));
  slots_->shared().supervisor = getpid();
  GRANTFS_CHECK(StartFirst());
  GRANTFS_CHECK(Mount());
  Store();
  const Status serving = AwaitServing();
  if (serving) return {};
  ForgetStored();
  UnmountFuse(mounted_, true);
  return serving;
}

/// When the files can be read; once.
void Supervisor::Announce() {
  if (std::exchange(announced_, true)) return;
  slots_->shared().vain_takeovers = 0;
  Log(LogLevel::kInfo, (took_over_ ? "goes on with the mount on " : "mounted ") + point_);
  TellServing();
  if (options_.ready) options_.ready();
}

/// Before there is a mount: nobody waits for a worker that cannot start.
Status Supervisor::StartFirst() {
  leader_ = GRANTFS_TRY(StartWorker(true, program_.get()));
  while (!leader_.ready) {
    Wait(kTick);
    if (stopped_)
      return Error{Code::kCancelled, "it was told to end before the files could be read", 0, point_};
    Relay();
    HearLeader();
    if (failure_) return *failure_;
    if (Now() > leader_.ready_by) return Error{Code::kIo, "the worker does not get ready", 0, point_};
    if (const auto end = leader_.process.Reap())
      return Error{Code::kIo, "the worker ended before it was ready", 0, end->Text()};
  }
  return {};
}

Status Supervisor::Mount() {
  mounted_ = GRANTFS_TRY(MountFuse(point_, options_.allow_other));
  if (auto answered = AnswerInit(mounted_.fuse.get(), &slots_->shared()); !answered) {
    UnmountFuse(mounted_, true);
    return Error{answered.error().code, answered.error().where, answered.error().sys, point_};
  }
  TakeOrders();
  if (SendMessage(leader_.process.control(), kFuseMessage, {}, mounted_.fuse.get())) return {};
  const int error = errno;
  UnmountFuse(mounted_, true);
  return Error{Code::kIo, "the worker does not take the mount's descriptor", error, point_};
}

void Supervisor::TakeOrders() {
  if (options_.control_directory.empty()) return;
  auto control = ControlSocket::Listen(options_.control_directory, point_);
  if (control)
    control_ = std::move(*control);
  else
    Log(LogLevel::kWarning, "the mount takes no orders (mount --upgrade): " + Describe(control.error()));
}

Status Supervisor::AwaitServing() {
  SendMessage(leader_.process.control(), kGoMessage);
  leader_.since = Now();
  leader_.ready = false;
  for (const Time end = Now() + FirstDeadline(); !leader_.ready;) {
    if (Now() > end) return Error{Code::kIo, "the worker does not begin to serve", 0, point_};
    Wait(kTick);
    Relay();
    ServeLeader();
    HearLeader();
    if (failure_) return *failure_;
    if (leader_.ready) break;  // it may be gone again: there are others
    if (const auto gone = leader_.process.Reap())
      return Error{Code::kIo, "the worker ended before it served", 0, gone->Text()};
    if (Unmounted()) return Error{Code::kIo, "the kernel ended the mount before it began", 0, point_};
  }
  return {};
}

bool Supervisor::Unmounted() const {
  pollfd watched{mounted_.fuse.get(), 0, 0};
  return poll(&watched, 1, 0) == 1 && (watched.revents & POLLERR) != 0;
}

/// Until something happens; what it is, the callers look for.
void Supervisor::Wait(std::chrono::milliseconds most) {
  std::vector<pollfd> watched = {{signals_.fd(), POLLIN, 0}};
  const auto add = [&](int fd, short events) {
    if (fd >= 0) watched.push_back({fd, events, 0});
  };
  // Each request would wake this process from there. A worker that serves says itself when it was unmounted.
  if (mounted_.fuse && !ended_ && !(leader_.process && leader_.ready)) add(mounted_.fuse.get(), 0);
  add(relay_reading_.get(), POLLIN);
  for (const Worker* worker : {&leader_, &standby_, &candidate_}) {
    add(worker->process.control(), POLLIN);
    add(worker->process.end_fd(), POLLIN);
  }
  add(refuser_.end_fd(), POLLIN);
  if (leader_.process) add(leader_.helpers.get(), POLLIN);
  if (takes_orders_) {
    if (Now() >= deaf_until_) add(control_.fd(), POLLIN);
    for (const Caller& caller : callers_) add(caller.socket.get(), POLLIN);
  }
  poll(watched.data(), watched.size(), static_cast<int>(most.count()));
  if (signals_.Take()) stopped_ = true;
}

/// What the workers write to standard error, as long as it is no flood: it may have no end, and what stores
/// it does.
void Supervisor::Relay() {
  const auto now = Now();
  const std::int64_t earned = (now - relayed_at_) / std::chrono::milliseconds(1) * kRelayedPerMs;
  relay_left_ = std::min(kMostRelayed, relay_left_ + std::min(kMostRelayed, earned));
  relayed_at_ = now;
  char bytes[4096];
  ssize_t got = 0;
  for (int i = 0; i < kReadsAtOnce && relay_reading_; ++i) {
    if ((got = read(relay_reading_.get(), bytes, sizeof bytes)) <= 0) break;
    if (got > relay_left_) {
      relay_dropped_ += static_cast<std::uint64_t>(got);
      continue;
    }
    relay_left_ -= got;
    if (const auto dropped = std::exchange(relay_dropped_, 0))
      Log(LogLevel::kWarning,
          "workers wrote too much at once: " + std::to_string(dropped) + " bytes of it are left out");
    [[maybe_unused]] const ssize_t wrote = write(STDERR_FILENO, bytes, static_cast<std::size_t>(got));
  }
}

void Supervisor::Loop() {
  takes_orders_ = true;
  while (!stopped_ && !ended_) {
    Wait(kTick);
    Relay();
    ended_ = Unmounted();
    if (stopped_ || ended_) return;
    ServeLeader();
    HearLeader();
    HearStandby();
    HearCandidate();
    dead_.Reap();
    if (const auto end = leader_.process.Ended()) LeaderEnded(*end);
    if (const auto end = standby_.process.Reap()) StandbyEnded(*end);
    if (const auto end = candidate_.process.Reap()) CandidateEnded(*end);
    TryAgain();
    if (draining_ && Now() > drain_until_) leader_.Kill();
    if (!standby_.process && Now() >= start_standby_at_) ReplaceStandby();
    CheckHeartbeat();
    CheckWaiting();
    CheckDying();
    JudgeUpgrade();
    HearCallers();
  }
  takes_orders_ = false;
}

/// The last worker ends by itself when it has told what is to be told.
void Supervisor::AwaitLeader() {
  if (!Unmounted()) return;
  for (const Time end = Now() + kLastWords;
       leader_.process && leader_.killed == Time{} && !stopped_ && Now() < end;) {
    Wait(kTick);
    Relay();
    ServeLeader();
    HearLeader();
    leader_.process.Reap();
  }
}

/// Unmounts; open files are served a little longer.
void Supervisor::End() {
  ending_ = true;
  control_ = ControlSocket();  // whoever mounts there next has one of his own
  callers_.clear();
  EndUpgrade(Error{Code::kCancelled, "the mount ends", 0, point_});
  Dismiss(&candidate_.process);
  ForgetStored();
  if (leader_.process) SendMessage(leader_.process.control(), kEndMessage);
  DropRotationHelper();
  UnmountOrDetach(mounted_, [this](LogLevel level, std::string_view line) { Log(level, std::string(line)); });
  stopped_ = false;
  for (const Time end = Now() + options_.open_deadline; !Unmounted() && !stopped_ && Now() < end;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Now());
    Wait(std::clamp(left, std::chrono::milliseconds(0), kTick));
    Relay();
    ServeLeader();
    HearLeader();
    // Who serves the last readers may die too.
    if (leader_.process.Reap() && !Unmounted()) {
      leader_.helpers.Reset();
      Promote();
    }
    if (refuser_.Reap() && promote_) Promote();
    standby_.process.Reap();
    if (promote_ && !standby_.process && Now() >= start_standby_at_) ReplaceStandby();
    HearStandby();
  }
  ended_ = true;
  if (!Unmounted()) {
    Log(LogLevel::kWarning, "files that are still open end with the mount");
    if (const auto aborted = AbortConnection(mounted_); !aborted)
      Log(LogLevel::kWarning, Describe(aborted.error()));
  }
  const bool open_files = !Unmounted();
  for (ChildProcess* process : {&standby_.process, &refuser_}) process->EndWithin(kProcessEnd);
  AwaitLeader();
  leader_.process.Kill();
  leader_.process.Await(kProcessEnd);
  // It may be what its last thread waits for.
  if (open_files) RefuseLeft(mounted_.fuse.get(), slots_.get());
  if (!leader_.process.EndWithin(kProcessEnd)) Log(LogLevel::kError, "a worker does not end, and is left");
  mounted_.fuse.Reset();
  EndHelpers();
  Relay();
}

}  // namespace grantfs
