#include <algorithm>
#include <utility>

#include "grantfs/util/bytes.h"
#include "mount/tree/kept_files_internal.h"
#include "mount/tree/open_files_internal.h"

namespace grantfs {

namespace {
/// What two files may share: a bound node shows other versions than its own.
NodeId VersionKey(const OpenFile& file) { return SecretNode(NumberOf(file.node), file.version); }
}  // namespace

Result<std::span<const std::uint8_t>> OpenValue::Bytes(const std::function<Result<SecretValue>()>& reopen) {
  const std::lock_guard lock(mutex_);
  if (!value_) value_ = GRANTFS_TRY(reopen());
  return std::span<const std::uint8_t>(value_->Expose());
}

void OpenValue::TakeFrom(OpenValue* other) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || value_) return;  // or somebody is making it
  value_ = std::exchange(other->value_, std::nullopt);
}

/// With the lock held. @return what is not needed any more, to be wiped outside of it.
std::shared_ptr<OpenValue> OpenFiles::Share(const std::shared_ptr<OpenFile>& file) {
  if (!file->value) return nullptr;
  auto& [shared, count] = versions_[VersionKey(*file)];
  ++count;
  if (auto first = shared.lock()) {
    first->TakeFrom(file->value.get());
    return std::exchange(file->value, std::move(first));
  }
  shared = file->value;
  return nullptr;
}

/// With the lock held.
void OpenFiles::Insert(std::uint64_t handle, std::shared_ptr<OpenFile> file) {
  std::string().swap(file->evidence);  // to clear it would keep its room, for each handle
  ++of_user_[file->opener];
  files_.emplace(handle, std::move(file));
}

bool OpenFiles::MayOpen(std::uint32_t user) const {
  std::lock_guard lock(mutex_);
  const auto found = of_user_.find(user);
  return found == of_user_.end() || found->second < kMostOfOneUser;
}

/// With the lock held. A report that may is counted.
bool OpenFiles::MayKeep(const OpenFile& file) {
  if (!file.report) return true;
  if (kept_reports_ >= kMostKeptReports || kept_report_bytes_ + file.report->size() > kMostKeptReportBytes)
    return false;
  CountKept(file);
  return true;
}

/// With the lock held, of a report.
void OpenFiles::CountKept(const OpenFile& file) {
  ++kept_reports_;
  kept_report_bytes_ += file.report->size();
}

std::uint64_t OpenFiles::Add(std::shared_ptr<OpenFile> file) {
  std::shared_ptr<OpenValue> second;
  std::lock_guard lock(mutex_);
  second = Share(file);
  const std::uint64_t handle = kept_->NewHandle();
  // Before the kernel can know of it.
  file->kept = MayKeep(*file);
  if (file->kept) kept_->Keep(handle, *file);
  Insert(handle, std::move(file));
  return handle;
}

void OpenFiles::Restore(std::uint64_t handle, std::shared_ptr<OpenFile> file) {
  std::lock_guard lock(mutex_);
  Share(file);
  file->kept = true;
  if (file->report) CountKept(*file);
  restored_[file->unique] = handle;
  Insert(handle, std::move(file));
}

std::optional<std::uint64_t> OpenFiles::HandleOf(std::uint64_t unique) const {
  std::lock_guard lock(mutex_);
  const auto found = restored_.find(unique);
  return found == restored_.end() ? std::nullopt : std::optional(found->second);
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
  const auto user = of_user_.find(removed->opener);
  if (--user->second == 0) of_user_.erase(user);
  bool last = true;
  if (removed->value) {
    auto version = versions_.find(VersionKey(*removed));
    last = --version->second.second == 0;
    if (last) versions_.erase(version);
  }
  if (removed->kept && removed->report) {
    --kept_reports_;
    kept_report_bytes_ -= removed->report->size();
  }
  if (removed->kept) kept_->Forget(handle, *removed, last);
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
