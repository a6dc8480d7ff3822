#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "grantfs/net/http_server.h"
#include "request_reader_internal.h"
#include "server_stream_internal.h"
#include "server_thread_internal.h"
#include "tls_stream_internal.h"

namespace grantfs::net {

/// What all connections of a server share.
struct ServerCore {
  HttpServerOptions options;
  HttpServer::Handler handler;
  /// What a new connection is made of; it keeps what it needs of it.
  std::shared_ptr<SSL_CTX> context() {
    const std::lock_guard lock(mutex_);
    return context_;
  }
  void UseContext(SslContext context) {
    std::shared_ptr<SSL_CTX> shared(std::move(context));
    const std::lock_guard lock(mutex_);
    context_ = std::move(shared);
  }
  std::atomic<bool> stopping{false};

  void Added();
  void Removed();
  std::size_t count() const { return count_; }
  bool WaitUntilNone(std::chrono::milliseconds at_most);

 private:
  std::shared_ptr<SSL_CTX> context_;
  std::atomic<std::size_t> count_{0};
  std::mutex mutex_;
  std::condition_variable none_;
};

/// One accepted connection: a state machine that is driven whenever its socket is ready, its request
/// answered, its stream written to. Threads: its loop's alone, but for thread().
class ServerConnection : public std::enable_shared_from_this<ServerConnection> {
 public:
  ServerConnection(std::shared_ptr<ServerCore> core, std::shared_ptr<ServerThread> thread,
                   boost::asio::ip::tcp::socket socket);

  const std::shared_ptr<ServerThread>& thread() const { return thread_; }
  const HttpServerOptions& options() const { return core_->options; }

  void Start();
  /// Answers the request under way.
  void Respond(HttpResponse response);
  void BeginStream(HttpResponse head, std::shared_ptr<StreamState> stream);
  /// There is something new in the stream's state.
  void StreamChanged();
  /// The server stops: ends the connection, but for a request that is being answered.
  void Retire();
  void Close();

 private:
  using Clock = std::chrono::steady_clock;
  enum class State { kHandshake, kReading, kHandling, kWriting, kStreaming, kLingering, kClosed };

  void Drive();
  bool Step();
  bool StepHandshake();
  bool StepReading();
  bool StepWriting();
  bool StepStreaming();
  bool StepLingering();
  void Handle();
  void BeginReading();
  void BeginWriting(std::string text, State after);
  bool Flush();
  bool PeerIsSilent();
  void End();
  void Await(TlsOutcome outcome);
  void SetDeadline(std::chrono::milliseconds from_now);
  void ClearDeadline() { deadline_ = Clock::time_point::max(); }
  void ArmTimer();
  void OnTimer();

  const std::shared_ptr<ServerCore> core_;
  const std::shared_ptr<ServerThread> thread_;
  std::string remote_;
  TlsStream tls_;
  boost::asio::steady_timer timer_;
  Clock::time_point deadline_ = Clock::time_point::max();
  Clock::time_point timer_armed_for_ = Clock::time_point::max();
  State state_ = State::kHandshake;
  State after_writing_ = State::kReading;
  bool driving_ = false;
  bool waiting_to_read_ = false;
  bool waiting_to_write_ = false;
  bool request_begun_ = false;
  bool keep_alive_ = false;
  RequestReader reader_;
  std::string input_;
  std::string output_;
  std::size_t written_ = 0;          // of output_
  std::size_t lingered_ = 0;         // bytes discarded after a refusal
  std::size_t outside_backlog_ = 0;  // bytes of output_ that the stream did not count
  std::shared_ptr<StreamState> stream_;
};

/// The public face of a connection whose request is to be answered.
std::shared_ptr<Responder> MakeResponder(std::shared_ptr<ServerConnection> connection);

}  // namespace grantfs::net
