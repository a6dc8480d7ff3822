#pragma once

#include <string>
#include <vector>

#include "grantfs/mount/supervisor.h"
#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"
#include "mount/base/mount_point_internal.h"

namespace grantfs {

// What a DescriptorStore keeps of a mount, by these names: each of them once, or it is of no use.

inline constexpr const char* kStoredFuse = "grantfs-fuse";          ///< of /dev/fuse
inline constexpr const char* kStoredRequests = "grantfs-requests";  ///< Slots
inline constexpr const char* kStoredKept = "grantfs-kept";          ///< KeptMemory
inline constexpr const char* kStoredRecord = "grantfs-record";      ///< which mount they belong to
inline constexpr const char* kStoredNames[] = {kStoredFuse, kStoredRequests, kStoredKept, kStoredRecord};

/// Which mount it is. Only supervisors ever have it, so that it can be believed, unlike what workers share.
struct MountRecord {
  std::string point;     ///< canonical
  std::string root;      ///< of SupervisorOptions
  std::string identity;  ///< of SupervisorOptions
  unsigned long long id = 0;
  unsigned device = 0;
  std::string requests;  ///< names the one piece of memory that belongs to it
  std::string kept;      ///< the same
};

struct StoredMount {
  MountedFuse mounted;
  UniqueFd requests;
  UniqueFd kept;
};

/// In memory that nobody can change. Errors: kIo.
Result<UniqueFd> SealRecord(const MountedFuse& mounted, const SupervisorOptions& options, int requests,
                            int kept);
/// The record among what was stored. Errors: kInvalid (none, or none of this version).
Result<MountRecord> RecordAmong(const std::vector<StoredDescriptor>& stored);

/// Checks that what was stored is all of one mount, is of this version, and is the mount that is to be made
/// on `point`. Changes nothing: workers of a supervisor that ended may not be dead yet.
/// Errors: kInvalid, kConflict, with why it cannot be gone on with.
Result<StoredMount> CheckStored(const MountRecord& record, const std::string& point,
                                const SupervisorOptions& options, std::vector<StoredDescriptor> stored);

}  // namespace grantfs
