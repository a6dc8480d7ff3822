#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "grantfs/mount/why.h"
#include "grantfs/util/file.h"
#include "grantfs/util/text.h"
#include "grantfs/util/unique_fd.h"
#include "mount/base/mount_table_internal.h"
#include "mount/reports/why_internal.h"
#include "mount/reports/why_way_internal.h"

// A path, seen by a process: which mount it leads to there, and what that says.

namespace grantfs {

namespace {

constexpr const char* kMendMount =
    "run grantfs mount on the machine first, and bind the directory above the mount into the process's "
    "mounts: "
    "podman run -v /run/grantfs:/run/grantfs:ro,rslave";
constexpr const char* kMendFile =
    "an owner runs grantfs grant for this machine; as root, .grantfs/grants of the mount names what is "
    "hidden";

/// What is told line by line, with the verdict before it.
class WhyLines {
 public:
  WhyLines(std::string path, std::uint32_t process) : path_(std::move(path)), process_(process) {}
  void Good(const char* about, const std::string& text) { Line(about, "good: " + text); }
  void Refused(const char* about, const std::string& text, const std::string& mend) {
    good_ = false;
    Line(about, "REFUSED: " + text);
    if (!mend.empty()) mends_ += Padded("mend") + mend + "\n";
  }
  /// The lines of the mount's own explanation.
  void Take(const std::string& explanation) {
    if (!explanation.starts_with(kWouldRead)) good_ = false;
    text_ += explanation.substr(std::min(explanation.find('\n') + 1, explanation.size()));
  }
  ReadExplanation End() const {
    return {good_, std::string(good_ ? kWouldRead : kWouldBeRefused) + ": " + Printable(path_) +
                       " by process " + std::to_string(process_) + "\n" + text_ + mends_};
  }

 private:
  static std::string Padded(std::string about) {
    about.resize(std::max<std::size_t>(about.size() + 1, 13), ' ');
    return about;
  }
  void Line(const char* about, const std::string& text) { text_ += Padded(about) + text + "\n"; }

