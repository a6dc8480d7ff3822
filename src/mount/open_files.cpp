#include <algorithm>
#include <utility>

#include "grantfs/util/bytes.h"
#include "mount/open_files_internal.h"

namespace grantfs {

namespace {
/// What two files may share: a bound node shows other versions than its own.
NodeId VersionKey(const OpenFile& file) { return SecretNode(NumberOf(file.node), file.version); }
}  // namespace

std::span<const std::uint8_t> OpenFile::Content() const {
  return report ? AsBytes(*report) : value->Expose();
}

std::uint64_t OpenFiles::Add(std::shared_ptr<OpenFile> file) {
  std::shared_ptr<const SecretValue> second;  // wiped outside of the lock
  std::lock_guard lock(mutex_);
  if (file->value) {
    auto& [shared, count] = versions_[VersionKey(*file)];
    ++count;
    if (auto first = shared.lock()) {
      second = std::exchange(file->value, std::move(first));
    } else {
      shared = file->value;
    }
  }
  files_.emplace(next_, std::move(file));
  return next_++;
}

std::shared_ptr<const OpenFile> OpenFiles::Find(std::uint64_t handle) const {
  std::lock_guard lock(mutex_);
  auto found = files_.find(handle);
  return found == files_.end() ? nullptr : found->second;
}

std::shared_ptr<const OpenFile> OpenFiles::Remove(std::uint64_t handle) {
  std::lock_guard lock(mutex_);
  auto found = files_.find(handle);
  if (found == files_.end()) return nullptr;
  auto removed = std::move(found->second);  // wiped outside of the lock
  files_.erase(found);
  if (!removed->value) return removed;
  auto version = versions_.find(VersionKey(*removed));
  if (--version->second.second == 0) versions_.erase(version);
  return removed;
}

std::vector<std::shared_ptr<const OpenFile>> OpenFiles::Cached() const {
  std::vector<std::shared_ptr<const OpenFile>> cached;
  std::lock_guard lock(mutex_);
  for (const auto& [handle, file] : files_) {
    if (file->cached) cached.push_back(file);
  }
  return cached;
}

std::size_t OpenFiles::Secrets() const {
  std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count_if(
      files_.begin(), files_.end(), [](const auto& entry) { return entry.second->value != nullptr; }));
}

std::optional<FileAttributes> OpenFiles::AttributesOf(NodeId node) const {
  std::lock_guard lock(mutex_);
  for (const auto& [handle, file] : files_) {
    if (file->node == node && !file->bound) return file->attributes;
  }
  return std::nullopt;
}

bool OpenFiles::IsOpenBound(NodeId node) const {
  std::lock_guard lock(mutex_);
  return std::any_of(files_.begin(), files_.end(),
                     [node](const auto& entry) { return entry.second->node == node && entry.second->bound; });
}

}  // namespace grantfs
