#pragma once

#include <poll.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "grantfs/mount/supervisor.h"
#include "grantfs/util/text.h"
#include "mount/base/channel_internal.h"
#include "mount/base/helper_process_internal.h"
#include "mount/base/mount_point_internal.h"
#include "mount/base/signals_internal.h"
#include "mount/kernel/slots_internal.h"
#include "mount/supervisor/control_internal.h"
#include "mount/supervisor/stored_mount_internal.h"
#include "mount/supervisor/worker_process_internal.h"

namespace grantfs {

/// One mount and its processes. Threads: one.
class Supervisor {
 public:
  explicit Supervisor(const SupervisorOptions& options) : options_(options) {}
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  Status Run();

 private:
  using Time = std::chrono::steady_clock::time_point;
  static Time Now() { return std::chrono::steady_clock::now(); }
  /// So many workers that ended quickly by themselves in a row, and starting more would help nobody.
  static constexpr unsigned kMostQuickDeaths = 5;
  /// So many that were killed in a row before they served: something kills them all (the kernel, which has no
  /// memory for them, say).
  static constexpr unsigned kMostVainKills = 10;
  /// A worker process and how far it is.
  struct Worker {
    ChildProcess process;
    UniqueFd helpers;  ///< what it asks for comes from here
    bool ready = false;
    bool hung = false;        ///< it was ended because it stood still
    Time ready_by{};          ///< then it is ready, or hangs
    unsigned unanswered = 0;  ///< pings
    Time pinged{};
    unsigned said = 0;    ///< messages that came from it unasked
    unsigned starts = 0;  ///< helper processes that it may have started now
    Time refilled{};      ///< when that was last added to
    Time since{};         ///< when it was told to go
    Time serves_since{};
    Time killed{};          ///< by this process
    Time eased{};           ///< what it left was answered, for it to end
    unsigned program = 0;   ///< the number of the program that it is of
    std::string version;    ///< of that, as it says
    std::string complaint;  ///< what it said that keeps it from serving

    void Kill() {
      process.Kill();
      if (killed == Time{}) killed = Now();
    }
  };
  /// Somebody who is connected to the control socket, and has said nothing yet.
  struct Caller {
    UniqueFd socket;
    Time until{};  ///< then it is not listened to any more
  };

  // ---- the beginning (supervisor.cpp)
  Status Prepare();
  Status Begin();
  Status StartFirst();
  Status Mount();
  void TakeOrders();
  Status AwaitServing();
  void Announce();

  // ---- another holder of what must outlive this process (supervise_store.cpp)
  bool TakeStored();
  Status TakeChecked(StoredMount stored);
  void Store();
  void ForgetStored();

  // ---- events (supervisor.cpp)
  void Loop();
  void End();
  void AwaitLeader();
  void Wait(std::chrono::milliseconds most);
  void Relay();
  bool Unmounted() const;

  // ---- workers (supervise_workers.cpp)
  Result<Worker> StartWorker(bool first, int program);
  bool SaysSomething(int socket) const;
  void Hear(Worker* worker);
  void HearLeader();
  void HearStandby();
  void Promote();
  void ReplaceStandby();
  void LeaderEnded(const ProcessEnd& end);
  void StandbyEnded(const ProcessEnd& end);
  void CountDeath(bool quick);
  void CountOwnDeath(const ProcessEnd& end, bool quick);
  bool TooManyDeaths() const;
  void TryAfresh();
  void Dismiss(ChildProcess* process);

  // ---- workers that stand still (supervise_silence.cpp)
  std::chrono::milliseconds FirstDeadline() const;
  std::chrono::milliseconds NextDeadline() const;
  void CheckHeartbeat();
  void CheckWaiting();
  bool HasHung(Worker* worker);
  void CheckDying();

  // ---- processes that workers may not start (supervise_helpers.cpp)
  void ServeLeader();
  void AnswerLeader(const Result<HelperProcess>& started);
  void DropRotationHelper();
  bool MayStart();
  Result<HelperProcess> StartRotationHelper();
  Result<HelperProcess> OnChangeSocket();
  void EndHelpers();

