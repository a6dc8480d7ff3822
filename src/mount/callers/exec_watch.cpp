#include "mount/callers/exec_watch_internal.h"

// The order matters: cn_proc.h needs what connector.h declares.
#include <arpa/inet.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "grantfs/crypto/random.h"

namespace grantfs {

namespace {

constexpr int kAnswerWaitMs = 1000;
constexpr int kRoom = 256 * 1024;
// PROC_EVENT_NONE and PROC_EVENT_EXEC, which are in another scope in each kernel's header.
constexpr std::uint32_t kAnswerToUs = 0;
constexpr std::uint32_t kExec = 2;

/// A netlink message of the connector, as it is on the wire: the event is its data.
constexpr std::size_t kEventAt = NLMSG_HDRLEN + sizeof(cn_msg);
constexpr std::size_t kNumberAt = NLMSG_HDRLEN + offsetof(cn_msg, ack);
constexpr std::size_t kPidAt = kEventAt + offsetof(proc_event, event_data);
constexpr std::size_t kProcessAt = kPidAt + sizeof(std::uint32_t);

std::uint32_t NumberAt(const std::uint8_t* message, std::size_t at) {
  std::uint32_t number = 0;
  std::memcpy(&number, message + at, sizeof number);
  return number;
}

/// @param number  that the kernel's answer, which others hear too, has one more of.
bool Subscribe(int socket, std::uint32_t number) {
  struct {
    nlmsghdr header;
    std::uint8_t rest[sizeof(cn_msg) + sizeof(std::uint32_t)];
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = NLMSG_DONE;
  cn_msg message{};
  message.id = {CN_IDX_PROC, CN_VAL_PROC};
  message.ack = number;
  message.len = sizeof(std::uint32_t);
  const std::uint32_t listen = PROC_CN_MCAST_LISTEN;
  std::memcpy(request.rest, &message, sizeof message);
  std::memcpy(request.rest + sizeof message, &listen, sizeof listen);
  return send(socket, &request, sizeof request, 0) == static_cast<ssize_t>(sizeof request);
}

/// A kernel that does not want to be asked from here says nothing at all. @return whether it has agreed.
bool IsConfirmed(int socket, std::uint32_t number) {
  for (int i = 0; i < 1000; ++i) {
    pollfd watched{socket, POLLIN, 0};
    std::uint8_t message[512];
    if (poll(&watched, 1, kAnswerWaitMs) != 1) return false;
    const ssize_t got = recv(socket, message, sizeof message, MSG_DONTWAIT);
    if (got < static_cast<ssize_t>(kProcessAt)) return false;
    if (NumberAt(message, kEventAt) == kAnswerToUs && NumberAt(message, kNumberAt) == number + 1)
      return NumberAt(message, kPidAt) == 0;  // no error
  }
  return false;
}

/// Of the others there are many on a busy machine.
bool KeepExecsOnly(int socket) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(kEventAt)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(kExec), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, ~0U),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  const sock_fprog filter{sizeof program / sizeof *program, program};
  return setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;
}

}  // namespace

std::unique_ptr<ExecWatch> ExecWatch::Open() {
  UniqueFd socket(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_CONNECTOR));
  sockaddr_nl group{};
  group.nl_family = AF_NETLINK;
  group.nl_groups = CN_IDX_PROC;
  const auto number = static_cast<std::uint32_t>(RandomNumber());
  if (!socket || bind(socket.get(), reinterpret_cast<const sockaddr*>(&group), sizeof group) != 0 ||
      setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kRoom, sizeof kRoom) != 0 ||
      !Subscribe(socket.get(), number) || !IsConfirmed(socket.get(), number) || !KeepExecsOnly(socket.get()))
    return nullptr;
  return std::unique_ptr<ExecWatch>(new ExecWatch(std::move(socket)));
}

ExecWatch::News ExecWatch::Take() {
  News news;
  for (;;) {
    std::uint8_t message[512];
    const ssize_t got = recv(socket_.get(), message, sizeof message, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return news;
    if (got < 0) {
      news.missed = true;
      if (errno != ENOBUFS) return news;  // it is of no use any more, and every call says so
    } else if (got >= static_cast<ssize_t>(kProcessAt + sizeof(std::uint32_t)) &&
               NumberAt(message, kEventAt) == kExec) {
      news.processes.push_back(NumberAt(message, kProcessAt));
    }
  }
}

}  // namespace grantfs
