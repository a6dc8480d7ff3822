#include <tuple>
#include <unordered_set>
#include <utility>

#include "grantfs/util/clock.h"
#include "grantfs/util/text.h"
#include "mount/base/mount_point_internal.h"
#include "mount/base/mount_table_internal.h"
#include "mount/files/filesystem_internal.h"
#include "mount/reports/report_internal.h"

namespace grantfs {

namespace {

constexpr std::chrono::seconds kIdle{30};
constexpr std::chrono::seconds kReportInterval{5};
constexpr std::chrono::seconds kLongestSilence{5};
// A notification has its own, shorter bound, and so has what the rotation helper does.
constexpr std::chrono::seconds kLongestJob{60};
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
      shown_(others.kept),
      directory_ids_(others.kept),
      files_(&kept_),
      denials_(others.kept),
      rotation_(
          point_, options_.watcher_bound, &rules_,
          [this](LogLevel level, const std::string& line) { options_.log(level, line); },
          std::move(others.start_helper)),
      on_change_(others.on_change) {
  if (const auto mounted = TopMount(point_)) only_user_ = OnlyUserOf(*mounted);
  if (options_.mounter) std::tie(owners_.default_user, owners_.default_group) = *options_.mounter;
  if (auto left = shown_.Load()) {
    left_tree_ = Build(std::move(left->shown), nullptr);
    left_untold_ = std::move(left->untold);
  }
  tree_ = Build(source().CurrentListing(), left_tree_.get());
  if (!left_tree_) shown_.Begin(*tree_);
  TakeOver();
  session_->TellRefused({.closed = [this](std::uint64_t handle) { files_.Remove(handle); },
                         .not_opened =
                             [this](std::uint64_t unique) {
                               if (const auto handle = files_.HandleOf(unique)) files_.Remove(*handle);
                             }});
}

/// What the process that served before had open.
void Filesystem::TakeOver() {
  rules_.KeepBound([this](NodeId node, bool bound) { kept_.KeepBound(node, bound); });
  if (!kept_.TookOver()) return;
  for (NodeId node : kept_.BoundNodes()) rules_.Restore(node);
  for (auto& [handle, file] : kept_.OpenFiles()) {
    const SecretFile* shown = tree_->FindSecret(NumberOf(file->node));
    if (file->value && shown != nullptr && shown->grant->parts > 0)
      LearnSize(SecretNode(NumberOf(file->node), file->version), file->attributes.size);
    files_.Restore(handle, std::move(file));
  }
}

Result<std::span<const std::uint8_t>> Filesystem::ContentOf(const OpenFile& file) {
  if (file.report) return AsBytes(*file.report);
  return file.value->Bytes(
      [&] { return source().Reopen(NumberOf(file.node), file.version, kept_.EvidenceOf(file)); });
}

void Filesystem::Start() {
  rotation_.Start([this](NodeId node) { session_->InvalidateAttributes(node); });
  // Before anybody is served: what was not told of yet is shown as it was, until it is.
  if (left_tree_) taken_over_ = Begin(std::exchange(left_tree_, nullptr), tree_, left_untold_);
  if (kept_.TookOver()) rules_.BeLenientUntil(SystemClock().Boot() + kLenient);
  refresher_ = std::make_unique<WorkQueue>("listing", kIdle, [this] { Idle(); });
  notifier_ = std::make_unique<WorkQueue>("notifier");
  reporter_ = std::make_unique<WorkQueue>("denials", kReportInterval, [this] { ReportDenials(false); });
  {
    std::lock_guard lock(running_lock_);
    running_ = true;
  }
  source().Subscribe([this] { RefreshSoon(); });
  reporter_->Post([this] { ReportDenials(false); });  // of the process before
  RefreshSoon();  // what changed before the subscription, and what was taken over
  // Whoever waits to be served does not wait for it.
  refresher_->Post([this] {
    std::lock_guard lock(refresh_mutex_);
    rotation_.Ready();
  });
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

void Filesystem::RefreshThen(WorkQueue::Job after) {
  const bool posted = refresher_->Post([this, after] {
    Refresh();
    after();
  });
  if (!posted) after();
}

/// Once may be chance; again after so long, and nothing answered between, and it stands still.
void Filesystem::SourceWasLate() {
  const std::int64_t now = MonotonicNow();
  std::int64_t since = 0;
  if (source_silent_since_.compare_exchange_strong(since, now)) return;
  if (std::chrono::nanoseconds(now - since) > kLongestSilence) source_hangs_ = true;
}

bool Filesystem::Lives() const {
  if (source_hangs_) return false;
  for (const auto* queue : {&refresher_, &notifier_, &reporter_}) {
    if (*queue && (*queue)->BusyFor() > kLongestJob) return false;
  }
  return true;
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

std::optional<Refusal> Filesystem::RefuseReadOf(const Tree& tree, const OpenFile& file, bool page_fill) {
  const SecretFile* shown = tree.FindSecret(NumberOf(file.node));
  const bool bound = page_fill && (file.bound || rules_.IsBound(file.node));
  return RefuseRead(shown ? shown->grant : nullptr, file.clock.Seconds(), page_fill, bound);
}

/// What the kernel holds it hands out unasked, so it may hold only what it would be given.
void Filesystem::DropRefusedPages() {
  std::unordered_set<NodeId> nodes;
  const auto cached = files_.Cached();
  const auto tree = CurrentTree();
  for (const auto& file : cached) {
    if (RefuseReadOf(*tree, *file, true)) nodes.insert(file->node);
  }
  for (NodeId node : nodes) DropPages(node);
}

void Filesystem::DropPages(NodeId node) {
  notifier_->Post([this, node] { session_->InvalidatePages(node); });
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
  const std::string more = kept_back > 0 ? " (left out: " + Count(kept_back, "line") + " like it)" : "";
  options_.log(LogLevel::kWarning, line + more);
}

std::string Filesystem::OpenId() const { return id_prefix_ + std::to_string(Session::CurrentUnique()); }

}  // namespace grantfs
