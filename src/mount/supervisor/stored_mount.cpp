#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <fstream>

#include "grantfs/util/kept_memory.h"
#include "grantfs/util/sealed_file.h"
#include "grantfs/util/text.h"
#include "mount/base/mount_table_internal.h"
#include "mount/kernel/slots_internal.h"
#include "mount/supervisor/stored_mount_internal.h"

namespace grantfs {

namespace {

// Changes with the record; what else is shared has layouts of its own.
constexpr std::string_view kRecordTitle = "grantfs mount 1";
constexpr std::size_t kMaxRecordBytes = 16 * 1024;
constexpr unsigned kFuseMajor = 10;  // of /dev/fuse, in the kernel's list of devices
constexpr unsigned kFuseMinor = 229;

Error Unfit(const char* why, std::string subject = {}) {
  return {Code::kInvalid, why, 0, std::move(subject)};
}

/// No other piece of memory has that name while this one lives.
std::string MemoryName(int fd) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return "";
  return std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino);
}

/// The descriptor of that name, if there is one alone.
Result<UniqueFd> TakeOne(std::vector<StoredDescriptor>* stored, std::string_view name) {
  const auto named = [&](const StoredDescriptor& one) { return one.name == name; };
  if (std::count_if(stored->begin(), stored->end(), named) != 1)
    return Unfit("it was not kept, or more than once", std::string(name));
  return std::move(std::find_if(stored->begin(), stored->end(), named)->fd);
}

/// The connection's number, where the kernel tells it of a descriptor (Linux 6.18 does).
std::optional<unsigned> ConnectionOf(int fuse) {
  constexpr std::string_view kLine = "fuse_connection:\t";
  std::ifstream info("/proc/self/fdinfo/" + std::to_string(fuse));
  unsigned long long number = 0;
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with(kLine) && ParseNumber(std::string_view(line).substr(kLine.size()), ~0U, &number))
      return static_cast<unsigned>(number);
  }
  return std::nullopt;
}

Status CheckFuse(int fuse, const MountRecord& record) {
  struct stat info {};
  if (fstat(fuse, &info) != 0 || !S_ISCHR(info.st_mode) || info.st_rdev != makedev(kFuseMajor, kFuseMinor))
    return Unfit("it is no descriptor of /dev/fuse", kStoredFuse);
  pollfd watched{fuse, 0, 0};
  if (poll(&watched, 1, 0) != 0) return Unfit("the mount was unmounted meanwhile", record.point);
  if (ConnectionOf(fuse).value_or(record.device) != record.device)
    return Unfit("it is the connection of another mount", kStoredFuse);
  // A number is not used again while its mount lives, and the connection does.
  const auto entry = MountWithId(record.id);
  if (!entry || entry->type != kFilesystemType || entry->point != record.point ||
      entry->device != "0:" + std::to_string(record.device))
    return Unfit("the mount was unmounted meanwhile", record.point);
  return {};
}

Status CheckMemory(int fd, const std::string& name, const char* what) {
  if (MemoryName(fd) != name) return Unfit("it is not the memory of this mount", what);
  // As an older program made it: a worker could end this process by making it smaller.
  constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW;
  const int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & kSeals) != kSeals) return Unfit("workers could change its size", what);
  return {};
}

}  // namespace

Result<UniqueFd> SealRecord(const MountedFuse& mounted, const SupervisorOptions& options, int requests,
                            int kept) {
  std::string text(kRecordTitle);
  for (const std::string& field : {mounted.point, options.root, options.identity, std::to_string(mounted.id),
                                   std::to_string(mounted.device), MemoryName(requests), MemoryName(kept)})
    text.append(1, '\0').append(field);
  return SealedFile(AsBytes(text));
}

Result<MountRecord> RecordAmong(const std::vector<StoredDescriptor>& stored) {
  const auto found = std::find_if(stored.begin(), stored.end(),
                                  [](const StoredDescriptor& one) { return one.name == kStoredRecord; });
  if (found == stored.end()) return Unfit("it was not kept", kStoredRecord);
  const Bytes bytes = GRANTFS_TRY(ReadSealedFile(found->fd.get(), kMaxRecordBytes));
  const auto fields = Split(AsText(bytes), '\0');
  MountRecord record;
  unsigned long long device = 0;
  if (fields.size() != 8 || fields[0] != kRecordTitle || !ParseNumber(fields[4], ~0ULL, &record.id) ||
      !ParseNumber(fields[5], ~0U, &device))
    return Unfit("it is of another version of grantfs", kStoredRecord);
  record.point = fields[1];
  record.root = fields[2];
  record.identity = fields[3];
  record.device = static_cast<unsigned>(device);
  record.requests = fields[6];
  record.kept = fields[7];
  return record;
}

Result<StoredMount> CheckStored(const MountRecord& record, const std::string& point,
                                const SupervisorOptions& options, std::vector<StoredDescriptor> stored) {
  if (record.point != point) return Unfit("it is a mount on another directory", record.point);
  if (record.root != options.root) return Unfit("it shows another environment (--root)", record.root);
  if (record.identity != options.identity) return Unfit("it is a mount of another machine", record.point);
  GRANTFS_TRY(TakeOne(&stored, kStoredRecord));
  StoredMount taken;
  taken.mounted.fuse = GRANTFS_TRY(TakeOne(&stored, kStoredFuse));
  taken.requests = GRANTFS_TRY(TakeOne(&stored, kStoredRequests));
  taken.kept = GRANTFS_TRY(TakeOne(&stored, kStoredKept));
  GRANTFS_CHECK(CheckFuse(taken.mounted.fuse.get(), record));
  GRANTFS_CHECK(CheckMemory(taken.requests.get(), record.requests, kStoredRequests));
  GRANTFS_CHECK(CheckMemory(taken.kept.get(), record.kept, kStoredKept));
  GRANTFS_CHECK(KeptMemory::Check(taken.kept.get()));
  taken.mounted.point = record.point;
  taken.mounted.id = record.id;
  taken.mounted.device = record.device;
  return taken;
}

}  // namespace grantfs
