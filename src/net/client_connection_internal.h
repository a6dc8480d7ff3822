#pragma once

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "client_core_internal.h"
#include "response_reader_internal.h"
#include "tls_stream_internal.h"

namespace grantfs::net {

/// One connection to the server: of the pool, or a stream's own. While it is idle it waits for its socket to
/// become readable, so that it notices its end, and so that the answer to a request that another thread
/// writes finds it listening. Threads: safe.
class ClientConnection : public std::enable_shared_from_this<ClientConnection> {
 public:
  /// @param number  its place among what the client began.
  /// @param stream  the stream that it is for, or nullptr.
  ClientConnection(std::shared_ptr<ClientCore> core, std::uint64_t number, std::shared_ptr<Exchange> stream);

  bool is_stream() const { return is_stream_; }
  std::uint64_t number() const { return number_; }
  void Open();
  /// Writes a request, as far as that goes at once; on a connection that Ready() reported. `is_old`: the
  /// connection was opened before the request was made, so its death would say nothing about the server.
  void Begin(const std::shared_ptr<Exchange>& exchange, bool is_old);
  /// The exchange has ended early: the connection cannot be used any more.
  void Abandon(const std::shared_ptr<Exchange>& exchange);
  /// Ends it, and what it carries with `error`.
  void Close(const Error& error);

 private:
  enum class State { kConnecting, kHandshake, kIdle, kSending, kReceiving, kClosed };
  /// What Drive() found out under the lock and reports without it.
  struct Report {
    bool established = false;
    bool ready = false;
    std::shared_ptr<Exchange> finished;
    std::optional<Result<HttpResponse>> result;
    std::optional<Error> gone;
    bool was_established = false;
    bool retry = false;  ///< `finished` is to be sent once more
  };

  void Connect(Endpoints endpoints);
  void ConnectNext(std::unique_lock<std::mutex>& lock);
  void OnConnected(boost::system::error_code failed);
  void OnConnectTimer();
  void Drive();
  void Settle(Report report, Exchange::When when);

  // These hold mutex_.
  bool Step(Report& report);
  bool StepHandshake(Report& report);
  bool StepIdle(Report& report);
  bool StepSending(Report& report);
  bool StepReceiving(Report& report);
  bool Received(Report& report);
  bool Lost(Report& report);
  void BeginLocked(const std::shared_ptr<Exchange>& exchange, Report& report);
  void Await(TlsOutcome outcome);
  void Break(const Error& error, Report& report);
  void ArmConnectTimer(std::chrono::milliseconds from_now);

  const std::shared_ptr<ClientCore> core_;
  const bool is_stream_;
  const std::uint64_t number_;
  std::mutex mutex_;
  // All guarded by mutex_.
  std::shared_ptr<Exchange> stream_;
  State state_ = State::kConnecting;
  Endpoints endpoints_;
  std::size_t next_endpoint_ = 0;
  int connect_errno_ = 0;
  std::optional<boost::asio::ip::tcp::socket> connecting_;
  boost::asio::steady_timer timer_;
  std::optional<TlsStream> tls_;
  bool waiting_to_read_ = false;
  bool waiting_to_write_ = false;
  std::shared_ptr<Exchange> exchange_;
  std::size_t written_ = 0;
  bool heard_ = false;  // a byte of this response has come
  std::string input_;
  std::optional<ResponseReader> reader_;
  bool head_told_ = false;
  bool is_old_ = false;           // for this exchange
  std::size_t read_at_once_ = 0;  // bytes of a stream in this turn
};

}  // namespace grantfs::net
