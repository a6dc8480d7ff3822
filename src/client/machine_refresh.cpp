#include <algorithm>

#include "grantfs/log/log.h"
#include "machine_internal.h"

namespace grantfs {
namespace {

constexpr std::chrono::milliseconds kRetry{1000};

std::uint64_t RememberedHead(const MachineView& view, std::uint64_t number) {
  const auto at = view.secrets.find(number);
  return at == view.secrets.end() || !at->second->problem.empty() ? 0 : at->second->list.head()->sequence;
}

// What is new of a secret's list since the view before, for known.db.
KnownStore::Granted ToKeep(const SecretView& secret, const SecretView* before) {
  KnownStore::Granted granted;
  granted.number = secret.number;
  granted.data = ViewToText(secret);
  granted.first = secret.list.first_sequence();
  granted.head = *secret.list.head();
  std::uint64_t from = granted.first;
  // A view that begins earlier than the one before it is kept whole.
  if (before != nullptr && before->list.first_sequence() <= from)
    from = std::max(from, before->list.next_sequence());
  for (; from < secret.list.next_sequence(); ++from) granted.statements.push_back(secret.list.At(from));
  return granted;
}

}  // namespace

void MachineSessionImpl::RunRefresher() {
  for (;;) {
    ServeWaiters();
    Work work;
    {
      std::unique_lock lock(work_mutex_);
      const auto due = [&] { return stop_ || !waiters_.empty(); };
      if (work_.empty()) {
        work_changed_.wait(lock, [&] { return due() || !work_.empty(); });
      } else {
        work_changed_.wait_until(lock, not_before_, due);
      }
      if (stop_) break;
      if (!waiters_.empty() || Timer::Clock::now() < not_before_) continue;
      work = std::move(work_);
      work_ = {};
      busy_ = !work.empty();
      doing_ = work;
    }
    if (work.empty()) continue;
    const Status done = DoWork(work);
    if (done) {
      Finished(work);
    } else {
      Failed(work, done.error());
    }
  }
  ServeWaiters();
}

// Opens that wait go before all other work, between two pages of it too.
void MachineSessionImpl::ServeWaiters() {
  std::vector<Waiter> waiters;
  bool stopped = false;
  {
    const std::lock_guard guard(work_mutex_);
    waiters.swap(waiters_);
    stopped = stop_;
  }
  if (waiters.empty()) return;
  std::set<std::uint64_t> numbers;
  for (const Waiter& waiter : waiters) numbers.insert(waiter.number);
  const Status looked =
      stopped ? Status(Error{Code::kCancelled, "the mount is ending"}) : RefreshSecrets(numbers);
  for (const Waiter& waiter : waiters) waiter.looked(looked);
}

Status MachineSessionImpl::DoWork(const Work& work) {
  if (work.everything) return RefreshEverything();
  if (work.upper) GRANTFS_CHECK(RefreshUpper());
  return work.secrets.empty() ? Status() : RefreshSecrets(work.secrets);
}

void MachineSessionImpl::Finished(const Work& work) {
  SetProblem({});
  behind_ = false;
  std::uint64_t complete = 0;
  {
    const std::lock_guard guard(work_mutex_);
    busy_ = false;
    doing_ = {};
    ++rounds_;
    failure_.reset();
    not_before_ = {};
    if (work.change > complete_) complete_ = work.change;
    complete = complete_;
  }
  round_ended_.notify_all();
  if (work.change == 0) return;
  if (auto kept = known_->RememberChange(complete); !kept) {
    Log(LogLevel::kWarning, "could not remember what the vault has told", kept.error());
  }
  Acknowledge(work.change);
}

void MachineSessionImpl::Failed(const Work& work, const Error& error) {
  if (error.code == Code::kCancelled) return;
  behind_ = true;
  if (SetProblem(Describe(error)) && options_.watch)
    Log(LogLevel::kWarning, "could not take over what the vault has changed; trying again", error);
  {
    const std::lock_guard guard(work_mutex_);
    busy_ = false;
    doing_ = {};
    failure_ = error;
    not_before_ = Timer::Clock::now() + kRetry;
    if (options_.watch) work_.Add(work);
  }
  if (error.code == Code::kUnauthentic) Refused();
  round_ended_.notify_all();
}

Status MachineSessionImpl::RefreshUpper() {
  const auto before = view();
  auto next = std::make_shared<MachineView>(*before);
  GRANTFS_CHECK(TakeVault(*next, nullptr));
  for (const auto& [name, list] : before->environments) GRANTFS_CHECK(TakeEnvironment(*next, name, nullptr));
  JudgeAgain(*next, *before);
  Publish(std::move(next), {}, {});
  return {};
}

Status MachineSessionImpl::RefreshSecrets(const std::set<std::uint64_t>& numbers) {
  const auto together = WithSiblings(view()->bundles, numbers);
  std::vector<std::uint64_t> left(together.begin(), together.end());
  while (!left.empty()) {
    auto next = std::make_shared<MachineView>(*view());
    const std::size_t count = std::min(left.size(), api::kMaxGrants);
    api::GrantsRequest request;
    for (std::size_t i = 0; i < count; ++i)
      request.secrets.push_back({left[i], RememberedHead(*next, left[i])});
    const auto response = GRANTFS_TRY(vault_->Ask<api::GrantsResponse>(api::kMachineGrants, request));
    GRANTFS_CHECK(TakeUpper(*next, response));
    std::vector<std::uint64_t> changed;
    for (const auto& evidence : response.grants) {
      if (std::find(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(count), evidence.secret) ==
          left.begin() + static_cast<std::ptrdiff_t>(count)) {
        continue;
      }
      GRANTFS_CHECK(TakeGrant(*next, evidence));
      changed.push_back(evidence.secret);
    }
    if (response.more && changed.empty()) return vault_->Malformed();
    // What was asked for and is not there is no longer granted; behind a cut answer nothing is known.
    const std::uint64_t known_to = response.more ? changed.back() : left[count - 1];
    std::vector<std::uint64_t> gone;
    while (!left.empty() && left.front() <= known_to) {
      if (std::find(changed.begin(), changed.end(), left.front()) == changed.end())
        gone.push_back(left.front());
      left.erase(left.begin());
    }
    Publish(std::move(next), changed, gone);
  }
  return {};
}

Status MachineSessionImpl::RefreshEverything() {
  std::set<std::uint64_t> seen;
  api::GrantsRequest request;
  for (bool more = true; more;) {
    const std::uint64_t after = request.after;
    const auto response = GRANTFS_TRY(vault_->Ask<api::GrantsResponse>(api::kMachineGrants, request));
    auto next = std::make_shared<MachineView>(*view());
    GRANTFS_CHECK(TakeUpper(*next, response));
    std::vector<std::uint64_t> changed;
    for (const auto& evidence : response.grants) {
      GRANTFS_CHECK(TakeGrant(*next, evidence));
      changed.push_back(evidence.secret);
      request.after = std::max(request.after, evidence.secret);
    }
    // What is not seen counts as gone: a page that leads no further must not pass for the last one.
    if (response.more && request.after == after) return vault_->Malformed();
    seen.insert(changed.begin(), changed.end());
    more = response.more;
    Publish(std::move(next), changed, {});
    ServeWaiters();
  }
  auto next = std::make_shared<MachineView>(*view());
  std::vector<std::uint64_t> gone;
  for (const auto& [number, secret] : next->secrets) {
    if (!seen.contains(number)) gone.push_back(number);
  }
  for (const auto& [number, problem] : next->refused) {
    if (!seen.contains(number)) gone.push_back(number);
  }
  Publish(std::move(next), {}, gone);
  return {};
}

// First remembered, then shown: what was shown once can not be taken back by a restart.
void MachineSessionImpl::Publish(std::shared_ptr<MachineView> next, const std::vector<std::uint64_t>& changed,
                                 const std::vector<std::uint64_t>& gone) {
  const auto before = view();
  std::vector<KnownStore::Granted> keep;
  for (const std::uint64_t number : changed) {
    const auto at = next->secrets.find(number);
    if (at == next->secrets.end() || !at->second->problem.empty()) continue;
    const auto was = before->secrets.find(number);
    keep.push_back(ToKeep(*at->second, was == before->secrets.end() ? nullptr : was->second.get()));
  }
  for (const std::uint64_t number : gone) {
    next->secrets.erase(number);
    next->refused.erase(number);
  }
  if (!keep.empty() || !gone.empty()) {
    if (auto kept = known_->UpdateGranted(keep, gone); !kept) {
      Log(LogLevel::kError, "could not remember what is granted", kept.error());
    }
  }
  Show(std::move(next));
}

}  // namespace grantfs
