#include "hostile_worker.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <random>
#include <thread>
#include <vector>

#include "mount/kernel/slots_internal.h"
#include "mount/worker/worker_internal.h"

namespace grantfs {
namespace {

constexpr int kRounds = 2000;

/// Any bytes, and any descriptors.
bool Say(int socket, const std::string& bytes, const std::vector<int>& descriptors = {}) {
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  std::vector<char> control(CMSG_SPACE(descriptors.size() * sizeof(int)));
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
    std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size() * sizeof(int));
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL) >= 0;
}

/// Whose last descriptor takes a minute to close: what was written to it is not read.
int LingeringSocket() {
  const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  bind(listening, reinterpret_cast<sockaddr*>(&address), size);
  listen(listening, 1);
  getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size);
  const int writing = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  connect(writing, reinterpret_cast<sockaddr*>(&address), size);
  const std::vector<char> bytes(1 << 16);
  for (int i = 0; i < 1000; ++i)
    [[maybe_unused]] const ssize_t wrote = write(writing, bytes.data(), bytes.size());
  const linger patience{1, 60};
  setsockopt(writing, SOL_SOCKET, SO_LINGER, &patience, sizeof patience);
  return writing;
}

void SendDescriptors() {
  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  for (int i = 0; i < kRounds; ++i) {
    Say(kHelpersDescriptor, "?", {fd});
    Say(kHelpersDescriptor, "?", {fd, fd});
    Say(kHelpersDescriptor, "?", std::vector<int>(200, fd));
    if (i < 4) Say(kControlDescriptor, "?", {fd, fd});
  }
  const int lingering = LingeringSocket();
  if (Say(kHelpersDescriptor, "?", {lingering})) close(lingering);
  Say(kControlDescriptor, "", {fd});  // the end of the worker
}

void Ask() {
  std::thread([] {
    for (;;) Say(kHelpersDescriptor, "k");
  }).detach();
  for (int i = 0; i < kRounds; ++i) Say(kHelpersDescriptor, i % 2 == 0 ? "r" : "c");
}

void SayHalf() {
  for (const std::size_t size : {2, 15, 16384, 16385, 100000}) {
    for (const char* kind : {"r", "e", "\0", "\xff"}) {
      Say(kHelpersDescriptor, kind + std::string(size, '\xff'));
      if (size < 3 || size > 99999) Say(kControlDescriptor, kind + std::string(size, '\0'));
    }
  }
  Say(kHelpersDescriptor, "");
}

void Shrink() {
  for (const int fd : {kSlotsDescriptor, kKeptDescriptor}) {
    [[maybe_unused]] const int cut = ftruncate(fd, 0);
    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_FUTURE_WRITE);
  }
}

/// A process that goes on when this one is gone, and takes the requests that are for the next one.
void Fork() {
  if (fork() != 0) return kill(getpid(), SIGKILL), void();
  for (;;) {
    for (int fd = 3; fd < 64; ++fd) {
      char name[64] = {};
      const std::string link = "/proc/self/fd/" + std::to_string(fd);
      if (readlink(link.c_str(), name, sizeof name - 1) < 0 || std::strcmp(name, "/dev/fuse") != 0) continue;
      char request[16384];
      [[maybe_unused]] const ssize_t taken = read(fd, request, sizeof request);
    }
  }
}

/// Over all that outlives it, for a while: what the next worker and the supervisor find there is noise.
void Scribble() {
  std::minstd_rand noise(1);
  for (const int fd : {kSlotsDescriptor, kKeptDescriptor}) {
    struct stat info {};
    fstat(fd, &info);
    const auto size = static_cast<std::size_t>(info.st_size);
    auto* const at =
        static_cast<std::uint8_t*>(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    // Of the large one, what stands at its beginning: the table of what is in it.
    for (std::size_t i = 0; i < std::min(size, std::size_t{4} << 20); ++i)
      at[i] = static_cast<std::uint8_t>(noise());
  }
}

/// Requests of all kinds that no kernel has made, for the next one to answer.
void Invent() {
  const auto slots = *Slots::Map(kSlotsDescriptor);
  std::minstd_rand noise(1);
  for (unsigned i = 64; i < Slots::kCount; ++i) {
    auto* const request = const_cast<std::uint8_t*>(slots->RequestIn(i).data());
    for (std::size_t k = 0; k < Slots::kSlotBytes; ++k) request[k] = static_cast<std::uint8_t>(noise());
    auto* const header = reinterpret_cast<fuse_in_header*>(request);
    header->opcode = i % 64;
    header->nodeid = i % 3;
    header->unique = (std::uint64_t{1} << 40) + i;
    header->len = i % 2 == 0 ? sizeof *header + i % 256 : 100000;
  }
}

/// The other workers of this mount.
std::vector<pid_t> Siblings() {
  const std::string parent = std::to_string(getppid());
  std::ifstream children("/proc/" + parent + "/task/" + parent + "/children");
  std::vector<pid_t> siblings;
  for (pid_t child = 0; children >> child;) {
    if (child > 1 && child != getpid()) siblings.push_back(child);
  }
  return siblings;
}

/// One that is to serve next, many times: each time another one is made.
void Beset(int signal) {
  for (int i = 0; i < kRounds; ++i) {
    for (const pid_t sibling : Siblings()) kill(sibling, signal);
    poll(nullptr, 0, 1);
  }
}

}  // namespace

void BeHostile(const std::string& kind, const std::function<void()>& done) {
  std::thread([kind, done] {
    if (kind == "talks") {
      for (std::uint64_t i = 0;; ++i)
        Say(kControlDescriptor, "E" +
                                    std::string("8\0"
                                                "0\0",
                                                4) +
                                    std::to_string(i) + std::string(1, '\0'));
    }
    if (kind == "closes") close(kControlDescriptor);
    if (kind == "descriptors") SendDescriptors();
    if (kind == "asks") Ask();
    if (kind == "half") SayHalf();
    if (kind == "shrinks") Shrink();
    if (kind == "forks") Fork();
    if (kind == "scribbles") Scribble();
    if (kind == "invents") Invent();
    if (kind == "stops") Beset(SIGSTOP);
    if (kind == "kills") Beset(SIGKILL);
    if (kind == "scribbles" || kind == "invents" || kind == "stops") kill(getpid(), SIGKILL);
    if (kind == "becomes") execl("/bin/sleep", "sleep", "1000", nullptr);
    if (kind == "prints") {
      const std::string line(4096, '\n');
      std::thread([line] {
        for (;;) [[maybe_unused]] const ssize_t wrote = write(STDERR_FILENO, line.data(), line.size());
      }).detach();
    }
    done();
  }).detach();
}

}  // namespace grantfs
