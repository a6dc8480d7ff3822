#pragma once

#include <memory>
#include <string>

#include "grantfs/net/http.h"
#include "grantfs/util/result.h"

namespace grantfs::net {

/// Makes one response out of bytes.
class ResponseReader {
 public:
  /// @param max_body_bytes 0: no bound, for a body that is taken as it comes.
  explicit ResponseReader(std::size_t max_body_bytes);
  ~ResponseReader();

  enum class Progress { kNeedMore, kDone };
  /// Takes what it needs from the front of `input`. Errors: kInvalid.
  Result<Progress> Feed(std::string& input);

  bool HasHead() const;
  /// Status and headers.
  HttpResponse Head() const;
  /// What has come of the body and has not been taken.
  std::string TakeBody();
  /// Whether the connection is good for another request. Valid after kDone.
  bool keep_alive() const;

 private:
  struct Parser;
  Status CheckHead() const;
  const std::unique_ptr<Parser> parser_;
};

}  // namespace grantfs::net
