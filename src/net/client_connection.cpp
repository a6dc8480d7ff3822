#include <boost/asio/post.hpp>
#include <cerrno>

#include "client_connection_internal.h"

namespace grantfs::net {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

constexpr std::chrono::milliseconds kConnectTimeout{5000};
/// For an address of several, while others are left to try.
constexpr std::chrono::milliseconds kFirstConnectTimeout{1000};
constexpr std::size_t kMaxStreamTurn = 64u << 10;

bool IsNumeric(const std::string& host) {
  boost::system::error_code failed;
  asio::ip::make_address(host, failed);
  return !failed;
}

}  // namespace

ClientConnection::ClientConnection(std::shared_ptr<ClientCore> core, std::uint64_t number,
                                   std::shared_ptr<Exchange> stream)
    : core_(std::move(core)),
      is_stream_(stream != nullptr),
      number_(number),
      stream_(std::move(stream)),
      timer_(core_->io()) {}

void ClientConnection::Open() {
  core_->Lookup([self = shared_from_this()](Result<Endpoints> found) {
    found ? self->Connect(std::move(*found)) : self->Close(found.error());
  });
}

void ClientConnection::Connect(Endpoints endpoints) {
  std::unique_lock lock(mutex_);
  if (state_ != State::kConnecting) return;
  endpoints_ = std::move(endpoints);
  ConnectNext(lock);
}

/// Tries one address after the other. Releases the lock.
void ClientConnection::ConnectNext(std::unique_lock<std::mutex>& lock) {
  if (next_endpoint_ == endpoints_.size()) {
    lock.unlock();
    return Close(core_->Failure(Code::kUnreachable, "no connection could be made", connect_errno_));
  }
  const tcp::endpoint endpoint = endpoints_[next_endpoint_++];
  ArmConnectTimer(next_endpoint_ < endpoints_.size() ? kFirstConnectTimeout : kConnectTimeout);
  connecting_.emplace(core_->io());
  connecting_->async_connect(
      endpoint, [self = shared_from_this()](boost::system::error_code failed) { self->OnConnected(failed); });
  lock.unlock();
}

void ClientConnection::OnConnected(boost::system::error_code failed) {
  {
    std::unique_lock lock(mutex_);
    if (state_ != State::kConnecting) return;
    if (failed) {
      connect_errno_ = failed == asio::error::operation_aborted ? ETIMEDOUT : failed.value();
      return ConnectNext(lock);
    }
    tls_.emplace(core_->context(), std::move(*connecting_), /*is_server=*/false);
    connecting_.reset();
    if (!tls_->ok()) {
      lock.unlock();
      return Close(core_->Failure(Code::kIo, "TLS could not be set up"));
    }
    const std::string& host = core_->options().server.host;
    if (!IsNumeric(host)) SSL_set_tlsext_host_name(tls_->ssl(), host.c_str());
    state_ = State::kHandshake;
    ArmConnectTimer(kConnectTimeout);
  }
  Drive();
}

void ClientConnection::ArmConnectTimer(std::chrono::milliseconds from_now) {
  timer_.expires_after(from_now);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code failed) {
    if (!failed) self->OnConnectTimer();
  });
}

void ClientConnection::OnConnectTimer() {
  {
    const std::lock_guard lock(mutex_);
    if (std::chrono::steady_clock::now() < timer_.expiry()) return;  // it has been armed again meanwhile
    if (state_ == State::kConnecting && connecting_) {
      boost::system::error_code ignored;
      connecting_->close(ignored);  // OnConnected goes on with the next address
      return;
    }
    if (state_ != State::kHandshake) return;
  }
  Close(core_->Failure(Code::kUnreachable, "the TLS handshake took too long", ETIMEDOUT));
}

void ClientConnection::Drive() {
  Report report;
  {
    const std::lock_guard lock(mutex_);
    while (Step(report)) {
    }
  }
  Settle(std::move(report), Exchange::When::kNow);
}

/// Tells the others, holding no lock: they may call back.
void ClientConnection::Settle(Report report, Exchange::When when) {
  const auto self = shared_from_this();
  if (report.established && !is_stream_) core_->Established();
  if (report.gone) core_->Gone(self, report.was_established, *report.gone);
  if (report.ready) core_->Ready(self);
  if (!report.finished) return;
  report.retry ? core_->Retry(report.finished) : report.finished->Finish(std::move(*report.result), when);
}

