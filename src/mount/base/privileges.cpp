#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "mount/base/confine_internal.h"
#include "mount/base/privileges_internal.h"

namespace grantfs {

namespace {

constexpr int kMostCapabilities = 64;
constexpr rlim_t kLeastLockable = rlim_t{64} << 20;

Status Failed(const char* where) { return Error{Code::kIo, where, errno, {}}; }

Status SetCapabilities(std::uint32_t low) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {{low, low, 0}, {0, 0, 0}};
  if (syscall(SYS_capset, &header, data) != 0) return Failed("cannot give up capabilities");
  return {};
}

Status BecomeUser(uid_t user, gid_t group, bool look_at_processes) {
  for (int capability = 0; capability < kMostCapabilities; ++capability)
    prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);  // fails for those that there are not
  if (prctl(PR_SET_KEEPCAPS, look_at_processes ? 1 : 0, 0, 0, 0) != 0)
    return Failed("cannot choose what is kept");
  if (setgroups(0, nullptr) != 0 || setresgid(group, group, group) != 0 || setresuid(user, user, user) != 0)
    return Failed("cannot become the user that mounts work as");
  constexpr std::uint32_t kLook = 1U << CAP_SYS_PTRACE | 1U << CAP_DAC_READ_SEARCH;
  GRANTFS_CHECK(SetCapabilities(look_at_processes ? kLook : 0));
  if (user != 0 && setresuid(0, 0, 0) == 0) return Failed("root's rights could be had again");
  return {};
}

}  // namespace

bool IsPrivileged() { return geteuid() == 0; }

Status DropPrivileges(uid_t user, gid_t group, bool look_at_processes) {
  if (IsPrivileged()) GRANTFS_CHECK(BecomeUser(user, group, look_at_processes));
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return Failed("cannot forbid new privileges");
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return Failed("cannot forbid to look into the process");
  // After the change of the user, which resets it.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return Failed("cannot end with the parent");
  return ConfineProcess();
}

void SetMemoryLimit() {
  // Enough for any secrets that are open at once, and never all of the machine's.
  const auto pages = static_cast<rlim_t>(std::max(sysconf(_SC_PHYS_PAGES), 0L));
  const rlim_t most =
      std::max<rlim_t>(pages / 4 * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)), kLeastLockable);
  const rlimit limit{most, most};
  setrlimit(RLIMIT_MEMLOCK, &limit);  // where it may not, what locks memory says what is missing
}

}  // namespace grantfs
