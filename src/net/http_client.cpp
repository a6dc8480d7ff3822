#include "grantfs/net/http_client.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <system_error>

#include "client_core_internal.h"
#include "http_text_internal.h"

namespace grantfs {
namespace net {
namespace {

class Client final : public HttpClient {
 public:
  explicit Client(std::shared_ptr<ClientCore> core) : core_(std::move(core)) {}
  ~Client() override { core_->Stop(); }

  std::shared_ptr<PendingRequest> Send(HttpRequest request, SendOptions options, Done done) override {
    auto text = RequestText(request, core_->options().server);
    const bool good = text.has_value();
    const auto exchange = std::make_shared<RequestExchange>(core_, good ? std::move(*text) : std::string(),
                                                            options.retry_safe, std::move(done));
    if (good) {
      exchange->StartDeadline(options.deadline);
      core_->Submit(exchange);
    } else {
      exchange->Finish(core_->Failure(text.error().code, text.error().where), Exchange::When::kSoon);
    }
    return exchange;
  }

  std::shared_ptr<PendingRequest> OpenStream(HttpRequest request, StreamEvents events) override {
    auto text = RequestText(request, core_->options().server);
    const bool good = text.has_value();
    const auto exchange =
        std::make_shared<StreamExchange>(core_, good ? std::move(*text) : std::string(), std::move(events));
    if (good) {
      exchange->StartWatch(core_->options().stream_timeout);
      core_->Submit(exchange);
    } else {
      exchange->Finish(core_->Failure(text.error().code, text.error().where), Exchange::When::kSoon);
    }
    return exchange;
  }

 private:
  const std::shared_ptr<ClientCore> core_;
};

Status CheckOptions(const HttpClientOptions& options) {
  const bool good = !options.server.host.empty() && options.server.port != 0 && !options.pins.empty() &&
                    options.pins.size() <= 2 && options.threads >= 1 && options.threads <= 16 &&
                    options.max_connections > 0 && options.max_body_bytes > 0;
  if (!good) return Error{Code::kInvalid, "the client's options are out of bounds"};
  return {};
}

}  // namespace
}  // namespace net

Result<std::unique_ptr<HttpClient>> HttpClient::Create(HttpClientOptions options) {
  GRANTFS_CHECK(net::CheckOptions(options));
  try {
    const auto core = std::make_shared<net::ClientCore>(std::move(options));
    auto client = std::make_unique<net::Client>(core);  // stops what Start() began
    GRANTFS_CHECK(core->Start());
    return std::unique_ptr<HttpClient>(std::move(client));
  } catch (const std::system_error& failed) {
    return Error{Code::kIo, "the client's threads cannot be started", failed.code().value()};
  }
}

Result<HttpResponse> HttpClient::SendAndWait(HttpRequest request, SendOptions options) {
  std::mutex mutex;
  std::condition_variable came;
  std::optional<Result<HttpResponse>> answer;
  Send(std::move(request), options, [&](Result<HttpResponse> result) {
    const std::lock_guard lock(mutex);
    answer = std::move(result);
    came.notify_one();  // under the lock: the waiting frame goes as soon as it is released
  });
  std::unique_lock lock(mutex);
  came.wait(lock, [&] { return answer.has_value(); });
  return std::move(*answer);
}

}  // namespace grantfs
