#include <algorithm>

#include "grantfs/crypto/random.h"
#include "grantfs/log/log.h"
#include "machine_internal.h"

namespace grantfs {
namespace {

constexpr std::chrono::milliseconds kFirstBackoff{100};
constexpr std::chrono::milliseconds kLastBackoff{5'000};
constexpr std::uint64_t kBeatsBetweenLooks = 30;
constexpr std::size_t kMaxChanged = 10'000;  ///< secrets to look at one by one

}  // namespace

void MachineSessionImpl::OpenStream() {
  VaultConnection::LineEvents events;
  events.line = [this](std::string_view line) { Heard(line); };
  events.end = [this](Status status) { StreamEnded(status); };
  vault_->OpenLines(api::kWatch, std::move(events));
}

void MachineSessionImpl::Heard(std::string_view text) {
  const auto line = api::WatchLine::Parse(text);
  if (!line) return Log(LogLevel::kWarning, "the vault sent a line that is not understood", line.error());
  heard_boot_ns_ = options_.clock->Boot().count();
  listens_ = true;
  lost_ = false;
  refused_ = false;
  {
    const std::lock_guard guard(status_mutex_);
    last_heard_ = options_.clock->WallSeconds();
  }
  Work work;
  switch (line->kind) {
    case api::WatchKind::kHello:
      return HeardHello(*line);
    case api::WatchKind::kBeat:
      return HeardBeat(*line);
    case api::WatchKind::kChange:
      if (!line->more) work.change = line->change;  // all of it was told
      work.upper = line->what == api::ChangeKind::kVault || line->what == api::ChangeKind::kEnvironment ||
                   line->what == api::ChangeKind::kMachine;
      if (line->what == api::ChangeKind::kFreeze) work.frozen.insert(line->environment);
      if (line->secret != 0) work.secrets.insert(line->secret);
      // Without a secret: of a group, or of a prefix.
      if (line->secret == 0 &&
          (line->what == api::ChangeKind::kGrant || line->what == api::ChangeKind::kRevoke))
        work.everything = true;
      return Post(work);
  }
}

void MachineSessionImpl::HeardBeat(const api::WatchLine& beat) {
  bool look = false;
  {
    // All that came before the last beat has been heard of: it is complete if nothing of it waits.
    const std::lock_guard guard(work_mutex_);
    // Not with the hello: watches that end right after it would be asked for in a loop.
    backoff_ = std::chrono::milliseconds(0);
    if (work_.empty() && rounds_ > 0 && !busy_) complete_ = std::max(complete_, last_beat_);
    last_beat_ = beat.change;
    if (work_.empty() && doing_.empty() && rounds_ > 0 && !busy_ && !behind_)
      leases_.Heard({heard_boot_ns_.load(), options_.clock->WallSeconds()});
    look = ++beats_ % kBeatsBetweenLooks == 0;
  }
  if (!look || !view()->IsTroubled()) return;
  Work work;
  work.everything = true;  // what was refused may have been mended
  Post(work);
}

void MachineSessionImpl::HeardHello(const api::WatchLine& hello) {
  Work work;
  work.change = hello.change;
  const auto shown = view();
  const bool troubled = shown->IsTroubled();
  {
    const std::lock_guard guard(work_mutex_);
    last_beat_ = 0;
    work.everything = troubled || hello.change != complete_ || hello.change == 0;
    not_before_ = {};
  }
  if (!work.everything) work.upper = shown->vault->head() != hello.vault_head;
  Post(work);
}

void MachineSessionImpl::Work::Add(const Work& more) {
  everything = everything || more.everything;
  upper = upper || more.upper;
  change = std::max(change, more.change);
  frozen.insert(more.frozen.begin(), more.frozen.end());
  secrets.insert(more.secrets.begin(), more.secrets.end());
  if (secrets.size() <= kMaxChanged) return;
  secrets.clear();
  everything = true;
}

void MachineSessionImpl::Post(const Work& work) {
  {
    const std::lock_guard guard(work_mutex_);
    work_.Add(work);
    leases_.Unsettled();
  }
  work_changed_.notify_all();
}

void MachineSessionImpl::StreamEnded(const Status& status) {
  listens_ = false;
  lost_ = true;
  if (!status && status.error().code == Code::kUnauthentic) Refused();
  if (!status && status.error().code != Code::kCancelled) SetProblem(Describe(status.error()));
  const std::lock_guard guard(work_mutex_);
  if (stop_) return;
  if (!status) failure_ = status.error();
  round_ended_.notify_all();
  backoff_ = std::clamp(backoff_ * 2, kFirstBackoff, kLastBackoff);
  // A thousand machines that lost one vault must not come back in one moment.
  const auto jitter =
      std::chrono::milliseconds(RandomNumber() % static_cast<std::uint64_t>(backoff_.count()));
  timer_->After(backoff_ / 2 + jitter, [this] { OpenStream(); });
}

// It has the vault's pinned key, so it is the vault's word: whatever was leased or kept ends.
void MachineSessionImpl::Refused() {
  refused_ = true;
  leases_.Unsettled();
  DropHeld();
}

void MachineSessionImpl::Acknowledge(std::uint64_t change) {
  if (!options_.watch) return;
  api::AckRequest request;
  request.change = change;
  vault_->Send(api::kWatchAck, request.ToJson(), {}, [](Result<Json> answer) {
    // Only the administrator who waits for it is the poorer.
    if (!answer && answer.error().code != Code::kCancelled) {
      Log(LogLevel::kDebug, "could not acknowledge a change", answer.error());
    }
  });
}

}  // namespace grantfs
