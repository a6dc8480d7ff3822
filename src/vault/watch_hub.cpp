#include <algorithm>

#include "watch_hub_internal.h"

namespace grantfs {
namespace {

constexpr std::chrono::seconds kBeat{1};
constexpr unsigned kBeatsOfUpkeep = 60;
constexpr std::size_t kMaxWaiters = 1000;

}  // namespace

WatchHub::WatchHub(const Clock& clock, std::size_t max_of_one, std::function<void(bool)> upkeep)
    : clock_(clock),
      max_of_one_(max_of_one),
      upkeep_(std::move(upkeep)),
      next_beat_(std::chrono::steady_clock::now() + kBeat),
      thread_([this] { Run(); }) {}

void WatchHub::SetChange(std::uint64_t change) {
  const std::lock_guard lock(mutex_);
  change_ = std::max(change_, change);
}

// The hello is sent under the lock, so that no change can come before it.
Result<std::uint64_t> WatchHub::Add(Subscriber subscriber, const Head& vault_head) {
  const std::lock_guard lock(mutex_);
  if (closing_) return Error{Code::kUnreachable, "the vault is stopping"};
  Followed& followed = followed_[subscriber.id];
  if (followed.streams >= max_of_one_) {
    return Error{Code::kThrottled, "this identity has too many watches open", 0, subscriber.id.Hex()};
  }
  api::WatchLine hello;
  hello.kind = api::WatchKind::kHello;
  hello.change = change_;
  hello.vault_head = vault_head;
  if (!subscriber.sink->Send(hello.Text())) return Error{Code::kCancelled, "the watch has ended already"};
  ++followed.streams;
  followed.last_seen = clock_.WallSeconds();
  const std::uint64_t number = next_number_++;
  subscribers_.emplace(number, std::move(subscriber));
  return number;
}

std::shared_ptr<WatchSink> WatchHub::Drop(std::unordered_map<std::uint64_t, Subscriber>::iterator at) {
  --followed_[at->second.id].streams;
  auto sink = std::move(at->second.sink);
  subscribers_.erase(at);
  return sink;
}

// Sinks are closed, and waiters answered, without the lock: both may call back.
void WatchHub::Fail(const std::vector<std::uint64_t>& numbers) {
  std::vector<std::shared_ptr<WatchSink>> sinks;
  Answers answers;
  {
    const std::lock_guard lock(mutex_);
    for (const std::uint64_t number : numbers) {
      const auto at = subscribers_.find(number);
      if (at != subscribers_.end()) sinks.push_back(Drop(at));
    }
    answers = Ready(std::chrono::steady_clock::now());
  }
  for (const auto& sink : sinks) sink->Close();
  for (auto& [done, answer] : answers) done(answer);
}

void WatchHub::Remove(std::uint64_t number) { Fail({number}); }

void WatchHub::AddEnvironments(std::uint64_t number, std::set<std::string> environments) {
  const std::lock_guard lock(mutex_);
  const auto at = subscribers_.find(number);
  if (at != subscribers_.end()) at->second.environments.merge(environments);
}

void WatchHub::Expel(const Hash& id) {
  std::vector<std::uint64_t> numbers;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [number, subscriber] : subscribers_) {
      if (subscriber.id == id) numbers.push_back(number);
    }
  }
  Fail(numbers);
}

bool WatchHub::Concerns(const Subscriber& subscriber, const WatchEvent& event,
                        const VaultState& state) const {
  if (event.what == api::ChangeKind::kVault) return true;
  if (subscriber.machine != 0) {
    if (subscriber.machine == event.except) return false;
    const bool has_grants = !event.machines_alone && subscriber.environments.contains(event.environment);
    return ((event.what == api::ChangeKind::kEnvironment || event.what == api::ChangeKind::kFreeze) &&
            has_grants) ||
           std::binary_search(event.machines.begin(), event.machines.end(), subscriber.machine);
  }
  // A freeze with no environment is a machine's.
  const bool of_machines = event.what == api::ChangeKind::kFreeze && event.environment.empty();
  if (event.what == api::ChangeKind::kMachine || of_machines) return state.IsVaultOwner(subscriber.id);
  if (event.machines_alone && state.IsVaultOwner(subscriber.id)) return true;
  return state.RoleOf(subscriber.id, event.environment).has_value() || state.IsRecovery(subscriber.id);
}

WatchHub::Told::Told(std::uint64_t change, const WatchEvent& told) : event(&told) {
  api::WatchLine line;
  line.kind = api::WatchKind::kChange;
  line.change = change;
  line.what = told.what;
  line.secret = told.secret;
  line.environment = told.environment;
  last = line.Text();
  line.more = true;
  more = line.Text();
}