bool ClientConnection::Step(Report& report) {
  switch (state_) {
    case State::kHandshake:
      return StepHandshake(report);
    case State::kIdle:
      return StepIdle(report);
    case State::kSending:
      return StepSending(report);
    case State::kReceiving:
      return StepReceiving(report);
    case State::kConnecting:
    case State::kClosed:
      return false;
  }
  return false;
}

/// Arranges for Drive() once the socket is ready.
void ClientConnection::Await(TlsOutcome outcome) {
  const bool reading = outcome != TlsOutcome::kWantWrite;
  bool ClientConnection::*const waiting =
      reading ? &ClientConnection::waiting_to_read_ : &ClientConnection::waiting_to_write_;
  if (std::exchange(this->*waiting, true)) return;
  tls_->socket().async_wait(reading ? asio::socket_base::wait_read : asio::socket_base::wait_write,
                            [self = shared_from_this(), waiting](boost::system::error_code failed) {
                              {
                                const std::lock_guard lock(self->mutex_);
                                (*self).*waiting = false;
                              }
                              if (failed != asio::error::operation_aborted) self->Drive();
                            });
}

bool ClientConnection::StepHandshake(Report& report) {
  const TlsOutcome outcome = tls_->Handshake();
  if (outcome == TlsOutcome::kWantRead || outcome == TlsOutcome::kWantWrite) {
    Await(outcome);
    return false;
  }
  if (outcome != TlsOutcome::kDone) {
    const bool pin = FailedByPin(tls_->ssl());
    Break(pin ? core_->Failure(Code::kIntegrity, kWrongPin)
              : core_->Failure(Code::kUnreachable, "the TLS handshake failed"),
          report);
    return false;
  }
  timer_.cancel();
  state_ = State::kIdle;
  report.established = true;
  report.ready = !is_stream_;
  Await(TlsOutcome::kWantRead);
  if (is_stream_) BeginLocked(stream_, report);
  return false;
}

/// Nothing is expected here but the end.
bool ClientConnection::StepIdle(Report& report) {
  std::size_t size = 0;
  const TlsOutcome outcome = tls_->Read(RecordBuffer().data(), RecordBuffer().size(), &size);
  if (outcome == TlsOutcome::kWantRead || outcome == TlsOutcome::kWantWrite) {
    Await(outcome);
  } else {
    Break(core_->Failure(Code::kUnreachable, "the server closed the connection"), report);
  }
  return false;
}

void ClientConnection::Begin(const std::shared_ptr<Exchange>& exchange, bool is_old) {
  Report report;
  {
    const std::lock_guard lock(mutex_);
    if (state_ == State::kIdle) {
      is_old_ = is_old;
      BeginLocked(exchange, report);
    } else {
      report.finished = exchange;  // closed since it was taken from the pool, and nothing sent
      report.retry = true;
    }
  }
  Settle(std::move(report), Exchange::When::kSoon);
}

void ClientConnection::BeginLocked(const std::shared_ptr<Exchange>& exchange, Report& report) {
  if (!exchange->Attach(weak_from_this())) {
    report.ready = !is_stream_;  // it has ended: the next one, please
    if (is_stream_) Break(core_->Failure(Code::kCancelled, "the request was cancelled"), report);
    return;
  }
  exchange_ = exchange;
  written_ = 0;
  heard_ = head_told_ = false;
  reader_.emplace(is_stream_ ? 0 : core_->options().max_body_bytes);
  state_ = State::kSending;
  StepSending(report);
  Await(TlsOutcome::kWantRead);  // usually it does already
}

bool ClientConnection::StepSending(Report&) {
  const std::string& text = exchange_->text();
  while (written_ < text.size()) {
    std::size_t size = 0;
    const TlsOutcome outcome = tls_->Write(std::string_view(text).substr(written_), &size);
    if (outcome == TlsOutcome::kWantWrite || outcome == TlsOutcome::kWantRead) {
      Await(outcome);
      return false;
    }
    // A server that has refused a request closes before it is whole; its answer may lie there to be read.
    if (outcome != TlsOutcome::kDone) break;
    written_ += size;
  }
  state_ = State::kReceiving;
  return true;
}

