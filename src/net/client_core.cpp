#include <pthread.h>

#include <algorithm>

#include "client_connection_internal.h"
#include "client_core_internal.h"

namespace grantfs::net {

ClientCore::ClientCore(HttpClientOptions options)
    : options_(std::move(options)),
      server_text_(options_.server.Text()),
      work_(io_.get_executor()),
      sweep_(io_) {}

Status ClientCore::Start() {
  context_ = GRANTFS_TRY(MakeClientContext(&options_.pins));
  for (unsigned i = 0; i < options_.threads; ++i) {
    threads_.emplace_back([this] { Run(); });
    pthread_setname_np(threads_.back().native_handle(), "grantfs-client");
  }
  return {};
}

void ClientCore::Run() {
  while (true) {
    try {
      io_.run();
      return;
    } catch (...) {
      // A task failed for want of memory, or a caller's function threw: the other requests go on.
    }
  }
}

void ClientCore::Stop() {
  std::deque<Waiting> waiting;
  std::vector<std::shared_ptr<ClientConnection>> connections;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopping_, true)) return;
    waiting.swap(waiting_);
    connections.assign(connections_.begin(), connections_.end());
    idle_.clear();
    sweep_.cancel();
    lookups_.clear();
  }
  const Error stopped = Failure(Code::kCancelled, "the client stops");
  for (const auto& [exchange, number] : waiting) exchange->Finish(stopped, Exchange::When::kSoon);
  for (const auto& connection : connections) connection->Close(stopped);
  work_.reset();
  for (auto& thread : threads_) thread.join();
}

void ClientCore::Submit(const std::shared_ptr<Exchange>& exchange) {
  std::unique_lock lock(mutex_);
  if (stopping_) {
    lock.unlock();
    return exchange->Finish(Failure(Code::kCancelled, "the client stops"), Exchange::When::kSoon);
  }
  if (exchange->is_stream()) {
    const auto connection = std::make_shared<ClientConnection>(shared_from_this(), next_number_++, exchange);
    connections_.insert(connection);
    lock.unlock();
    if (exchange->Attach(connection)) connection->Open();
    return;
  }
  if (!idle_.empty()) {
    const auto connection = std::move(idle_.back().connection);
    idle_.pop_back();
    lock.unlock();
    return connection->Begin(exchange, /*is_old=*/true);
  }
  if (waiting_.size() >= options_.max_waiting) {
    lock.unlock();
    return exchange->Finish(Failure(Code::kThrottled, "too many requests wait for the server"),
                            Exchange::When::kSoon);
  }
  waiting_.push_back({exchange, next_number_++});
  OpenWhatIsNeeded(lock);
}

void ClientCore::Withdraw(const std::shared_ptr<Exchange>& exchange) {
  const std::lock_guard lock(mutex_);
  std::erase_if(waiting_, [&](const Waiting& waiting) { return waiting.exchange == exchange; });
}

/// Opens a connection for each request that waits, up to the bound. Releases the lock.
void ClientCore::OpenWhatIsNeeded(std::unique_lock<std::mutex>& lock) {
  std::vector<std::shared_ptr<ClientConnection>> opened;
  while (!stopping_ && waiting_.size() > connecting_ &&
         connecting_ + established_ < options_.max_connections) {
    opened.push_back(std::make_shared<ClientConnection>(shared_from_this(), next_number_++, nullptr));
    connections_.insert(opened.back());
    ++connecting_;
  }
  lock.unlock();
  for (const auto& connection : opened) connection->Open();
}

void ClientCore::Established() {
  const std::lock_guard lock(mutex_);
  --connecting_;
  ++established_;
}

void ClientCore::Ready(const std::shared_ptr<ClientConnection>& connection) {
  std::unique_lock lock(mutex_);
  if (stopping_) return;  // Stop() closes it
  if (waiting_.empty()) {
    idle_.push_back({connection, Clock::now()});
    return ArmSweep();
  }
  const auto [exchange, number] = std::move(waiting_.front());
  waiting_.pop_front();
  lock.unlock();
  connection->Begin(exchange, connection->number() < number);
}

void ClientCore::Gone(const std::shared_ptr<ClientConnection>& connection, bool was_established,
                      const Error& failed) {
  std::unique_lock lock(mutex_);
  if (connections_.erase(connection) == 0 || connection->is_stream()) return;
  std::erase_if(idle_, [&](const Idle& idle) { return idle.connection == connection; });
  --(was_established ? established_ : connecting_);
  // Each attempt stands for one request that waited for it. While another connection lives, the request waits
  // for that one.
  std::shared_ptr<Exchange> victim;
  if (!was_established && established_ == 0 && !waiting_.empty() &&
      waiting_.front().number < connection->number()) {
    victim = std::move(waiting_.front().exchange);
    waiting_.pop_front();
  }
  OpenWhatIsNeeded(lock);
  if (victim) victim->Finish(failed, Exchange::When::kSoon);
}

void ClientCore::Retry(const std::shared_ptr<Exchange>& exchange) {
  std::unique_lock lock(mutex_);
  if (stopping_) {
    lock.unlock();
    return exchange->Finish(Failure(Code::kCancelled, "the client stops"), Exchange::When::kSoon);
  }
  // The server has probably gone and come: the other idle connections are as dead as this one was.
  const auto idle = std::exchange(idle_, {});
  waiting_.push_front({exchange, next_number_++});
  OpenWhatIsNeeded(lock);
  for (const auto& [connection, since] : idle)
    connection->Close(Failure(Code::kUnreachable, "the server closed the connection"));
}

void ClientCore::ArmSweep() {
  if (std::exchange(sweep_armed_, true)) return;
  sweep_.expires_at(idle_.front().since + options_.idle_timeout);
  sweep_.async_wait([self = shared_from_this()](boost::system::error_code failed) {
    if (!failed) self->Sweep();
  });
}

/// Closes what has been idle for too long.
void ClientCore::Sweep() {
  std::vector<std::shared_ptr<ClientConnection>> old;
  {
    const std::lock_guard lock(mutex_);
    sweep_armed_ = false;
    const auto since = Clock::now() - options_.idle_timeout;
    // Taken from the back and put back there: the front is the oldest.
    while (!idle_.empty() && idle_.front().since <= since) {
      old.push_back(std::move(idle_.front().connection));
      idle_.erase(idle_.begin());
    }
    if (!idle_.empty() && !stopping_) ArmSweep();
  }
  for (const auto& connection : old)
    connection->Close(Failure(Code::kUnreachable, "the connection was idle"));
}

}  // namespace grantfs::net
