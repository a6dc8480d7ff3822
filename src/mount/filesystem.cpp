#include <tuple>
#include <unordered_set>
#include <utility>

#include "grantfs/util/clock.h"
#include "grantfs/util/text.h"
#include "mount/caller_internal.h"
#include "mount/filesystem_internal.h"
#include "mount/mount_point_internal.h"
#include "mount/report_internal.h"

namespace grantfs {

namespace {

constexpr std::chrono::seconds kIdle{30};
// What threads had looked up is not known any more when another process takes over; so long, whoever opens a
// version that was superseded a moment ago counts as having looked it up before.
constexpr std::chrono::seconds kLenient{3};

std::string Hexadecimal(std::uint64_t number) {
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += "0123456789abcdef"[number >> shift & 15];
  return text;
}

}  // namespace

Filesystem::Filesystem(const MountOptions& options, std::string point, Session* session, KeptMemory* kept)
    : options_(options),
      point_(std::move(point)),
      kernel_(KernelRelease()),
      id_prefix_(Hexadecimal(session->slots().shared().connection) + "-"),
      owners_(SystemOwners()),
      session_(session),
      kept_(kept, &session->slots().shared().next_handle),
      directory_ids_(kept),
      files_(&kept_) {
  if (options_.mounter) std::tie(owners_.default_user, owners_.default_group) = *options_.mounter;
  tree_ = Build(source().CurrentListing(), nullptr);
  TakeOver();
}

/// What the process that served before had open.
void Filesystem::TakeOver() {
  rules_.KeepBound([this](NodeId node, bool bound) { kept_.KeepBound(node, bound); });
  if (!kept_.TookOver()) return;
  for (NodeId node : kept_.BoundNodes()) rules_.Restore(node);
  for (auto& [handle, file] : kept_.OpenFiles()) {
    if (!file->report) {
      auto value = source().Reopen(NumberOf(file->node), file->version, file->evidence);
      if (!value) {
        options_.log(LogLevel::kError, "a file that was open could not be opened again: " +
                                           Printable(file->name) + ": " + Describe(value.error()));
        continue;
      }
      file->value = std::make_shared<SecretValue>(std::move(*value));
    }
    files_.Restore(handle, std::move(file));
  }
}

void Filesystem::Start() {
  if (kept_.TookOver()) rules_.BeLenientUntil(SystemClock().Boot() + kLenient);
  refresher_ = std::make_unique<WorkQueue>("listing", kIdle, [this] { Idle(); });
  notifier_ = std::make_unique<WorkQueue>("notifier");
  {
    std::lock_guard lock(running_lock_);
    running_ = true;
  }
  source().Subscribe([this] { RefreshSoon(); });
  RefreshSoon();  // what changed before the subscription
}

void Filesystem::Stop() {
  {
    std::lock_guard lock(running_lock_);
    if (!std::exchange(running_, false)) return;
  }
  source().Subscribe({});
  refresher_->Stop();
  notifier_->Stop();
}

std::shared_ptr<const Tree> Filesystem::CurrentTree() {
  std::shared_lock lock(tree_lock_);
  return tree_;
}

std::shared_ptr<const Tree> Filesystem::Build(std::shared_ptr<const Listing> listing, const Tree* previous) {
  return BuildTree({.listing = std::move(listing),
                    .root = options_.root,
                    .directories = &directory_ids_,
                    .owners = &owners_,
                    .previous = previous,
                    .now = SystemClock().WallSeconds()});
}

void Filesystem::RefreshSoon() {
  refresher_->Post([this] { Refresh(); });
}

void Filesystem::Idle() {
  RefreshIfOwnersAreMissing();
  DropRefusedPages();  // of grants that have expired
}

void Filesystem::RefreshIfOwnersAreMissing() {
  const auto tree = CurrentTree();
  for (const HiddenSecret& hidden : tree->hidden()) {
    if (hidden.unknown_owner) return Refresh(true);
  }
}

void Filesystem::Refresh(bool force) {
  std::lock_guard lock(refresh_mutex_);
  auto listing = source().CurrentListing();
  const auto before = CurrentTree();
  if (!force && listing->generation == before->listing()->generation) return;
  const auto next = Build(std::move(listing), before.get());
  const TreeChange change = Compare(*before, *next);
  Remember(change, *next);
  {
    std::lock_guard write(tree_lock_);
    tree_ = next;
  }
  Notify(change);
  DropRefusedPages();
}

std::optional<Refusal> Filesystem::RefuseReadOf(const OpenFile& file, bool page_fill) {
  const auto tree = CurrentTree();
  const SecretFile* shown = tree->FindSecret(NumberOf(file.node));
  const bool bound = page_fill && (file.bound || rules_.IsBound(file.node));
  return RefuseRead(shown ? shown->grant : nullptr, SystemClock().WallSeconds(), page_fill, bound);
}

/// What the kernel holds it hands out unasked, so it may hold only what it would be given.
void Filesystem::DropRefusedPages() {
  std::unordered_set<NodeId> nodes;
  for (const auto& file : files_.Cached()) {
    if (RefuseReadOf(*file, true)) nodes.insert(file->node);
  }
  for (NodeId node : nodes) DropPages(node);
}

void Filesystem::DropPages(NodeId node) {
  notifier_->Post([this, node] { session_->InvalidatePages(node); });
}

/// Versions that go out of sight keep their looks for who still has them open.
void Filesystem::Remember(const TreeChange& change, const Tree& next) {
  {
    std::lock_guard lock(past_mutex_);
    for (const SecretFile* file : change.superseded) past_.Touch(file->id) = file->attributes;
  }
  for (const SecretFile* file : change.superseded) {
    // Back by a rollback: the node shows its own version again, and may be mapped again once nobody reads
    // another by it.
    const SecretFile* now = next.FindSecret(NumberOf(file->id));
    if (now != nullptr && rules_.IsBound(now->id) && !files_.IsOpenBound(now->id)) rules_.Unbind(now->id);
  }
}

void Filesystem::Notify(const TreeChange& change) {
  auto entries = change.entries;
  auto nodes = change.attributes;
  const auto add_bound = [&](NodeId node) {
    for (NodeId bound : rules_.BoundNodes(NumberOf(node))) nodes.push_back(bound);
  };
  for (const SecretFile* file : change.superseded) add_bound(file->id);
  for (NodeId node : change.attributes) {
    if (KindOf(node) == NodeKind::kSecret) add_bound(node);
  }
  if (entries.empty() && nodes.empty()) return;
  notifier_->Post([this, entries = std::move(entries), nodes = std::move(nodes)] {
    for (const auto& [parent, name] : entries) session_->InvalidateEntry(parent, name);
    for (NodeId node : nodes) session_->InvalidateAttributes(node);
  });
}

void Filesystem::InvalidateThen(NodeId node, WorkQueue::Job after) {
  const bool posted = notifier_->Post([this, node, after] {
    session_->InvalidateAttributes(node);
    after();
  });
  if (!posted) after();
}

void Filesystem::LogRefusal(const std::string& line) {
  const std::int64_t kept_back = limiter_.Pass(SystemClock().Boot());
  if (kept_back < 0) return;
  const std::string more =
      kept_back > 0 ? " (" + std::to_string(kept_back) + " lines like it were left out)" : "";
  options_.log(LogLevel::kWarning, line + more);
}

std::string Filesystem::OpenId() const { return id_prefix_ + std::to_string(Session::CurrentUnique()); }

Caller Filesystem::CallerOf(std::uint32_t thread, std::uint32_t uid, std::uint32_t gid) const {
  return options_.caller ? options_.caller(thread, uid, gid) : ResolveCaller(thread, uid, gid);
}

}  // namespace grantfs
