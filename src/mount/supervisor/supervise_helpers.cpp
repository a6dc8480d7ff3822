#include <fcntl.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "mount/supervisor/supervisor_internal.h"
#include "mount/watchers/on_change_internal.h"
#include "mount/watchers/rotation_helper_internal.h"
#include "mount/worker/worker_internal.h"

// Processes that need a right which workers have not: they are this process's children, and what they may do
// is fixed here, whatever a worker asks for.

namespace grantfs {

namespace {
// More of them cannot be dying unless somebody asks for them without need.
constexpr std::size_t kMostDyingHelpers = 8;
// What one worker may have started in a row, and how long it takes until it may have one more started.
constexpr unsigned kMostStarts = 32;
constexpr std::chrono::milliseconds kStartPause{500};
// Others are served between.
constexpr int kMostAtOnce = 16;
constexpr std::chrono::seconds kCommandEnd{5};
}  // namespace

/// What the worker that serves asks for.
void Supervisor::ServeLeader() {
  std::erase_if(dying_helpers_, [](ChildProcess& one) { return one.Reap().has_value(); });
  for (int i = 0; i < kMostAtOnce && leader_.process && SaysSomething(leader_.helpers.get()); ++i) {
    const auto message = ReceiveWords(leader_.helpers.get());
    if (!message) return leader_.helpers.Reset();
    if (message->kind == kStartRotation) AnswerLeader(StartRotationHelper());
    if (message->kind == kStartOnChange) AnswerLeader(OnChangeSocket());
    if (message->kind == kKillRotation) DropRotationHelper();
  }
}

void Supervisor::AnswerLeader(const Result<HelperProcess>& started) {
  if (started)
    SendMessage(leader_.helpers.get(), kHelperStarted, std::to_string(started->pid), started->socket.get());
  else
    SendMessage(leader_.helpers.get(), kHelperFailed, PackError(started.error()));
}

/// It may wait for an answer of the mount, which only comes when there is a worker: nobody waits for it.
void Supervisor::DropRotationHelper() { Dismiss(&rotation_helper_); }

/// A worker in others' hands shall not have this process fork all the time.
bool Supervisor::MayStart() {
  const auto earned = (Now() - leader_.refilled) / kStartPause;
  if (earned > 0) {
    leader_.starts = static_cast<unsigned>(std::min<std::int64_t>(leader_.starts + earned, kMostStarts));
    leader_.refilled = Now();
  }
  return leader_.starts > 0 && leader_.starts-- > 0;
}

Result<HelperProcess> Supervisor::StartRotationHelper() {
  DropRotationHelper();
  if (!MayStart()) return Error{Code::kIo, "too many processes were started for watchers just now", 0, {}};
  if (ending_ || dying_helpers_.size() > kMostDyingHelpers)
    return Error{Code::kIo, "no process is started for watchers now", 0, {}};
  HelperProcess started =
      GRANTFS_TRY(RotationHelper::StartProcess(point_, makedev(0, mounted_.device), true));
  rotation_helper_ = ChildProcess(started.pid, UniqueFd());
  return HelperProcess{started.pid, std::move(started.socket)};
}

/// The same for all workers: what one has it run goes on when that one ends.
Result<HelperProcess> Supervisor::OnChangeSocket() {
  if (options_.on_change.empty() || ending_) return Error{Code::kIo, "there is no command to be run", 0, {}};
  if (!on_change_ || on_change_.Reap()) {
    if (!MayStart())
      return Error{Code::kIo, "too many processes were started for the command just now", 0, {}};
    HelperProcess started =
        GRANTFS_TRY(StartOnChange({options_.on_change, point_, options_.on_change_limit}));
    on_change_socket_ = std::move(started.socket);
    on_change_ = ChildProcess(started.pid, UniqueFd());
  }
  UniqueFd copy(fcntl(on_change_socket_.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy) return Error{Code::kIo, "cannot copy a descriptor", errno, {}};
  return HelperProcess{on_change_.pid(), std::move(copy)};
}

/// When no worker is left. The command is killed by the process that runs it.
void Supervisor::EndHelpers() {
  DropRotationHelper();
  for (ChildProcess& one : dying_helpers_) one.EndWithin(kCommandEnd);
  dying_helpers_.clear();
  if (!on_change_) return;
  on_change_socket_.Reset();
  on_change_.Await(kCommandEnd);
  on_change_.EndWithin(kCommandEnd);
}

}  // namespace grantfs
