#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "mount/watchers/rotation_helper_internal.h"

namespace grantfs {

namespace {

constexpr int kNone = -1;
constexpr char kHiddenDirectory[] = ".grantfs/.rotation";

void CloseAt(int* fd) {
  if (*fd >= 0) close(*fd);
  *fd = kNone;
}

int Outcome(long result) { return result < 0 ? errno : 0; }

/// Everything that the helper's process knows. No destructor, no heap: see RunRotationHelper.
struct HelperState {
  const char* point = nullptr;
  dev_t device = 0;
  int root = kNone;       // the directory that paths begin at, where the helper was born
  int outside = kNone;    // the mount namespace where it was born, in which the mount is
  int inside = kNone;     // its own
  int clone = kNone;      // the mount of this batch
  int directory = kNone;  // its root, really opened
};

/// A mount namespace with nothing but an empty directory in it: where something is mounted over a name, the
/// kernel refuses a rename to who shares that namespace; and copies of other mounts would keep them busy.
/// Where that cannot be had, the helper stays where it was born.
void EnterOwnNamespace(HelperState* state) {
  state->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  state->outside = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
  // Only where there will be a way back, which needs a right of its own.
  if (state->root < 0 || state->outside < 0 || setns(state->outside, CLONE_NEWNS) != 0 ||
      unshare(CLONE_NEWNS) != 0)
    return CloseAt(&state->outside);
  state->inside = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
  if (state->inside >= 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
      mount("none", "/proc", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k") == 0 &&
      chdir("/proc") == 0 && syscall(SYS_pivot_root, ".", ".") == 0 && umount2(".", MNT_DETACH) == 0)
    return;
  setns(state->outside, CLONE_NEWNS);
  CloseAt(&state->outside);
}

bool IsTheMount(const HelperState& state, int fd) {
  // Asks the kernel alone: what is mounted there may be somebody else's, and hang.
  struct statx info {};
  return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &info) == 0 &&
         makedev(info.stx_dev_major, info.stx_dev_minor) == state.device;
}

int CloneMount(HelperState* state) {
  if (state->outside >= 0 && setns(state->outside, CLONE_NEWNS) != 0) return errno;
  const char* path = state->point;
  while (*path == '/') ++path;
  state->clone = open_tree(state->root, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_NO_AUTOMOUNT);
  const int error = state->clone < 0 ? errno : 0;
  if (state->outside >= 0 && setns(state->inside, CLONE_NEWNS) != 0) return errno;
  if (error == 0 && !IsTheMount(*state, state->clone)) return EXDEV;
  return error;
}

/// Of the whole filesystem; the mounts that others see stay read-only whatever this says.
int SetSuperblock(int clone, const char* flag) {
  int context = fspick(clone, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC);
  if (context < 0) return errno;
  int error = Outcome(fsconfig(context, FSCONFIG_SET_FLAG, flag, nullptr, 0));
  if (error == 0) error = Outcome(fsconfig(context, FSCONFIG_CMD_RECONFIGURE, nullptr, nullptr, 0));
  CloseAt(&context);
  return error;
}

int EndBatch(HelperState* state) {
  CloseAt(&state->directory);
  const int error = state->clone >= 0 ? SetSuperblock(state->clone, "ro") : 0;
  CloseAt(&state->clone);
  return error;
}

int BeginBatch(HelperState* state) {
  EndBatch(state);
  int error = CloneMount(state);
  if (error == 0) {
    mount_attr writable{};
    writable.attr_clr = MOUNT_ATTR_RDONLY;
    error = Outcome(mount_setattr(state->clone, "", AT_EMPTY_PATH, &writable, sizeof writable));
  }
  if (error == 0) error = SetSuperblock(state->clone, "rw");
  if (error == 0) {
    // A path descriptor does not do for open_by_handle_at.
    state->directory = openat(state->clone, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    error = Outcome(state->directory);
  }
  if (error != 0) CloseAt(&state->clone);
  return error;
}

int Touch(int fd) {
  if (fd < 0) return errno;
  timespec times[2] = {{0, UTIME_OMIT}, {0, UTIME_NOW}};
  const int error = Outcome(futimens(fd, times));
  close(fd);
  return error;
}

int TouchNode(int directory, NodeId node) {
  // FILEID_INO64_GEN as FUSE makes it: the node's two halves and a generation.
  constexpr int kFileHandleType = 0x81;
  const std::uint32_t words[3] = {static_cast<std::uint32_t>(node >> 32), static_cast<std::uint32_t>(node),
                                  0};
  alignas(file_handle) unsigned char space[sizeof(file_handle) + sizeof words] = {};
  auto* const handle = reinterpret_cast<file_handle*>(space);
  handle->handle_bytes = sizeof words;
  handle->handle_type = kFileHandleType;
  std::memcpy(space + sizeof(file_handle), words, sizeof words);
  return Touch(open_by_handle_at(directory, handle, O_WRONLY | O_NONBLOCK | O_CLOEXEC));
}

/// Where a path's last part is. Who asks may have fewer rights than this process, and serves the mount: no
/// path leads out of it, by whatever it answers.
struct HelperPlace {
  int parent = kNone;
  const char* name = nullptr;
  int error = 0;
  HelperPlace(const HelperPlace&) = delete;
  HelperPlace& operator=(const HelperPlace&) = delete;
  ~HelperPlace() { CloseAt(&parent); }

  HelperPlace(int directory, const char* path) {
    const char* const slash = std::strrchr(path, '/');
    name = slash != nullptr ? slash + 1 : path;
    char above[kMaxHelperMessageBytes] = ".";
    if (slash != nullptr) {
      std::memcpy(above, path, static_cast<std::size_t>(slash - path));
      above[slash - path] = '\0';
    }
    if (*name == '\0' || std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0) {
      error = EINVAL;
      return;
    }
    open_how how{};
    how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
    parent = static_cast<int>(syscall(SYS_openat2, directory, above, &how, sizeof how));
    error = parent < 0 ? errno : 0;
  }
};

int RenameHidden(int directory, const char* name, const HelperPlace& to) {
  open_how how{};
  how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
  const int hidden = static_cast<int>(syscall(SYS_openat2, directory, kHiddenDirectory, &how, sizeof how));
  if (hidden < 0) return errno;
  const int error =
      std::strchr(name, '/') != nullptr ? EINVAL : Outcome(renameat(hidden, name, to.parent, to.name));
  close(hidden);
  return error;
}

/// What has a path.
int PerformAt(int directory, HelperAct act, const char* name, const char* path) {
  const HelperPlace place(directory, path);
  if (place.error != 0) return place.error;
  switch (act) {
    case HelperAct::kRename:
      return RenameHidden(directory, name, place);
    case HelperAct::kRemove:
      return Outcome(unlinkat(place.parent, place.name, 0));
    case HelperAct::kMakeDirectory:
      return Outcome(mkdirat(place.parent, place.name, 0755));
    case HelperAct::kTouch:
      return Touch(openat(place.parent, place.name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    default:
      return EINVAL;
  }
}

int Perform(HelperState* state, HelperAct act, NodeId node, const char* name, const char* path) {
  if (act != HelperAct::kBegin && act != HelperAct::kEnd && state->directory < 0) return EBADF;
  switch (act) {
    case HelperAct::kBegin:
      return BeginBatch(state);
    case HelperAct::kRename:
    case HelperAct::kRemove:
    case HelperAct::kMakeDirectory:
    case HelperAct::kTouch:
      return PerformAt(state->directory, act, name, path);
    case HelperAct::kTouchNode:
      return TouchNode(state->directory, node);
    case HelperAct::kEnd:
      return EndBatch(state);
  }
  return EINVAL;
}

/// @return false if it is no message as RotationHelper::Do makes them.
bool ServeMessage(HelperState* state, int socket, const char* message, std::size_t size) {
  HelperAct act{};
  NodeId node = 0;
  if (size < sizeof act + sizeof node + 2 || message[size - 1] != '\0') return false;
  std::memcpy(&act, message, sizeof act);
  std::memcpy(&node, message + sizeof act, sizeof node);
  const char* name = message + sizeof act + sizeof node;
  const char* path = name + std::strlen(name) + 1;
  if (path >= message + size) return false;
  const std::int32_t answer = Perform(state, act, node, name, path);
  return send(socket, &answer, sizeof answer, MSG_NOSIGNAL) == sizeof answer;
}

}  // namespace

void RunRotationHelper(int socket, const char* point, dev_t device) {
  prctl(PR_SET_NAME, "grantfs-rotate");
  prctl(PR_SET_DUMPABLE, 0);
  CloseAllBut(socket);
  HelperState state{.point = point, .device = device};
  EnterOwnNamespace(&state);
  char message[kMaxHelperMessageBytes];
  for (;;) {
    const ssize_t size = recv(socket, message, sizeof message, 0);
    if (size <= 0 || !ServeMessage(&state, socket, message, static_cast<std::size_t>(size))) break;
  }
  EndBatch(&state);
  _exit(0);
}

}  // namespace grantfs
