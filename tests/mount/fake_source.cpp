#include "fake_source.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "grantfs/util/clock.h"

namespace grantfs {

class FakeSource::PendingWork : public SecretSource::Pending {
 public:
  PendingWork(FakeSource* source, std::shared_ptr<Work> work) : source_(source), work_(std::move(work)) {}
  void Cancel() override {
    {
      std::lock_guard lock(source_->mutex_);
      if (std::exchange(work_->done, true)) return;
      ++source_->cancelled_;
    }
    work_->run(Error{Code::kCancelled, "cancelled", 0, {}});
  }

 private:
  FakeSource* source_;
  std::shared_ptr<Work> work_;
};

FakeSource::FakeSource() : thread_([this] { Run(); }) {}

FakeSource::~FakeSource() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    wake_.notify_all();
  }
  thread_.join();
}

std::uint32_t FakeSource::Put(const std::string& name, const std::string& content) {
  std::uint32_t version = 0;
  {
    std::lock_guard lock(mutex_);
    Secret& secret = secrets_[name];
    GrantedSecret& grant = secret.grant;
    if (grant.number == 0) grant.number = next_number_++;
    const std::size_t cut = name.find('/', name.find('/') + 1);
    grant.environment = name.substr(0, cut);
    grant.path = name.substr(cut + 1);
    version = grant.version = secret.contents.empty() ? 1 : secret.contents.rbegin()->first + 1;
    grant.size = content.size();
    grant.time = 1700000000 + grant.version;
    secret.granted = true;
    secret.contents[version] = content;
  }
  Changed();
  return version;
}

void FakeSource::Change(const std::string& name, const std::function<void(GrantedSecret&)>& change) {
  {
    std::lock_guard lock(mutex_);
    change(secrets_.at(name).grant);
  }
  Changed();
}

void FakeSource::Revoke(const std::string& name) {
  {
    std::lock_guard lock(mutex_);
    secrets_.at(name).granted = false;
  }
  Changed();
}

void FakeSource::MoveTo(const std::string& name, std::uint32_t version) {
  Change(name, [&](GrantedSecret& grant) {
    grant.version = version;
    grant.size = secrets_.at(name).contents.at(version).size();
  });
}

void FakeSource::LetListingLag(bool lag) {
  std::lock_guard lock(mutex_);
  lag_ = lag;
}

/// With the lock held.
std::shared_ptr<const Listing> FakeSource::Listed() {
  auto listing = std::make_shared<Listing>();
  listing->generation = ++generation_;
  for (const auto& [name, secret] : secrets_) {
    if (secret.granted) listing->secrets.push_back(secret.grant);
  }
  return listing;
}

void FakeSource::Changed() {
  {
    std::lock_guard lock(mutex_);
    if (lag_) return;
  }
  ShowListing();
}

void FakeSource::ShowListing() {
  {
    std::lock_guard lock(mutex_);
    listing_ = Listed();
  }
  std::lock_guard lock(changed_mutex_);
  if (changed_) changed_();
}

void FakeSource::SetSilent(bool silent) {
  std::lock_guard lock(mutex_);
  silent_ = silent;
  wake_.notify_all();
}

void FakeSource::IgnoreDeadlines(bool ignore) {
  std::lock_guard lock(mutex_);
  ignore_deadlines_ = ignore;
}

void FakeSource::SetHeard(bool heard) {
  std::lock_guard lock(mutex_);
  heard_ = heard;
}

void FakeSource::FailOpens(std::optional<Error> error) {
  std::lock_guard lock(mutex_);
  open_error_ = std::move(error);
}

void FakeSource::FailChecks(std::optional<Error> error) {
  std::lock_guard lock(mutex_);
  check_error_ = std::move(error);
}

void FakeSource::SetStatus(SourceStatus status) {
  std::lock_guard lock(mutex_);
  status_ = std::move(status);
}

std::vector<SecretSource::OpenRequest> FakeSource::Opens() const {
  std::lock_guard lock(mutex_);
  return opens_;
}

std::vector<RefusedRead> FakeSource::Refused() const {
  std::lock_guard lock(mutex_);
  return refused_;
}

void FakeSource::ReportRefusals(std::vector<RefusedRead> refusals) {
  std::lock_guard lock(mutex_);
  refused_.insert(refused_.end(), refusals.begin(), refusals.end());
}

std::size_t FakeSource::OpenCount() const {
  std::lock_guard lock(mutex_);
  return open_count_;
}

std::size_t FakeSource::checks() const {
  std::lock_guard lock(mutex_);
  return checks_;
}

std::size_t FakeSource::cancelled() const {
  std::lock_guard lock(mutex_);
  return cancelled_;
}

std::shared_ptr<const Listing> FakeSource::CurrentListing() const {
  std::lock_guard lock(mutex_);
  return listing_;
}

SourceStatus FakeSource::CurrentStatus() const {
  std::lock_guard lock(mutex_);
  return status_;
}