// A machine says how far it has followed: it must know which line is a change's last, or it would say so
// behind the first of many.
bool WatchHub::Tell(Subscriber& subscriber, const std::vector<Told>& told, const VaultState& state) {
  const Told* held = nullptr;
  for (const Told& one : told) {
    if (!Concerns(subscriber, *one.event, state)) continue;
    if (one.event->what == api::ChangeKind::kGrant && subscriber.machine != 0)
      subscriber.environments.insert(one.event->environment);
    if (held != nullptr && !subscriber.sink->Send(held->more)) return false;
    held = &one;
  }
  return held == nullptr || subscriber.sink->Send(held->last);
}

void WatchHub::Publish(std::uint64_t change, const std::vector<WatchEvent>& events, const VaultState& state) {
  std::vector<Told> told;
  for (const WatchEvent& event : events) told.emplace_back(change, event);
  std::vector<std::uint64_t> failed;
  {
    const std::lock_guard lock(mutex_);
    change_ = std::max(change_, change);
    for (auto& [number, subscriber] : subscribers_) {
      if (!Tell(subscriber, told, state)) failed.push_back(number);
    }
  }
  if (!failed.empty()) Fail(failed);
}

void WatchHub::Beat() {
  std::vector<std::uint64_t> failed;
  {
    const std::lock_guard lock(mutex_);
    const std::int64_t now = clock_.WallSeconds();
    api::WatchLine beat;
    beat.change = change_;
    beat.time = now;
    const std::string text = beat.Text();
    for (auto& [number, subscriber] : subscribers_) {
      const bool over = subscriber.not_after != 0 && subscriber.not_after <= now;
      if (over || !subscriber.sink->Send(text)) {
        failed.push_back(number);
      } else {
        followed_[subscriber.id].last_seen = now;
      }
    }
  }
  Fail(failed);  // also answers those who have waited long enough
}

std::chrono::steady_clock::time_point WatchHub::NextWake() const {
  auto wake = next_beat_;
  for (const Waiter& waiter : waiters_) wake = std::min(wake, waiter.until);
  return wake;
}

void WatchHub::Run() {
  std::unique_lock lock(mutex_);
  while (!closing_) {
    changed_.wait_until(lock, NextWake());
    if (closing_) return;
    const auto now = std::chrono::steady_clock::now();
    const bool beat = now >= next_beat_;
    if (beat) next_beat_ = std::max(next_beat_ + kBeat, now);  // late ones are not caught up with
    lock.unlock();
    if (beat) {
      Beat();
      upkeep_(++beats_ % kBeatsOfUpkeep == 0);
    } else {
      Fail({});
    }
    lock.lock();
  }
}

void WatchHub::Close() {
  std::vector<std::shared_ptr<WatchSink>> sinks;
  Answers answers;
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    while (!subscribers_.empty()) sinks.push_back(Drop(subscribers_.begin()));
    answers = Ready(std::nullopt);
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
  for (const auto& sink : sinks) sink->Close();
  for (auto& [done, answer] : answers) done(answer);
}

api::PresenceResponse WatchHub::Of(const Hash& id) const {
  const auto found = followed_.find(id);
  if (found == followed_.end()) return {};
  return {found->second.streams != 0, found->second.acknowledged, found->second.last_seen};
}

std::size_t WatchHub::Count() {
  const std::lock_guard lock(mutex_);
  return subscribers_.size();
}

api::PresenceResponse WatchHub::PresenceOf(const Hash& id) {
  const std::lock_guard lock(mutex_);
  return Of(id);
}

WatchHub::Answers WatchHub::Ready(std::optional<std::chrono::steady_clock::time_point> now) {
  Answers ready;
  std::erase_if(waiters_, [&](Waiter& waiter) {
    const api::PresenceResponse answer = Of(waiter.request.machine);
    const bool known = !answer.online || answer.acknowledged >= waiter.request.change;
    if (now && !known && *now < waiter.until) return false;
    ready.emplace_back(std::move(waiter.done), answer);
    return true;
  });
  return ready;
}

void WatchHub::Acknowledge(const Hash& id, std::uint64_t change) {
  {
    const std::lock_guard lock(mutex_);
    Followed& followed = followed_[id];
    followed.acknowledged = std::max(followed.acknowledged, std::min(change, change_));
    followed.last_seen = clock_.WallSeconds();
  }
  Fail({});
}

void WatchHub::Presence(const api::PresenceRequest& request, PresenceDone done) {
  bool full = false;
  {
    const std::lock_guard lock(mutex_);
    full = closing_ || waiters_.size() >= kMaxWaiters;
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(request.wait_ms);
    if (!full) waiters_.push_back({request, until, std::move(done)});
  }
  if (full) return done(Error{Code::kThrottled, "too many wait for machines"});
  Fail({});
  changed_.notify_one();
}

}  // namespace grantfs
