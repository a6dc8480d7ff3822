#include <unistd.h>

#include "grantfs/util/clock.h"
#include "mount/filesystem_internal.h"
#include "mount/report_internal.h"

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
  if (shared.last_death != 0) text += " (last end " + FormatTime(shared.last_death) + ")";
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

std::optional<struct stat> Filesystem::Stat(const std::shared_ptr<const Tree>& tree, NodeId node) {
  struct stat info {};
  info.st_ino = node;
  info.st_blksize = 4096;
  info.st_nlink = 1;
  info.st_uid = owners_.default_user;
  info.st_gid = owners_.default_group;
  std::int64_t time = 0;
  const Directory* directory = tree->FindDirectory(node);
  if (directory != nullptr || KindOf(node) == NodeKind::kDirectory) {  // it may be gone, with somebody in it
    info.st_mode = S_IFDIR | 0755;
    info.st_nlink = directory ? 2 + directory->subdirectories : 0;
    time = directory ? directory->changed : SystemClock().WallSeconds();
  } else if (node == kStatusNode || node == kGrantsNode) {
    info.st_mode = S_IFREG | (node == kStatusNode ? 0444 : 0400);
    info.st_size = static_cast<off_t>(Report(tree, node)->size());
    time = SystemClock().WallSeconds();
  } else if (KindOf(node) == NodeKind::kSecret) {
    const SecretFile* file = tree->FindSecret(NumberOf(node));
    const bool shown = file != nullptr && (file->id == node || rules_.IsBound(node));
    const auto attributes = shown ? file->attributes : VersionAttributes(*tree, node);
    if (!attributes) return std::nullopt;
    info.st_mode = S_IFREG | attributes->mode;
    info.st_nlink = shown ? 1 : 0;
    info.st_uid = attributes->uid;
    info.st_gid = attributes->gid;
    info.st_size = static_cast<off_t>(attributes->size);
    time = attributes->time;
  } else {
    return std::nullopt;
  }
  info.st_blocks = (info.st_size + 511) / 512;
  info.st_atim.tv_sec = info.st_mtim.tv_sec = info.st_ctim.tv_sec = time;
  return info;
}

std::shared_ptr<const std::string> Filesystem::Report(const std::shared_ptr<const Tree>& tree, NodeId node) {
  std::lock_guard lock(report_mutex_);
  CachedReport& cached = reports_[node == kStatusNode ? 0 : 1];
  const std::int64_t now = SystemClock().WallSeconds();
  if (cached.tree == tree && cached.second == now) return cached.text;
  const ReportInput input{.mount_point = point_,
                          .root = options_.root,
                          .tree = tree.get(),
                          .source = source().CurrentStatus(),
                          .open_files = files_.Secrets(),
                          .kernel = kernel_,
                          .worker = DescribeWorker(session_->slots().shared()),
                          .shared_mmap = session_->shared_mmap(),
                          .now = now};
  cached = {tree, now,
            std::make_shared<std::string>(node == kStatusNode ? StatusReport(input) : GrantsReport(input))};
  return cached.text;
}

}  // namespace grantfs
