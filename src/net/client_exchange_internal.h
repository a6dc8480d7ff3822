#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "grantfs/net/http_client.h"

namespace grantfs::net {

class ClientConnection;
class ClientCore;

/// One request under way, plain or as a stream: its bytes, its deadline, and whom to tell. It ends once: by
/// its response, a failure, its deadline or its caller. Threads: safe.
class Exchange : public PendingRequest, public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(std::shared_ptr<ClientCore> core, std::string text, bool retry_safe);

  const std::string& text() const { return text_; }
  virtual bool is_stream() const = 0;

  void Cancel() final;

  /// Called by the connection that takes it up; false if it has ended already.
  bool Attach(std::weak_ptr<ClientConnection> connection);
  /// True if it may be sent once more after its connection turned out dead; a few times at most.
  bool TakeRetry();

  /// Ends it. kNow is for client threads that hold no lock.
  enum class When { kNow, kSoon };
  void Finish(Result<HttpResponse> result, When when);

  /// For streams, in order, holding the connection's lock.
  virtual void Head(HttpResponse) {}
  virtual void Chunk(std::string) {}
  /// The caller is slower than the server, by more than is bearable.
  virtual bool IsOverwhelmed() const { return false; }

 protected:
  using Clock = std::chrono::steady_clock;
  /// Ends it from outside: takes it away from wherever it is. `sent` is the reason if a connection has taken
  /// it up.
  void Expire(Code code, const char* waiting, const char* sent);
  bool ended() const;
  /// Tells the caller; runs once.
  virtual void Tell(Result<HttpResponse> result, When when) = 0;

  const std::shared_ptr<ClientCore> core_;
  boost::asio::steady_timer timer_;  // guarded by mutex_
  mutable std::mutex mutex_;

 private:
  bool End();

  const std::string text_;
  int retries_left_;                            // guarded by mutex_
  bool ended_ = false;                          // guarded by mutex_
  std::weak_ptr<ClientConnection> connection_;  // guarded by mutex_
};

class RequestExchange final : public Exchange {
 public:
  RequestExchange(std::shared_ptr<ClientCore> core, std::string text, bool retry_safe, HttpClient::Done done);
  bool is_stream() const override { return false; }
  void StartDeadline(std::chrono::milliseconds from_now);

 private:
  void Tell(Result<HttpResponse> result, When when) override;
  HttpClient::Done done_;
};

class StreamExchange final : public Exchange {
 public:
  StreamExchange(std::shared_ptr<ClientCore> core, std::string text, StreamEvents events);
  bool is_stream() const override { return true; }
  /// From here on something must come at least so often.
  void StartWatch(std::chrono::milliseconds timeout);
  void Head(HttpResponse head) override;
  void Chunk(std::string chunk) override;
  bool IsOverwhelmed() const override;

 private:
  std::shared_ptr<StreamExchange> Self() {
    return std::static_pointer_cast<StreamExchange>(shared_from_this());
  }
  void Tell(Result<HttpResponse> result, When when) override;
  void ArmWatch(Clock::time_point at);
  void OnWatch();

  // Keeps the events in order on whichever thread.
  boost::asio::strand<boost::asio::io_context::executor_type> strand_;
  StreamEvents events_;  // on strand_
  bool told_ = false;    // on strand_
  std::chrono::milliseconds timeout_{0};
  std::atomic<Clock::duration::rep> last_heard_{0};
  std::atomic<std::size_t> undelivered_bytes_{0};
};

}  // namespace grantfs::net
