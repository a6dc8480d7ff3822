#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "mount/watchers/rotation_helper_internal.h"

namespace grantfs {

Result<std::unique_ptr<RotationHelper>> RotationHelper::Start(const std::string& point, dev_t device) {
  HelperProcess started = GRANTFS_TRY(StartProcess(point, device, false));
  return std::unique_ptr<RotationHelper>(new RotationHelper(started.pid, std::move(started.socket)));
}

Result<HelperProcess> RotationHelper::StartProcess(const std::string& point, dev_t device,
                                                   bool ends_with_caller) {
  return ForkHelper([path = point.c_str(), device, ends_with_caller, parent = getpid()](int socket) {
    if (ends_with_caller && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)) _exit(1);
    RunRotationHelper(socket, path, device);
  });
}

std::unique_ptr<RotationHelper> RotationHelper::Of(pid_t pid, UniqueFd socket, std::function<void()> kill) {
  std::unique_ptr<RotationHelper> helper(new RotationHelper(pid, std::move(socket)));
  helper->kill_ = std::move(kill);
  return helper;
}

RotationHelper::~RotationHelper() {
  Kill();
  while (!reaped_ && waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool RotationHelper::Alive() const {
  pollfd watched{socket_.get(), 0, 0};
  return poll(&watched, 1, 0) == 0;
}

int RotationHelper::Do(const HelperRequest& request, Time deadline) {
  char message[kMaxHelperMessageBytes];
  const std::size_t size =
      sizeof request.act + sizeof request.node + request.name.size() + request.path.size() + 2;
  if (size > sizeof message) return ENAMETOOLONG;
  char* at = message;
  const auto add = [&at](const void* bytes, std::size_t count) {
    std::memcpy(at, bytes, count);
    at += count;
  };
  add(&request.act, sizeof request.act);
  add(&request.node, sizeof request.node);
  add(request.name.c_str(), request.name.size() + 1);
  add(request.path.c_str(), request.path.size() + 1);
  if (send(socket_.get(), message, size, MSG_NOSIGNAL) < 0) return EPIPE;
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd watched{socket_.get(), POLLIN, 0};
    const int ready = poll(&watched, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) return ETIMEDOUT;
    std::int32_t answer = 0;
    return recv(socket_.get(), &answer, sizeof answer, 0) == sizeof answer ? answer : EPIPE;
  }
}

void RotationHelper::Interrupt() { shutdown(socket_.get(), SHUT_RDWR); }

void RotationHelper::Kill() {
  Interrupt();
  if (reaped_) return;
  if (kill_) {
    kill_();
    reaped_ = true;  // by the other process
  } else if (pid_ > 1) {
    kill(pid_, SIGKILL);
  }
}

bool RotationHelper::Reaped() {
  if (!reaped_ && waitpid(pid_, nullptr, WNOHANG) != 0) reaped_ = true;  // also where it is no child
  return reaped_;
}

}  // namespace grantfs
