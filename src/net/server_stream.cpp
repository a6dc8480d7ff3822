#include <algorithm>
#include <cstdlib>
#include <utility>

#include "http_text_internal.h"
#include "server_connection_internal.h"
#include "server_stream_internal.h"

namespace grantfs::net {

StreamState::Outcome StreamState::Write(const std::string& chunk) {
  const std::lock_guard lock(mutex_);
  if (ended_ || closing_) return {};
  if (chunk.empty()) return {.accepted = true};
  std::string text = ChunkText(chunk);
  if (backlog_ + text.size() > max_backlog_) {
    closing_ = overflow_ = true;
    return {.tell = true};  // the connection may be stuck in sending, and look for nothing new
  }
  backlog_ += text.size();
  pending_.empty() ? pending_.swap(text) : static_cast<void>(pending_ += text);
  return {.accepted = true, .tell = !std::exchange(told_, true)};
}

StreamState::Outcome StreamState::Close() {
  const std::lock_guard lock(mutex_);
  if (ended_ || std::exchange(closing_, true)) return {};
  pending_ += ChunkText("");
  return {.accepted = true, .tell = !std::exchange(told_, true)};
}

bool StreamState::SetClosed(std::function<void()>& closed) {
  const std::lock_guard lock(mutex_);
  if (ended_) return false;
  closed_ = std::move(closed);
  return true;
}

bool StreamState::HasOverflowed() {
  const std::lock_guard lock(mutex_);
  return overflow_;
}

std::string StreamState::TakeOutput(bool* last) {
  const std::lock_guard lock(mutex_);
  told_ = false;
  *last = closing_;
  return std::exchange(pending_, {});
}

void StreamState::Sent(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  backlog_ -= std::min(bytes, backlog_);
}

std::function<void()> StreamState::End() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  pending_ = {};
  return std::exchange(closed_, nullptr);
}

namespace {

class StreamHandle final : public ResponseStream {
 public:
  StreamHandle(std::shared_ptr<ServerConnection> connection, std::shared_ptr<StreamState> state)
      : connection_(std::move(connection)), state_(std::move(state)) {}
  ~StreamHandle() override { Tell(state_->Close()); }

  bool Write(std::string chunk) override {
    const auto outcome = state_->Write(chunk);
    Tell(outcome);
    return outcome.accepted;
  }
  void Close() override { Tell(state_->Close()); }
  void OnClosed(std::function<void()> closed) override {
    if (!state_->SetClosed(closed)) connection_->thread()->Post(std::move(closed));
  }

 private:
  void Tell(StreamState::Outcome outcome) {
    if (!outcome.tell) return;
    // Never at once, even on the loop's thread: a caller may hold a lock that its own OnClosed function
    // takes.
    connection_->thread()->Post([connection = connection_] { connection->StreamChanged(); });
  }

  const std::shared_ptr<ServerConnection> connection_;
  const std::shared_ptr<StreamState> state_;
};

class ResponderHandle final : public Responder {
 public:
  explicit ResponderHandle(std::shared_ptr<ServerConnection> connection)
      : connection_(std::move(connection)) {}
  ~ResponderHandle() override {
    if (!answered_) Send(Problem(500, "the server failed to answer", "internal"));
  }

  void Send(HttpResponse response) override {
    Claim();
    connection_->thread()->Dispatch([connection = connection_, response = std::move(response)]() mutable {
      connection->Respond(std::move(response));
    });
  }

  std::shared_ptr<ResponseStream> Stream(HttpResponse head) override {
    Claim();
    auto state = std::make_shared<StreamState>(connection_->options().max_stream_backlog);
    auto handle = std::make_shared<StreamHandle>(connection_, state);
    const bool begun =
        connection_->thread()->Dispatch([connection = connection_, state, head = std::move(head)]() mutable {
          connection->BeginStream(std::move(head), std::move(state));
        });
    if (!begun) state->End();
    return handle;
  }

 private:
  void Claim() {
    if (answered_.exchange(true)) std::abort();  // two answers to one request
  }

  const std::shared_ptr<ServerConnection> connection_;
  std::atomic<bool> answered_{false};
};

}  // namespace

std::shared_ptr<Responder> MakeResponder(std::shared_ptr<ServerConnection> connection) {
  return std::make_shared<ResponderHandle>(std::move(connection));
}

}  // namespace grantfs::net
