#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "grantfs/util/text.h"
#include "grantfs/util/unique_fd.h"
#include "mount/base/recent_map_internal.h"
#include "mount/callers/account_internal.h"

namespace grantfs {

namespace {

/// Two descriptors each.
constexpr std::size_t kKeptThreads = 64;

struct KeptThread {
  UniqueFd directory;  ///< of procfs
  UniqueFd cgroup;
  std::uint32_t process = 0;  ///< stays the same as long as the thread lives
};
using Kept = std::shared_ptr<const KeptThread>;

std::mutex kept_mutex;
RecentMap<std::uint32_t, Kept> kept_threads{kKeptThreads};  // guarded

std::string_view RestOf(std::string_view text, std::string_view key) {
  for (const std::string_view line : Split(text, '\n')) {
    if (line.starts_with(key)) return line.substr(key.size());
  }
  return {};
}

/// One system call tells whether its id is its process's; who is no such thread is looked up.
std::uint32_t ProcessOf(std::uint32_t thread, int directory) {
  const auto id = static_cast<pid_t>(thread);
  if (tgkill(id, id, 0) == 0 || errno == EPERM) return thread;
  const UniqueFd status(openat(directory, "status", O_RDONLY | O_CLOEXEC));
  char text[4096];
  const ssize_t size = status ? read(status.get(), text, sizeof text) : -1;
  unsigned long long group = 0;
  const bool found =
      size > 0 && ParseNumber(RestOf({text, static_cast<std::size_t>(size)}, "Tgid:\t"), 0xffffffff, &group);
  return found ? static_cast<std::uint32_t>(group) : thread;
}

Kept OpenThread(std::uint32_t thread) {
  auto opened = std::make_shared<KeptThread>();
  opened->directory.Reset(
      open(("/proc/" + std::to_string(thread)).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!opened->directory) return nullptr;
  opened->cgroup.Reset(openat(opened->directory.get(), "cgroup", O_RDONLY | O_CLOEXEC));
  opened->process = ProcessOf(thread, opened->directory.get());
  return opened;
}

/// @return false: the thread is no more.
bool Ask(const KeptThread& kept, Caller* caller) {
  char text[8192];
  const ssize_t size = pread(kept.cgroup.get(), text, sizeof text, 0);
  if (size <= 0) return false;
  caller->pid = kept.process;
  caller->cgroup = RestOf({text, static_cast<std::size_t>(size)}, "0::");
  char target[PATH_MAX];
  const ssize_t length = readlinkat(kept.directory.get(), "exe", target, sizeof target);
  caller->executable.assign(target, length > 0 ? static_cast<std::size_t>(length) : 0);
  return true;
}

}  // namespace

Caller LookUpAccount(std::uint32_t thread, std::uint32_t uid, std::uint32_t gid) {
  Caller caller{.pid = thread, .uid = uid, .gid = gid, .executable = {}, .cgroup = {}};
  Kept kept;
  {
    const std::lock_guard lock(kept_mutex);
    if (const Kept* found = kept_threads.Find(thread)) kept = *found;
  }
  if (kept && Ask(*kept, &caller)) return caller;
  kept = OpenThread(thread);
  if (!kept || !Ask(*kept, &caller)) return caller;
  const std::lock_guard lock(kept_mutex);
  kept_threads.Touch(thread) = std::move(kept);
  return caller;
}

}  // namespace grantfs
