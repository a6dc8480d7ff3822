#pragma once

#include <string>

namespace grantfs {

/// Where a subscription's lines go. Threads: safe; neither function waits.
class WatchSink {
 public:
  virtual ~WatchSink() = default;
  /// Queues a line. False: the stream has ended, or its reader is too slow.
  virtual bool Send(const std::string& line) = 0;
  virtual void Close() = 0;
};

}  // namespace grantfs
