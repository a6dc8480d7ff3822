#include "grantfs/client/vault_connection.h"

#include <future>

#include "grantfs/api/bounds.h"
#include "grantfs/httpsig/signature.h"
#include "problem_internal.h"
#include "vault_call_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kInstanceDigits = 32;
constexpr std::int64_t kClockTolerance =
    5;  // seconds that are not worth an offset: the vault allows 30 ahead, 60 behind

bool IsInstance(const std::string& text) {
  return text.size() == kInstanceDigits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

Result<std::shared_ptr<HttpClient>> VaultConnection::MakeHttp(const Address& address,
                                                              const std::vector<Hash>& pins) {
  HttpClientOptions http;
  http.server = address;
  http.pins = pins;
  http.max_body_bytes = api::kMaxResponseBytes;
  return std::shared_ptr<HttpClient>(GRANTFS_TRY(HttpClient::Create(std::move(http))));
}

Result<std::unique_ptr<VaultConnection>> VaultConnection::Create(ConnectionOptions options, std::string keyid,
                                                                 const SigningKey* key) {
  if (!IsInstance(options.instance)) options.instance = std::string(kInstanceDigits, '0');
  std::unique_ptr<VaultConnection> made(new VaultConnection(std::move(options), std::move(keyid), key));
  GRANTFS_CHECK(made->UsePins(made->options_.pins));
  return made;
}

void VaultConnection::Close() {
  std::set<std::shared_ptr<PendingRequest>> running;
  {
    const std::lock_guard guard(mutex_);
    closed_ = true;
    running = running_;
  }
  for (const auto& call : running) call->Cancel();
}

VaultConnection::~VaultConnection() {
  Close();
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [&] { return running_.empty(); });
}

Status VaultConnection::UsePins(const std::vector<Hash>& pins) {
  const std::lock_guard guard(mutex_);
  if (pins == pins_) return {};
  const bool made = options_.http != nullptr && pins == options_.pins;
  clients_.push_back(made ? std::move(options_.http) : GRANTFS_TRY(MakeHttp(options_.address, pins)));
  options_.http.reset();
  pins_ = pins;
  return {};
}

std::shared_ptr<HttpClient> VaultConnection::client() {
  const std::lock_guard guard(mutex_);
  return clients_.back();
}

Result<HttpRequest> VaultConnection::MakeRequest(const api::Route& route, const std::string& body) {
  HttpRequest request;
  request.method = route.method;
  request.path = route.path;
  request.authority = options_.address.Authority();
  request.body = body;
  std::string instance;
  std::int64_t created = options_.clock->WallSeconds();
  {
    const std::lock_guard guard(mutex_);
    instance = options_.instance;
    created += options_.clock_offset;
  }
  const SignedParts parts{request.method, request.authority, request.path, {}, request.body};
  request.headers = GRANTFS_TRY(SignRequest(parts, options_.vault.Hex(), instance, created, keyid_, *key_));
  if (!body.empty()) request.headers.push_back({"content-type", "application/json"});
  return request;
}

void VaultConnection::Learn(const HttpResponse& response) {
  const std::string* instance = FindHeader(response.headers, kInstanceHeader);
  const std::string* date = FindHeader(response.headers, "date");
  std::function<void(const std::string&, std::int64_t)> learnt;
  ConnectionOptions now;
  {
    const std::lock_guard guard(mutex_);
    const std::string was = options_.instance;
    const std::int64_t offset = options_.clock_offset;
    if (instance != nullptr && IsInstance(*instance)) options_.instance = *instance;
    const std::int64_t theirs = date != nullptr ? ParseHttpDate(*date) : -1;
    const std::int64_t ours = options_.clock->WallSeconds();
    if (theirs > 0) {
      const bool close = theirs - ours <= kClockTolerance && ours - theirs <= kClockTolerance;
      options_.clock_offset = close ? 0 : theirs - ours;
    }
    if (was == options_.instance && offset == options_.clock_offset) return;
    now = options_;
  }
  if (now.learnt) now.learnt(now.instance, now.clock_offset);
}

Error VaultConnection::Malformed() const {
  return Error{Code::kUnsupported,
               "the vault's answer is malformed; this grantfs and the vault's may be of different versions",
               0, options_.address.Text()};
}

Error VaultConnection::ErrorOf(const HttpResponse& response) const {
  return ErrorOfResponse(response, keyid_, options_.address.Text());
}

bool VaultConnection::Begin(const std::shared_ptr<PendingRequest>& call) {
  const std::lock_guard guard(mutex_);
  running_.insert(call);
  return !closed_;
}

void VaultConnection::End(const std::shared_ptr<PendingRequest>& call) {
  const std::lock_guard guard(mutex_);
  running_.erase(call);
  ended_.notify_all();
}

std::shared_ptr<PendingRequest> VaultConnection::Send(const api::Route& route, Json body, CallOptions options,
                                                      Done done) {
  if (options.deadline.count() == 0) options.deadline = options_.deadline;
  auto call = std::make_shared<Call>(this, route, std::move(body), options, std::move(done));
  if (!Begin(call)) call->Cancel();
  call->Start();
  return call;
}

Result<Json> VaultConnection::Ask(const api::Route& route, Json body, CallOptions options) {
  std::promise<Result<Json>> answer;
  Send(route, std::move(body), options, [&](Result<Json> result) { answer.set_value(std::move(result)); });
  return answer.get_future().get();
}

std::shared_ptr<PendingRequest> VaultConnection::OpenLines(const api::Route& route, LineEvents events) {
  auto lines = std::make_shared<Lines>(this, route, std::move(events));
  if (!Begin(lines)) lines->Cancel();
  lines->Start();
  return lines;
}

}  // namespace grantfs
