#include <unistd.h>

#include <algorithm>
#include <utility>

#include "grantfs/util/clock.h"
#include "mount/kept_files_internal.h"
#include "mount/kernel_link_internal.h"
#include "mount/privileges_internal.h"
#include "mount/supervisor_internal.h"
#include "mount/worker_internal.h"

namespace grantfs {

namespace {

// A worker that ends by itself within so long after it began ended quickly; so many of them in a row, and
// starting more would help nobody.
constexpr std::chrono::seconds kQuick{10};
constexpr unsigned kMostQuickDeaths = 5;
// So many that were killed in a row before they served: something kills them all (the kernel, which has no
// memory for them, say).
constexpr unsigned kMostVainKills = 10;
constexpr std::chrono::seconds kFirstRefusal{2};
constexpr std::chrono::seconds kLongestRefusal{60};
constexpr std::chrono::seconds kStandbyPause{1};
// A worker has three things to say, in all.
constexpr unsigned kMostSaid = 16;

}  // namespace

Result<Supervisor::Worker> Supervisor::StartWorker(bool first, int program) {
  WorkerWords words;
  words.first = first;
  words.point = point_;
  words.root = options_.root;
  words.threads = options_.threads;
  words.open_deadline = options_.open_deadline;
  words.mounter = geteuid();
  words.mounter_group = getegid();
  words.user = options_.user;
  words.group = options_.group;
  words.on_change = !options_.on_change.empty();
  auto [ours, theirs] = GRANTFS_TRY(MakeChannel());
  RefuseDescriptors(ours.get());
  ProgramStart start{.program = program,
                     .words = options_.worker_words,
                     .descriptors = {slots_fd_.get(), kept_fd_.get(), theirs.get()},
                     .standard_error = relay_writing_.get()};
  for (std::string& word : words.ToWords()) start.words.push_back(std::move(word));
  start.descriptors.insert(start.descriptors.end(), options_.worker_descriptors.begin(),
                           options_.worker_descriptors.end());
  Worker worker;
  worker.process = GRANTFS_TRY(StartProgram(start));
  worker.helpers = std::move(ours);
  worker.pinged = Now();
  worker.ready_by = worker.pinged + (first ? FirstDeadline() : NextDeadline());
  if (!first) SendMessage(worker.process.control(), kFuseMessage, {}, mounted_.fuse.get());
  return worker;
}

bool Supervisor::SaysSomething(int socket) const {
  pollfd watched{socket, POLLIN, 0};
  return socket >= 0 && poll(&watched, 1, 0) == 1 && (watched.revents & (POLLIN | POLLHUP)) != 0;
}

/// What a worker says, without waiting. One that has closed the channel or says what no worker says may be in
/// others' hands: it ends, if it is not ending already.
void Supervisor::Hear(Worker* worker) {
  while (worker->process && SaysSomething(worker->process.control())) {
    const auto message = ReceiveWords(worker->process.control());
    // Each ping has one answer.
    if (message && message->kind == kAwakeMessage && worker->unanswered > 0) {
      --worker->unanswered;
      continue;
    }
    if (!message || ++worker->said > kMostSaid) {
      if (message) Log(LogLevel::kError, "a worker says what no worker has to say, and is ended");
      worker->process.Kill();
      return worker->process.CloseControl();
    }
    if (message->kind == kReadyMessage || message->kind == kServingMessage) worker->ready = true;
    if (message->kind == kErrorMessage) failure_ = UnpackError(message->text);
  }
}

void Supervisor::HearLeader() {
  const bool before = leader_.ready;
  failure_.reset();
  Hear(&leader_);
  if (failure_ && mounted_.fuse) Log(LogLevel::kError, "the worker cannot serve: " + Describe(*failure_));
  if (before || !leader_.ready || leader_.since == Time{}) return;
  vain_kills_ = 0;
  Announce();
  start_standby_at_ = std::min(start_standby_at_, Now());
  if (order_ && !candidate_.process && !draining_) Answer({});
}

void Supervisor::HearStandby() {
  failure_.reset();
  Hear(&standby_);
  if (failure_) Log(LogLevel::kError, "the worker that stands by cannot serve: " + Describe(*failure_));
  if (promote_ && standby_.ready) Promote();
}

void Supervisor::ReplaceStandby() {
  auto worker = StartWorker(false, program_.get());
  if (worker) {
    standby_ = std::move(*worker);
    return;
  }
  Log(LogLevel::kError, "cannot start a worker: " + Describe(worker.error()));
  start_standby_at_ = Now() + kStandbyPause;
}

/// The leader is dead: the standby goes on in its place, now or when it is ready.
void Supervisor::Promote() {
  promote_ = true;
  slots_->ForgetWork();
  if (refuser_ || !standby_.process || !standby_.ready) {
    start_standby_at_ = std::min(start_standby_at_, Now());
    return;
  }
  promote_ = false;
  leader_ = std::move(standby_);
  standby_ = Worker{};
  leader_.ready = false;
  leader_.since = Now();
  slots_->shared().beat = MonotonicNow();
  silent_checks_ = 0;
  SendMessage(leader_.process.control(), kGoMessage);
  start_standby_at_ = Now() + kStandbyPause;  // or when this one serves: readers wait for that first
}

void Supervisor::LeaderEnded(const ProcessEnd& end) {
  const bool drained = draining_ && end.Exited(kDrainedStatus);
  const bool served = leader_.ready;
  dead_ = std::move(leader_.process);
  draining_ = false;
  leader_.ready = false;
  leader_.helpers.Reset();
  DropRotationHelper();
  if (end.Exited(kUnmountedStatus)) {
    ended_ = Unmounted();
    if (ended_) return;
  }
  MountShared& shared = slots_->shared();
  if (drained) {
    ++shared.upgrades;
    Log(LogLevel::kInfo, "a worker of the new program takes over");
    return Promote();
  }
  shared.last_death = SystemClock().WallSeconds();
  if (leader_.hung) {
    slots_->CountHang(hung_since_);
    // It was given time before it was ended.
    CountDeath(!served || Now() - leader_.since < kQuick + 2 * options_.heartbeat);
  } else if (end.FromWithout()) {
    ++shared.killed;
    Log(LogLevel::kWarning, "the worker was ended (" + end.Text() + "); the next one takes over");
    slots_->CountKill();
    if (!served) ++vain_kills_;
  } else {
    slots_->CountDeath();
    CountOwnDeath(end, Now() - leader_.since < kQuick);
  }
  if (TooManyDeaths()) return Refuse();
  Promote();
}

void Supervisor::StandbyEnded(const ProcessEnd& end) {
  standby_.ready = false;
  start_standby_at_ = Now() + kStandbyPause;
  if (leader_.process) {
    if (!end.FromWithout())
      Log(LogLevel::kError, "the worker that stands by ended by itself (" + end.Text() + ")");
    return;
  }
  // Readers wait for it.
  if (standby_.hung)
    CountDeath(true);
  else if (end.FromWithout())
    ++vain_kills_;
  else
    CountOwnDeath(end, true);
  if (TooManyDeaths() && !refuser_) Refuse();
}

void Supervisor::CountDeath(bool quick) {
  quick_deaths_ = quick ? quick_deaths_ + 1 : 1;
  if (!quick) refusals_ = 0;
}

bool Supervisor::TooManyDeaths() const {
  return quick_deaths_ >= kMostQuickDeaths || vain_kills_ >= kMostVainKills;
}

void Supervisor::CountOwnDeath(const ProcessEnd& end, bool quick) {
  CountDeath(quick);
  ++slots_->shared().crashed;
  Log(LogLevel::kError, "the worker ended by itself (" + end.Text() + "); the next one takes over");
}

/// A process of this program's own answers everything with EIO, so that nobody waits.
void Supervisor::Refuse() {
  const auto pause = std::min(kFirstRefusal * (1U << std::min(refusals_, 5U)), kLongestRefusal);
  ++refusals_;
  ++slots_->shared().refused;
  quick_deaths_ = kMostQuickDeaths - 1;  // one more, and it is refused again
  vain_kills_ = kMostVainKills - 1;
  refuse_until_ = Now() + pause;
  slots_->ForgetWork();
  const std::string line = "workers end again and again: every read fails for the next " +
                           std::to_string(pause.count()) + " s, then it is tried again";
  Log(LogLevel::kError, line);
  Announce();
  Tell(line);
  promote_ = true;
  const pid_t supervisor = getpid();
  const pid_t process = fork();
  if (process < 0) return Log(LogLevel::kError, "cannot make a process");
  if (process == 0) {
    BlockAllSignals();
    // It ends with its parent, unless that ended before it was said.
    if (DropPrivileges(options_.user, options_.group, false) && getppid() == supervisor &&
        Slots::AwaitOthers(slots_fd_.get()))
      RefuseAndForget();
    _exit(0);
  }
  refuser_ = ChildProcess(process, UniqueFd());
}

/// In that process: what is closed meanwhile, no worker shall open again.
void Supervisor::RefuseAndForget() {
  const auto kept = KeptMemory::Attach(kept_fd_.get());
  KeptFiles files(kept ? kept->get() : nullptr, &slots_->shared().next_handle);
  RefuseEverything(mounted_.fuse.get(), slots_.get(),
                   {.closed = [&](std::uint64_t handle) { files.Forget(handle); },
                    .not_opened = [&](std::uint64_t unique) { files.ForgetOpen(unique); }});
}

/// The time of refusing is over.
void Supervisor::TryAgain() {
  if (!refuser_) return;
  if (refuser_.Reap()) {
    if (!Unmounted()) Log(LogLevel::kError, "the process that refuses requests ended");
    return Promote();
  }
  if (Now() < refuse_until_ || !standby_.ready) return;
  refuser_.End();
  TellServing();
  Promote();
}

}  // namespace grantfs
