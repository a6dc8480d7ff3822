#pragma once

#include <sys/stat.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>

#include "grantfs/client/secret_source.h"
#include "grantfs/mount/mount.h"
#include "mount/base/line_limiter_internal.h"
#include "mount/base/recent_map_internal.h"
#include "mount/base/work_queue_internal.h"
#include "mount/callers/decide_internal.h"
#include "mount/callers/owners_internal.h"
#include "mount/kernel/session_internal.h"
#include "mount/tree/denials_internal.h"
#include "mount/tree/directory_ids_internal.h"
#include "mount/tree/kept_files_internal.h"
#include "mount/tree/kept_shown_internal.h"
#include "mount/tree/name_changes_internal.h"
#include "mount/tree/open_files_internal.h"
#include "mount/tree/open_rules_internal.h"
#include "mount/tree/tree_internal.h"
#include "mount/tree/tree_lock_internal.h"
#include "mount/watchers/on_change_internal.h"
#include "mount/watchers/rotation_internal.h"

namespace grantfs {

/// What a filesystem has other processes do, and keeps for the one that serves after this one. What is empty
/// or null this process does itself. All of it outlives the filesystem.
struct OtherProcesses {
  ProcessLookUp look_up;
  Rotation::Starter start_helper;
  OnChange* on_change = nullptr;  ///< is told what has changed; null: nobody is
  KeptMemory* kept = nullptr;     ///< what is to outlive this process; null: nothing is
};

/// What the mount knows, for the operations that the kernel calls: the tree of the newest listing, the open
/// files, the rules.
///
/// Three threads besides the session's: one lays out new listings (user databases can be slow), one sends the
/// kernel notifications (they can wait for a directory's lock), one watches deadlines. Threads: safe.
class Filesystem : public std::enable_shared_from_this<Filesystem> {
 public:
  /// @param session outlives this.
  Filesystem(const MountOptions& options, std::string point, Session* session, OtherProcesses others = {});
  ~Filesystem() { Stop(); }

  void Start();
  /// Keeps Stop() from waiting for a rotation that nobody will make any more.
  void Interrupt() { rotation_.Interrupt(); }
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

  Rotation& rotation() { return rotation_; }
  /// Switches a name that is held. @return false if it is not (any more).
  bool Release(NameChangeKind kind, NodeId parent, const char* name, std::uint64_t number = 0);

  /// Takes the source's listing over, if it is another; then the kernel is told what changed. May take its
  /// time.
  void Refresh(bool force = false);
  /// The same soon, on another thread.
  void RefreshSoon();
  /// The same, and then `after` on that thread. If that cannot be, runs `after` at once. Never Refresh() on a
  /// thread of the source: it can wait for the kernel, and the source for nobody.
  void RefreshThen(WorkQueue::Job after);

  /// The source has answered a request, or has let its deadline pass and said nothing.
  void SourceAnswered() { source_silent_since_ = 0; }
  void SourceWasLate();
  /// Whether the source and all threads of this filesystem get on with their work.
  bool Lives() const;

  /// What stat(2) says of a node; none if it is not known any more.
  std::optional<struct stat> Stat(const std::shared_ptr<const Tree>& tree, NodeId node);
  /// What the lists say, or said, of that version; none if it is not known any more.
  std::optional<FileAttributes> VersionAttributes(const Tree& tree, NodeId node);
  /// The text of a report, made at most once a second for one tree.
  std::shared_ptr<const std::string> Report(const std::shared_ptr<const Tree>& tree, NodeId node);

  /// Tells the kernel that a node looks different, then runs `after` (on the same thread). If that cannot be,
  /// runs it at once.
  void InvalidateThen(NodeId node, WorkQueue::Job after);

  /// The size of a version that a template made, of which the listing knows only what it is at most.
  void LearnSize(NodeId version, std::uint64_t size);
  std::optional<std::uint64_t> LearntSize(NodeId version);
  /// Runs `answer` when the kernel has no other size of this node than the learnt one.
  void AnswerWithLearntSize(NodeId node, WorkQueue::Job answer);

