#include <malloc.h>

#include <algorithm>
#include <utility>

#include "client/connection/problem_internal.h"
#include "grantfs/log/log.h"
#include "machine_internal.h"

// The keeper's thread: forgets what may no longer be served, keeps what may be served offline, and tells the
// vault what was served without it.

namespace grantfs {
namespace {

constexpr std::chrono::seconds kKeeperPause{1};
constexpr std::int64_t kContactEvery = 10;
/// A vault that takes no more for now is told again after so long.
constexpr std::chrono::seconds kTellLater{10};
/// What is read under leases a thousand times a second is told at a pace: faster the vault would take it for
/// a moment alone (a machine has so much a minute there), and telling would cost those who read meanwhile
/// more than their reads do. When so many wait, the room for them counts more.
constexpr std::chrono::microseconds kTellPace{200};
constexpr std::uint64_t kManyWait = 16'000;  // of the longest entries, what a journal has room for
/// With fewer secrets the allocator keeps what it has.
constexpr std::size_t kManySecrets = 500;

}  // namespace

void MachineSessionImpl::LoadOffline() {
  contact_boot_ = options_.clock->Boot();
  contact_ = offline_->LoadContact();
  if (contact_.greatest != 0) latest_.Saw(contact_.greatest, contact_boot_);
  for (api::ReadResponse& kept : offline_->Load()) HoldAgain(std::move(kept), &Grant::offline);
}

// Of the process that served before this one. A time that is still to come it has not heard the vault at: by
// that, leases would run for as long as whoever wrote it likes.
void MachineSessionImpl::LoadLeases() {
  if (const auto ahead = leases_.KeptAhead()) latest_.Raise(*ahead);
  const auto heard = leases_.LastHeard();
  if (heard && heard->boot_ns >= 0 && heard->boot_ns <= options_.clock->Boot().count() &&
      heard->wall <= options_.clock->WallSeconds()) {
    heard_boot_ns_ = heard->boot_ns;
    const std::lock_guard guard(status_mutex_);
    last_heard_ = heard->wall;
  }
  for (api::ReadResponse& kept : leases_.Load()) HoldAgain(std::move(kept), &Grant::lease);
}

void MachineSessionImpl::HoldAgain(api::ReadResponse version, std::int64_t Grant::*term) {
  const auto shown = view();
  const auto at = shown->secrets.find(version.secret);
  const bool known = at != shown->secrets.end() && at->second->publish &&
                     shown->FreezeOf(at->second->environment) == nullptr;
  if (!known || at->second->terms.*term == 0 || version.statement != at->second->version)
    return leases_.Erase(version.secret);
  held_.Put({std::move(version), *at->second->publish, {}});
}

/// What a view was made of and the one before it are garbage a moment after it was shown, and so is the
/// listing that the mount has laid out of that: it is given back when nothing more has come for a while.
void MachineSessionImpl::GiveBackMemory() {
  if (laid_out_.exchange(false)) {
    garbage_ = view()->secrets.size() > kManySecrets;
  } else if (std::exchange(garbage_, false)) {
    ::malloc_trim(0);
  }
}

void MachineSessionImpl::RunKeeper() {
  std::unique_lock lock(keeper_mutex_);
  while (!keeper_stop_) {
    std::chrono::nanoseconds pause = kKeeperPause;
    if (tell_next_ != Timer::Clock::time_point())
      pause = std::clamp<std::chrono::nanoseconds>(tell_next_ - Timer::Clock::now(), {}, kKeeperPause);
    keeper_changed_.wait_for(lock, pause, [&] { return keeper_stop_ || keeper_woken_; });
    keeper_woken_ = false;
    if (keeper_stop_) return;
    const auto answered = std::exchange(left_to_keeper_, {});
    const std::uint64_t handovers = handovers_asked_;
    if (handovers != handovers_done_) contact_kept_ = 0;  // as at the end: now, and not in some seconds
    keeper_works_ = true;
    lock.unlock();
    for (const auto& work : answered) work();
    (void)latest_.Seconds();  // before the clock may be set back
    leases_.KeepAhead(latest_.ahead());
    DropHeld();
    KeepOffline();
    journal_->TakeLeft();
    SendJournal();
    CheckReads();
    GiveBackMemory();
    lock.lock();
    keeper_works_ = false;
    handovers_done_ = handovers;
    handed_over_.notify_all();
  }
}

void MachineSessionImpl::WakeKeeper() {
  const std::lock_guard guard(keeper_mutex_);
  keeper_woken_ = true;
  keeper_changed_.notify_all();
}

// Leases, and refusals that are not recorded yet, lie where the next process finds them. Reads go on
// meanwhile, so that it is asked again when the last is answered: whoever waits then waits for what is new.
void MachineSessionImpl::HandOver(std::chrono::milliseconds most) {
  const auto end = std::chrono::steady_clock::now() + most;
  {
    std::unique_lock lock(keeper_mutex_);
    if (!keeper_thread_.joinable()) return;
    const bool nothing = !keeper_works_ && to_keep_.empty() && left_to_keeper_.empty();
    if (handovers_asked_ == 0 || !nothing) {
      const std::uint64_t asked = ++handovers_asked_;
      keeper_woken_ = true;
      keeper_changed_.notify_all();
      handed_over_.wait_until(lock, end, [&] { return keeper_stop_ || handovers_done_ >= asked; });
    }
  }
  reporter_->HandOver(std::chrono::duration_cast<std::chrono::milliseconds>(
      std::max(end - std::chrono::steady_clock::now(), std::chrono::steady_clock::duration::zero())));
}

// What is left of it at the end is asked for, or told, once more by the next session.
void MachineSessionImpl::LeaveToKeeper(std::function<void()> work) {
  const std::lock_guard guard(keeper_mutex_);
  left_to_keeper_.push_back(std::move(work));
  keeper_woken_ = true;
  keeper_changed_.notify_all();
}

// ---- offline

bool MachineSessionImpl::MayBeKept(const MachineView& shown, std::uint64_t number,
                                   std::uint32_t version) const {
  const auto at = shown.secrets.find(number);
  return !refused_ && at != shown.secrets.end() && at->second->terms.offline > 0 && at->second->publish &&
         at->second->publish->version == version && !IsRotationDue(*at->second) && !HasExpired(*at->second) &&
         shown.FreezeOf(at->second->environment) == nullptr;
}

void MachineSessionImpl::KeepOffline() {
  std::set<std::uint64_t> fresh;
  {
    const std::lock_guard guard(keeper_mutex_);
    fresh.swap(to_keep_);
  }
  const auto shown = view();
  const auto before = offline_->kept();
  for (const auto& [number, kept] : before)
    if (!MayBeKept(*shown, number, kept.version)) offline_->Remove(number);
  for (const std::uint64_t number : fresh) {
    const auto held = held_.Find(number);
    if (!held || !MayBeKept(*shown, number, held->publish.version)) continue;
    if (const Status saved = offline_->Save(held->response); !saved)
      Log(LogLevel::kWarning, "a secret could not be kept for offline use", saved.error());
  }
  if (!offline_->kept().empty()) KeepContact();
}

// Between two rounds a second passes: a mount that ends within it would lose what it was to keep of its last
// reads, and count from when the vault was heard some seconds before.
void MachineSessionImpl::KeepLast() {
  (void)latest_.Seconds();
  leases_.KeepAhead(latest_.ahead());
  contact_kept_ = 0;
  KeepOffline();
}

void MachineSessionImpl::KeepContact() {
  OfflineStore::Contact contact{contact_.heard, Now()};
  const std::int64_t since = contact.greatest - contact_kept_;  // negative: the clock was ahead
  if (contact_kept_ != 0 && since >= 0 && since < kContactEvery) return;
  if (heard_boot_ns_.load() >= 0) {
    const std::lock_guard guard(status_mutex_);
    contact.heard = last_heard_;
  }
  if (contact.heard == 0) return;  // the first heartbeat is still to come
  contact_kept_ = contact.greatest;
  if (const Status saved = offline_->SaveContact(contact); !saved)
    Log(LogLevel::kWarning, "could not note when the vault was last heard", saved.error());
}

// ---- records

void MachineSessionImpl::SendJournal() {
  const auto now = Timer::Clock::now();
  if (now < tell_next_) return;
  tell_next_ = {};
  if (!listens_ || options_.clock->Boot().count() < tell_after_boot_ns_) return;
  if (telling_.exchange(true)) return;
  auto next = journal_->NextBatch();
  if (!next || !*next) {
    telling_ = false;
    if (!next) SetJournalProblem(Describe(next.error()));
    return;
  }
  const auto batch = std::make_shared<const Journal::Batch>(**std::move(next));
  if (journal_->Waiting() < kManyWait) tell_next_ = now + kTellPace * batch->entries.size();
  api::JournalRequest request;
  request.journal = batch->journal;
  request.entries = batch->entries;
  request.signature = batch->signature;
  request.places = !places_unknown_;
  vault_->Send(api::kMachineJournal, request.ToJson(), {}, [this, batch](const Result<Json>& answer) {
    LeaveToKeeper([this, batch, answer] { Told(*batch, answer); });
  });
}

void MachineSessionImpl::Told(const Journal::Batch& batch, Result<Json> answer) {
  const auto response = vault_->Read<api::JournalResponse>(std::move(answer));
  // An older vault does not know the question: it is told without.
  if (!response && response.error().code == Code::kUnsupported && !places_unknown_.exchange(true)) {
    telling_ = false;
    return WakeKeeper();
  }
  Status told = response ? Status() : Status(response.error());
  if (response && response->sequence < batch.last)
    told = Error{Code::kUnrecorded, "the vault says that it recorded less than it was sent"};
  else if (response)
    told = journal_->Sent(batch);
  if (response && response->sequence >= batch.last) NotePlaces(batch, response->places);
  if (!told && IsRefusedByVault(told.error())) journal_->Refused(batch, told.error());
  if (!told && (told.error().code == Code::kThrottled || told.error().code == Code::kUnrecorded))
    tell_after_boot_ns_ = (options_.clock->Boot() + std::chrono::nanoseconds(kTellLater)).count();
  const bool at_once = told && Timer::Clock::now() >= tell_next_;
  telling_ = false;
  SetJournalProblem(told ? std::string() : Describe(told.error()));
  if (at_once) WakeKeeper();  // there may be more
}

void MachineSessionImpl::SetJournalProblem(std::string problem) {
  {
    const std::lock_guard guard(status_mutex_);
    if (problem == journal_problem_) return;
    journal_problem_ = problem;
  }
  if (!problem.empty())
    Log(LogLevel::kWarning, "the vault was not told what was read under leases; trying again: " + problem);
}

}  // namespace grantfs
