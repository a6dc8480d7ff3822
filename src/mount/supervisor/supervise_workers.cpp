#include <unistd.h>

#include <algorithm>
#include <utility>

#include "grantfs/util/clock.h"
#include "mount/base/priority_internal.h"
#include "mount/supervisor/supervisor_internal.h"
#include "mount/worker/worker_internal.h"

namespace grantfs {

namespace {

// A worker that ends by itself within so long after it began ended quickly.
constexpr std::chrono::seconds kQuick{10};
constexpr std::chrono::seconds kStandbyPause{1};
// A worker has four things to say, in all.
constexpr unsigned kMostSaid = 16;
constexpr std::size_t kMostVersionBytes = 64;

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
  if (!first && !SendMessage(worker.process.control(), kFuseMessage, {}, mounted_.fuse.get()))
    return Error{Code::kIo, "the worker does not take the mount's descriptor", errno, {}};
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
      worker->Kill();
      return worker->process.CloseControl();
    }
    if (message->kind == kReadyMessage || message->kind == kServingMessage) {
      worker->ready = true;
      worker->version = message->text.substr(0, kMostVersionBytes);
    }
    if (message->kind == kErrorMessage) {
      failure_ = UnpackError(message->text);
      worker->complaint = Describe(*failure_);
    }
  }
}

void Supervisor::HearLeader() {
  const bool before = leader_.ready;
  failure_.reset();
  Hear(&leader_);
  if (failure_ && mounted_.fuse) Log(LogLevel::kError, "the worker cannot serve: " + Describe(*failure_));
  if (before || !leader_.ready || leader_.since == Time{}) return;
  vain_kills_ = 0;
  leader_.serves_since = Now();
  SetNice(leader_.process.pid(), kUsualNice);
  Announce();
  start_standby_at_ = std::min(start_standby_at_, Now());
}

void Supervisor::HearStandby() {
  failure_.reset();
  Hear(&standby_);
  if (failure_) Log(LogLevel::kError, "the worker that stands by cannot serve: " + Describe(*failure_));
  if (promote_ && standby_.ready) Promote();
  if (leader_goes_ && standby_.ready && !draining_) Drain();
}

void Supervisor::ReplaceStandby() {
  auto worker = StartWorker(false, program_.get());
  if (worker) {
    standby_ = std::move(*worker);
    standby_.program = program_number_;
    if (promote_) SetNice(standby_.process.pid(), kAwaitedNice);
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
  promote_ = leader_goes_ = false;
  leader_ = std::move(standby_);
  standby_ = Worker{};
  leader_.ready = false;
  leader_.since = Now();
  slots_->shared().beat = MonotonicNow();
  silent_checks_ = 0;
  SendMessage(leader_.process.control(), kGoMessage);
  SetNice(leader_.process.pid(), kAwaitedNice);  // until it serves
  start_standby_at_ = Now() + kStandbyPause;     // or when this one serves: readers wait for that first
}

void Supervisor::LeaderEnded(const ProcessEnd& end) {
  HearLeader();  // its last words
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
    Log(LogLevel::kInfo, "a worker of the other program takes over");
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
  if (GivesUpProgram(leader_, end, served))
    GoBack(leader_, end, served);
  else if (TooManyDeaths())
    return Refuse();
  Promote();
}

void Supervisor::StandbyEnded(const ProcessEnd& end) {
  standby_.ready = false;
  start_standby_at_ = Now() + kStandbyPause;
  const bool give_up = GivesUpProgram(standby_, end, false);
  if (leader_.process) {
    if (!end.FromWithout())
      Log(LogLevel::kError, "the worker that stands by ended by itself (" + end.Text() + ")");
    if (give_up) GoBack(standby_, end, false);
    return;
  }
  // Readers wait for it.
  if (standby_.hung)
    CountDeath(true);
  else if (end.FromWithout())
    ++vain_kills_;
  else
    CountOwnDeath(end, true);
  if (give_up)
    GoBack(standby_, end, false);
  else if (TooManyDeaths() && !refuser_)
    Refuse();
}

/// Whatever was before: what comes now is tried at once, and as often as any.
void Supervisor::TryAfresh() {
  quick_deaths_ = vain_kills_ = refusals_ = 0;
  refuse_until_ = Now();
}

/// Kills it, and waits for its end elsewhere.
void Supervisor::Dismiss(ChildProcess* process) {
  if (!*process) return;
  process->Kill();
  dying_helpers_.push_back(std::move(*process));
  *process = ChildProcess();
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

}  // namespace grantfs
