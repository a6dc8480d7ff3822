#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "grantfs/net/address.h"
#include "grantfs/net/http.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// Where something is posted: "https://alerts.example.org/hook?x=1", or http:// on this computer's loopback.
struct WebAddress {
  bool tls = true;
  Address server;
  std::string target = "/";  ///< path and query
};
/// Errors: kInvalid (what is wrong; the subject is the text).
Result<WebAddress> ParseWebAddress(std::string_view text);

/// Posts to a server of somebody else's: TLS 1.2 or 1.3, its certificate verified by name against the
/// system's authorities or those in a file. Each post has a connection of its own. Threads: one at a time.
class WebPoster {
 public:
  /// @param ca_file  "" = the system's authorities.  Errors: kInvalid, kIo.
  static Result<std::unique_ptr<WebPoster>> Create(WebAddress address, const std::string& ca_file);
  virtual ~WebPoster() = default;
  /// @return the status of the answer; its body is not read.  Errors: kUnreachable, kIntegrity (a certificate
  /// that does not verify), kInvalid (no HTTP), kCancelled.  Blocks: at most `deadline`, and ends soon where `stop`
  /// becomes true, also while the name is looked up.
  virtual Result<int> Post(const std::vector<HttpHeader>& headers, const std::string& body,
                           std::chrono::milliseconds deadline, const std::atomic<bool>& stop) = 0;
};

}  // namespace grantfs
