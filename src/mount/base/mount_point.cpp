#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "grantfs/mount/mount.h"
#include "grantfs/util/file.h"
#include "grantfs/util/text.h"
#include "mount/base/channel_internal.h"
#include "mount/base/fusermount_internal.h"
#include "mount/base/helper_process_internal.h"
#include "mount/base/mount_point_internal.h"
#include "mount/base/mount_table_internal.h"

namespace grantfs {

namespace {

std::string FdPath(const UniqueFd& fd) { return "/proc/self/fd/" + std::to_string(fd.get()); }

Result<std::string> PathOf(const UniqueFd& fd, const std::string& path) {
  char target[PATH_MAX];
  const ssize_t size = readlink(FdPath(fd).c_str(), target, sizeof target);
  if (size <= 0)
    return Error{Code::kIo, "cannot find out the mount point's path (is /proc mounted?)", errno, path};
  return std::string(target, static_cast<std::size_t>(size));
}

/// Works on a stale mount too, where every request fails: opening for the path alone asks nobody.
Result<std::string> CanonicalDirectory(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) {
    if (errno == ENOENT) return Error{Code::kNotFound, "there is no such directory", 0, path};
    if (errno == ENOTDIR)
      return Error{Code::kInvalid, "this is no directory; choose another mount point", 0, path};
    return Error{Code::kIo, "cannot open the mount point", errno, path};
  }
  return PathOf(fd, path);
}

constexpr int kAnswerDeadlineMs = 5'000;

}  // namespace

/// Opens it rather than looks at it: for a minute the kernel would answer stat from what it remembers of the
/// dead. In a process of its own, since whoever asks there may have to wait for ever.
Served IsServed(const std::string& point) {
  constexpr char kStale = 's';
  // It says so rather than ends with a status, which nobody is told where this process ignores its children.
  const auto asking = ForkHelper([&point](int socket) {
    const bool stale = open(point.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC) < 0 &&
                       (errno == ENOTCONN || errno == ECONNABORTED);
    SendMessage(socket, stale ? kStale : 'a');
    _exit(0);
  });
  if (!asking) return Served::kSilent;
  pollfd watched{asking->socket.get(), POLLIN, 0};
  while (poll(&watched, 1, kAnswerDeadlineMs) < 0 && errno == EINTR) {
  }
  const auto answer = watched.revents != 0 ? ReceiveMessage(asking->socket.get()) : std::nullopt;
  // Whoever does not answer may keep it from dying, too.
  kill(asking->pid, SIGKILL);
  if (!answer) return Served::kSilent;
  waitpid(asking->pid, nullptr, 0);
  return answer->kind == kStale ? Served::kNo : Served::kYes;
}

namespace {

Status UnmountStale(const std::string& point, const std::function<void(std::string_view)>& note) {
  while (auto top = TopMount(point)) {
    if (top->type != kFilesystemType) {
      return Error{Code::kConflict,
                   "another filesystem is mounted there; unmount it or choose another directory", 0, point};
    }
    const Served served = IsServed(point);
    if (served == Served::kSilent) {
      return Error{
          Code::kConflict,
          "grantfs is mounted there already and does not answer; if nothing is to go on with it, run "
          "\"umount --lazy\" on it",
          0, point};
    }
    if (served == Served::kYes) {
      return Error{Code::kConflict, "grantfs is mounted there already; run \"grantfs umount\" on it first", 0,
                   point};
    }
    if (geteuid() != 0) {
      GRANTFS_CHECK(UnmountByFusermount(point, true));
    } else if (umount2(point.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0) {
      return Error{errno == EPERM ? Code::kDenied : Code::kIo,
                   "cannot unmount what a killed grantfs left there", errno, point};
    }
    note("unmounted what a killed grantfs had left on " + Printable(point));
  }
  return {};
}

Status CheckEmpty(const std::string& point) {
  std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(point.c_str()), closedir);
  if (!directory) return Error{Code::kIo, "cannot read the mount point", errno, point};
  while (const dirent* entry = readdir(directory.get())) {
    if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0) continue;
    return Error{Code::kInvalid, "the mount point is not empty; empty it or choose another directory", 0,
                 point};
  }
  return {};
}

}  // namespace

Result<std::string> CanonicalMountPoint(const std::string& path) { return CanonicalDirectory(path); }

void UnmountOrDetach(const MountedFuse& mounted, const std::function<void(LogLevel, std::string_view)>& log) {
  const std::string point = Printable(mounted.point);
  if (UnmountFuse(mounted, false)) {
    log(LogLevel::kInfo, "unmounted " + point);
  } else if (UnmountFuse(mounted, true)) {
    log(LogLevel::kWarning, "detached " + point + ", where files are still open");
  } else if (MayBeMounted(mounted.id)) {
    log(LogLevel::kWarning,
        "could not unmount " + point + ": something else is mounted over it; unmount both (umount, twice)");
  } else {
    log(LogLevel::kInfo, point + " was unmounted");
  }
}

Result<std::string> PrepareMountPoint(const std::string& path,
                                      const std::function<void(std::string_view)>& note) {
  auto point = CanonicalDirectory(path);
  if (!point && point.error().code == Code::kNotFound) {
    const Status made = MakeDirectories(path, 0755);
    if (!made && made.error().sys == EACCES)
      return Error{Code::kDenied, "could not be made; mount as root, or name a directory of your own", EACCES,
                   path};
    GRANTFS_CHECK(made);
    point = CanonicalDirectory(path);
  }
  if (!point) return point.error();
  GRANTFS_CHECK(UnmountStale(*point, note));
  GRANTFS_CHECK(CheckEmpty(*point));
  return point;
}

