#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <vector>

#include "mount/base/confine_internal.h"

// By hand rather than with libseccomp: what is refused is a list and three looks at an argument.

namespace grantfs {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kProcessor = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kProcessor = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kProcessor = 0;
#endif

constexpr std::uint32_t kOtherNumbers = 0x40000000;  // x86_64: the same calls by the numbers of x32
constexpr std::uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;

constexpr int kRefused[] = {
#ifdef SYS_fork
    SYS_fork, SYS_vfork,
#endif
    // Other programs, and this one's looks and hands into other processes.
    SYS_execve, SYS_execveat, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_pidfd_getfd,
    SYS_kcmp, SYS_pidfd_send_signal, SYS_process_madvise, SYS_migrate_pages, SYS_move_pages,
    // Namespaces and mounts. A user namespace would give it rights in a world of its own, and by them ways
    // into the kernel that only root has.
    SYS_unshare, SYS_setns, SYS_chroot, SYS_pivot_root, SYS_mount, SYS_umount2, SYS_mount_setattr,
    SYS_move_mount, SYS_open_tree, SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick,
    // Large parts of the kernel that nobody here needs; io_uring makes calls that no filter sees.
    SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, SYS_bpf, SYS_perf_event_open,
    SYS_userfaultfd, SYS_add_key, SYS_request_key, SYS_keyctl};

class Rules {
 public:
  Rules() {
    Load(offsetof(seccomp_data, arch));
    Add(BPF_JMP | BPF_JEQ | BPF_K, kProcessor, 1, 0);
    Return(SECCOMP_RET_KILL_PROCESS);
    LoadNumber();
    Add(BPF_JMP | BPF_JGE | BPF_K, kOtherNumbers, 0, 1);
    Return(kRefuse);
  }

  void Refuse(int call, std::uint32_t how = kRefuse) {
    Add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 1);
    Return(how);
  }
  /// Lets a call through only with this bit in this argument.
  void NeedBit(int call, unsigned argument, std::uint32_t bit) {
    Add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 4);
    LoadArgument(argument);
    Add(BPF_JMP | BPF_JSET | BPF_K, bit, 0, 1);
    Return(SECCOMP_RET_ALLOW);
    Return(kRefuse);
  }
  /// Lets a call through only where the first argument is `own`, or another one is 0.
  void NeedOwn(int call, std::uint32_t own, unsigned or_zero) {
    Add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 6);
    LoadArgument(0);
    Add(BPF_JMP | BPF_JEQ | BPF_K, own, 2, 0);
    LoadArgument(or_zero);
    Add(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
    Return(SECCOMP_RET_ALLOW);
    Return(kRefuse);
  }
  /// All that no rule was about goes through.
  Status Apply() {
    Return(SECCOMP_RET_ALLOW);
    const sock_fprog program{static_cast<unsigned short>(rules_.size()), rules_.data()};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0) return {};
    return Error{
        Code::kIo, "the kernel does not confine the process (it needs CONFIG_SECCOMP_FILTER)", errno, {}};
  }

 private:
  void Add(unsigned what, std::uint32_t value, std::uint8_t if_so = 0, std::uint8_t if_not = 0) {
    rules_.push_back({static_cast<std::uint16_t>(what), if_so, if_not, value});
  }
  void Return(std::uint32_t how) { Add(BPF_RET | BPF_K, how); }
  void Load(std::size_t at) { Add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(at)); }
  void LoadNumber() { Load(offsetof(seccomp_data, nr)); }
  /// Its low half: both processors are little-endian, and all of these are of 32 bits.
  void LoadArgument(unsigned index) { Load(offsetof(seccomp_data, args) + index * sizeof(std::uint64_t)); }

  std::vector<sock_filter> rules_;
};

}  // namespace

bool CanConfineProcess() { return kProcessor != 0; }

Status ConfineProcess() {
  if (!CanConfineProcess()) return {};
  const auto own = static_cast<std::uint32_t>(getpid());
  Rules rules;
  for (const int call : kRefused) rules.Refuse(call);
  // Of a new task only a thread. clone3 has its flags in memory, where no filter looks: libc tries clone
  // then.
  rules.NeedBit(SYS_clone, 0, CLONE_THREAD);
  rules.Refuse(SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS);
  // Signals to itself alone: others of its user serve other mounts. Signal 0 only asks.
  rules.NeedOwn(SYS_kill, own, 1);
  rules.NeedOwn(SYS_tgkill, own, 2);
  rules.NeedOwn(SYS_rt_sigqueueinfo, own, 1);
  rules.NeedOwn(SYS_rt_tgsigqueueinfo, own, 2);
  rules.Refuse(SYS_tkill);
  rules.NeedOwn(SYS_prlimit64, own, 0);  // 0 is itself, too
  return rules.Apply();
}

}  // namespace grantfs