  // ---- answering EIO (supervise_refusal.cpp)
  enum class Refused { kAll, kLeft };
  void Refuse();
  ChildProcess StartRefuser(Refused what);
  void RefuseAndForget(Refused what);
  void TryAgain();

  // ---- orders (supervise_orders.cpp)
  void HearCallers();
  RunningMount HowItStands() const;
  void TakeOrder(Caller* caller, ChannelMessage message);
  static void Answer(int socket, const Status& status);

  // ---- upgrade (supervise_upgrade.cpp)
  void BeginUpgrade(UniqueFd who, UniqueFd program);
  void EndUpgrade(const Status& status);
  void HearCandidate();
  void CandidateEnded(const ProcessEnd& end);
  void Drain();
  bool GivesUpProgram(const Worker& worker, const ProcessEnd& end, bool served);
  void GoBack(const Worker& worker, const ProcessEnd& end, bool served);
  void JudgeUpgrade();

  void Log(LogLevel level, const std::string& line) const;
  void Tell(const std::string& state) const {
    if (options_.tell) options_.tell(state);
  }
  void TellServing() const { Tell("files can be read on " + Printable(point_)); }

  const SupervisorOptions& options_;
  std::string point_;
  MountedFuse mounted_;
  UniqueFd slots_fd_;
  UniqueFd kept_fd_;
  std::unique_ptr<Slots> slots_;
  UniqueFd program_;
  UniqueFd relay_reading_;
  UniqueFd relay_writing_;
  Time relayed_at_ = Now();
  std::int64_t relay_left_ = 1 << 16;  ///< bytes that may be relayed now
  std::uint64_t relay_dropped_ = 0;
  StopSignals signals_;
  ControlSocket control_;

  Worker leader_;
  Worker standby_;
  ChildProcess dead_;  ///< the leader before, which the kernel forgets when the next one is at work
  ChildProcess refuser_;
  ChildProcess rotation_helper_;  ///< of the leader
  std::vector<ChildProcess> dying_helpers_;
  ChildProcess on_change_;
  UniqueFd on_change_socket_;
  std::optional<Error> failure_;  ///< of the first worker
  bool took_over_ = false;        ///< the mount of a supervisor that was killed
  bool announced_ = false;
  bool stopped_ = false;
  bool ended_ = false;         ///< the filesystem was unmounted
  bool ending_ = false;        ///< it is being unmounted
  bool given_up_ = false;      ///< a dead worker kept others from serving it
  bool promote_ = false;       ///< there is no leader, and the standby is to be it when it is ready
  unsigned quick_deaths_ = 0;  ///< by themselves or hung, one after the other
  unsigned vain_kills_ = 0;    ///< of workers that had not served yet, one after the other
  unsigned refusals_ = 0;      ///< one after the other
  Time refuse_until_{};
  Time start_standby_at_{};
  Time next_check_{};
  unsigned silent_checks_ = 0;
  std::int64_t hung_since_ = 0;  ///< before then, CLOCK_MONOTONIC: what the leader was ended for

  bool takes_orders_ = false;  ///< what is said at the control socket is heard
  std::vector<Caller> callers_;
  Time deaf_until_{};  ///< to further ones

  // An upgrade that is under way.
  UniqueFd order_;  ///< who waits for its end
  UniqueFd new_program_;
  Worker candidate_;
  bool draining_ = false;
  Time drain_until_{};
  // One that has to prove itself.
  unsigned program_number_ = 0;
  UniqueFd former_program_;  ///< what is gone back to
  Time upgraded_at_{};
  unsigned new_deaths_ = 0;   ///< of workers of the new program
  unsigned new_kills_ = 0;    ///< of those, before they served
  std::string gone_back_;     ///< why it was given up
  bool leader_goes_ = false;  ///< it is of that program, and drained when another is ready
};

}  // namespace grantfs
