#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "mount/base/channel_internal.h"
#include "mount/base/helper_process_internal.h"

namespace grantfs {

Result<pid_t> ForkSilent(const std::function<void()>& run) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t child = fork();
  if (child == 0) {
    run();
    _exit(0);
  }
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (child < 0) return Error{Code::kIo, "cannot make a helper's process", error, {}};
  return child;
}

Result<HelperProcess> ForkHelper(const std::function<void(int socket)>& serve) {
  auto [ours, its] = GRANTFS_TRY(MakeChannel());
  const pid_t child = GRANTFS_TRY(ForkSilent([&serve, socket = its.get()] { serve(socket); }));
  return HelperProcess{child, std::move(ours)};
}

void CloseAllBut(int socket) {
  if (socket > 0) close_range(0, static_cast<unsigned>(socket) - 1, 0);
  close_range(static_cast<unsigned>(socket) + 1, UINT_MAX, 0);
  while (open("/dev/null", O_RDWR) >= 0 && fcntl(2, F_GETFD) < 0) {  // nothing else shall become 0, 1 or 2
  }
}

}  // namespace grantfs
