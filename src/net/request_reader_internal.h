#pragma once

#include <memory>
#include <string>

#include "grantfs/net/http.h"

namespace grantfs::net {

/// Makes requests out of bytes: the strict gate over the head, then Beast's parser. One for each connection;
/// between requests it holds no memory.
class RequestReader {
 public:
  explicit RequestReader(std::size_t max_body_bytes);
  ~RequestReader();

  enum class Progress {
    kNeedMore,
    kDone,     ///< Take() it
    kRefused,  ///< answer refusal() and close
  };
  /// Takes what it needs from the front of `input`, which holds what has been read and not been taken.
  Progress Feed(std::string& input);

  /// The whole request, once, after kDone.
  HttpRequest Take();
  /// Whether the client wants to go on after it. Valid after Take().
  bool keep_alive() const { return keep_alive_; }
  const HttpResponse& refusal() const { return refusal_; }

 private:
  struct Parser;
  Progress Refuse(int status, const char* title, const char* code);
  Progress FeedHead(const std::string& input);
  Progress FeedParser(std::string& input);

  const std::size_t max_body_bytes_;
  std::size_t checked_bytes_ = 0;  // of a head that is not complete yet
  bool keep_alive_ = false;
  std::unique_ptr<Parser> parser_;  // from a complete head to Take()
  HttpResponse refusal_;
};

}  // namespace grantfs::net
