#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "mount/signals_internal.h"

namespace grantfs {

void BlockAllSignals(int except) {
  sigset_t all;
  sigfillset(&all);
  if (except != 0) sigdelset(&all, except);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

StopSignals::StopSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, &before_);
  fd_.Reset(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

StopSignals::~StopSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

bool StopSignals::Take() {
  signalfd_siginfo info;
  return read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info);
}

}  // namespace grantfs
