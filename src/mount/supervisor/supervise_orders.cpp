#include <unistd.h>

#include <algorithm>

#include "mount/supervisor/supervisor_internal.h"

// Who may give a mount orders is connected to its control socket. One that says nothing keeps nobody waiting.

namespace grantfs {

namespace {
constexpr std::size_t kMostCallers = 8;
constexpr std::chrono::seconds kPatience{1};
/// Whoever cannot be let in (there is no descriptor left, say) still knocks: he is not heard all the time.
constexpr std::chrono::milliseconds kDeaf{200};
}  // namespace

void Supervisor::Answer(int socket, const Status& status) {
  if (status)
    SendMessage(socket, kDoneAnswer);
  else
    SendMessage(socket, kFailedAnswer, PackError(status.error()));
}

void Supervisor::HearCallers() {
  if (Now() >= deaf_until_ && SaysSomething(control_.fd())) {
    UniqueFd socket = control_.Accept();
    if (!socket) deaf_until_ = Now() + kDeaf;
    if (socket && callers_.size() < kMostCallers) callers_.push_back({std::move(socket), Now() + kPatience});
  }
  for (Caller& caller : callers_) {
    if (!SaysSomething(caller.socket.get())) continue;
    auto message = ReceiveMessage(caller.socket.get());
    if (message) TakeOrder(&caller, std::move(*message));
    caller.socket.Reset();
  }
  std::erase_if(callers_, [](const Caller& caller) { return !caller.socket || Now() > caller.until; });
}

RunningMount Supervisor::HowItStands() const {
  RunningMount mount;
  const bool serves = leader_.process && leader_.ready && !leader_.hung && leader_.killed == Time{};
  mount.state = refuser_ ? RunningMount::State::kRefuses
                : serves ? RunningMount::State::kServes
                         : RunningMount::State::kStarts;
  mount.identity = options_.identity;
  mount.supervisor = getpid();
  mount.program = options_.version;
  if (serves) mount.worker = leader_.process.pid();
  mount.worker_program = Printable(leader_.version);
  return mount;
}

/// The word of who runs `grantfs mount --upgrade`: with a program; or of `grantfs doctor`.
void Supervisor::TakeOrder(Caller* caller, ChannelMessage message) {
  const int socket = caller->socket.get();
  if (message.kind == kStateOrder) {
    SendMessage(socket, kStateAnswer, WriteMountState(HowItStands()));
    return;
  }
  if (message.kind != kUpgradeOrder || !message.fd)
    return Answer(socket, Error{Code::kUnsupported, "the mount does not know this order", 0, point_});
  if (order_)
    return Answer(socket, Error{Code::kConflict,
                                "another upgrade is under way; run it again when that has ended", 0, point_});
  BeginUpgrade(std::move(caller->socket), std::move(message.fd));
}

}  // namespace grantfs
