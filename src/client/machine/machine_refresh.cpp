#include <algorithm>

#include "grantfs/log/log.h"
#include "machine_internal.h"

namespace grantfs {
namespace {

constexpr std::chrono::milliseconds kRetry{1000};
/// Twice what a vault is made for. What is refused is remembered too: a vault that shows ever more of it is
/// not listened to for ever.
constexpr std::size_t kMostGranted = 200'000;

std::uint64_t RememberedHead(const MachineView& view, std::uint64_t number) {
  const auto at = view.secrets.find(number);
  return at == view.secrets.end() || !at->second->problem.empty() ? 0 : at->second->proof.head().sequence;
}

std::set<std::uint64_t> RefusedIn(const MachineView& view) {
  std::set<std::uint64_t> numbers;
  for (const auto& [number, secret] : view.secrets)
    if (!secret->problem.empty()) numbers.insert(number);
  for (const auto& [number, problem] : view.refused) numbers.insert(number);
  return numbers;
}

/// The sequence of the newest restore in the list of a secret's environment; 0: none, or not known.
std::uint64_t LastRestoreOf(const MachineView& view, std::uint64_t number) {
  const auto secret = view.secrets.find(number);
  if (secret == view.secrets.end()) return 0;
  const auto list = view.environments.find(secret->second->environment);
  const auto restore = list == view.environments.end() ? nullptr : list->second->LastRestore();
  return restore ? restore->statement().sequence : 0;
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
  if (!work.frozen.empty()) GRANTFS_CHECK(RefreshFreezes());
  if (work.everything) return RefreshEverything();
  std::set<std::uint64_t> secrets = work.secrets;
  if (work.upper) {
    GRANTFS_CHECK(RefreshUpper());
    // What an older list above could not prove, the newer one may.
    secrets.merge(RefusedIn(*view()));
  }
  return secrets.empty() ? Status() : RefreshSecrets(secrets);
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

// ---- views in the making

MachineSessionImpl::Draft MachineSessionImpl::BeginDraft() const {
  Draft draft;
  draft.next = std::make_shared<MachineView>(*view());
  return draft;
}

// First remembered, then shown: what was shown once can not be taken back by a restart. What could not be
// remembered (a full disk) is not shown, but for what is gone: nobody is let read on for want of room.
Status MachineSessionImpl::Remember(Draft& draft, std::vector<std::uint64_t> gone) {
  std::erase_if(gone, [&](std::uint64_t number) { return left_.contains(number); });
  std::map<std::uint64_t, std::uint64_t> ended;
  for (const std::uint64_t number : gone) ended[number] = LastRestoreOf(*draft.next, number);
  for (const std::uint64_t number : gone) {
    draft.next->secrets.erase(number);
    draft.next->refused.erase(number);
  }
  const auto keep = std::exchange(draft.keep, {});
  draft.unshown += keep.size() + gone.size();
  draft.urgent = draft.urgent || !gone.empty();
  if (keep.empty() && gone.empty()) return {};
  const Status kept = known_->UpdateGranted(keep, ended);
  if (!kept && !gone.empty()) ShowWithout(gone);
  return kept;
}

void MachineSessionImpl::ShowWithout(const std::vector<std::uint64_t>& gone) {
  Draft draft = BeginDraft();
  for (const std::uint64_t number : gone) {
    draft.next->secrets.erase(number);
    draft.next->refused.erase(number);
  }
  Publish(std::move(draft));
}

void MachineSessionImpl::Publish(Draft draft) {
  JudgeAgain(*draft.next, *view());
  RememberFreezes(*draft.next);
  RememberGroups(*draft.next);
  Show(std::move(draft.next));
}

// First remembered, then shown, as whatever else is.
void MachineSessionImpl::RememberFreezes(const MachineView& next) {
  if (next.freezes == view()->freezes) return;
  Json list = Json::Array();
  for (const api::Freeze& freeze : next.freezes) list.Append(freeze.ToJson());
  if (auto kept = known_->RememberFreezes(list.Dump()); !kept)
    Log(LogLevel::kError, "could not remember what is frozen", kept.error());
}

// What is gone is forgotten before it is not shown; a key that could not be kept is asked for again.
void MachineSessionImpl::RememberGroups(const MachineView& next) {
  const std::string text = TextOfGroups(next);
  if (text == TextOfGroups(*view())) return;
  if (auto kept = known_->RememberGroups(text); !kept)
    Log(LogLevel::kError, "could not remember the groups that this machine is in", kept.error());
}

bool MachineSessionImpl::IsDue(const Draft& draft) const {
  const auto shown = view();
  const MachineView& next = *draft.next;
  if (draft.urgent || next.freezes != shown->freezes || next.vault != shown->vault ||
      next.groups != shown->groups || next.environments != shown->environments ||
      next.vault_problem != shown->vault_problem || next.environment_problems != shown->environment_problems)
    return true;
  if (2 * draft.unshown >= shown->secrets.size()) return true;
  const std::lock_guard guard(work_mutex_);
  return !waiters_.empty();
}

// ---- what the vault shows

Status MachineSessionImpl::RefreshUpper() {
  Draft draft = BeginDraft();
  GRANTFS_CHECK(TakeVault(*draft.next, nullptr));
  for (const auto& [name, list] : view()->environments)
    GRANTFS_CHECK(TakeEnvironment(*draft.next, name, nullptr));
  api::GrantsRequest request;  // behind the last secret: the groups' keys
  request.after = kMaxSecretNumber;
  request.limit = 1;
  GRANTFS_CHECK(
      TakeUpper(*draft.next, GRANTFS_TRY(vault_->Ask<api::GrantsResponse>(api::kMachineGrants, request))));
  Publish(std::move(draft));
  return {};
}

// An answer behind the last secret: the heads and what is frozen, alone.
Status MachineSessionImpl::RefreshFreezes() {
  Draft draft = BeginDraft();
  api::GrantsRequest request;
  request.after = kMaxSecretNumber;
  request.limit = 1;
  GRANTFS_CHECK(
      TakeUpper(*draft.next, GRANTFS_TRY(vault_->Ask<api::GrantsResponse>(api::kMachineGrants, request))));
  Publish(std::move(draft));
  return {};
}

Status MachineSessionImpl::RefreshSecrets(const std::set<std::uint64_t>& numbers) {
  const auto together = WithSiblings(view()->bundles, numbers);
  const std::vector<std::uint64_t> asked(together.begin(), together.end());
  Draft draft = BeginDraft();
  for (std::size_t from = 0; from < asked.size();) {
    const std::size_t end = std::min(from + api::kMaxGrants, asked.size());
    api::GrantsRequest request;
    for (std::size_t i = from; i < end; ++i)
      request.secrets.push_back({asked[i], RememberedHead(*draft.next, asked[i])});
    const auto response = GRANTFS_TRY(vault_->Ask<api::GrantsResponse>(api::kMachineGrants, request));
    GRANTFS_CHECK(TakeUpper(*draft.next, response));
    std::set<std::uint64_t> seen;
    for (const auto& evidence : response.grants) {
      if (!std::binary_search(asked.begin() + static_cast<std::ptrdiff_t>(from),
                              asked.begin() + static_cast<std::ptrdiff_t>(end), evidence.secret))
        continue;
      GRANTFS_CHECK(TakeGrant(draft, evidence));
      seen.insert(evidence.secret);
    }
    if (response.more && seen.empty()) return vault_->Malformed();
    // What was asked for and is not there is no longer granted; behind a cut answer nothing is known.
    const std::uint64_t known_to = response.more ? *seen.rbegin() : asked[end - 1];
    std::vector<std::uint64_t> gone;
    for (; from < asked.size() && asked[from] <= known_to; ++from)
      if (!seen.contains(asked[from])) gone.push_back(asked[from]);
    GRANTFS_CHECK(Remember(draft, gone));
    if (from < asked.size() && !IsDue(draft)) continue;
    Publish(std::move(draft));
    if (from < asked.size()) draft = BeginDraft();
  }
  return {};
}

Status MachineSessionImpl::RefreshEverything() {
  std::set<std::uint64_t> seen;
  api::GrantsRequest request;
  Draft draft = BeginDraft();
  for (bool more = true; more;) {
    const std::uint64_t after = request.after;
    const auto response = GRANTFS_TRY(vault_->Ask<api::GrantsResponse>(api::kMachineGrants, request));
    GRANTFS_CHECK(TakeUpper(*draft.next, response));
    for (const auto& evidence : response.grants) {
      GRANTFS_CHECK(TakeGrant(draft, evidence));
      seen.insert(evidence.secret);
      request.after = std::max(request.after, evidence.secret);
    }
    // What is not seen counts as gone: a page that leads no further must not pass for the last one.
    if ((response.more && request.after == after) || seen.size() > kMostGranted) return vault_->Malformed();
    more = response.more;
    GRANTFS_CHECK(Remember(draft, {}));
    if (!more || !IsDue(draft)) continue;
    Publish(std::move(draft));
    ServeWaiters();
    draft = BeginDraft();
  }
  std::vector<std::uint64_t> gone;
  for (const auto& [number, secret] : draft.next->secrets) {
    if (!seen.contains(number)) gone.push_back(number);
  }
  for (const auto& [number, problem] : draft.next->refused) {
    if (!seen.contains(number)) gone.push_back(number);
  }
  GRANTFS_CHECK(Remember(draft, gone));
  // What was refused may have had the name of something that is gone only now.
  const bool again = !gone.empty() && !draft.next->refused.empty();
  Publish(std::move(draft));
  if (!again) return {};
  Work work;
  work.everything = true;
  Post(work);
  return {};
}

}  // namespace grantfs
