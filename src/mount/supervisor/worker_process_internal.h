#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {

/// How a process ended.
struct ProcessEnd {
  int status = 0;  ///< of waitpid(2)
  /// Something else ended it: it is to blame for nothing.
  bool FromWithout() const;
  bool Exited(int code) const;
  std::string Text() const;  ///< "signal 11", "status 1"
};

/// A child process, which is killed with this object.
class ChildProcess {
 public:
  ChildProcess() = default;
  ChildProcess(pid_t pid, UniqueFd control);
  ChildProcess(ChildProcess&&) noexcept;
  ChildProcess& operator=(ChildProcess&&) noexcept;
  ~ChildProcess();

  explicit operator bool() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }
  int control() const { return control_.get(); }
  int end_fd() const { return end_.get(); }  ///< becomes readable when it has ended
  void Kill();
  /// It has said all that is listened to.
  void CloseControl() { control_.Reset(); }
  /// @return how it ended; none while it lives. Its last thread is gone then.
  std::optional<ProcessEnd> Ended() const;
  /// The same, once. The kernel forgets the process with that, which it can take 10 ms for.
  std::optional<ProcessEnd> Reap();
  /// Kills it and waits until it is gone.
  void End();
  /// The same, but not for ever: what the kernel does not let go by then is nobody's child.
  /// @return whether it is gone.
  bool EndWithin(std::chrono::milliseconds most);
  /// Waits for its end. @return whether it came.
  bool Await(std::chrono::milliseconds most);

 private:
  pid_t pid_ = -1;
  UniqueFd control_;
  UniqueFd end_;
};

struct ProgramStart {
  int program = -1;                ///< descriptor of the executable
  std::vector<std::string> words;  ///< behind its name
  std::vector<int> descriptors;    ///< become 4, 5, ...; 3 is its end of the control channel
  int standard_error = -1;         ///< -1: this process's
};

/// Starts a program in a process of its own. Errors: kIo.
Result<ChildProcess> StartProgram(const ProgramStart& start);

/// A descriptor of this process's own program, also when its file was replaced since. Errors: kIo.
Result<UniqueFd> OwnProgram();

}  // namespace grantfs
