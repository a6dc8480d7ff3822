#include "grantfs/client/admin_source.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "grantfs/client/owner_session.h"

namespace grantfs {
namespace {

using AdminClock = std::chrono::steady_clock;

constexpr std::chrono::seconds kFreshFor{1};
constexpr std::chrono::seconds kLongestWait{2};
constexpr std::chrono::seconds kPauseAfterFailure{2};
// Without anybody who asks, a look that comes soon finds something; one that comes late asks anew.
constexpr std::chrono::seconds kBackgroundEvery{5};
constexpr std::chrono::seconds kBackgroundFor{30};
constexpr std::size_t kAuditLines = 100;

bool SameLines(const std::vector<AuditLine>& a, const std::vector<AuditLine>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const AuditLine& one, const AuditLine& other) {
    return one.sequence == other.sequence && one.actor == other.actor;
  });
}

// What is granted by prefix stands in the environment's list, whose head the secrets' surveys have too.
bool SameGroups(const std::vector<GroupSurvey>& a, const std::vector<GroupSurvey>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const GroupSurvey& one, const GroupSurvey& other) {
                      return one.id == other.id && one.environment_head == other.environment_head &&
                             one.members_known == other.members_known && one.machines == other.machines;
                    });
}

bool SameSnapshot(const AdminSnapshot& a, const AdminSnapshot& b) {
  return a.machines_known == b.machines_known && a.machines == b.machines &&
         a.environments == b.environments && a.secrets == b.secrets && SameGroups(a.groups, b.groups) &&
         a.frozen == b.frozen && a.audit_known == b.audit_known && SameLines(a.recent, b.recent) &&
         SameLines(a.critical, b.critical);
}

class AdminSourceImpl final : public AdminSource {
 public:
  explicit AdminSourceImpl(std::unique_ptr<OwnerSession> session) : session_(std::move(session)) {}
  ~AdminSourceImpl() override {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  Status Begin() {
    view_.snapshot = GRANTFS_TRY(Ask(nullptr));
    view_.time = SystemClock().WallSeconds();
    finished_ = looked_ = AdminClock::now();
    thread_ = std::thread([this] { Run(); });
    return {};
  }

  AdminView Look() override {
    std::unique_lock lock(mutex_);
    const auto now = AdminClock::now();
    looked_ = now;
    if (now - finished_ < (view_.problem.empty() ? kFreshFor : kPauseAfterFailure)) return view_;
    const std::uint64_t next = rounds_ + 1;
    wanted_ = true;
    changed_.notify_all();
    const auto deadline = (running_ ? started_ : now) + kLongestWait;
    const bool answered = changed_.wait_until(lock, deadline, [&] { return rounds_ >= next || stop_; });
    AdminView view = view_;
    if (!answered && view.problem.empty()) view.problem = "the vault has not answered within two seconds";
    return view;
  }

 private:
  /// One round of questions. @param before the last answer, for what has not changed; may be nullptr.
  Result<std::shared_ptr<const AdminSnapshot>> Ask(const AdminSnapshot* before) {
    auto next = std::make_shared<AdminSnapshot>();
    next->who = session_->WhoAmI();
    auto machines = session_->ListIdentities();
    if (machines) {
      next->machines_known = true;
      std::erase_if(*machines, [](const IdentityInfo& one) { return one.kind != IdentityKind::kMachine; });
      next->machines = std::move(*machines);
    } else if (machines.error().code != Code::kDenied) {
      return machines.error();
    }
    for (const EnvironmentInfo& each : GRANTFS_TRY(session_->ListEnvironments()))
      if (each.role && RoleAllows(*each.role, Operation::kList)) next->environments.push_back(each.name);
    next->secrets =
        GRANTFS_TRY(session_->SurveySecrets(before != nullptr ? before->secrets : SecretSurveys()));
    next->groups = GRANTFS_TRY(session_->SurveyGroups());
    next->frozen = GRANTFS_TRY(session_->ListFreezes());
    AuditFilter filter;
    filter.limit = kAuditLines;
    auto recent = session_->ListAudit(filter);
    if (recent) {
      next->audit_known = true;
      next->recent = std::move(*recent);
      filter.at_least = AuditSeverity::kCritical;
      next->critical = GRANTFS_TRY(session_->ListAudit(filter));
    } else if (recent.error().code != Code::kDenied) {
      return recent.error();
    }
    return std::shared_ptr<const AdminSnapshot>(std::move(next));
  }

  void Run() {
    std::unique_lock lock(mutex_);
    while (!stop_) {
      changed_.wait_for(lock, kBackgroundEvery, [this] { return wanted_ || stop_; });
      if (stop_) return;
      if (!wanted_ && AdminClock::now() - looked_ > kBackgroundFor) continue;
      wanted_ = false;
      running_ = true;
      started_ = AdminClock::now();
      const auto before = view_.snapshot;
      lock.unlock();
      auto next = Ask(before.get());
      lock.lock();
      Take(std::move(next));
      changed_.notify_all();
    }
  }

  /// With the lock held.
  void Take(Result<std::shared_ptr<const AdminSnapshot>> next) {
    running_ = false;
    ++rounds_;
    finished_ = AdminClock::now();
    if (!next) {
      view_.problem = Describe(next.error());
      return;
    }
    if (!SameSnapshot(**next, *view_.snapshot)) view_.snapshot = std::move(*next);
    view_.problem.clear();
    view_.time = SystemClock().WallSeconds();
  }

  std::unique_ptr<OwnerSession> session_;  // of the thread alone
  std::mutex mutex_;
  std::condition_variable changed_;
  AdminView view_;
  AdminClock::time_point looked_, started_, finished_;
  std::uint64_t rounds_ = 0;
  bool wanted_ = false, running_ = false, stop_ = false;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<AdminSource>> AdminSource::Start(const std::string& home_directory,
                                                        ClientOptions options) {
  auto source =
      std::make_unique<AdminSourceImpl>(GRANTFS_TRY(OwnerSession::Open(home_directory, std::move(options))));
  GRANTFS_CHECK(source->Begin());
  return std::unique_ptr<AdminSource>(std::move(source));
}

}  // namespace grantfs
