#include "grantfs/api/bounds.h"
#include "grantfs/crypto/encoding.h"
#include "vault_call_internal.h"

namespace grantfs {
namespace {

constexpr int kRepetitions = 2;
constexpr std::chrono::milliseconds kWorthAsking{20};

Error Cancelled() { return Error{Code::kCancelled, "the caller gave up"}; }

}  // namespace

int VaultConnection::Attempts::NextTurn() {
  const std::lock_guard guard(mutex_);
  return ++turn_;
}

void VaultConnection::Attempts::Began(int turn, const std::shared_ptr<PendingRequest>& attempt) {
  bool cancelled = false;
  {
    const std::lock_guard guard(mutex_);
    if (turn == turn_) attempt_ = attempt;  // its answer may have come already, and the next attempt begun
    cancelled = cancelled_;
  }
  if (cancelled) attempt->Cancel();
}

void VaultConnection::Attempts::Cancel() {
  std::shared_ptr<PendingRequest> attempt;
  {
    const std::lock_guard guard(mutex_);
    cancelled_ = true;
    attempt = attempt_;
  }
  if (attempt) attempt->Cancel();
}

bool VaultConnection::Attempts::IsCancelled() {
  const std::lock_guard guard(mutex_);
  return cancelled_;
}

VaultConnection::Call::Call(VaultConnection* connection, const api::Route& route, Json body,
                            CallOptions options, Done done)
    : connection_(connection),
      route_(route),
      body_(body.is(Json::Kind::kNull) ? std::string() : body.Dump()),
      again_(options.again),
      end_(std::chrono::steady_clock::now() + options.deadline),
      done_(std::move(done)) {}

std::chrono::milliseconds VaultConnection::Call::Left() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(end_ - std::chrono::steady_clock::now());
}

void VaultConnection::Call::Attempt() {
  if (IsCancelled()) return Finish(Cancelled());
  // Each attempt has a signature of its own: the vault remembers nonces.
  auto request = connection_->MakeRequest(route_, body_);
  if (!request) return Finish(request.error());
  HttpClient::SendOptions options;
  options.deadline = std::max(Left(), std::chrono::milliseconds(1));
  const int turn = NextTurn();
  auto pending = connection_->client()->Send(
      std::move(*request), options,
      [self = shared_from_this()](Result<HttpResponse> response) { self->Answered(std::move(response)); });
  Began(turn, pending);
}

void VaultConnection::Call::Answered(Result<HttpResponse> response) {
  if (IsCancelled()) return Finish(Cancelled());
  if (!response) {
    const bool lost = response.error().code == Code::kUnreachable && again_ && Left() > kWorthAsking;
    if (!lost || repeated_ == kRepetitions) return Finish(response.error());
    ++repeated_;
    return Attempt();
  }
  if (response->status == 401 && !taught_) {
    taught_ = true;
    connection_->Learn(*response);
    return Attempt();
  }
  if (response->status != 200) return Finish(connection_->ErrorOf(*response));
  // A part of the audit log is bytes: a caller that waits for JSON finds none of its members in it.
  const std::string* const type = FindHeader(response->headers, "content-type");
  if (type != nullptr && (*type == "application/octet-stream" || type->starts_with("text/plain")))
    return Finish(Json::Object({{kRawMember, Base64Encode(AsBytes(response->body))}}));
  auto json = ParseJson(response->body, {.max_bytes = api::kMaxResponseBytes});
  if (!json || !json->is(Json::Kind::kObject)) {
    return Finish(connection_->Malformed());
  }
  Finish(std::move(*json));
}

void VaultConnection::Call::Finish(Result<Json> result) {
  const auto self = shared_from_this();
  const Done done = std::move(done_);
  done(std::move(result));
  connection_->End(self);
}

VaultConnection::Lines::Lines(VaultConnection* connection, const api::Route& route, LineEvents events)
    : connection_(connection), route_(route), events_(std::move(events)) {}

void VaultConnection::Lines::Attempt() {
  if (IsCancelled()) return Finish(Cancelled());
  refused_ = {};
  partial_.clear();
  auto request = connection_->MakeRequest(route_, {});
  if (!request) return Finish(request.error());
  const int turn = NextTurn();
  StreamEvents events;
  events.head = [self = shared_from_this()](HttpResponse response) { self->Head(response); };
  events.chunk = [self = shared_from_this()](std::string_view bytes) { self->Chunk(bytes); };
  events.end = [self = shared_from_this()](Status status) { self->Ended(std::move(status)); };
  auto pending = connection_->client()->OpenStream(std::move(*request), std::move(events));
  Began(turn, pending);
}

void VaultConnection::Lines::Head(const HttpResponse& response) {
  if (response.status != 200) refused_ = response;
}

void VaultConnection::Lines::Chunk(std::string_view bytes) {
  if (refused_.status != 200) {
    if (refused_.body.size() < api::kMaxWatchLineBytes) refused_.body += bytes;
    return;
  }
  partial_ += bytes;
  std::size_t from = 0;
  for (std::size_t at; (at = partial_.find('\n', from)) != std::string::npos; from = at + 1) {
    events_.line(std::string_view(partial_).substr(from, at - from));
  }
  partial_.erase(0, from);
  if (partial_.size() > api::kMaxWatchLineBytes) Cancel();
}

void VaultConnection::Lines::Ended(Status status) {
  if (IsCancelled()) return Finish(Cancelled());
  if (refused_.status == 401 && !taught_) {
    taught_ = true;
    connection_->Learn(refused_);
    return Attempt();
  }
  if (refused_.status != 200) return Finish(connection_->ErrorOf(refused_));
  Finish(std::move(status));
}

void VaultConnection::Lines::Finish(Status status) {
  const auto self = shared_from_this();
  const LineEvents events = std::move(events_);
  events.end(std::move(status));
  connection_->End(self);
}

}  // namespace grantfs
