#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <set>

#include "grantfs/util/text.h"
#include "mount/channel_internal.h"

namespace grantfs {

namespace {
constexpr int kCodes = static_cast<int>(Code::kIo) + 1;

/// What is a literal in the other process.
const char* Lasting(const std::string& text) {
  static std::mutex mutex;
  static std::set<std::string> texts;
  const std::lock_guard lock(mutex);
  return texts.insert(text).first->c_str();
}
}  // namespace

Result<std::pair<UniqueFd, UniqueFd>> MakeChannel() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return Error{Code::kIo, "cannot make a pair of sockets", errno, {}};
  return std::pair(UniqueFd(ends[0]), UniqueFd(ends[1]));
}

bool SendMessage(int socket, char kind, std::string_view text, int fd) {
  iovec parts[] = {{&kind, 1}, {const_cast<char*>(text.data()), text.size()}};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  if (fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
  for (;;) {
    if (sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return true;
    if (errno != EINTR) return false;
  }
}

std::optional<ChannelMessage> ReceiveMessage(int socket) {
  ChannelMessage received;
  char bytes[kMaxMessageBytes];
  iovec part{bytes, sizeof bytes};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t got = 0;
  do {
    got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return std::nullopt;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
      header->cmsg_len == CMSG_LEN(sizeof(int))) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    received.fd.Reset(fd);
  }
  received.kind = bytes[0];
  received.text.assign(bytes + 1, static_cast<std::size_t>(got) - 1);
  return received;
}

std::string PackError(const Error& error) {
  std::string text = std::to_string(static_cast<int>(error.code)) + '\0' + std::to_string(error.sys) + '\0';
  return text.append(error.where).append(1, '\0').append(error.subject.substr(0, kMaxMessageBytes / 2));
}

Error UnpackError(std::string_view text) {
  const auto parts = Split(text, '\0');
  unsigned long long code = 0;
  unsigned long long sys = 0;
  if (parts.size() < 4 || !ParseNumber(parts[0], kCodes - 1, &code) || !ParseNumber(parts[1], 4096, &sys))
    return Error{Code::kIo, "the worker says something that is not understood", 0, {}};
  return Error{static_cast<Code>(code), Lasting(std::string(parts[2])), static_cast<int>(sys),
               std::string(text.substr(static_cast<std::size_t>(parts[3].data() - text.data())))};
}

}  // namespace grantfs
