#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "client_exchange_internal.h"
#include "tls_internal.h"

namespace grantfs::net {

using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

/// What a client's requests share: the event loop, the pool of connections, the queue of what waits for one.
/// A request whose caller finds an idle connection is written on the caller's own thread. Threads: safe.
class ClientCore : public std::enable_shared_from_this<ClientCore> {
 public:
  explicit ClientCore(HttpClientOptions options);
  Status Start();
  /// Ends everything that is under way with kCancelled and joins the threads.
  void Stop();

  const HttpClientOptions& options() const { return options_; }
  boost::asio::io_context& io() { return io_; }
  SSL_CTX* context() { return context_.get(); }
  Error Failure(Code code, const char* where, int sys = 0) const {
    return Error{code, where, sys, server_text_};
  }

  void Submit(const std::shared_ptr<Exchange>& exchange);
  /// The exchange ended while it waited.
  void Withdraw(const std::shared_ptr<Exchange>& exchange);

  /// Looks the server's name up, remembering the last answer for when the lookup fails. `found` runs on a
  /// client thread, unless the client stops.
  using Found = std::function<void(Result<Endpoints>)>;
  void Lookup(Found found);

  // Reports of connections, made without holding their locks.
  /// It is good for a request.
  void Ready(const std::shared_ptr<ClientConnection>& connection);
  /// It is established for the first time.
  void Established();
  /// It is closed; `failed` if it never was established.
  void Gone(const std::shared_ptr<ClientConnection>& connection, bool was_established, const Error& failed);
  /// Its exchange got no byte of a response because the connection was dead all along: sends it over a new
  /// one.
  void Retry(const std::shared_ptr<Exchange>& exchange);

 private:
  using Clock = std::chrono::steady_clock;
  struct Waiting {
    std::shared_ptr<Exchange> exchange;
    std::uint64_t number;
  };
  struct Idle {
    std::shared_ptr<ClientConnection> connection;
    Clock::time_point since;
  };

  void Run();
  void OpenWhatIsNeeded(std::unique_lock<std::mutex>& lock);
  void ArmSweep();
  void Sweep();
  void LookedUp(Result<Endpoints> found);

  const HttpClientOptions options_;
  const std::string server_text_;
  SslContext context_;
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::vector<std::thread> threads_;

  std::mutex mutex_;
  // All guarded by mutex_. No other lock is taken while it is held.
  // Counts what begins, requests and connections: a connection that is older than a request may have been cut
  // off with a server that has gone, and says nothing about the one that is there now.
  std::uint64_t next_number_ = 0;
  std::deque<Waiting> waiting_;
  std::vector<Idle> idle_;                                             // the longest idle first
  std::unordered_set<std::shared_ptr<ClientConnection>> connections_;  // all, streams included
  std::size_t connecting_ = 0;                                         // of the pool
  std::size_t established_ = 0;                                        // of the pool
  boost::asio::steady_timer sweep_;
  bool sweep_armed_ = false;
  bool stopping_ = false;
  std::vector<Found> lookups_;
  bool looking_up_ = false;
  Endpoints last_found_;
};

}  // namespace grantfs::net
