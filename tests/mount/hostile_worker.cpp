#include "hostile_worker.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstring>
#include <thread>
#include <vector>

#include "mount/worker_internal.h"

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

/// A process that would outlive this one, with all that it has. @return whether there is one.
bool GetAway() {
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    prctl(PR_SET_PDEATHSIG, 0);
    for (;;) pause();
  }
  return child > 0;
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
    if (kind == "forks" && GetAway()) return;  // and it is not done
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
