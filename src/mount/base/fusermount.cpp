#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "grantfs/util/text.h"
#include "mount/base/fusermount_internal.h"

namespace grantfs {

namespace {

constexpr const char* kProgram = "fusermount3";
constexpr std::size_t kMaxSaidBytes = 1024;

/// What a run of the program left.
struct FusermountRun {
  bool good = false;  ///< it ended with 0
  std::string said;   ///< the beginning of its output
  UniqueFd fuse;      ///< what it sent
};

/// The one descriptor that is sent with a byte; none if the other end closes without.
UniqueFd Receive(const UniqueFd& socket) {
  char byte = 0;
  iovec part{&byte, 1};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = space;
  message.msg_controllen = sizeof space;
  ssize_t got = 0;
  while ((got = recvmsg(socket.get(), &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
  }
  const cmsghdr* header = got > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (header == nullptr || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) return {};
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return UniqueFd(fd);
}

/// Up to the end; what is more than the bound is dropped.
std::string ReadSaid(const UniqueFd& pipe) {
  std::string said;
  char buffer[512];
  for (;;) {
    const ssize_t got = read(pipe.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    said.append(buffer, static_cast<std::size_t>(got));
    if (said.size() > kMaxSaidBytes) said.resize(kMaxSaidBytes);
  }
  while (!said.empty() && said.back() == '\n') said.pop_back();
  constexpr std::string_view kPrefix = "fusermount3: ";
  return said.starts_with(kPrefix) ? said.substr(kPrefix.size()) : said;
}

bool EndedWell(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return true;  // whoever started us ignores children's ends; then what it did tells
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// Starts it with its output in `output` and, as _FUSE_COMMFD, `socket`.
int SpawnFusermount(std::vector<std::string>& arguments, const UniqueFd& output, const UniqueFd& socket,
                    pid_t* child) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  char comm[] = "_FUSE_COMMFD=3";
  char* environment[] = {comm, nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&actions, output.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, output.get(), 2);
  posix_spawn_file_actions_adddup2(&actions, socket.get(), 3);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  const int failed = posix_spawnp(child, kProgram, &actions, &attributes, argv.data(), environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return failed;
}

Result<FusermountRun> RunFusermount(std::vector<std::string> arguments) {
  int pipes[2];
  int sockets[2];
  if (pipe2(pipes, O_CLOEXEC) != 0) return Error{Code::kIo, "cannot make a pipe", errno, kProgram};
  const UniqueFd output(pipes[0]);
  UniqueFd its_output(pipes[1]);
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
    return Error{Code::kIo, "cannot make a socket", errno, kProgram};
  const UniqueFd socket(sockets[0]);
  UniqueFd its_socket(sockets[1]);
  arguments.insert(arguments.begin(), kProgram);
  pid_t child = 0;
  const int failed = SpawnFusermount(arguments, its_output, its_socket, &child);
  if (failed == ENOENT)
    return Error{
        Code::kUnsupported,
        "is missing, and mounts for users other than root; install the package fuse3 (apt install fuse3)"
        " or run this as root",
        0, kProgram};
  if (failed != 0) return Error{Code::kUnsupported, "cannot be run", failed, kProgram};
  its_output.Reset();
  its_socket.Reset();
  FusermountRun run;
  run.fuse = Receive(socket);
  run.said = ReadSaid(output);
  run.good = EndedWell(child);
  return run;
}

/// What its messages mean, which it writes in English always.
struct Meaning {
  const char* words;
  Code code;
  const char* where;
};
constexpr Meaning kMeanings[] = {
    {"user_allow_other", Code::kDenied,
     "this host keeps users' mounts to themselves; leave --allow-other out, or have root put the line"
     " user_allow_other into /etc/fuse.conf"},
    {"could not determine username", Code::kUnsupported,
     "fusermount3 serves only users who have a name (getent passwd); give this one an entry, or mount as "
     "root"},
    {"not owned by user", Code::kDenied, "the mount point is not yours; name a directory of your own"},
    {"no write access", Code::kDenied,
     "you may not write to the mount point; name a directory of your own, or mount as root"},
    {"too many FUSE", Code::kConflict,
     "you have as many FUSE mounts as /etc/fuse.conf lets you (mount_max); unmount one, or mount as root"},
    {"mounting over filesystem type", Code::kInvalid,
     "fusermount3 mounts nothing over this kind of filesystem; name a directory elsewhere"},
    {"fuse device not found", Code::kUnsupported,
     "there is no /dev/fuse; load the kernel's fuse module (modprobe fuse)"},
    {"/dev/fuse", Code::kUnsupported,
     "you may not open /dev/fuse here, which has mode 0666 elsewhere (chmod 666 /dev/fuse, as root); or "
     "mount as root"},
    {"busy", Code::kConflict,
     "files or directories are open there; end their processes (fuser -vm lists them) and repeat"},
    {"Operation not permitted", Code::kDenied,
     "fusermount3 may not do it (it must be setuid root, and the mount one of yours); run this as root"},
    {"not mounted", Code::kDenied, "the mount is not one of yours; its user or root can unmount it"},
    {"not found in", Code::kDenied, "the mount is not one of yours; its user or root can unmount it"},
};

Error ErrorOf(const FusermountRun& run, const std::string& point) {
  for (const Meaning& meaning : kMeanings) {
    if (run.said.find(meaning.words) != std::string::npos)
      return Error{meaning.code, meaning.where, 0, point};
  }
  return Error{Code::kIo, "fusermount3 failed; run this as root", 0,
               point + (run.said.empty() ? "" : " (it says: " + Printable(run.said) + ")")};
}

}  // namespace

Result<UniqueFd> MountByFusermount(const std::string& point, const std::string& options) {
  FusermountRun run = GRANTFS_TRY(RunFusermount({"-o", options, "--", point}));
  if (!run.fuse) return ErrorOf(run, point);
  return std::move(run.fuse);
}

Status UnmountByFusermount(const std::string& point, bool detach) {
  std::vector<std::string> arguments = {"-u"};
  if (detach) arguments.emplace_back("-z");
  arguments.insert(arguments.end(), {"--", point});
  const FusermountRun run = GRANTFS_TRY(RunFusermount(std::move(arguments)));
  if (!run.good) return ErrorOf(run, point);
  return {};
}

}  // namespace grantfs
