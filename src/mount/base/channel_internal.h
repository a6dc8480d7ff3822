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
/// Waits for one. A descriptor comes with it where exactly one was sent; others are closed.
/// @return none when the peer is gone, or says what is no message.
std::optional<ChannelMessage> ReceiveMessage(int socket);
/// The same from a peer that has none to send: the kernel drops what it sends all the same.
std::optional<ChannelMessage> ReceiveWords(int socket);
/// Has the kernel refuse descriptors that are sent to this end (Linux 6.16; before it nothing happens): to
/// drop the last one of a socket can take as long as whoever made it likes.
void RefuseDescriptors(int socket);

std::string PackError(const Error& error);
/// Its `where` lives as long as the process: so only so many different ones are kept, and none that is long.
Error UnpackError(std::string_view text);

}  // namespace grantfs
