#include <sys/socket.h>

#include <cerrno>

#include "http_text_internal.h"
#include "server_connection_internal.h"

namespace grantfs::net {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds kLingerTimeout{2000};
constexpr std::size_t kMaxLingerBytes = std::size_t{8} << 20;
/// A response that the handler made wrongly must not reach the wire, where it could pass for two.
constexpr const char* kUnsendable = "the server made a response that cannot be sent";

std::string AddressText(const asio::ip::tcp::socket& socket) {
  boost::system::error_code failed;
  const asio::ip::address address = socket.remote_endpoint(failed).address();
  if (failed) return "";
  const bool mapped = address.is_v6() && address.to_v6().is_v4_mapped();
  return mapped ? asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string()
                : address.to_string();
}

std::string ProblemText(int status, const char* title, const char* code) {
  return ResponseText(Problem(status, title, code), Framing::kLength, /*keep_alive=*/false).value();
}

}  // namespace

void ServerCore::Added() { ++count_; }

void ServerCore::Removed() {
  const std::lock_guard lock(mutex_);
  if (--count_ == 0) none_.notify_all();
}

bool ServerCore::WaitUntilNone(std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  return none_.wait_for(lock, at_most, [this] { return count_ == 0; });
}

ServerConnection::ServerConnection(std::shared_ptr<ServerCore> core, std::shared_ptr<ServerThread> thread,
                                   asio::ip::tcp::socket socket)
    : core_(std::move(core)),
      thread_(std::move(thread)),
      remote_(AddressText(socket)),
      tls_(core_->context().get(), std::move(socket), /*is_server=*/true),
      timer_(thread_->io()),
      reader_(core_->options.max_body_bytes) {}

void ServerConnection::Start() {
  core_->Added();
  thread_->connections.insert(shared_from_this());
  if (!tls_.ok() || core_->stopping) return Close();
  SetDeadline(options().handshake_timeout);
  Drive();
}

void ServerConnection::Drive() {
  if (driving_) return;  // called from within: the loop below goes on with what has changed
  driving_ = true;
  while (Step()) {
  }
  driving_ = false;
}

/// One step; false if there is nothing more to do until something happens.
bool ServerConnection::Step() {
  switch (state_) {
    case State::kHandshake:
      return StepHandshake();
    case State::kReading:
      return StepReading();
    case State::kWriting:
      return StepWriting();
    case State::kStreaming:
      return StepStreaming();
    case State::kLingering:
      return StepLingering();
    case State::kHandling:
    case State::kClosed:
      return false;
  }
  return false;
}

/// Arranges for Drive() once the socket is ready; closes after a failure.
void ServerConnection::Await(TlsOutcome outcome) {
  const bool reading = outcome == TlsOutcome::kWantRead;
  if (!reading && outcome != TlsOutcome::kWantWrite) return Close();
  bool ServerConnection::*const waiting =
      reading ? &ServerConnection::waiting_to_read_ : &ServerConnection::waiting_to_write_;
  if (std::exchange(this->*waiting, true)) return;
  tls_.socket().async_wait(reading ? asio::socket_base::wait_read : asio::socket_base::wait_write,
                           [self = shared_from_this(), waiting](boost::system::error_code failed) {
                             (*self).*waiting = false;
                             if (failed == asio::error::operation_aborted) return;
                             failed ? self->Close() : self->Drive();
                           });
}

bool ServerConnection::StepHandshake() {
  const TlsOutcome outcome = tls_.Handshake();
  if (outcome != TlsOutcome::kDone) {
    Await(outcome);
    return false;
  }
  BeginReading();
  return true;
}

void ServerConnection::BeginReading() {
  if (core_->stopping) return End();
  state_ = State::kReading;
  request_begun_ = !input_.empty();
  SetDeadline(request_begun_ ? options().request_timeout : options().idle_timeout);
}

bool ServerConnection::StepReading() {
  const auto progress = input_.empty() ? RequestReader::Progress::kNeedMore : reader_.Feed(input_);
  if (progress == RequestReader::Progress::kDone) {
    Handle();
    return true;
  }
  if (progress == RequestReader::Progress::kRefused) {
    BeginWriting(ResponseText(reader_.refusal(), Framing::kLength, false).value(), State::kLingering);
    return true;
  }
  std::size_t size = 0;
  const TlsOutcome outcome = tls_.Read(RecordBuffer().data(), RecordBuffer().size(), &size);
  if (outcome != TlsOutcome::kDone) {
    if (input_.empty()) input_ = {};  // an idle connection keeps no memory
    Await(outcome);
    return false;
  }
  if (!std::exchange(request_begun_, true)) SetDeadline(options().request_timeout);
  input_.append(RecordBuffer().data(), size);
  return true;
}

void ServerConnection::Handle() {
  state_ = State::kHandling;
  ClearDeadline();
  HttpRequest request = reader_.Take();
  request.remote = remote_;
  keep_alive_ = reader_.keep_alive();
  auto responder = MakeResponder(shared_from_this());
  try {
    core_->handler(std::move(request), std::move(responder));
  } catch (...) {
    // The responder went with the handler's stack, and its end answered 500.
  }
}

void ServerConnection::Respond(HttpResponse response) {
  if (state_ != State::kHandling) return;
  const bool keep_alive = keep_alive_ && !core_->stopping;
  auto text = ResponseText(response, Framing::kLength, keep_alive);
  if (text) {
    BeginWriting(std::move(*text), keep_alive ? State::kReading : State::kClosed);
  } else {
    BeginWriting(ProblemText(500, kUnsendable, "internal"), State::kClosed);
  }
  Drive();
}

