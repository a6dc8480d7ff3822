#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "mount/privileges_internal.h"

namespace grantfs {

namespace {

constexpr int kMostCapabilities = 64;

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

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kArchitecture = 0;  // not known here: nothing is forbidden
#endif

/// From here on there are threads, but no other process and no other program: one that a stranger made of
/// this would live on when this one is replaced, and answer requests in the next one's place.
Status ForbidProcesses() {
  if (kArchitecture == 0) return {};
  constexpr std::uint16_t kLoad = BPF_LD | BPF_W | BPF_ABS;
  constexpr std::uint16_t kEqual = BPF_JMP | BPF_JEQ | BPF_K;
  constexpr std::uint16_t kReturn = BPF_RET | BPF_K;
  constexpr std::uint32_t kForbid = SECCOMP_RET_ERRNO | EPERM;
  sock_filter rules[] = {
      {kLoad, 0, 0, offsetof(seccomp_data, arch)},
      {kEqual, 1, 0, kArchitecture},
      {kReturn, 0, 0, kForbid},
      {kLoad, 0, 0, offsetof(seccomp_data, nr)},
      {BPF_JMP | BPF_JGE | BPF_K, 0, 1, 0x40000000},  // x32
      {kReturn, 0, 0, kForbid},
      {kEqual, 0, 3, SYS_clone},
      {kLoad, 0, 0, offsetof(seccomp_data, args)},  // the lower half: the flags
      {BPF_JMP | BPF_JSET | BPF_K, 0, 7, CLONE_THREAD},
      {kReturn, 0, 0, SECCOMP_RET_ALLOW},
      {kEqual, 0, 1, SYS_clone3},  // its flags cannot be seen; the C library then takes clone
      {kReturn, 0, 0, SECCOMP_RET_ERRNO | ENOSYS},
      {kEqual, 3, 0, SYS_execve},
      {kEqual, 2, 0, SYS_execveat},
#ifdef SYS_fork
      {kEqual, 1, 0, SYS_fork},
      {kEqual, 0, 1, SYS_vfork},
#else
      {kReturn, 0, 0, SECCOMP_RET_ALLOW},
      {kReturn, 0, 0, SECCOMP_RET_ALLOW},
#endif
      {kReturn, 0, 0, kForbid},
      {kReturn, 0, 0, SECCOMP_RET_ALLOW},
  };
  const sock_fprog filter{sizeof rules / sizeof *rules, rules};
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0 || errno == EINVAL) return {};
  return Failed("cannot forbid other processes");
}

}  // namespace

bool IsPrivileged() { return geteuid() == 0; }

Status DropPrivileges(uid_t user, gid_t group, bool look_at_processes) {
  if (IsPrivileged()) GRANTFS_CHECK(BecomeUser(user, group, look_at_processes));
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return Failed("cannot forbid new privileges");
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return Failed("cannot forbid to look into the process");
  // After the change of the user, which resets it.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return Failed("cannot end with the parent");
  return ForbidProcesses();
}

void RaiseMemoryLimit() {
  const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
  setrlimit(RLIMIT_MEMLOCK, &all);  // where it may not, what locks memory says what is missing
}

}  // namespace grantfs
