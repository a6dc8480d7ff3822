#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <set>
#include <vector>

#include "grantfs/util/text.h"
#include "mount/base/channel_internal.h"

namespace grantfs {

namespace {
constexpr int kCodes = static_cast<int>(Code::kIo) + 1;

// More, or longer ones, no program of ours has to say.
constexpr std::size_t kMostTexts = 1000;
constexpr std::size_t kLongestText = 1000;
constexpr const char* kNotUnderstood = "the worker says something that is not understood";

/// What is a literal in the other process.
const char* Lasting(const std::string& text) {
  static std::mutex mutex;
  static std::set<std::string> texts;
  const std::lock_guard lock(mutex);
  if (const auto known = texts.find(text); known != texts.end()) return known->c_str();
  if (text.size() > kLongestText || texts.size() >= kMostTexts) return kNotUnderstood;
  return texts.insert(text).first->c_str();
}

/// All descriptors that came, of which none may stay open unawares.
std::vector<UniqueFd> DescriptorsOf(msghdr* message) {
  std::vector<UniqueFd> all;
  for (cmsghdr* header = CMSG_FIRSTHDR(message); header != nullptr; header = CMSG_NXTHDR(message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    for (std::size_t at = 0; at + sizeof(int) <= header->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + at, sizeof fd);
      all.emplace_back(fd);
    }
  }
  return all;
}

std::optional<ChannelMessage> Receive(int socket, bool descriptors) {
  ChannelMessage received;
  char bytes[kMaxMessageBytes];
  iovec part{bytes, sizeof bytes};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};  // there is room for two
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptors) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
  }
  ssize_t got = 0;
  do {
    got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return std::nullopt;
  std::vector<UniqueFd> fds = descriptors ? DescriptorsOf(&message) : std::vector<UniqueFd>();
  if (got == 0 || (message.msg_flags & MSG_TRUNC) != 0) return std::nullopt;
  if (fds.size() == 1 && (message.msg_flags & MSG_CTRUNC) == 0) received.fd = std::move(fds[0]);
  received.kind = bytes[0];
  received.text.assign(bytes + 1, static_cast<std::size_t>(got) - 1);
  return received;
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

std::optional<ChannelMessage> ReceiveMessage(int socket) { return Receive(socket, true); }

std::optional<ChannelMessage> ReceiveWords(int socket) { return Receive(socket, false); }

void RefuseDescriptors(int socket) {
  constexpr int kPassRights = 83;  // SO_PASSRIGHTS
  const int no = 0;
  setsockopt(socket, SOL_SOCKET, kPassRights, &no, sizeof no);
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
    return Error{Code::kIo, kNotUnderstood, 0, {}};
  return Error{static_cast<Code>(code), Lasting(std::string(parts[2])), static_cast<int>(sys),
               std::string(text.substr(static_cast<std::size_t>(parts[3].data() - text.data())))};
}

}  // namespace grantfs
