#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "grantfs/crypto/hash.h"
#include "grantfs/mount/supervisor.h"
#include "grantfs/util/file.h"
#include "mount/channel_internal.h"
#include "mount/control_internal.h"
#include "mount/mount_point_internal.h"
#include "mount/worker_process_internal.h"

namespace grantfs {

namespace {

constexpr time_t kAnswerSeconds = 120;

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
  const sockaddr_un address = GRANTFS_TRY(AddressOf(control.path_));
  control.socket_ = GRANTFS_TRY(NewSocket());
  unlink(control.path_.c_str());
  if (bind(control.fd(), Plain(address), sizeof address) != 0 || listen(control.fd(), 4) != 0)
    return Error{Code::kIo, "cannot listen for orders", errno, control.path_};
  return control;
}

ControlSocket::~ControlSocket() {
  if (socket_) unlink(path_.c_str());
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
  const timeval patience{kAnswerSeconds, 0};
  setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (connect(connection.get(), Plain(address), sizeof address) == 0) return connection;
  if (errno == EACCES || errno == EPERM)
    return Error{Code::kDenied, "only who mounted it, or root, may give it orders", errno, point};
  return Error{Code::kNotFound, "no grantfs mount that takes orders runs there; grantfs mount begins one", 0,
               point};
}

Status UpgradeMount(const std::string& mount_point, const std::string& control_directory) {
  const std::string point = GRANTFS_TRY(CanonicalMountPoint(mount_point));
  const UniqueFd connection = GRANTFS_TRY(ConnectToMount(control_directory, point));
  const UniqueFd program = GRANTFS_TRY(OwnProgram());
  const bool sent = SendMessage(connection.get(), kUpgradeOrder, {}, program.get());
  const auto answer = sent ? ReceiveMessage(connection.get()) : std::nullopt;
  if (!answer) return Error{Code::kIo, "the mount does not say whether it took the program over", 0, point};
  if (answer->kind == kDoneAnswer) return {};
  return UnpackError(answer->text);
}

}  // namespace grantfs
