#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "grantfs/mount/running.h"
#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {

// Where a running mount takes orders: a socket in a directory that only whoever mounts can enter.

inline constexpr char kUpgradeOrder = 'U';  ///< with the descriptor of the program
inline constexpr char kStateOrder = 'Q';    ///< how does it stand?
inline constexpr char kStateAnswer = 'I';   ///< with what WriteMountState wrote
inline constexpr char kDoneAnswer = 'K';
inline constexpr char kFailedAnswer = 'E';  ///< with a packed Error

/// Listens for orders to the mount on `point`. What a killed one left there is taken away.
class ControlSocket {
 public:
  ControlSocket() = default;
  /// Errors: kIo, kDenied (others may write in the directory).
  static Result<ControlSocket> Listen(const std::string& directory, const std::string& point);
  ControlSocket(ControlSocket&& other) noexcept { Swap(&other); }
  ControlSocket& operator=(ControlSocket&& other) noexcept;
  /// Takes its name away, unless it is another mount's by now.
  ~ControlSocket();

  int fd() const { return socket_.get(); }
  /// @return a connection of the same user or root; empty for anybody else's.
  UniqueFd Accept();

 private:
  void Swap(ControlSocket* other) noexcept;

  std::string path_;
  dev_t device_ = 0;  ///< of what stands at `path_`
  ino_t inode_ = 0;
  UniqueFd socket_;
};

/// Connects to the one of the mount on `point`. Errors: kNotFound, kDenied, kIo.
Result<UniqueFd> ConnectToMount(const std::string& directory, const std::string& point);

/// All but the point. A text that is not understood leaves `mount` as it is.
std::string WriteMountState(const RunningMount& mount);
void ReadMountState(std::string_view text, RunningMount* mount);

}  // namespace grantfs
