#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "mount/watchers/rotation_internal.h"

namespace grantfs {

namespace {

constexpr std::chrono::seconds kLongestPause{60};
constexpr const char* kDied = "the helper that shows them died; it is started again";
constexpr const char* kHung = "the helper that shows them hung; it is started again";
constexpr const char* kTookTooLong = "the last ones took too long, and some were made without it";
constexpr std::size_t kMaxOlder = 64;  // versions of one secret that are touched

using Steady = std::chrono::steady_clock;

/// st_dev of what is mounted there, as the kernel knows it: nobody is asked, since nobody answers yet.
dev_t DeviceOf(const std::string& point) {
  struct statx info {};
  if (statx(AT_FDCWD, point.c_str(), AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, &info) != 0) return 0;
  return makedev(info.stx_dev_major, info.stx_dev_minor);
}

HelperAct ActOf(NameChangeKind kind) {
  if (kind == NameChangeKind::kRemove) return HelperAct::kRemove;
  if (kind == NameChangeKind::kOnlyTouch) return HelperAct::kTouch;
  return kind == NameChangeKind::kReplace ? HelperAct::kRename : HelperAct::kMakeDirectory;
}

bool IsLost(int error) { return error == ETIMEDOUT || error == EPIPE; }

}  // namespace

Rotation::Rotation(std::string point, std::chrono::milliseconds bound, const OpenRules* rules, LogLine log,
                   Starter starter)
    : point_(std::move(point)),
      bound_(bound),
      rules_(*rules),
      log_(std::move(log)),
      starter_(starter ? std::move(starter) : RotationHelper::Start) {}

Rotation::~Rotation() { End(); }

void Rotation::Start(std::function<void(NodeId)> invalidate) {
  invalidate_ = std::move(invalidate);
  device_ = DeviceOf(point_);
  {
    std::lock_guard lock(mutex_);
    interrupted_ = false;
    problem_.clear();
  }
}

void Rotation::Interrupt() {
  std::lock_guard lock(mutex_);
  interrupted_ = true;
  if (helper_) helper_->Interrupt();
}

void Rotation::End() {
  Interrupt();
  std::lock_guard lock(mutex_);
  helper_.reset();
  dying_.clear();
}

std::string Rotation::Problem() const {
  std::lock_guard lock(mutex_);
  return problem_;
}

bool Rotation::Ready() {
  const Readiness readiness = LookAtHelper();
  if (readiness != Readiness::kToBeStarted) return readiness == Readiness::kReady;
  // Another process starts it, which may stand still: nobody who asks how things are waits for that.
  auto started = starter_(point_, device_);
  std::lock_guard lock(mutex_);
  if (!started) {
    problem_ = Describe(started.error());
    not_before_ = Steady::now() + kLongestPause;
    return false;
  }
  helper_ = *std::move(started);
  if (interrupted_) helper_->Interrupt();
  problem_.clear();
  return !interrupted_;
}

Rotation::Readiness Rotation::LookAtHelper() {
  std::lock_guard lock(mutex_);
  std::erase_if(dying_, [](const auto& helper) { return helper->Reaped(); });
  if (interrupted_) return Readiness::kNot;
  if (helper_ && helper_->Alive()) return Readiness::kReady;
  if (helper_) {
    log_(LogLevel::kWarning, "the helper that shows rotations to watchers died; it is started again");
    Bury();
  }
  if (Steady::now() >= not_before_) return Readiness::kToBeStarted;
  if (problem_.empty()) problem_ = kDied;
  return Readiness::kNot;
}

/// With the lock held. The first that dies is replaced at once, others later and later.
void Rotation::Bury() {
  helper_->Kill();
  dying_.push_back(std::move(helper_));
  not_before_ = Steady::now() + pause_;
  pause_ = std::clamp(pause_ * 2, std::chrono::seconds(1), kLongestPause);
}

void Rotation::Lost(int error) {
  std::lock_guard lock(mutex_);
  if (interrupted_ || !helper_) return;
  problem_ = error == ETIMEDOUT ? kHung : kDied;
  log_(LogLevel::kWarning, "rotations are not visible to watchers: " + problem_);
  Bury();
}

void Rotation::SetProblem(const std::string& problem) {
  std::lock_guard lock(mutex_);
  if (problem == problem_) return;
  problem_ = problem;
  if (!problem.empty()) log_(LogLevel::kWarning, "rotations are not visible to watchers: " + problem);
}

void Rotation::Perform(const std::vector<NameChange>& changes) {
  const auto deadline = Steady::now() + bound_;
  // If the helper dies at it, another one does the rest.
  for (int attempt = 0; attempt < 2 && Ready(); ++attempt) {
    if (Attempt(changes, deadline) || Steady::now() >= deadline) return;
  }
}

/// @return false if the helper was lost.
bool Rotation::Attempt(const std::vector<NameChange>& changes, RotationHelper::Time deadline) {
  writer_ = helper_->pid();
  int error = helper_->Do({.act = HelperAct::kBegin}, deadline);
  const bool begun = error == 0;
  std::string problem;
  if (!begun) problem = std::string("the mount cannot be written to: ") + std::strerror(error);
  for (const NameChange& change : changes) {
    if (!begun || IsLost(error)) break;
    if (Steady::now() >= deadline) {
      problem = kTookTooLong;
      break;
    }
    if (change.kind == NameChangeKind::kOnlyHold) continue;
    const bool touch = change.kind == NameChangeKind::kOnlyTouch;
    if (!touch && !held_.Holds(change)) continue;  // done by the attempt before
    error = Change(change, deadline);
    // One that has done something is not one that dies at once: who comes after it need not wait.
    if (error == 0 || (!touch && !held_.Holds(change))) ForgetPause();
    if (error != 0 && !IsLost(error))
      problem = std::string("a file cannot be renamed or touched: ") + std::strerror(error);
  }
  if (!IsLost(error)) {
    // That it cannot be made read-only while replaced versions are open is no harm: what is seen of it is.
    const int ended = helper_->Do({.act = HelperAct::kEnd}, std::max(deadline, Steady::now() + bound_ / 4));
    if (IsLost(ended)) error = ended;
  }
  writer_ = 0;
  if (IsLost(error)) {
    Lost(error);
    return false;
  }
  SetProblem(problem);
  ForgetPause();
  return true;
}

void Rotation::ForgetPause() {
  std::lock_guard lock(mutex_);
  pause_ = std::chrono::seconds(0);
}

int Rotation::Change(const NameChange& change, RotationHelper::Time deadline) {
  HelperRequest request{.act = ActOf(change.kind), .node = 0, .name = {}, .path = change.path};
  if (change.kind == NameChangeKind::kReplace) request.name = std::to_string(NumberOf(change.after));
  int error = helper_->Do(request, deadline);
  if (error == 0 && change.kind == NameChangeKind::kOnlyTouch) return TouchOlder(change, deadline);
  if (error != 0 || change.kind != NameChangeKind::kReplace) return error;
  // A watcher of the directory shall see that the file is complete, as after any program's write.
  error = helper_->Do({.act = HelperAct::kTouch, .node = 0, .name = {}, .path = change.path}, deadline);
  return error != 0 ? error : TouchOlder(change, deadline);
}

/// Whoever watches an older version (through a single-file bind mount, say) sees it change.
int Rotation::TouchOlder(const NameChange& change, RotationHelper::Time deadline) {
  const std::uint64_t number = NumberOf(change.after);
  std::set<NodeId>& alive = alive_.Touch(number);
  for (NodeId node : rules_.BoundNodes(number)) alive.insert(node);
  if (change.before != 0) alive.insert(change.before);
  alive.erase(change.after);
  while (alive.size() > kMaxOlder) alive.erase(alive.begin());
  for (auto node = alive.begin(); node != alive.end();) {
    invalidate_(*node);  // before anybody looks
    const int error =
        helper_->Do({.act = HelperAct::kTouchNode, .node = *node, .name = {}, .path = {}}, deadline);
    if (IsLost(error)) return error;
    node = error == 0 ? std::next(node) : alive.erase(node);
  }
  if (alive.empty()) alive_.Erase(number);
  return 0;
}

}  // namespace grantfs
