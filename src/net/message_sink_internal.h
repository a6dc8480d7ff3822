#pragma once

#include <array>
#include <chrono>
#include <string_view>

#include "grantfs/net/message_sink.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs::net {

/// Over a connected socket, which never blocks.
class SocketSink : public MessageSink {
 public:
  SocketSink(UniqueFd fd, SinkTarget target, std::chrono::milliseconds deadline, bool datagrams)
      : fd_(std::move(fd)), target_(std::move(target)), deadline_(deadline), datagrams_(datagrams) {}
  bool datagrams() const override { return datagrams_; }
  Status Send(const std::vector<std::string>& messages) override;

 protected:
  using Deadline = std::chrono::steady_clock::time_point;
  /// Takes off what it could write, maybe nothing, having waited for room.
  virtual Status WriteSome(std::string_view* rest);
  /// Errors: kUnreachable (the other end has closed).
  virtual Status CheckOpen();
  Status WaitUntilTaken();
  Status WaitFor(short events, Deadline until) const;
  Error Broken(const char* where, int sys) const;

  UniqueFd fd_;
  const SinkTarget target_;
  const std::chrono::milliseconds deadline_;
  const bool datagrams_;
  Deadline until_{};
};

/// Errors: as OpenMessageSink.
Result<std::unique_ptr<MessageSink>> OpenTlsSink(UniqueFd fd, const SinkTarget& target,
                                                 std::chrono::milliseconds deadline);

}  // namespace grantfs::net
