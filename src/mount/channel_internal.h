#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {

// Messages between the processes of one mount, over pairs of SOCK_SEQPACKET sockets.

inline constexpr std::size_t kMaxMessageBytes = 16 * 1024;

struct ChannelMessage {
  char kind = 0;
  std::string text;
  UniqueFd fd;
};

/// Errors: kIo.
Result<std::pair<UniqueFd, UniqueFd>> MakeChannel();
/// Never blocks for long: a peer that does not read is a failure. @return false if the peer is gone.
bool SendMessage(int socket, char kind, std::string_view text = {}, int fd = -1);
/// Waits for one. @return none when the peer is gone.
std::optional<ChannelMessage> ReceiveMessage(int socket);

std::string PackError(const Error& error);
/// Its `where` lives as long as the process.
Error UnpackError(std::string_view text);

}  // namespace grantfs