  /// The bytes of an open file, for as long as it lives. What the process before this one had opened is
  /// decrypted when it is first read. Errors: as SecretSource::Reopen.
  Result<std::span<const std::uint8_t>> ContentOf(const OpenFile& file);
  /// Whether a READ of an open file is refused by what the lists say now.
  std::optional<Refusal> RefuseReadOf(const Tree& tree, const OpenFile& file, bool page_fill);
  /// What is known of a process: the one place where the mount asks.
  ProcessFacts LookUp(std::uint32_t thread, std::uint32_t uid, std::uint32_t gid,
                      const WantedFacts& wanted) const;
  /// Looks at the process behind a request, with what its grant's conditions ask for.
  ProcessFacts LookAtCaller(const fuse_ctx& context, const SecretFile* file) const;
  /// Answers a READ of an open file if it is refused to the process behind it, which need not be the one that
  /// opened it. @return whether it is.
  bool RefuseReader(fuse_req_t req, const Tree& tree, const OpenFile& file);
  /// A process that a condition refuses.
  struct Denied {
    std::string name;  ///< "shop/prod/db-password"
    std::uint64_t number = 0;
    std::uint32_t version = 0;
    Caller caller;
    std::string reason;
  };
  /// Answers its request, and notes it: for `.grantfs/denials`, the vault's audit log, the log. Of a request
  /// that is served again it notes what the kernel waited for, and nothing of what it had the answer to.
  void AnswerDenied(fuse_req_t req, int error, const Denied& denied);
  /// Has the source tell the vault of refusals that were noted: of those that are due, or of all.
  void ReportDenials(bool all);
  /// Explains how a secret looks to a process: to who asks, or to `node`'s own.
  std::string Explain(NodeId node, const fuse_ctx& context);
  /// Whether `.grantfs/why/NAME@pid:N` is for this user.
  bool MayAskForOthers(uid_t user) const { return user == 0 || user == owners_.default_user; }
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
  /// From one tree to the next (filesystem_change.cpp).
  struct Transition {
    std::shared_ptr<const Tree> before, next;
    TreeChange change;
    std::vector<SecretChange> secrets;
    std::vector<NameChange> steps;
    std::vector<SecretChange>
        untold;            ///< shown already by the process before this one, which told of it nobody
    bool visibly = false;  ///< the helper makes the steps
  };
  std::shared_ptr<const Tree> Build(std::shared_ptr<const Listing> listing, const Tree* previous);
  Transition Begin(std::shared_ptr<const Tree> before, std::shared_ptr<const Tree> next,
                   const std::set<std::uint64_t>& untold = {});
  void Finish(const Transition& transition);
  std::vector<NameChange> Perform(const Transition& transition);
  void Remember(const TreeChange& change, const Tree& next);
  void Notify(const Transition& transition, const std::vector<NameChange>& done);
  void NoteDenial(const Denied& denied);
  void DropRefusedPages();
  void Idle();
  void RefreshIfOwnersAreMissing();
  void TakeOver();

  MountOptions options_;
  std::string point_;
  std::string kernel_;
  std::optional<uid_t> only_user_;  // who alone may come in, as the kernel sees it
  std::string id_prefix_;
  Owners owners_;
  Session* session_;
  ProcessLookUp look_up_;  // empty: this process looks
  KeptFiles kept_;
  KeptShown shown_;
  std::shared_ptr<const Tree> left_tree_;  // of the process before this one, until Start()
  std::set<std::uint64_t> left_untold_;

  std::mutex refresh_mutex_;              // one listing at a time; guards directory_ids_ and taken_over_
  std::optional<Transition> taken_over_;  // what the process before this one began, or did not come to
  DirectoryIds directory_ids_;
  TreeLock tree_lock_;
  std::shared_ptr<const Tree> tree_;

  std::mutex past_mutex_;
  RecentMap<NodeId, FileAttributes> past_{65536};  // versions that are not shown any more
  struct Learnt {
    std::uint64_t size = 0;
    bool told = false;  ///< the kernel has forgotten what it was told before
  };
  RecentMap<NodeId, Learnt> learnt_{65536};  // under past_mutex_ too
  std::mutex report_mutex_;
  std::array<CachedReport, 2> reports_;

  OpenRules rules_;
  OpenFiles files_;
  LineLimiter limiter_;
  Denials denials_;
  Rotation rotation_;
  OnChange* const on_change_;

  std::atomic<std::int64_t> source_silent_since_{0};  ///< on the steady clock; 0: it is not
  std::atomic<bool> source_hangs_{false};

  std::shared_mutex running_lock_;
  bool running_ = false;
  std::unique_ptr<WorkQueue> refresher_;
  std::unique_ptr<WorkQueue> notifier_;
  std::unique_ptr<WorkQueue> reporter_;
};

}  // namespace grantfs
