#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "grantfs/log/log.h"
#include "grantfs/util/kept_memory.h"
#include "grantfs/util/result.h"
#include "mount/base/helper_process_internal.h"

namespace grantfs {

/// The command that an administrator wants run when secrets have changed.
struct OnChangeCommand {
  std::string text;         ///< for /bin/sh -c; the changed names are its arguments, "$@"
  std::string mount_point;  ///< its GRANTFS_MOUNT
  std::chrono::seconds limit{60};
};

/// Hands changed names to the process that runs the command, one run at a time: what changes meanwhile is
/// collected for the next. Threads: safe; one of its own.
class OnChange {
 public:
  using LogLine = std::function<void(LogLevel, const std::string&)>;
  /// Starts the process, as StartOnChange does.
  using Starter = std::function<Result<HelperProcess>()>;

  struct Options {
    /// Where names lie until their run has ended, so that it is made though this process ends; may be null.
    /// Outlives this.
    KeptMemory* kept = nullptr;
    bool at_once = true;  ///< starts the first process at once; else when it is needed
    /// Of which supervisor the process is: a run goes on as long as that lives.
    std::uint64_t supervisor = 0;
  };
  /// Errors: what `starter` says, if it starts at once.
  static Result<std::unique_ptr<OnChange>> Start(Starter starter, LogLine log, Options options);
  OnChange(const OnChange&) = delete;
  OnChange& operator=(const OnChange&) = delete;
  /// A command that runs is killed.
  ~OnChange();

  /// @param names  of secrets, below the mount point. One that is none for a command (IsOnChangeName) is left
  /// out. Never waits.
  void Changed(const std::set<std::string>& names);
  /// One line without a name: how the last run ended.
  std::string Report() const;

 private:
  OnChange(Starter starter, LogLine log, Options options, HelperProcess process);
  void Run();
  void TakeKept();
  bool HaveProcess(std::unique_lock<std::mutex>* lock);
  void RunOnce(std::unique_lock<std::mutex>* lock);
  void Mark(const std::string& names, bool ended);
  std::string Hear(int socket, std::uint64_t run);
  void End(const std::string& outcome);
  void Bury();

  const Starter starter_;
  const LogLine log_;
  KeptMemory* const kept_;
  const std::uint64_t supervisor_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> waiting_;
  HelperProcess process_;
  std::chrono::steady_clock::time_point not_before_{};  ///< another one is not started until then
  std::uint64_t run_;                                   ///< number of the last run
  bool running_ = false;
  bool stopped_ = false;
  std::string outcome_;  // of the last run, "" before it
  std::int64_t ended_ = 0;
  std::thread thread_;
};

/// Whether a changed name may go to the command: a path below the mount point, of bounded length, without a
/// byte that would be a terminal's command or a line's end in the hands of whoever did not expect it.
bool IsOnChangeName(const std::string& name);

/// A process that runs the command whenever the socket brings names, and ends when the socket is closed, with
/// the command if it still runs. Best called before threads and descriptors are there. Errors: kIo.
Result<HelperProcess> StartOnChange(const OnChangeCommand& command);

// What goes through the socket (SOCK_SEQPACKET). To the process: a number that names the run (8 bytes), and
// names, each with a NUL behind it; for one that is none (IsOnChangeName) nothing is run. From it: 'L' and a
// line that the command printed; then 'R' and an OnChangeEnd. Who takes the socket over from another process
// hears the end of a run that it did not begin.
inline constexpr std::size_t kMaxOnChangeBytes = 60000;
inline constexpr std::size_t kMaxOnChangeNameBytes = 2048;
inline constexpr std::size_t kMaxOnChangeLineBytes = 500;
inline constexpr unsigned kMaxOnChangeLines = 100;
struct OnChangeEnd {
  std::uint64_t run = 0;
  std::int32_t status = 0;     ///< as waitpid gives it
  std::int32_t error = 0;      ///< errno, if it could not be run
  std::int32_t late = 0;       ///< 1: it was killed since it ran too long
  std::uint32_t left_out = 0;  ///< lines
};

}  // namespace grantfs