namespace {

/// As the kernel knows it: nobody is asked, since nobody answers yet.
void Identify(MountedFuse* mounted) {
  if (const auto top = TopMount(mounted->point)) mounted->id = top->id;
  struct statx info {};
  if (statx(AT_FDCWD, mounted->point.c_str(), AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, 0, &info) == 0)
    mounted->device = info.stx_dev_minor;
}

Result<MountedFuse> MountAsUser(const std::string& point, bool allow_other, const char* source) {
  std::string options = "ro,nosuid,nodev,noexec,noatime,default_permissions,subtype=grantfs,fsname=";
  options += source;
  if (allow_other) options += ",allow_other";
  MountedFuse mounted;
  mounted.point = point;
  mounted.fuse = GRANTFS_TRY(MountByFusermount(point, options));
  Identify(&mounted);
  return mounted;
}

}  // namespace

Result<MountedFuse> MountFuse(const std::string& point, bool allow_other, const char* source) {
  if (geteuid() != 0) return MountAsUser(point, allow_other, source);
  MountedFuse mounted;
  mounted.point = point;
  mounted.fuse.Reset(open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!mounted.fuse) {
    if (errno == EACCES || errno == EPERM)
      return Error{Code::kDenied, "may not open it; run as root", errno, "/dev/fuse"};
    return Error{Code::kUnsupported, "cannot open it; load the kernel's fuse module (modprobe fuse)", errno,
                 "/dev/fuse"};
  }
  // Whoever may rename in a directory above could have put a link to another place there since it was looked
  // at.
  const UniqueFd place(open(point.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!place || GRANTFS_TRY(PathOf(place, point)) != point) {
    return Error{Code::kConflict, "somebody changed the mount point meanwhile; choose one that only root can",
                 0, point};
  }
  const std::string options = "fd=" + std::to_string(mounted.fuse.get()) +
                              ",rootmode=40000,user_id=" + std::to_string(geteuid()) +
                              ",group_id=" + std::to_string(getegid()) + ",default_permissions,allow_other";
  constexpr unsigned long kFlags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME;
  if (mount(source, FdPath(place).c_str(), kFilesystemType, kFlags, options.c_str()) != 0) {
    if (errno == EPERM) return Error{Code::kDenied, "may not mount there; run as root", errno, point};
    return Error{Code::kIo, "cannot mount there", errno, point};
  }
  Identify(&mounted);
  return mounted;
}

Status AbortConnection(const MountedFuse& mounted) {
  const std::string path = "/sys/fs/fuse/connections/" + std::to_string(mounted.device) + "/abort";
  const UniqueFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file && write(file.get(), "1", 1) == 1) return {};
  return Error{
      Code::kIo,
      "who waits for the mount may wait longer, since the kernel cannot be told to end it; for the next "
      "time: mount -t fusectl none /sys/fs/fuse/connections",
      errno, path};
}

bool UnmountFuse(const MountedFuse& mounted, bool detach) {
  const auto top = TopMount(mounted.point);
  if (!top || top->id != mounted.id) return false;
  if (geteuid() != 0) return UnmountByFusermount(mounted.point, detach).has_value();
  return umount2(mounted.point.c_str(), UMOUNT_NOFOLLOW | (detach ? MNT_DETACH : 0)) == 0;
}

Status Unmount(const std::string& mount_point) {
  const std::string point = GRANTFS_TRY(CanonicalDirectory(mount_point));
  const auto top = TopMount(point);
  if (!top) return Error{Code::kNotFound, "nothing is mounted there", 0, point};
  if (top->type != kFilesystemType)
    return Error{Code::kNotFound, "what is mounted there is not grantfs", 0, point};
  const bool stale = IsServed(point) == Served::kNo;
  if (geteuid() != 0) return UnmountByFusermount(point, stale);
  if (umount2(point.c_str(), UMOUNT_NOFOLLOW | (stale ? MNT_DETACH : 0)) == 0) return {};
  switch (errno) {
    case EBUSY:
      return Error{
          Code::kConflict,
          "files or directories are open there; end their processes (fuser -vm lists them) and repeat", 0,
          point};
    case EPERM:
      return Error{Code::kDenied, "may not unmount it; run as root", 0, point};
    default:
      return Error{Code::kIo, "cannot unmount it", errno, point};
  }
}

Result<bool> MakeConvenienceLink(const std::string& mount_point, const std::string& link) {
  if (symlink(mount_point.c_str(), link.c_str()) == 0) return true;
  if (errno != EEXIST) return Error{Code::kIo, "cannot make the link to the mount point", errno, link};
  char target[PATH_MAX];
  const ssize_t size = readlink(link.c_str(), target, sizeof target);
  return size > 0 && std::string_view(target, static_cast<std::size_t>(size)) == mount_point;
}

Status CheckKernel(std::string_view release) {
  const auto parts = Split(release.substr(0, release.find_first_not_of("0123456789.")), '.');
  unsigned long long major = 0;
  unsigned long long minor = 0;
  const bool known =
      parts.size() >= 2 && ParseNumber(parts[0], 1000, &major) && ParseNumber(parts[1], 1000, &minor);
  if (!known || major > 5 || (major == 5 && minor >= 14)) return {};
  return Error{Code::kUnsupported, "this kernel is too old; this grantfs needs Linux 5.14 or later", 0,
               "Linux " + std::string(release)};
}

std::string KernelRelease() {
  utsname name{};
  return uname(&name) == 0 ? name.release : "";
}

}  // namespace grantfs
