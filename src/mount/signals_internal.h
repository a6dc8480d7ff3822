#pragma once

#include <signal.h>

#include "grantfs/util/unique_fd.h"

namespace grantfs {

/// Keeps all signals but `except` (0: none) from the calling thread, so that the program's main thread gets
/// them.
void BlockAllSignals(int except = 0);

/// While it lives, SIGTERM and SIGINT of this thread (and of those that it starts) arrive at fd() alone.
class StopSignals {
 public:
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals();

  int fd() const { return fd_.get(); }
  /// Takes one signal, if one came.
  bool Take();

 private:
  sigset_t before_;
  UniqueFd fd_;
};

}  // namespace grantfs
