#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace grantfs {

inline constexpr const char* kFilesystemType = "fuse.grantfs";
inline constexpr const char* kSecretsSource = "grantfs";
inline constexpr const char* kReportsSource = "grantfs-admin";

/// One line of /proc/self/mountinfo (proc(5)).
struct MountEntry {
  unsigned long long id = 0;
  std::string point;          ///< unescaped
  std::string type;           ///< "fuse.grantfs"
  std::string source;         ///< what it calls itself: "grantfs", kReportsSource
  std::string device;         ///< "0:52": the same for all mounts of one filesystem
  std::string root;           ///< what of it is shown: "/", or the directory or file of a bind mount
  std::string options;        ///< of this mount: "ro,nosuid"
  std::string super_options;  ///< of the filesystem: "ro,user_id=1000,group_id=1000,default_permissions"
};

/// Lines that are not understood are left out.
std::vector<MountEntry> ParseMountInfo(std::string_view text);

/// All that this process sees, the oldest first.
std::vector<MountEntry> AllMounts();

/// What is mounted on the canonical path `point` and covers it now; none if nothing is.
std::optional<MountEntry> TopMount(const std::string& point);

/// The mount of that number, seen or covered; none if there is none.
std::optional<MountEntry> MountWithId(unsigned long long id);

/// Whose FUSE mount it is, if it keeps all other users out (no allow_other); none if it does not.
std::optional<uid_t> OnlyUserOf(const MountEntry& entry);

/// Who made a FUSE mount; none where the kernel does not say.
std::optional<uid_t> MounterOf(const MountEntry& entry);

/// Whether that mount is still somewhere, seen or covered; true if it cannot be found out.
bool MayBeMounted(unsigned long long id);

}  // namespace grantfs