void ServerConnection::BeginWriting(std::string text, State after) {
  state_ = State::kWriting;
  after_writing_ = after;
  output_ = std::move(text);
  written_ = 0;
  SetDeadline(options().write_timeout);
}

/// Writes what it can of output_. False if that was not all: then it has arranged to be called again, or
/// closed.
bool ServerConnection::Flush() {
  while (written_ < output_.size()) {
    std::size_t size = 0;
    const TlsOutcome outcome = tls_.Write(std::string_view(output_).substr(written_), &size);
    if (outcome != TlsOutcome::kDone) {
      Await(outcome);
      return false;
    }
    written_ += size;
    SetDeadline(options().write_timeout);
    const std::size_t outside = std::min(size, outside_backlog_);
    outside_backlog_ -= outside;
    if (stream_) stream_->Sent(size - outside);
  }
  output_ = {};
  written_ = 0;
  return true;
}

bool ServerConnection::StepWriting() {
  if (!Flush()) return false;
  if (after_writing_ == State::kReading) {
    BeginReading();
  } else if (after_writing_ == State::kLingering) {
    // Closing while the peer still sends would reset the connection, and the refusal would be lost with it.
    tls_.SayGoodbye();
    boost::system::error_code ignored;
    tls_.socket().shutdown(asio::socket_base::shutdown_send, ignored);
    state_ = State::kLingering;
    SetDeadline(kLingerTimeout);
  } else {
    End();
  }
  return true;
}

bool ServerConnection::StepLingering() {
  const ssize_t size = ::recv(tls_.socket().native_handle(), RecordBuffer().data(), RecordBuffer().size(), 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
    Await(TlsOutcome::kWantRead);
    return false;
  }
  lingered_ += static_cast<std::size_t>(std::max<ssize_t>(size, 0));
  if (size > 0 && lingered_ <= kMaxLingerBytes) return true;
  Close();
  return false;
}

void ServerConnection::BeginStream(HttpResponse head, std::shared_ptr<StreamState> stream) {
  stream_ = std::move(stream);
  if (state_ != State::kHandling) return Close();
  const std::string first = std::exchange(head.body, {});
  auto text = ResponseText(head, Framing::kChunked, /*keep_alive=*/false);
  if (!text || core_->stopping) {
    BeginWriting(text ? ProblemText(503, "the server stops", "unavailable")
                      : ProblemText(500, kUnsendable, "internal"),
                 State::kClosed);
    return Drive();
  }
  if (!first.empty()) *text += ChunkText(first);
  BeginWriting(std::move(*text), State::kClosed);
  outside_backlog_ = output_.size();
  state_ = State::kStreaming;
  Drive();
}

void ServerConnection::StreamChanged() {
  if (state_ == State::kStreaming) Drive();
}

bool ServerConnection::StepStreaming() {
  if (stream_->HasOverflowed()) {
    Close();
    return false;
  }
  if (!Flush()) return false;
  bool last = false;
  output_ = stream_->TakeOutput(&last);
  if (!output_.empty()) {
    SetDeadline(options().write_timeout);
    return true;
  }
  ClearDeadline();
  if (last) {
    End();
    return false;
  }
  return PeerIsSilent();
}

/// Notices the end of a stream's reader, who has nothing more to say. Always false: there is nothing more to
/// do.
bool ServerConnection::PeerIsSilent() {
  if (waiting_to_read_) return false;
  std::size_t size = 0;
  const TlsOutcome outcome = tls_.Read(RecordBuffer().data(), RecordBuffer().size(), &size);
  outcome == TlsOutcome::kDone ? Close() : Await(outcome);
  return false;
}

void ServerConnection::Retire() {
  switch (state_) {
    case State::kHandshake:
    case State::kReading:
    case State::kLingering:
      return End();
    case State::kStreaming: {
      stream_->Close();
      return Drive();
    }
    case State::kHandling:
    case State::kWriting:
    case State::kClosed:
      return;
  }
}

void ServerConnection::End() {
  tls_.SayGoodbye();
  Close();
}

void ServerConnection::Close() {
  // A stream may come to a connection that is closed already: its end is reported all the same.
  if (const auto stream = std::exchange(stream_, nullptr)) {
    if (const auto closed = stream->End()) closed();
  }
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  timer_.cancel();
  tls_.Close();
  input_ = {};
  output_ = {};
  thread_->connections.erase(shared_from_this());
  core_->Removed();
}

void ServerConnection::SetDeadline(std::chrono::milliseconds from_now) {
  deadline_ = Clock::now() + from_now;
  if (deadline_ < timer_armed_for_) ArmTimer();
}

/// The timer is left alone while the deadline only moves on; when it fires, it looks.
void ServerConnection::ArmTimer() {
  timer_armed_for_ = deadline_;
  timer_.expires_at(deadline_);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code failed) {
    if (!failed) self->OnTimer();
  });
}

void ServerConnection::OnTimer() {
  timer_armed_for_ = Clock::time_point::max();
  if (state_ == State::kClosed || deadline_ == Clock::time_point::max()) return;
  Clock::now() >= deadline_ ? Close() : ArmTimer();
}

}  // namespace grantfs::net
