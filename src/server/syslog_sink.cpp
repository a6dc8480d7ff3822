#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "alert_sinks_internal.h"
#include "grantfs/log/event_format.h"
#include "grantfs/util/clock.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {
namespace {

constexpr int kSecurity = 4;  // facility: security and authorization (RFC 5424, 6.2.1)
constexpr int kAtOnce = 1;    // severity: action must be taken immediately
constexpr std::size_t kMostLine = 1800;
constexpr std::chrono::seconds kMostWait{20};
constexpr int kLookMs = 200;  ///< how often it is asked whether to go on

/// Datagrams to the socket of the system's log, one for each alert.
class SyslogSink final : public AlertSink {
 public:
  explicit SyslogSink(std::string path) : path_(std::move(path)) {}
  const char* kind() const override { return "syslog"; }

  Status Deliver(const AlertMessage& message, const std::atomic<bool>& stop) override {
    const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    path_.copy(to.sun_path, sizeof to.sun_path - 1);
    if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
      return Error{Code::kUnreachable, "the system's log does not listen", errno, path_};
    const auto until = std::chrono::steady_clock::now() + kMostWait;
    for (const std::string& sentence : message.sentences)
      if (const int failed = Send(socket.get(), Line(sentence), until, stop); failed != 0)
        return Error{Code::kUnreachable, "the system's log did not take it", failed, path_};
    return {};
  }

 private:
  // A log's queue may hold fewer lines than there are: it is waited for, else the first of them would be told
  // again and again and the last never. @return 0 or an errno.
  static int Send(int socket, const std::string& line, std::chrono::steady_clock::time_point until,
                  const std::atomic<bool>& stop) {
    for (;;) {
      if (::send(socket, line.data(), line.size(), MSG_NOSIGNAL) >= 0) return 0;
      const int failed = errno;
      const bool full = failed == EAGAIN || failed == ENOBUFS || failed == EINTR;
      if (!full || stop || std::chrono::steady_clock::now() >= until) return failed;
      pollfd one{socket, POLLOUT, 0};
      ::poll(&one, 1, kLookMs);
    }
  }

  std::string Line(const std::string& sentence) const {
    SyslogEvent event;
    event.facility = kSecurity;
    event.severity = kAtOnce;
    event.time_ms = SystemClock().WallMilliseconds();
    event.host = host_;
    event.id = "alert";
    event.text = "alert: " + sentence.substr(0, kMostLine);
    return FormatSyslog(event);
  }

  static std::string HostName() {
    char name[256] = {};
    return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
  }

  const std::string path_;
  const std::string host_ = HostName();
};

}  // namespace

Result<std::shared_ptr<AlertSink>> MakeSyslogSink(const std::string& socket) {
  if (!socket.starts_with('/') || socket.size() >= sizeof(sockaddr_un::sun_path))
    return Error{Code::kInvalid, "is no path of a log's socket, which is /dev/log", 0, socket};
  return std::shared_ptr<AlertSink>(std::make_shared<SyslogSink>(socket));
}

}  // namespace grantfs
