#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "alert_sinks_internal.h"
#include "grantfs/util/clock.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {
namespace {

constexpr int kPriority = 4 * 8 + 1;  // authentication and security, at once (RFC 5424, 6.2.1)
constexpr std::size_t kMostLine = 1800;

/// Datagrams to the socket of the system's log, one for each alert.
class SyslogSink final : public AlertSink {
 public:
  explicit SyslogSink(std::string path) : path_(std::move(path)) {}
  const char* kind() const override { return "syslog"; }

  Status Deliver(const AlertMessage& message, const std::atomic<bool>&) override {
    const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    path_.copy(to.sun_path, sizeof to.sun_path - 1);
    if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
      return Error{Code::kUnreachable, "the system's log does not listen", errno, path_};
    for (const std::string& sentence : message.sentences) {
      const std::string line = Line(sentence);
      if (::send(socket.get(), line.data(), line.size(), MSG_NOSIGNAL) < 0)
        return Error{Code::kUnreachable, "the system's log did not take it", errno, path_};
    }
    return {};
  }

 private:
  // What the C library sends, and every daemon behind the socket reads: a sentence is one printable line.
  static std::string Line(const std::string& sentence) {
    const std::time_t now = static_cast<std::time_t>(SystemClock().WallSeconds());
    std::tm local{};
    ::localtime_r(&now, &local);
    char time[32];
    if (std::strftime(time, sizeof time, "%b %e %H:%M:%S", &local) == 0) time[0] = 0;
    return "<" + std::to_string(kPriority) + ">" + time + " grantfs[" + std::to_string(::getpid()) +
           "]: alert: " + sentence.substr(0, kMostLine);
  }
  const std::string path_;
};

}  // namespace

Result<std::shared_ptr<AlertSink>> MakeSyslogSink(const std::string& socket) {
  if (!socket.starts_with('/') || socket.size() >= sizeof(sockaddr_un::sun_path))
    return Error{Code::kInvalid, "is no path of a log's socket, which is /dev/log", 0, socket};
  return std::shared_ptr<AlertSink>(std::make_shared<SyslogSink>(socket));
}

}  // namespace grantfs
