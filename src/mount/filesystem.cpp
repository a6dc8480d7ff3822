#include <malloc.h>

#include <tuple>
#include <unordered_set>
#include <utility>

#include "grantfs/util/clock.h"
#include "grantfs/util/text.h"
#include "mount/filesystem_internal.h"
#include "mount/mount_point_internal.h"
#include "mount/mount_table_internal.h"
#include "mount/report_internal.h"

namespace grantfs {

namespace {

constexpr std::chrono::seconds kIdle{30};
constexpr std::chrono::seconds kReportInterval{5};
constexpr std::size_t kManySecrets = 1000;
// What threads had looked up is not known any more when another process takes over; so long, whoever opens a
// version that was superseded a moment ago counts as having looked it up before.
constexpr std::chrono::seconds kLenient{3};

std::string Hexadecimal(std::uint64_t number) {
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += "0123456789abcdef"[number >> shift & 15];
  return text;
}

}  // namespace

Filesystem::Filesystem(const MountOptions& options, std::string point, Session* session,
                       OtherProcesses others)
    : options_(options),
      point_(std::move(point)),
      kernel_(KernelRelease()),
      id_prefix_(Hexadecimal(session->slots().shared().connection) + "-"),
      owners_(SystemOwners()),
      session_(session),
      look_up_(std::move(others.look_up)),
      kept_(others.kept, &session->slots().shared().next_handle),
      directory_ids_(others.kept),
      files_(&kept_),
      rotation_(
          point_, options_.watcher_bound, &rules_,
          [this](LogLevel level, const std::string& line) { options_.log(level, line); },
          std::move(others.start_helper)),
      on_change_(others.on_change) {
  if (const auto mounted = TopMount(point_)) only_user_ = OnlyUserOf(*mounted);
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
    const SecretFile* shown = tree_->FindSecret(NumberOf(file->node));
    if (file->value && shown != nullptr && shown->grant->parts > 0)
      LearnSize(SecretNode(NumberOf(file->node), file->version), file->value->size());
    files_.Restore(handle, std::move(file));
  }
}

void Filesystem::Start() {
  rotation_.Start([this](NodeId node) { session_->InvalidateAttributes(node); });
  if (kept_.TookOver()) rules_.BeLenientUntil(SystemClock().Boot() + kLenient);
  refresher_ = std::make_unique<WorkQueue>("listing", kIdle, [this] { Idle(); });
  notifier_ = std::make_unique<WorkQueue>("notifier");
  reporter_ = std::make_unique<WorkQueue>("denials", kReportInterval, [this] { ReportDenials(false); });
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
  reporter_->Stop();
  ReportDenials(true);
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
  {
    std::lock_guard lock(refresh_mutex_);
    rotation_.Ready();
  }
  DropRefusedPages();  // of grants that have expired
}

void Filesystem::RefreshIfOwnersAreMissing() {
  const auto tree = CurrentTree();
  for (const HiddenSecret& hidden : tree->hidden()) {
    if (hidden.unknown_owner) return Refresh(true);
  }
  for (const auto& [number, file] : tree->secrets()) {
    if (file.who && file.who->HasUnknownNames()) return Refresh(true);
  }
}

void Filesystem::Refresh(bool force) {
  // Two listings and two trees were there at once: what the former took is given back.
  if (TakeListing(force) && CurrentTree()->secrets().size() > kManySecrets) ::malloc_trim(0);
}

/// @return whether it is another one.
bool Filesystem::TakeListing(bool force) {
  std::lock_guard lock(refresh_mutex_);
  auto listing = source().CurrentListing();
  const auto before = CurrentTree();
  if (!force && listing->generation == before->listing()->generation) return false;
  const auto next = Build(std::move(listing), before.get());
  const TreeChange change = Compare(*before, *next);
  Remember(change, *next);
  const auto done = Switch(next, change, NameChangesOf(*before, *next, change));
  Notify(change, done, on_change_ ? ChangedSecrets(*before, *next, options_.root) : std::set<std::string>{});
  DropRefusedPages();
  return true;
}

/// Shows the new tree: where that can be, name by name as the helper gets to them, for watchers to see.
/// @return the changes that were made so, of which the kernel needs not be told.
std::vector<NameChange> Filesystem::Switch(std::shared_ptr<const Tree> next, const TreeChange& change,
                                           std::vector<NameChange> changes) {
  const bool visibly = !changes.empty() && rotation_.Ready();
  {
    std::lock_guard write(tree_lock_);
    tree_ = std::move(next);
    if (visibly) rotation_.held().Hold(changes);
  }
  if (!visibly) return {};
  // What is not held is on the helper's way, and nothing of it may be remembered.
  for (const auto& [parent, name] : change.entries) {
    if (!rotation_.held().Shown(parent, name)) session_->InvalidateEntry(parent, name);
  }
  rotation_.Perform(changes);
  std::lock_guard write(tree_lock_);
  std::erase_if(changes, [this](const NameChange& one) { return rotation_.held().Holds(one); });
  rotation_.held().Clear();
  return changes;
}

bool Filesystem::Release(NameChangeKind kind, NodeId parent, const char* name, std::uint64_t number) {
  std::lock_guard write(tree_lock_);
  return rotation_.held().Release(kind, parent, name, number);
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

void Filesystem::Notify(const TreeChange& change, const std::vector<NameChange>& done,
                        std::set<std::string> changed) {
  std::set<std::pair<NodeId, std::string>> switched;
  for (const NameChange& one : done) switched.emplace(one.parent, one.name);
  auto entries = change.entries;
  std::erase_if(entries, [&](const auto& entry) { return switched.contains(entry); });
  auto nodes = change.attributes;
  const auto add_bound = [&](NodeId node) {
    for (NodeId bound : rules_.BoundNodes(NumberOf(node))) nodes.push_back(bound);
  };
  for (const SecretFile* file : change.superseded) add_bound(file->id);
  for (NodeId node : change.attributes) {
    if (KindOf(node) == NodeKind::kSecret) add_bound(node);
  }
  if (entries.empty() && nodes.empty() && changed.empty()) return;
  notifier_->Post(
      [this, entries = std::move(entries), nodes = std::move(nodes), changed = std::move(changed)] {
        for (const auto& [parent, name] : entries) session_->InvalidateEntry(parent, name);
        for (NodeId node : nodes) session_->InvalidateAttributes(node);
        if (!changed.empty()) on_change_->Changed(changed);
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

}  // namespace grantfs
