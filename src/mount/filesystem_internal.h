#pragma once

#include <sys/stat.h>

#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>

#include "grantfs/client/secret_source.h"
#include "grantfs/mount/mount.h"
#include "mount/decide_internal.h"
#include "mount/directory_ids_internal.h"
#include "mount/kept_files_internal.h"
#include "mount/line_limiter_internal.h"
#include "mount/open_files_internal.h"
#include "mount/open_rules_internal.h"
#include "mount/owners_internal.h"
#include "mount/recent_map_internal.h"
#include "mount/session_internal.h"
#include "mount/tree_internal.h"
#include "mount/tree_lock_internal.h"
#include "mount/work_queue_internal.h"

namespace grantfs {

/// What the mount knows, for the operations that the kernel calls: the tree of the newest listing, the open
/// files, the rules.
///
/// Three threads besides the session's: one lays out new listings (user databases can be slow), one sends the
/// kernel notifications (they can wait for a directory's lock), one watches deadlines. Threads: safe.
class Filesystem : public std::enable_shared_from_this<Filesystem> {
 public:
  /// @param session outlives this.
  /// @param kept what is to outlive this process; nullptr: nothing is. Outlives this.
  Filesystem(const MountOptions& options, std::string point, Session* session, KeptMemory* kept = nullptr);
  ~Filesystem() { Stop(); }

  void Start();
  /// When the session has stopped. Callbacks of the source that come later find nothing.
  void Stop();

  static Filesystem& Of(fuse_req_t req) { return *static_cast<Filesystem*>(Session::Of(req).owner()); }

  /// The tree, and no newer one while this lives. Replies that the kernel remembers are sent under it: so an
  /// invalidation always comes after the last reply that it must undo.
  class View {
   public:
    explicit View(Filesystem* filesystem) : lock_(filesystem->tree_lock_), tree_(filesystem->tree_) {}
    const std::shared_ptr<const Tree>& tree() const { return tree_; }

   private:
    std::shared_lock<TreeLock> lock_;
    std::shared_ptr<const Tree> tree_;
  };
  View Look() { return View(this); }
  std::shared_ptr<const Tree> CurrentTree();

  /// Takes the source's listing over, if it is another; then the kernel is told what changed. May take its
  /// time.
  void Refresh(bool force = false);
  /// The same soon, on another thread.
  void RefreshSoon();

  /// What stat(2) says of a node; none if it is not known any more.
  std::optional<struct stat> Stat(const std::shared_ptr<const Tree>& tree, NodeId node);
  /// What the lists say, or said, of that version; none if it is not known any more.
  std::optional<FileAttributes> VersionAttributes(const Tree& tree, NodeId node);
  /// The text of a report, made at most once a second for one tree.
  std::shared_ptr<const std::string> Report(const std::shared_ptr<const Tree>& tree, NodeId node);

  /// Tells the kernel that a node looks different, then runs `after` (on the same thread). If that cannot be,
  /// runs it at once.
  void InvalidateThen(NodeId node, WorkQueue::Job after);

  /// Whether a READ of an open file is refused by what the lists say now.
  std::optional<Refusal> RefuseReadOf(const OpenFile& file, bool page_fill);
  /// Has the kernel drop the pages of a node soon, on another thread.
  void DropPages(NodeId node);

  /// A line about a refusal; bounded in rate.
  void LogRefusal(const std::string& line);

  SecretSource& source() { return *options_.source; }
  Session& session() { return *session_; }
  OpenRules& rules() { return rules_; }
  OpenFiles& files() { return files_; }
  std::chrono::milliseconds deadline() const { return options_.open_deadline; }
  /// Unique in the life of the machine's vault: for the audit record of the request that this thread serves.
  /// The same in each process that serves the mount.
  std::string OpenId() const;
  /// Looks at the process behind a request that waits for its answer.
  Caller CallerOf(std::uint32_t thread, std::uint32_t uid, std::uint32_t gid) const;

  /// Runs `callback` unless the filesystem has stopped, and keeps it from stopping meanwhile.
  template <typename Callback>
  void IfRunning(Callback callback) {
    std::shared_lock lock(running_lock_);
    if (running_) callback();
  }

 private:
  struct CachedReport {
    std::shared_ptr<const Tree> tree;
    std::int64_t second = -1;
    std::shared_ptr<const std::string> text;
  };
  std::shared_ptr<const Tree> Build(std::shared_ptr<const Listing> listing, const Tree* previous);
  void Remember(const TreeChange& change, const Tree& next);
  void Notify(const TreeChange& change);
  void DropRefusedPages();
  void Idle();
  void RefreshIfOwnersAreMissing();
  void TakeOver();

  MountOptions options_;
  std::string point_;
  std::string kernel_;
  std::string id_prefix_;
  Owners owners_;
  Session* session_;
  KeptFiles kept_;

  std::mutex refresh_mutex_;  // one listing at a time; guards directory_ids_
  DirectoryIds directory_ids_;
  TreeLock tree_lock_;
  std::shared_ptr<const Tree> tree_;

  std::mutex past_mutex_;
  RecentMap<NodeId, FileAttributes> past_{65536};  // versions that are not shown any more
  std::mutex report_mutex_;
  std::array<CachedReport, 2> reports_;

  OpenRules rules_;
  OpenFiles files_;
  LineLimiter limiter_;

  std::shared_mutex running_lock_;
  bool running_ = false;
  std::unique_ptr<WorkQueue> refresher_;
  std::unique_ptr<WorkQueue> notifier_;
};

}  // namespace grantfs