bool ClientConnection::StepReceiving(Report& report) {
  std::size_t size = 0;
  const TlsOutcome outcome = tls_->Read(RecordBuffer().data(), RecordBuffer().size(), &size);
  if (outcome == TlsOutcome::kWantRead || outcome == TlsOutcome::kWantWrite) {
    Await(outcome);
    return false;
  }
  if (outcome != TlsOutcome::kDone) return Lost(report);
  heard_ = true;
  input_.append(RecordBuffer().data(), size);
  if (!Received(report)) return false;
  read_at_once_ += is_stream_ ? size : 0;
  if (read_at_once_ < kMaxStreamTurn) return true;
  // What was read is delivered by the same threads: they must get to it.
  read_at_once_ = 0;
  asio::post(core_->io(), [self = shared_from_this()] { self->Drive(); });
  return false;
}

/// The connection has broken; a request that the server cannot have seen may go once more. Always false.
bool ClientConnection::Lost(Report& report) {
  report.retry = !heard_ && is_old_ && !is_stream_ && exchange_->TakeRetry();
  Break(core_->Failure(Code::kUnreachable, heard_ ? "the connection broke in the middle of the answer"
                                                  : "the connection broke before an answer came"),
        report);
  return false;
}

/// Reads what has come. True if there may be more.
bool ClientConnection::Received(Report& report) {
  const auto progress = reader_->Feed(input_);
  if (!progress) {
    Break(core_->Failure(progress.error().code, progress.error().where), report);
    return false;
  }
  if (is_stream_ && reader_->HasHead()) {
    if (!std::exchange(head_told_, true)) exchange_->Head(reader_->Head());
    if (std::string body = reader_->TakeBody(); !body.empty()) exchange_->Chunk(std::move(body));
    if (exchange_->IsOverwhelmed()) {
      Break(core_->Failure(Code::kInvalid, "the stream came faster than it could be taken"), report);
      return false;
    }
  }
  if (*progress == ResponseReader::Progress::kNeedMore) return true;
  HttpResponse response = reader_->Head();
  response.body = reader_->TakeBody();
  const bool reusable =
      !is_stream_ && reader_->keep_alive() && input_.empty() && written_ == exchange_->text().size();
  reader_.reset();
  if (reusable) {
    report.finished = std::exchange(exchange_, nullptr);
    report.ready = true;
    state_ = State::kIdle;
    Await(TlsOutcome::kWantRead);
  } else {
    Break(core_->Failure(Code::kUnreachable, "the server closed the connection"), report);
  }
  report.result = std::move(response);
  return false;
}

/// Closes it and says so; what it carries ends with `error`, unless the caller decides otherwise.
void ClientConnection::Break(const Error& error, Report& report) {
  report.finished = std::exchange(exchange_, nullptr);
  if (!report.finished) report.finished = stream_;
  stream_ = nullptr;
  report.result = error;
  report.gone = error;
  report.was_established = state_ != State::kConnecting && state_ != State::kHandshake;
  if (state_ == State::kIdle) tls_->SayGoodbye();
  state_ = State::kClosed;
  timer_.cancel();
  boost::system::error_code ignored;
  if (connecting_) connecting_->close(ignored);
  if (tls_) tls_->Close();
}

void ClientConnection::Close(const Error& error) {
  Report report;
  {
    const std::lock_guard lock(mutex_);
    if (state_ == State::kClosed) return;
    Break(error, report);
  }
  Settle(std::move(report), Exchange::When::kSoon);
}

void ClientConnection::Abandon(const std::shared_ptr<Exchange>& exchange) {
  Report report;
  {
    const std::lock_guard lock(mutex_);
    if (state_ == State::kClosed || (exchange_ != exchange && stream_ != exchange)) return;
    Break(core_->Failure(Code::kCancelled, "the request was cancelled"), report);
    report.finished = nullptr;
  }
  Settle(std::move(report), Exchange::When::kSoon);
}

}  // namespace grantfs::net
