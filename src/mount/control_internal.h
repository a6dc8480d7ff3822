#pragma once

#include <string>

#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {

// Where a running mount takes orders: a socket in a directory that only whoever mounts can enter.

inline constexpr char kUpgradeOrder = 'U';  ///< with the descriptor of the program
inline constexpr char kDoneAnswer = 'K';
inline constexpr char kFailedAnswer = 'E';  ///< with a packed Error

/// Listens for orders to the mount on `point`. What a killed one left there is taken away.
class ControlSocket {
 public:
  ControlSocket() = default;
  /// Errors: kIo, kDenied (others may write in the directory).
  static Result<ControlSocket> Listen(const std::string& directory, const std::string& point);
  ControlSocket(ControlSocket&& other) noexcept = default;
  ControlSocket& operator=(ControlSocket&& other) noexcept = default;
  ~ControlSocket();

  int fd() const { return socket_.get(); }
  /// @return a connection of the same user or root; empty for anybody else's.
  UniqueFd Accept();

 private:
  std::string path_;
  UniqueFd socket_;
};

/// Connects to the one of the mount on `point`. Errors: kNotFound, kDenied, kIo.
Result<UniqueFd> ConnectToMount(const std::string& directory, const std::string& point);

}  // namespace grantfs