void FakeSource::Subscribe(std::function<void()> changed) {
  std::lock_guard lock(changed_mutex_);
  changed_ = std::move(changed);
}

bool FakeSource::HeardWithin(std::chrono::milliseconds) const {
  std::lock_guard lock(mutex_);
  return heard_;
}

/// With the lock held.
FakeSource::Secret* FakeSource::Find(std::uint64_t number) {
  for (auto& [name, secret] : secrets_) {
    if (secret.grant.number == number && secret.granted) return &secret;
  }
  return nullptr;
}

/// With the lock held.
Result<OpenedSecret> FakeSource::Serve(const OpenRequest& request) {
  if (open_error_) return *open_error_;
  Secret* secret = Find(request.number);
  if (secret == nullptr) return Error{Code::kNotFound, "not granted", 0, {}};
  const std::uint32_t version = request.version == 0 ? secret->grant.version : request.version;
  if (version != secret->grant.version && !request.grace) {
    listing_ = Listed();
    return Error{Code::kConflict, "superseded", 0, {}};
  }
  const std::string& content = secret->contents.at(version);
  auto memory = SecretMemory::Allocate(content.size());
  if (!memory) return memory.error();
  if (!content.empty()) std::memcpy(memory->Expose().data(), content.data(), content.size());
  return OpenedSecret{SecretValue(*std::move(memory)), version, 1, "evidence"};
}

void FakeSource::Poison(const std::string& name) {
  std::lock_guard lock(mutex_);
  secrets_.at(name).poisonous = true;
}

Result<SecretValue> FakeSource::Reopen(std::uint64_t number, std::uint32_t version,
                                       const std::string& evidence) {
  if (evidence != "evidence") return Error{Code::kIntegrity, "that is no evidence of this source", 0, {}};
  std::lock_guard lock(mutex_);
  for (const auto& [name, secret] : secrets_) {
    if (secret.grant.number != number) continue;
    const std::string& content = secret.contents.at(version);
    auto memory = SecretMemory::Allocate(content.size());
    if (!memory) return memory.error();
    if (!content.empty()) std::memcpy(memory->Expose().data(), content.data(), content.size());
    return SecretValue(*std::move(memory));
  }
  return Error{Code::kNotFound, "no such secret", 0, {}};
}

std::shared_ptr<SecretSource::Pending> FakeSource::Open(OpenRequest request,
                                                        std::chrono::milliseconds deadline, OpenDone done) {
  {
    std::lock_guard lock(mutex_);
    if (++open_count_ <= 10000) opens_.push_back(request);
    const Secret* secret = Find(request.number);
    if (secret != nullptr && secret->poisonous) _exit(3);
  }
  return Queue(deadline,
               [this, request = std::move(request), done = std::move(done)](std::optional<Error> error) {
                 if (error) return done(*error);
                 std::unique_lock lock(mutex_);
                 auto result = Serve(request);
                 lock.unlock();
                 done(std::move(result));
               });
}

std::shared_ptr<SecretSource::Pending> FakeSource::Check(std::uint64_t number, std::uint32_t,
                                                         std::chrono::milliseconds deadline, CheckDone done) {
  {
    std::lock_guard lock(mutex_);
    ++checks_;
  }
  return Queue(deadline, [this, number, done = std::move(done)](std::optional<Error> error) {
    if (!error) {
      std::lock_guard lock(mutex_);
      error = check_error_;
      if (!error && Find(number) == nullptr) error = Error{Code::kNotFound, "not granted", 0, {}};
    }
    done(error ? Status(*error) : Status());
  });
}

std::shared_ptr<SecretSource::Pending> FakeSource::Queue(std::chrono::milliseconds deadline,
                                                         std::function<void(std::optional<Error>)> run) {
  auto work = std::make_shared<Work>();
  work->deadline = std::chrono::steady_clock::now() + deadline;
  work->run = std::move(run);
  std::lock_guard lock(mutex_);
  work_.push_back(work);
  wake_.notify_all();
  return std::make_shared<PendingWork>(this, work);
}

void FakeSource::Run() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    const auto now = std::chrono::steady_clock::now();
    auto ready = std::find_if(work_.begin(), work_.end(), [&](const auto& work) {
      return work->done || !silent_ || (!ignore_deadlines_ && work->deadline <= now);
    });
    if (ready == work_.end()) {
      wake_.wait_for(lock, std::chrono::milliseconds(work_.empty() ? 1000 : 5));
      continue;
    }
    const auto work = *ready;
    work_.erase(ready);
    if (std::exchange(work->done, true)) continue;
    const bool late = silent_;
    lock.unlock();
    work->run(
        late ? std::optional(Error{Code::kUnreachable, "the vault did not answer within the deadline", 0, {}})
             : std::nullopt);
    lock.lock();
  }
}

}  // namespace grantfs
