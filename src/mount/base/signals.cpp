#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "mount/base/signals_internal.h"

namespace grantfs {

namespace {

std::atomic<int> stop_event{-1};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler uses it");

void OnStop(int) {
  const int error = errno;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t wrote = write(stop_event, &one, sizeof one);
  errno = error;
}

}  // namespace

void BlockAllSignals(int except) {
  sigset_t all;
  sigfillset(&all);
  if (except != 0) sigdelset(&all, except);
  sigdelset(&all,
            SIGBUS);  // blocked, it ends the process all the same, and nobody can answer it (mapped_copy.h)
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

StopSignals::StopSignals() {
  event_.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  stop_event = event_.get();
  struct sigaction action {};
  action.sa_handler = OnStop;
  action.sa_flags = SA_RESTART;
  sigaction(SIGTERM, &action, &term_before_);
  sigaction(SIGINT, &action, &interrupt_before_);
  sigaction(SIGHUP, nullptr, &hangup_before_);
  if (hangup_before_.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGHUP);
  pthread_sigmask(SIG_UNBLOCK, &stop, &mask_before_);  // at least this thread takes them
}

StopSignals::~StopSignals() {
  pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
  sigaction(SIGTERM, &term_before_, nullptr);
  sigaction(SIGINT, &interrupt_before_, nullptr);
  sigaction(SIGHUP, &hangup_before_, nullptr);
  stop_event = -1;
}

bool StopSignals::Take() {
  eventfd_t count = 0;
  return eventfd_read(event_.get(), &count) == 0;
}

}  // namespace grantfs
