#include <boost/asio/post.hpp>

#include "client_connection_internal.h"
#include "client_core_internal.h"
#include "client_exchange_internal.h"

namespace grantfs::net {

namespace asio = boost::asio;

namespace {
/// More than one: a connection that stood just before its server went may be the next that it is given.
constexpr int kMaxRetries = 3;
}  // namespace

Exchange::Exchange(std::shared_ptr<ClientCore> core, std::string text, bool retry_safe)
    : core_(std::move(core)),
      timer_(core_->io()),
      text_(std::move(text)),
      retries_left_(retry_safe ? kMaxRetries : 0) {}

bool Exchange::Attach(std::weak_ptr<ClientConnection> connection) {
  const std::lock_guard lock(mutex_);
  if (ended_) return false;
  connection_ = std::move(connection);
  return true;
}

bool Exchange::TakeRetry() {
  const std::lock_guard lock(mutex_);
  connection_.reset();
  if (ended_ || retries_left_ == 0) return false;
  --retries_left_;
  return true;
}

bool Exchange::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

bool Exchange::End() {
  const std::lock_guard lock(mutex_);
  if (std::exchange(ended_, true)) return false;
  timer_.cancel();
  return true;
}

void Exchange::Finish(Result<HttpResponse> result, When when) {
  if (End()) Tell(std::move(result), when);
}

void Exchange::Expire(Code code, const char* waiting, const char* sent) {
  if (!End()) return;
  std::shared_ptr<ClientConnection> connection;
  {
    const std::lock_guard lock(mutex_);
    connection = connection_.lock();
  }
  if (connection) {
    connection->Abandon(shared_from_this());
  } else {
    core_->Withdraw(shared_from_this());
  }
  Tell(core_->Failure(code, connection ? sent : waiting), When::kSoon);
}

void Exchange::Cancel() {
  const char* const where = "the request was cancelled";
  Expire(Code::kCancelled, where, where);
}

RequestExchange::RequestExchange(std::shared_ptr<ClientCore> core, std::string text, bool retry_safe,
                                 HttpClient::Done done)
    : Exchange(std::move(core), std::move(text), retry_safe), done_(std::move(done)) {}

void RequestExchange::StartDeadline(std::chrono::milliseconds from_now) {
  const std::lock_guard lock(mutex_);
  timer_.expires_after(from_now);
  timer_.async_wait([self = std::static_pointer_cast<RequestExchange>(shared_from_this())](
                        boost::system::error_code failed) {
    if (!failed)
      self->Expire(Code::kUnreachable, "no connection could be made in time", "no answer came in time");
  });
}

void RequestExchange::Tell(Result<HttpResponse> result, When when) {
  auto done = std::exchange(done_, nullptr);
  if (when == When::kNow) return done(std::move(result));
  asio::post(core_->io(),
             [done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
}

StreamExchange::StreamExchange(std::shared_ptr<ClientCore> core, std::string text, StreamEvents events)
    : Exchange(std::move(core), std::move(text), /*retry_safe=*/false),
      strand_(core_->io().get_executor()),
      events_(std::move(events)) {}

void StreamExchange::StartWatch(std::chrono::milliseconds timeout) {
  timeout_ = timeout;
  last_heard_ = Clock::now().time_since_epoch().count();
  ArmWatch(Clock::now() + timeout);
}

void StreamExchange::ArmWatch(Clock::time_point at) {
  const std::lock_guard lock(mutex_);
  timer_.expires_at(at);
  timer_.async_wait([self = Self()](boost::system::error_code failed) {
    if (!failed) self->OnWatch();
  });
}

void StreamExchange::OnWatch() {
  const auto due = Clock::time_point(Clock::duration(last_heard_)) + timeout_;
  if (ended()) return;
  if (Clock::now() < due) return ArmWatch(due);
  Expire(Code::kUnreachable, "no connection could be made in time", "the server went silent");
}

void StreamExchange::Head(HttpResponse head) {
  last_heard_ = Clock::now().time_since_epoch().count();
  asio::post(strand_, [self = Self(), head = std::move(head)]() mutable {
    if (!self->told_ && self->events_.head) self->events_.head(std::move(head));
  });
}

void StreamExchange::Chunk(std::string chunk) {
  last_heard_ = Clock::now().time_since_epoch().count();
  undelivered_bytes_ += chunk.size();
  asio::post(strand_, [self = Self(), chunk = std::move(chunk)] {
    self->undelivered_bytes_ -= chunk.size();
    if (!self->told_ && self->events_.chunk) self->events_.chunk(chunk);
  });
}

bool StreamExchange::IsOverwhelmed() const { return undelivered_bytes_ > core_->options().max_body_bytes; }

void StreamExchange::Tell(Result<HttpResponse> result, When) {
  asio::post(strand_, [self = Self(), status = result ? Status() : Status(result.error())] {
    self->told_ = true;
    // The functions may hold what holds this stream.
    const StreamEvents events = std::exchange(self->events_, {});
    if (events.end) events.end(status);
  });
}

}  // namespace grantfs::net
