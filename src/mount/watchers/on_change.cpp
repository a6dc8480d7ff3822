#include <pthread.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "grantfs/crypto/random.h"
#include "grantfs/util/clock.h"
#include "grantfs/util/text.h"
#include "mount/base/signals_internal.h"
#include "mount/tree/kept_files_internal.h"
#include "mount/watchers/on_change_internal.h"

namespace grantfs {

namespace {

/// A process that cannot be started is tried again after so long.
constexpr std::chrono::seconds kStartAgain{1};
constexpr const char* kGivenUp = "was given up: the process that ran it died";

/// As many as one run takes, out of `names`.
std::string TakeNames(std::set<std::string>* names) {
  std::string message;
  while (!names->empty()) {
    const auto first = names->begin();
    if (!message.empty() && message.size() + first->size() + 1 > kMaxOnChangeBytes) break;
    message.append(*first).push_back('\0');
    names->erase(first);
  }
  return message;
}

/// "" if all went well.
std::string FailureOf(const OnChangeEnd& end) {
  if (end.error != 0) return std::string("could not be run: ") + std::strerror(end.error);
  if (end.late != 0) return "was killed, since it ran too long";
  if (WIFSIGNALED(end.status)) return "was killed by signal " + std::to_string(WTERMSIG(end.status));
  if (WEXITSTATUS(end.status) != 0)
    return "failed with exit status " + std::to_string(WEXITSTATUS(end.status));
  return "";
}

}  // namespace

Result<std::unique_ptr<OnChange>> OnChange::Start(Starter starter, LogLine log, Options options) {
  HelperProcess process;
  if (options.at_once) process = GRANTFS_TRY(starter());
  return std::unique_ptr<OnChange>(
      new OnChange(std::move(starter), std::move(log), options, std::move(process)));
}

OnChange::OnChange(Starter starter, LogLine log, Options options, HelperProcess process)
    : starter_(std::move(starter)),
      log_(std::move(log)),
      kept_(options.kept),
      supervisor_(options.supervisor),
      process_(std::move(process)),
      run_(RandomNumber()) {
  TakeKept();
  thread_ = std::thread([this] {
    BlockAllSignals();
    Run();
  });
  pthread_setname_np(thread_.native_handle(), "on-change");
}

/// Names whose run had not begun, or ended with its supervisor. One that the process before this one began
/// goes on without being heard.
void OnChange::TakeKept() {
  if (kept_ == nullptr) return;
  std::vector<std::string> others;
  kept_->ForEach(kKeptChanged, [&](ByteView bytes, ByteView value) {
    const std::string name = ToText(bytes);
    const bool runs =
        value.size() == sizeof supervisor_ && std::memcmp(value.data(), &supervisor_, value.size()) == 0;
    // Whoever wrote there may have been in others' hands.
    if (runs || !IsOnChangeName(name))
      others.push_back(name);
    else
      waiting_.insert(name);
  });
  for (const std::string& name : others) kept_->Erase(kKeptChanged, AsBytes(name));
}

OnChange::~OnChange() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    if (process_.socket) shutdown(process_.socket.get(), SHUT_RDWR);
    changed_.notify_one();
  }
  thread_.join();
  Bury();
}

/// It ends by itself, at once, when its socket is closed.
void OnChange::Bury() {
  process_.socket.Reset();
  while (process_.pid > 1 && waitpid(process_.pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  process_.pid = -1;
}

void OnChange::Changed(const std::set<std::string>& names) {
  std::lock_guard lock(mutex_);
  for (const std::string& name : names) {
    if (!IsOnChangeName(name)) {
      log_(LogLevel::kWarning, "on-change: a name with control characters is left out: " + Printable(name));
      continue;
    }
    waiting_.insert(name);
    if (kept_ == nullptr) continue;
    if (Status kept = kept_->Put(kKeptChanged, AsBytes(name), {}); !kept)
      Log(LogLevel::kWarning, "the command on changes may not be run if the worker ends now", kept.error());
  }
  changed_.notify_one();
}

std::string OnChange::Report() const {
  std::lock_guard lock(mutex_);
  std::string text = outcome_.empty() ? "has not run yet" : "last run " + FormatTime(ended_) + " " + outcome_;
  if (running_) text += "; runs now";
  if (!waiting_.empty()) text += "; " + std::to_string(waiting_.size()) + " changed since";
  return text;
}

void OnChange::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopped_ || !waiting_.empty(); });
    if (!stopped_ && !process_.socket) changed_.wait_until(lock, not_before_, [this] { return stopped_; });
    if (stopped_) return;
    RunOnce(&lock);
  }
}

