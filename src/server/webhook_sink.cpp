#include "alert_sinks_internal.h"
#include "grantfs/crypto/secret.h"
#include "grantfs/net/web_post.h"
#include "grantfs/util/bytes.h"
#include "grantfs/util/clock.h"

namespace grantfs {
namespace {

constexpr std::size_t kLeastKey = 16, kMostKey = 1024;
constexpr std::chrono::seconds kDeadline{20};

class WebhookSink final : public AlertSink {
 public:
  WebhookSink(std::unique_ptr<WebPoster> poster, SecretMemory key)
      : poster_(std::move(poster)), key_(std::move(key)) {}
  const char* kind() const override { return "webhook"; }

  Status Deliver(const AlertMessage& message, const std::atomic<bool>& stop) override {
    const std::string time = std::to_string(SystemClock().WallSeconds());
    const Hash mac = HmacSha256(key_, {AsBytes(time), AsBytes("."), AsBytes(message.json)});
    const std::vector<HttpHeader> headers = {{"Content-Type", "application/json"},
                                             {"User-Agent", "grantfs"},
                                             {"Grantfs-Alert", message.id},
                                             {"Grantfs-Signature", "t=" + time + ",v1=" + mac.Hex()}};
    const int status = GRANTFS_TRY(poster_->Post(headers, message.json, kDeadline, stop));
    if (status >= 200 && status < 300) return {};
    return Error{Code::kUnreachable, "the webhook did not take it: its status is the subject", 0,
                 std::to_string(status)};
  }

 private:
  const std::unique_ptr<WebPoster> poster_;
  const SecretMemory key_;
};

Result<SecretMemory> ReadKey(const std::string& path) {
  SecretMemory key = GRANTFS_TRY(ReadKeyFile(path.c_str(), kMostKey));
  if (key.size() >= kLeastKey) return key;
  return Error{Code::kInvalid, "a webhook's key has 16 bytes at least: openssl rand -hex 32 makes one", 0,
               path};
}

}  // namespace

Result<std::shared_ptr<AlertSink>> MakeWebhookSink(const AlertOptions& options) {
  const WebAddress address = GRANTFS_TRY(ParseWebAddress(options.webhook));
  if (options.webhook_key_file.empty())
    return Error{Code::kInvalid,
                 "needs --alert-webhook-key-file, so that whoever receives an alert can tell whose it is", 0,
                 "--alert-webhook"};
  if (!address.tls && !options.webhook_ca_file.empty())
    return Error{Code::kInvalid, "goes with https:// alone", 0, "--alert-webhook-ca"};
  SecretMemory key = GRANTFS_TRY(ReadKey(options.webhook_key_file));
  auto poster = GRANTFS_TRY(WebPoster::Create(address, options.webhook_ca_file));
  return std::shared_ptr<AlertSink>(std::make_shared<WebhookSink>(std::move(poster), std::move(key)));
}

}  // namespace grantfs
