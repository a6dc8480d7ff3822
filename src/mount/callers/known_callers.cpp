#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

#include "grantfs/util/text.h"
#include "mount/callers/known_callers_internal.h"

namespace grantfs {

namespace {

// A kernel without memory for an event says nothing; and a name of a file may change while it runs.
constexpr std::chrono::seconds kAskAgain{1};

/// @return none: the thread is no more, or may not be looked at.
std::optional<std::string> CgroupIn(int fd) {
  char text[8192];
  const ssize_t size = pread(fd, text, sizeof text, 0);
  if (size <= 0) return std::nullopt;
  for (const std::string_view line : Split({text, static_cast<std::size_t>(size)}, '\n')) {
    if (line.starts_with("0::")) return std::string(line.substr(3));
  }
  return std::string();
}

// Linux 6.13 tells of a pidfd which cgroup its process is in, in a fifth of the time that procfs takes.
// Debian 12's headers do not have it.
struct PidfdInfo {
  std::uint64_t mask = 0;
  std::uint64_t cgroup = 0;
  std::uint32_t rest[12] = {};
};
static_assert(sizeof(PidfdInfo) == 64);
constexpr std::uint64_t kCgroupWanted = 1U << 2;
constexpr unsigned kOfOneThread = O_EXCL;

/// @return 0: the thread is no more, or the kernel cannot say.
std::uint64_t CgroupIdOf(int pidfd) {
  PidfdInfo info;
  info.mask = kCgroupWanted;
  if (pidfd < 0 || ioctl(pidfd, _IOWR(0xff, 11, PidfdInfo), &info) != 0) return 0;
  return (info.mask & kCgroupWanted) != 0 ? info.cgroup : 0;
}

}  // namespace

/// @return none: the thread is no more, may not be looked at, or has moved.
std::optional<std::string> KnownCallers::CgroupOf(const Known& known) {
  if (known.cgroup_id == 0) return CgroupIn(known.handle.get());
  // A cgroup of version 2 keeps its path as long as it is there, and its number for ever.
  return CgroupIdOf(known.handle.get()) == known.cgroup_id ? std::optional(known.cgroup) : std::nullopt;
}

/// With the lock held.
void KnownCallers::TakeNews() {
  const ExecWatch::News news = watch_->Take();
  news_ += news.processes.size() + (news.missed ? 1 : 0);
  if (news.missed) known_ = RecentMap<std::uint32_t, std::shared_ptr<const Known>>(kMostThreads);
  // The threads of a process other than the one that became another program have ended.
  for (const std::uint32_t process : news.processes) known_.Erase(process);
}

std::optional<Caller> KnownCallers::Find(std::uint32_t thread, std::uint32_t uid, std::uint32_t gid) {
  std::shared_ptr<const Known> known;
  {
    const std::lock_guard lock(mutex_);
    TakeNews();
    if (const auto* found = known_.Find(thread)) known = *found;
  }
  if (!known || known->until < std::chrono::steady_clock::now()) return std::nullopt;
  auto cgroup = CgroupOf(*known);
  if (!cgroup) return std::nullopt;
  return Caller{.pid = known->process,
                .uid = uid,
                .gid = gid,
                .executable = known->executable,
                .cgroup = *std::move(cgroup)};
}

KnownCallers::Look KnownCallers::Begin(std::uint32_t thread) {
  Look look;
  look.cgroup.Reset(open(("/proc/" + std::to_string(thread) + "/cgroup").c_str(), O_RDONLY | O_CLOEXEC));
  look.thread.Reset(static_cast<int>(syscall(SYS_pidfd_open, thread, kOfOneThread)));
  const std::lock_guard lock(mutex_);
  TakeNews();
  look.news = news_;
  return look;
}

void KnownCallers::Keep(std::uint32_t thread, Look look, const Caller& found) {
  // It lives: so what was found is of this thread, not of one that had its number before or after it.
  const std::uint64_t cgroup_id = CgroupIdOf(look.thread.get());
  auto cgroup = look.cgroup ? CgroupIn(look.cgroup.get()) : std::nullopt;
  if (!cgroup || found.executable.empty()) return;
  const bool by_id = cgroup_id != 0 && CgroupIdOf(look.thread.get()) == cgroup_id;
  auto known = std::make_shared<Known>();
  known->handle = std::move(by_id ? look.thread : look.cgroup);
  known->cgroup_id = by_id ? cgroup_id : 0;
  known->cgroup = *std::move(cgroup);
  known->process = found.pid;
  known->executable = found.executable;
  known->until = std::chrono::steady_clock::now() + kAskAgain;
  const std::lock_guard lock(mutex_);
  TakeNews();
  if (news_ == look.news) known_.Touch(thread) = std::move(known);
}

}  // namespace grantfs
