#pragma once

#include <signal.h>

#include "grantfs/util/unique_fd.h"

namespace grantfs {

/// Keeps all signals but `except` (0: none) from the calling thread.
void BlockAllSignals(int except = 0);

/// While it lives, SIGTERM, SIGINT and SIGHUP to this process, whichever thread the kernel chooses, make fd()
/// readable and do nothing else. A SIGHUP that was ignored (nohup) still is. One at a time.
class StopSignals {
 public:
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals();

  int fd() const { return event_.get(); }
  /// @return whether one came since the last call.
  bool Take();

 private:
  UniqueFd event_;
  sigset_t mask_before_;
  struct sigaction term_before_;
  struct sigaction interrupt_before_;
  struct sigaction hangup_before_;
};

}  // namespace grantfs
