#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <optional>
#include <utility>

#include "grantfs/crypto/hash.h"
#include "grantfs/mount/supervisor.h"
#include "grantfs/util/file.h"
#include "mount/base/channel_internal.h"
#include "mount/base/mount_point_internal.h"
#include "mount/base/mount_table_internal.h"
#include "mount/supervisor/control_internal.h"
#include "mount/supervisor/worker_process_internal.h"

namespace grantfs {

namespace {

constexpr time_t kConnectSeconds = 10;
// A new program's first worker has 20 s to get ready, and as long to serve; then it may have to be gone back.
constexpr std::chrono::seconds kUpgradeTakes{120};

/// A name of bounded length, whatever the mount point's is.
std::string SocketPath(const std::string& directory, const std::string& point) {
  return directory + "/" + Blake2b256({AsBytes(point)}).Hex().substr(0, 32);
}

Result<sockaddr_un> AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return Error{Code::kInvalid, "the path of the socket for orders is too long", 0, path};
  path.copy(address.sun_path, path.size());
  return address;
}

const sockaddr* Plain(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

Result<UniqueFd> NewSocket() {
  UniqueFd socket_fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!socket_fd) return Error{Code::kIo, "cannot make a socket", errno, {}};
  return socket_fd;
}

Status CheckOwn(const std::string& directory) {
  struct stat info {};
  if (lstat(directory.c_str(), &info) != 0)
    return Error{Code::kIo, "cannot look at the directory for orders", errno, directory};
  if (!S_ISDIR(info.st_mode) || info.st_uid != geteuid() || (info.st_mode & 077) != 0)
    return Error{Code::kDenied, "others may enter the directory for orders: mend it with chmod 0700", 0,
                 directory};
  return {};
}

}  // namespace

Result<ControlSocket> ControlSocket::Listen(const std::string& directory, const std::string& point) {
  const std::string parent = DirectoryOf(directory);
  if (!PathExists(parent)) GRANTFS_CHECK(MakeDirectories(parent, 0755));
  if (!PathExists(directory)) GRANTFS_CHECK(MakeDirectories(directory, 0700));
  GRANTFS_CHECK(CheckOwn(directory));
  ControlSocket control;
  control.path_ = SocketPath(directory, point);
  // Under a name of its own first, where nobody else can have changed it before it is looked at.
  const std::string made = control.path_ + "." + std::to_string(getpid());
  const sockaddr_un address = GRANTFS_TRY(AddressOf(made));
  control.socket_ = GRANTFS_TRY(NewSocket());
  unlink(made.c_str());
  struct stat info {};
  if (bind(control.fd(), Plain(address), sizeof address) != 0 || listen(control.fd(), 4) != 0 ||
      lstat(made.c_str(), &info) != 0 || rename(made.c_str(), control.path_.c_str()) != 0) {
    const int error = errno;
    unlink(made.c_str());
    control.socket_.Reset();
    return Error{Code::kIo, "cannot listen for orders", error, control.path_};
  }
  control.device_ = info.st_dev;
  control.inode_ = info.st_ino;
  return control;
}

void ControlSocket::Swap(ControlSocket* other) noexcept {
  std::swap(path_, other->path_);
  std::swap(device_, other->device_);
  std::swap(inode_, other->inode_);
  std::swap(socket_, other->socket_);
}

ControlSocket& ControlSocket::operator=(ControlSocket&& other) noexcept {
  ControlSocket former;
  former.Swap(this);
  Swap(&other);
  return *this;
}

ControlSocket::~ControlSocket() {
  struct stat info {};
  if (socket_ && lstat(path_.c_str(), &info) == 0 && info.st_dev == device_ && info.st_ino == inode_)
    unlink(path_.c_str());
}

UniqueFd ControlSocket::Accept() {
  UniqueFd connection(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ucred peer{};
  socklen_t size = sizeof peer;
  if (!connection || getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return {};
  return peer.uid == 0 || peer.uid == geteuid() ? std::move(connection) : UniqueFd();
}

Result<UniqueFd> ConnectToMount(const std::string& directory, const std::string& point) {
  const sockaddr_un address = GRANTFS_TRY(AddressOf(SocketPath(directory, point)));
  UniqueFd connection = GRANTFS_TRY(NewSocket());
  const timeval patience{kConnectSeconds, 0};
  setsockopt(connection.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(connection.get(), Plain(address), sizeof address) == 0) return connection;
  if (errno == EACCES || errno == EPERM)
    return Error{Code::kDenied, "only who mounted it, or root, may give it orders", errno, point};
  if (errno == EAGAIN)
    return Error{Code::kIo, "the mount's process takes no orders: it is stopped, or has too many", 0, point};
  return Error{Code::kNotFound, "no grantfs mount that takes orders runs there; grantfs mount begins one", 0,
               point};
}

namespace {

/// Why nobody takes orders for what is mounted there.
Error NoOrders(const std::string& point, Error error) {
  const auto top = error.code == Code::kNotFound ? TopMount(point) : std::nullopt;
  if (!top) return error;
  if (top->type != kFilesystemType)
    return Error{Code::kNotFound, "what is mounted there is not grantfs", 0, point};
  const auto mounter = MounterOf(*top);
  if (mounter && *mounter != geteuid())
    return Error{Code::kDenied, "it is another user's mount: that user has to upgrade it", 0,
                 point + " (mounted by user " + std::to_string(*mounter) + ")"};
  if (top->source == kReportsSource)
    return Error{Code::kUnsupported,
                 "it is an admin mount, which one process serves; unmount it (grantfs umount) and mount it "
                 "again with the new program",
                 0, point};
  return Error{Code::kUnsupported,
               "it is a grantfs mount that takes no orders: its process is gone, or could not listen for "
               "any; unmount it (grantfs umount) and mount it again",
               0, point};
}

std::optional<ChannelMessage> AnswerWithin(int socket, std::chrono::milliseconds most, bool* late) {
  pollfd watched{socket, POLLIN, 0};
  *late = poll(&watched, 1, static_cast<int>(most.count())) == 0;
  return *late ? std::nullopt : ReceiveMessage(socket);
}

}  // namespace

Status UpgradeMount(const std::string& mount_point, const std::string& control_directory) {
  const std::string point = GRANTFS_TRY(CanonicalMountPoint(mount_point));
  const auto connection = ConnectToMount(control_directory, point);
  if (!connection) return NoOrders(point, connection.error());
  const UniqueFd program = GRANTFS_TRY(OwnProgram());
  if (!SendMessage(connection->get(), kUpgradeOrder, {}, program.get()))
    return Error{Code::kIo, "the mount's process ended just then", 0, point};
  bool late = false;
  const auto answer = AnswerWithin(connection->get(), kUpgradeTakes, &late);
  if (late)
    return Error{Code::kIo,
                 "the mount's process has not said within 2 minutes what came of it; it may be stopped: "
                 "grantfs doctor looks at it",
                 0, point};
  if (!answer)
    return Error{Code::kIo,
                 "the mount's process ended before it said what came of it; see whether it is mounted", 0,
                 point};
  if (answer->kind == kDoneAnswer) return {};
  return UnpackError(answer->text);
}

}  // namespace grantfs
