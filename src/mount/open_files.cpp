#include <algorithm>

#include "grantfs/util/bytes.h"
#include "mount/open_files_internal.h"

namespace grantfs {

std::span<const std::uint8_t> OpenFile::Content() const { return report ? AsBytes(*report) : value.Expose(); }

std::uint64_t OpenFiles::Add(std::shared_ptr<const OpenFile> file) {
  std::lock_guard lock(mutex_);
  files_.emplace(next_, std::move(file));
  return next_++;
}

std::shared_ptr<const OpenFile> OpenFiles::Find(std::uint64_t handle) const {
  std::lock_guard lock(mutex_);
  auto found = files_.find(handle);
  return found == files_.end() ? nullptr : found->second;
}

void OpenFiles::Remove(std::uint64_t handle) {
  std::shared_ptr<const OpenFile> removed;  // wiped outside of the lock
  std::lock_guard lock(mutex_);
  auto found = files_.find(handle);
  if (found == files_.end()) return;
  removed = std::move(found->second);
  files_.erase(found);
}

std::size_t OpenFiles::size() const {
  std::lock_guard lock(mutex_);
  return files_.size();
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
