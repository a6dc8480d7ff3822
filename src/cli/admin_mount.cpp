#include <chrono>
#include <mutex>

#include "admin_mount_internal.h"
#include "admin_tree_internal.h"
#include "notify_internal.h"

namespace grantfs {
namespace {

// Texts tell what has expired, so they are made again also where nothing else has changed.
constexpr std::chrono::seconds kTreeLives{30};

/// The tree of what is known now. Threads: safe.
class AdminTrees {
 public:
  explicit AdminTrees(AdminSource* source) : source_(source) {}

  std::shared_ptr<const ReportDirectory> Current() {
    AdminView view = source_->Look();
    const auto now = std::chrono::steady_clock::now();
    const std::lock_guard lock(mutex_);
    const bool same = tree_ && view.snapshot == view_.snapshot && view.problem == view_.problem;
    if (same && now - built_ < kTreeLives) return tree_;
    tree_ = BuildAdminTree(view);
    view_ = std::move(view);
    built_ = now;
    return tree_;
  }

 private:
  AdminSource* const source_;
  std::mutex mutex_;
  AdminView view_;
  std::chrono::steady_clock::time_point built_;
  std::shared_ptr<const ReportDirectory> tree_;
};

}  // namespace

Status RunAdminMount(const AdminMountRequest& request, const std::function<void()>& ready) {
  const auto source = GRANTFS_TRY(AdminSource::Start(request.home));
  AdminTrees trees(source.get());
  ReportsOptions options;
  options.mount_point = request.directory;
  options.allow_other = request.allow_other;
  options.current = [&trees] { return trees.Current(); };
  options.ready = [&ready] {
    ready();
    NotifyManager("READY=1");
  };
  const Status status = RunReports(options);
  NotifyManager("STOPPING=1");
  return status;
}

}  // namespace grantfs
