#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "grantfs/util/result.h"

namespace grantfs {

/// Where messages are sent to: a socket of this machine, or a server over TCP or TLS.
struct SinkTarget {
  enum class Kind { kUnix, kTcp, kTls };
  Kind kind = Kind::kTcp;
  std::string path;  ///< of a socket
  std::string host;  ///< of a server; its certificate must be for it
  std::uint16_t port = 0;
  std::string ca_file;  ///< PEM; "" = those that the system trusts
  std::string Text() const;
};

/// Reads "unix:/PATH", "tcp://HOST:PORT", "tls://HOST:PORT". Errors: kInvalid.
Result<SinkTarget> ParseSinkTarget(const std::string& text);

/// A connection that only sends. Blocking; each step has a deadline. Threads: one at a time.
class MessageSink {
 public:
  virtual ~MessageSink() = default;
  /// True: each message is sent by itself (a datagram); false: one stream, so messages need frames.
  virtual bool datagrams() const = 0;
  /// Sends all, in order, and waits until the other end's system has them all (a socket of this machine:
  /// until they were read). After an error nobody knows how many arrived. Errors: kUnreachable, kIo.
  virtual Status Send(const std::vector<std::string>& messages) = 0;
};

/// Errors: kUnreachable (nobody listens, no answer in time), kIntegrity (the server's certificate is not good
/// for it), kNotFound (no such socket, no CA file), kInvalid (the CA file), kIo.
Result<std::unique_ptr<MessageSink>> OpenMessageSink(const SinkTarget& target,
                                                     std::chrono::milliseconds deadline);

}  // namespace grantfs