  std::string path_;
  std::uint32_t process_;
  bool good_ = true;
  std::string text_;
  std::string mends_;
};

/// What a path leads to in somebody's root.
struct Place {
  int error = 0;  ///< errno, and nothing else is known but perhaps the mount
  std::uint64_t mount = 0;
  NodeId node = 0;
};

Place LookAt(int root, const std::string& path) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT;
  const UniqueFd fd(static_cast<int>(syscall(SYS_openat2, root, path.c_str(), &how, sizeof how)));
  if (!fd) return {errno, 0, 0};
  struct statx info {};
  if (statx(fd.get(), "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &info) == 0)
    return {0, info.stx_mnt_id, info.stx_ino};
  const int error = errno;
  // A user's FUSE mount tells nobody else more than where it is.
  const bool where = error == EACCES && statx(fd.get(), "", AT_EMPTY_PATH, 0, &info) == 0 &&
                     (info.stx_mask & STATX_MNT_ID) != 0;
  return {error, where ? info.stx_mnt_id : 0, 0};
}

std::vector<MountEntry> MountsOf(const std::string& process) {
  std::ifstream file("/proc/" + process + "/mountinfo");
  std::ostringstream text;
  text << file.rdbuf();
  return ParseMountInfo(text.str());
}

std::optional<MountEntry> MountOf(std::uint32_t process, std::uint64_t id) {
  for (MountEntry& entry : MountsOf(std::to_string(process))) {
    if (entry.id == id && entry.type == kFilesystemType) return std::move(entry);
  }
  return std::nullopt;
}

/// Where the whole of a filesystem can be seen from here; "" if nowhere.
std::string WholeFrom(const std::string& device) {
  for (const MountEntry& entry : MountsOf("self")) {
    if (entry.device == device && entry.root == "/" && entry.type == kFilesystemType) return entry.point;
  }
  return "";
}

/// The path of the explanation of a secret's node, below "MOUNT/.grantfs/why"; "" if there is none.
std::string FindExplanation(const std::string& mount, NodeId node) {
  const NodeId wanted = WhyNodeOf(node);
  std::error_code failed;
  std::filesystem::recursive_directory_iterator each(mount + "/.grantfs/why", failed), end;
  for (; !failed && each != end; each.increment(failed)) {
    struct stat info {};
    if (lstat(each->path().c_str(), &info) == 0 && info.st_ino == wanted) return each->path().string();
  }
  return "";
}

std::string ReadExplanationOf(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The grantfs mount that a path leads into, as far as it can be followed.
std::optional<MountEntry> MountAbove(int root, std::uint32_t process, const std::string& path, Place place) {
  std::string above = path;
  while (place.mount == 0 && above.size() > 1) {
    above = DirectoryOf(above);
    place = LookAt(root, above);
  }
  return place.mount != 0 ? MountOf(process, place.mount) : std::nullopt;
}

ProcessFacts RunningProcess(std::uint32_t process) {
  WantedFacts wanted;
  wanted.groups = wanted.rights = true;
  return LookUpRunning(process, wanted,
                       [](std::uint32_t thread, std::uint32_t uid, std::uint32_t gid,
                          const WantedFacts& facts) { return LookUpProcess(thread, uid, gid, facts); });
}

/// Of a mount that an ordinary user made for himself. Its user's processes alone can ask it.
/// Errors: kDenied.
Status TellUsersMount(const MountEntry& mount, uid_t user, std::uint32_t process, WhyLines* answer) {
  if (RunningProcess(process).caller.uid == user)
    return Error{Code::kDenied,
                 "the mount lets in nobody but its user, not even root: let that process, or another of this "
                 "user, look into .grantfs/why/ of the mount (cat)",
                 0, mount.point};
  answer->Refused("mount",
                  "grantfs is mounted at " + Printable(mount.point) + " by user " + std::to_string(user) +
                      " for himself: the kernel lets no other user in, not even root",
                  "mount as root, which serves all users; or that user mounts with --allow-other");
  return {};
}

/// Of a path that leads nowhere: whether it is the mount that is missing, or the file in it.
void TellMissing(const std::optional<MountEntry>& mount, int error, WhyLines* answer) {
  if (mount) {
    answer->Refused("file", "grantfs is mounted at " + Printable(mount->point) + ", and has no such file",
                    kMendFile);
  } else {
    answer->Refused(
        "mount",
        std::string("there is no such path among the process's mounts (") + std::strerror(error) + ")",
        kMendMount);
  }
}

void TellMount(const MountEntry& mount, WhyLines* answer) {
  answer->Good("mount", "a grantfs mount at " + Printable(mount.point) + " (" + mount.options + ")" +
                            (mount.root == "/" ? "" : ", a bind mount of its " + Printable(mount.root)));
}

void TellWay(int root, const std::string& path, const ProcessFacts& facts, WhyLines* answer) {
  const auto barrier = FindBarrier(root, path, facts);
  if (!barrier) {
    answer->Good("way", "not known: " + Describe(barrier.error()));
  } else if (barrier->empty()) {
    answer->Good("way", "it may go through all directories of this path");
  } else {
    answer->Refused("way", "it may not go through " + Printable(*barrier),
                    "give that directory the right to be passed: chmod o+x " + Printable(*barrier));
  }
}

void TellSecret(const MountEntry& mount, const Place& place, std::uint32_t process, WhyLines* answer) {
  if (KindOf(place.node) != NodeKind::kSecret)
    return answer->Good("file", "this is no secret, but a directory or report of the mount's");
  const std::string whole = WholeFrom(mount.device);
  if (whole.empty())
    return answer->Refused("secret", "the mount itself cannot be seen from here",
                           "run this where grantfs mount runs");
  const std::string path = FindExplanation(whole, place.node);
  if (path.empty()) return answer->Refused("secret", "it is not granted any more", kMendFile);
  const std::string text = ReadExplanationOf(ExplanationName(path, process));
  if (text.empty()) return answer->Refused("secret", "the mount does not answer", "look at its log");
  answer->Take(text);
}

}  // namespace

Result<ReadExplanation> ExplainRead(const std::string& path, std::uint32_t process) {
  if (!path.starts_with('/')) return Error{Code::kInvalid, "the path must be absolute", 0, path};
  if (geteuid() != 0)
    return Error{
        Code::kDenied,
        "only root may look at another process: use sudo; in a mount that you made for yourself, cat "
        "MOUNT/.grantfs/why/PATH says the same of whoever reads it",
        0,
        {}};
  const std::string directory = "/proc/" + std::to_string(process);
  const UniqueFd root(open((directory + "/root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return Error{Code::kNotFound, "there is no such process", 0, std::to_string(process)};
  WhyLines answer(path, process);
  const Place place = LookAt(root.get(), path);
  const auto mount = place.error == 0 ? MountOf(process, place.mount) : std::nullopt;
  if (place.error == ENOTCONN) {
    answer.Refused("mount", "a grantfs was mounted there, and its process has gone",
                   "grantfs mount mends that");
  } else if (place.error != 0) {
    const auto above = MountAbove(root.get(), process, path, place);
    const auto user = above && place.error == EACCES ? OnlyUserOf(*above) : std::nullopt;
    if (user)
      GRANTFS_CHECK(TellUsersMount(*above, *user, process, &answer));
    else
      TellMissing(above, place.error, &answer);
  } else if (!mount) {
    answer.Refused("mount", "what is there among the process's mounts is no grantfs", kMendMount);
  } else {
    TellMount(*mount, &answer);
    TellWay(root.get(), path, RunningProcess(process), &answer);
    TellSecret(*mount, place, process, &answer);
  }
  return answer.End();
}

}  // namespace grantfs
