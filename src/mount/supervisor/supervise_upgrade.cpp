#include "mount/supervisor/supervisor_internal.h"
#include "mount/worker/worker_internal.h"

// The mount goes on with another program: once a worker of that is ready, the one that serves finishes what
// it is at and ends. A program whose workers end instead is given up, and the former one goes on.

namespace grantfs {

namespace {
// What is not answered by then is answered by the next worker.
constexpr std::chrono::seconds kDrainDeadline{2};
// So long one of its workers serves before a program counts as taken over.
constexpr std::chrono::seconds kProof{2};
// So long its workers must not end again and again; that an old one is at fault is less likely then.
constexpr std::chrono::seconds kProbation{60};
constexpr unsigned kMostDeaths = 2;
// Who kills a worker before it has served may have his reasons, once.
constexpr unsigned kMostKills = 3;
constexpr const char* kWentBack = "the new program was given up, and the old one serves on";
}  // namespace

/// @param who waits for the end of it.
void Supervisor::BeginUpgrade(UniqueFd who, UniqueFd program) {
  order_ = std::move(who);
  gone_back_.clear();
  new_program_ = std::move(program);
  auto worker = StartWorker(false, new_program_.get());
  if (!worker) return EndUpgrade(worker.error());
  candidate_ = std::move(*worker);
}

void Supervisor::EndUpgrade(const Status& status) {
  if (!order_) return;
  Answer(order_.get(), status);
  order_.Reset();
}

void Supervisor::HearCandidate() {
  if (!candidate_.process) return;
  failure_.reset();
  Hear(&candidate_);
  if (failure_) {
    Dismiss(&candidate_.process);
    return EndUpgrade(Error{Code::kUnsupported, "the new program cannot take over; the old one goes on", 0,
                            candidate_.complaint});
  }
  if (!candidate_.ready) return;
  former_program_ = std::move(program_);
  program_ = std::move(new_program_);
  upgraded_at_ = Now();
  gone_back_.clear();  // of an upgrade before, which its worker's end may have undone meanwhile
  new_deaths_ = new_kills_ = 0;
  TryAfresh();
  Dismiss(&standby_.process);
  standby_ = std::move(candidate_);
  standby_.program = ++program_number_;
  candidate_ = Worker{};
  if (leader_.process)
    Drain();
  else if (promote_)
    Promote();
}

void Supervisor::Drain() {
  leader_goes_ = false;
  draining_ = true;
  drain_until_ = Now() + kDrainDeadline;
  SendMessage(leader_.process.control(), kDrainMessage);
}

void Supervisor::CandidateEnded(const ProcessEnd& end) {
  const bool hung = candidate_.hung;
  candidate_ = Worker{};
  EndUpgrade(Error{Code::kUnsupported,
                   hung ? "the new program does not get ready in time; the old one goes on"
                        : "the new program ends at once; the old one goes on",
                   0, hung ? point_ : end.Text()});
}

/// Whether the end of this worker shows that its program is no good. To be asked once for each.
bool Supervisor::GivesUpProgram(const Worker& worker, const ProcessEnd& end, bool served) {
  if (!former_program_ || worker.program != program_number_) return false;
  if (end.FromWithout() && !worker.hung) return !served && ++new_kills_ >= kMostKills;
  return !served || ++new_deaths_ >= kMostDeaths;
}

/// Its last worker has ended, or is of no use.
void Supervisor::GoBack(const Worker& worker, const ProcessEnd& end, bool served) {
  gone_back_ = worker.hung ? "its worker stood still" : "its worker ended (" + end.Text() + ")";
  if (!worker.complaint.empty()) gone_back_ += ": " + worker.complaint;
  gone_back_ += served ? ", again" : ", before it served";
  Log(LogLevel::kError, std::string(kWentBack) + ": " + gone_back_);
  program_ = std::move(former_program_);
  ++program_number_;
  TryAfresh();
  Dismiss(&standby_.process);
  leader_goes_ = static_cast<bool>(leader_.process);
  ReplaceStandby();  // at once: readers wait
}

/// Answers who ordered the upgrade when it is known what came of it.
void Supervisor::JudgeUpgrade() {
  if (candidate_.process) return;  // what serves is of an upgrade before
  const bool serves = leader_.process && leader_.ready && leader_.program == program_number_ && !draining_;
  if (!gone_back_.empty()) {
    if (serves) EndUpgrade(Error{Code::kUnsupported, kWentBack, 0, gone_back_});
    if (refuser_)
      EndUpgrade(Error{Code::kUnsupported,
                       "the new program was given up, and workers of the old one end too; "
                       "they are tried again and again",
                       0, gone_back_});
    return;
  }
  if (!former_program_) return;
  if (serves && Now() >= leader_.serves_since + kProof) EndUpgrade({});
  if (!order_ && Now() >= upgraded_at_ + kProbation) former_program_.Reset();
}

}  // namespace grantfs
