#include <unistd.h>

#include "grantfs/util/clock.h"
#include "mount/base/confine_internal.h"
#include "mount/files/filesystem_internal.h"
#include "mount/reports/report_internal.h"
#include "mount/reports/why_internal.h"

namespace grantfs {

namespace {

/// "process 4711; before it 3 were ended, 1 ended by itself (last 2026-01-31T12:00:00Z)".
std::string DescribeWorker(const MountShared& shared) {
  std::string text = "process " + std::to_string(getpid());
  std::string before;
  const auto add = [&before](std::uint64_t count, const char* what) {
    if (count > 0) before += (before.empty() ? "" : ", ") + std::to_string(count) + what;
  };
  add(shared.killed, " were ended");
  add(shared.crashed, " ended by themselves");
  add(shared.hung, " hung");
  add(shared.upgrades, " were upgraded");
  add(shared.refused, " times every read was refused for a while");
  if (!before.empty()) text += "; before it " + before;
  if (shared.supervisor > 0 && !CanConfineProcess())
    text += "; not confined, as it is on x86_64 and aarch64: no system call is refused to it";
  if (shared.last_death != 0) text += " (last end " + FormatTime(shared.last_death) + ")";
  return text;
}

/// "process 4711, and the service manager was asked to keep it; gone on with 2 times (last
/// 2026-01-31T12:00:00Z)".
std::string DescribeHolder(const MountShared& shared) {
  std::string text = shared.supervisor > 0 ? "process " + std::to_string(shared.supervisor) : "this process";
  if (shared.stored != 0) text += ", and the service manager was asked to keep it";
  if (shared.taken_over > 0)
    text += "; gone on with " + std::to_string(shared.taken_over) + " times (last " +
            FormatTime(shared.last_taken_over) + ")";
  return text;
}

}  // namespace

std::optional<FileAttributes> Filesystem::VersionAttributes(const Tree& tree, NodeId node) {
  const SecretFile* file = tree.FindSecret(NumberOf(node));
  if (file != nullptr && file->id == node) return file->attributes;
  {
    std::lock_guard lock(past_mutex_);
    if (const FileAttributes* past = past_.Find(node)) return *past;
  }
  return files_.AttributesOf(node);
}

// Under the writer's lock: no answer with another size is on its way to the kernel any more.
void Filesystem::LearnSize(NodeId version, std::uint64_t size) {
  if (LearntSize(version) == size) return;
  std::lock_guard write(tree_lock_);
  std::lock_guard lock(past_mutex_);
  learnt_.Touch(version) = {size, false};
}

std::optional<std::uint64_t> Filesystem::LearntSize(NodeId version) {
  std::lock_guard lock(past_mutex_);
  const Learnt* learnt = learnt_.Find(version);
  return learnt ? std::optional(learnt->size) : std::nullopt;
}

void Filesystem::AnswerWithLearntSize(NodeId node, WorkQueue::Job answer) {
  bool told = false;
  {
    std::lock_guard lock(past_mutex_);
    const Learnt* learnt = learnt_.Find(node);
    told = learnt != nullptr && learnt->told;
  }
  if (told) return answer();
  InvalidateThen(node, [this, node, answer = std::move(answer)] {
    {
      std::lock_guard lock(past_mutex_);
      if (learnt_.Find(node) != nullptr) learnt_.Touch(node).told = true;
    }
    answer();
  });
}

std::optional<struct stat> Filesystem::Stat(const std::shared_ptr<const Tree>& tree, NodeId node) {
  struct stat info {};
  info.st_ino = node;
  info.st_blksize = 4096;
  info.st_nlink = 1;
  info.st_uid = owners_.default_user;
  info.st_gid = owners_.default_group;
  std::int64_t time = 0;
  const Directory* directory = tree->FindDirectory(node);
  const bool held = rotation_.held().IsShown(node);
  if (directory != nullptr || KindOf(node) == NodeKind::kDirectory) {  // it may be gone, with somebody in it
    info.st_mode = S_IFDIR | 0755;
    info.st_nlink = directory ? 2 + directory->subdirectories : 0;
    time = directory ? directory->changed : SystemClock().WallSeconds();
  } else if (KindOf(node) == NodeKind::kWhy) {
    if (tree->FindSecret(NumberOf(node)) == nullptr) return std::nullopt;
    info.st_mode = S_IFREG | (VersionOf(node) == 0 ? 0444 : 0400);
    info.st_size = kExplanationBytes;  // what it is depends on who reads: a bound, as in sysfs
    time = SystemClock().WallSeconds();
  } else if (node == kHiddenNode) {
    info.st_mode = S_IFDIR | 0700;
    info.st_nlink = 2;
    time = SystemClock().WallSeconds();
  } else if (node == kStatusNode || node == kGrantsNode || node == kDenialsNode) {
    info.st_mode = S_IFREG | (node == kStatusNode ? 0444 : 0400);
    info.st_size = static_cast<off_t>(Report(tree, node)->size());
    time = SystemClock().WallSeconds();
  } else if (KindOf(node) == NodeKind::kSecret) {
    const SecretFile* file = tree->FindSecret(NumberOf(node));
    const bool shown = file != nullptr && (file->id == node || rules_.IsBound(node));
    const auto attributes = shown ? file->attributes : VersionAttributes(*tree, node);
    if (!attributes) return std::nullopt;
    info.st_mode = S_IFREG | attributes->mode;
    info.st_nlink = shown || held ? 1 : 0;
    info.st_uid = attributes->uid;
    info.st_gid = attributes->gid;
    const NodeId version = shown ? file->id : node;
    info.st_size = static_cast<off_t>(LearntSize(version).value_or(attributes->size));
    time = attributes->time;
  } else {
    return std::nullopt;
  }
  info.st_blocks = (info.st_size + 511) / 512;
  info.st_atim.tv_sec = info.st_mtim.tv_sec = info.st_ctim.tv_sec = time;
  return info;
}

std::shared_ptr<const std::string> Filesystem::Report(const std::shared_ptr<const Tree>& tree, NodeId node) {
  if (node == kDenialsNode) return std::make_shared<std::string>(DenialsReport(denials_.Recent()));
  std::lock_guard lock(report_mutex_);
  CachedReport& cached = reports_[node == kStatusNode ? 0 : 1];
  const std::int64_t now = SystemClock().WallSeconds();
  if (cached.tree == tree && cached.second == now) return cached.text;
  const ReportInput input{.mount_point = point_,
                          .root = options_.root,
                          .tree = tree.get(),
                          .source = source().CurrentStatus(),
                          .open_files = files_.Secrets(),
                          .throttled = session_->requests().throttled(),
                          .only_user = only_user_,
                          .kernel = kernel_,
                          .worker = DescribeWorker(session_->slots().shared()),
                          .holder = DescribeHolder(session_->slots().shared()),
                          .shared_mmap = session_->shared_mmap(),
                          .unseen_rotations = rotation_.Problem(),
                          .on_change = on_change_ ? on_change_->Report() : "",
                          .now = now};
  cached = {tree, now,
            std::make_shared<std::string>(node == kStatusNode ? StatusReport(input) : GrantsReport(input))};
  return cached.text;
}

}  // namespace grantfs