/// With the lock held, but while one is started. What has changed goes on waiting where there is none.
/// @return false if there is none.
bool OnChange::HaveProcess(std::unique_lock<std::mutex>* lock) {
  if (process_.socket) return true;
  not_before_ = std::chrono::steady_clock::now() + kStartAgain;
  lock->unlock();
  auto started = starter_();
  lock->lock();
  if (started) {
    process_ = *std::move(started);
    return true;
  }
  const std::string outcome = "could not be run: " + Describe(started.error());
  if (outcome != outcome_) End(outcome);  // once, not each time
  return false;
}

/// With the lock held, but while the command runs.
void OnChange::RunOnce(std::unique_lock<std::mutex>* lock) {
  if (!HaveProcess(lock) || stopped_) return;
  const std::string names = TakeNames(&waiting_);
  const std::uint64_t run = ++run_;
  std::string message(reinterpret_cast<const char*>(&run), sizeof run);
  message += names;
  running_ = true;
  const int socket = process_.socket.get();
  lock->unlock();
  const bool sent = send(socket, message.data(), message.size(), MSG_NOSIGNAL) >= 0;
  if (sent) {
    const std::lock_guard marking(mutex_);
    Mark(names, false);
  }
  const std::string failure = sent ? Hear(socket, run) : "";
  lock->lock();
  running_ = false;
  if (stopped_) return;
  if (sent) Mark(names, true);
  if (!sent) {  // it died while it had nothing to do: another one shall run this
    Bury();
    for (const std::string_view name : Split(names, '\0')) {
      if (!name.empty()) waiting_.emplace(name);
    }
    return;
  }
  if (failure == kGivenUp) Bury();
  End(failure.empty() ? "succeeded" : failure);
}

/// With the lock held. A run goes on without this process, as long as its supervisor lives. What has changed
/// again meanwhile is kept for the next one.
void OnChange::Mark(const std::string& names, bool ended) {
  if (kept_ == nullptr) return;
  const ByteView runs(reinterpret_cast<const std::uint8_t*>(&supervisor_), sizeof supervisor_);
  for (const std::string_view name : Split(names, '\0')) {
    if (name.empty() || waiting_.contains(std::string(name))) continue;
    if (ended || !kept_->Put(kKeptChanged, AsBytes(name), runs)) kept_->Erase(kKeptChanged, AsBytes(name));
  }
}

/// With the lock held.
void OnChange::End(const std::string& outcome) {
  outcome_ = outcome;
  ended_ = SystemClock().WallSeconds();
  if (outcome != "succeeded") log_(LogLevel::kWarning, "on-change: the command " + outcome);
}

/// @return why the run failed, "" if it did not.
std::string OnChange::Hear(int socket, std::uint64_t run) {
  std::array<char, kMaxOnChangeLineBytes + 64> message{};
  for (;;) {
    const ssize_t got = recv(socket, message.data(), message.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    const auto size = static_cast<std::size_t>(got);
    if (message[0] == 'L') log_(LogLevel::kInfo, "on-change: " + Printable({message.data() + 1, size - 1}));
    OnChangeEnd end;
    if (message[0] != 'R' || size != 1 + sizeof end) continue;
    std::memcpy(&end, message.data() + 1, sizeof end);
    if (end.run != run) continue;
    if (end.left_out > 0) log_(LogLevel::kInfo, "on-change: left out " + Count(end.left_out, "more line"));
    return FailureOf(end);
  }
  return kGivenUp;
}

}  // namespace grantfs
