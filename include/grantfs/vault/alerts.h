#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "grantfs/util/result.h"

namespace grantfs {

/// Critical records on their way out of the vault.
struct AlertMessage {
  std::string id;    ///< of the message: "VAULT/FIRST-LAST"; each alert in it has one of its own
  std::string json;  ///< contrib/FORMATS.md, "Alerts"
  std::vector<std::string> sentences;  ///< one for each alert, one line, printable
};

/// Where alerts go. Threads: one at a time calls it, another than makes it.
class AlertSink {
 public:
  virtual ~AlertSink() = default;
  virtual const char* kind() const = 0;  ///< "webhook", "command", "syslog": one of a kind
  /// Success: it has arrived, and will not be sent again. May block a bounded time; ends soon where `stop`
  /// becomes true.
  virtual Status Deliver(const AlertMessage& message, const std::atomic<bool>& stop) = 0;
};

}  // namespace grantfs
