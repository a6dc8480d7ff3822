#include "mount/supervisor_internal.h"
#include "mount/worker_internal.h"

namespace grantfs {

namespace {
// What is not answered by then is answered by the next worker.
constexpr std::chrono::seconds kDrainDeadline{2};
}  // namespace

void Supervisor::Answer(const Status& status) {
  if (status)
    SendMessage(order_.get(), kDoneAnswer);
  else
    SendMessage(order_.get(), kFailedAnswer, PackError(status.error()));
  order_.Reset();
}

/// The word of who runs `grantfs mount --upgrade`: with a program.
void Supervisor::TakeOrder() {
  pollfd watched{control_.fd(), POLLIN, 0};
  if (order_ || control_.fd() < 0 || poll(&watched, 1, 0) != 1) return;
  order_ = control_.Accept();
  if (!order_) return;
  pollfd said{order_.get(), POLLIN, 0};
  auto message = poll(&said, 1, 1000) == 1 ? ReceiveMessage(order_.get()) : std::nullopt;
  if (!message || message->kind != kUpgradeOrder || !message->fd)
    return Answer(Error{Code::kUnsupported, "the mount does not know this order", 0, point_});
  new_program_ = std::move(message->fd);
  auto worker = StartWorker(false, new_program_.get());
  if (!worker) return Answer(worker.error());
  candidate_ = std::move(*worker);
}

void Supervisor::HearCandidate() {
  if (!candidate_.process) return;
  failure_.reset();
  Hear(&candidate_);
  if (failure_) {
    candidate_.process.End();
    return Answer(Error{Code::kUnsupported, "the new program cannot take over; the old one goes on", 0,
                        Describe(*failure_)});
  }
  if (!candidate_.ready) return;
  program_ = std::move(new_program_);
  // Whatever the former one did: this one is tried at once, and as often as any.
  quick_deaths_ = 0;
  vain_kills_ = 0;
  refusals_ = 0;
  refuse_until_ = Now();
  standby_ = std::move(candidate_);
  candidate_ = Worker{};
  if (!leader_.process) return promote_ ? Promote() : void();
  draining_ = true;
  drain_until_ = Now() + kDrainDeadline;
  SendMessage(leader_.process.control(), kDrainMessage);
}

void Supervisor::CandidateEnded(const ProcessEnd& end) {
  const bool hung = candidate_.hung;
  candidate_ = Worker{};
  Answer(Error{Code::kUnsupported,
               hung ? "the new program does not get ready in time; the old one goes on"
                    : "the new program ends at once; the old one goes on",
               0, hung ? point_ : end.Text()});
}

}  // namespace grantfs
