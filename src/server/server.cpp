#include "grantfs/server/server.h"

#include <signal.h>

#include <cerrno>
#include <cstring>
#include <mutex>

#include "alert_sinks_internal.h"
#include "authenticator_internal.h"
#include "claim_line_internal.h"
#include "grantfs/crypto/encoding.h"
#include "grantfs/crypto/random.h"
#include "grantfs/log/log.h"
#include "grantfs/net/tls_identity.h"
#include "metrics_internal.h"
#include "metrics_listener_internal.h"
#include "names_internal.h"
#include "routes_internal.h"

namespace grantfs {
namespace {

constexpr std::chrono::milliseconds kStopGrace{2000};
constexpr std::chrono::milliseconds kLateAnswer{1000};
constexpr std::size_t kMaxCommonName = 64;

/// The keys that make this server itself, made at its first start.
Status EnsureKeys(Store& store, const std::string& name) {
  {
    const auto reader = GRANTFS_TRY(store.Read());
    if (GRANTFS_TRY(reader->Server())) return {};
  }
  TlsIdentity tls = GRANTFS_TRY(MakeTlsIdentity(name.substr(0, kMaxCommonName)));
  ServerState state;
  state.name = name;
  state.tls_certificate = std::move(tls.certificate_pem);
  state.tls_key = std::move(tls.private_key_pem);
  state.log_origin = name + "/" + HexEncode(RandomBytes(8));
  state.log_seed = GRANTFS_TRY(RandomKey());
  return store.WriteAndWait([&](StoreWriter& writer) { return writer.PutServer(state); });
}

Result<TlsIdentity> LoadTls(Store& store) {
  const auto reader = GRANTFS_TRY(store.Read());
  auto state = GRANTFS_TRY(reader->Server());
  return TlsIdentity{std::move(state->tls_certificate), std::move(state->tls_key)};
}

std::vector<Address> Bound(const std::vector<Address>& listen, const std::vector<std::uint16_t>& ports) {
  std::vector<Address> bound = listen;
  for (std::size_t i = 0; i < bound.size(); ++i) bound[i].port = ports[i];
  return bound;
}

class RunningServer final : public VaultServer {
 public:
  explicit RunningServer(ServeOptions options) : options_(std::move(options)) {}
  ~RunningServer() override { Stop(); }

  Status Open() {
    if (options_.listen.empty()) return Error{Code::kInvalid, "there is no address to listen on"};
    const std::vector<Address> guess = GRANTFS_TRY(ServedNames(options_.names, options_.listen));
    auto sinks = GRANTFS_TRY(MakeAlertSinks(options_.alerts));
    StoreOptions store;
    store.directory = options_.data_directory;
    store.max_readers = 3 * options_.threads + 8;
    store_ = GRANTFS_TRY(OpenEmbeddedStore(store));
    GRANTFS_CHECK(EnsureKeys(*store_, guess.front().host));
    VaultOptions vault;
    vault.clock = options_.clock;
    vault.version = options_.version;
    vault.alert_sinks = std::move(sinks);
    vault.keep_audit = options_.keep_audit;
    vault_ = GRANTFS_TRY(Vault::Open(*store_, vault));
    return Listen();
  }

  const std::vector<Address>& addresses() const override { return bound_; }
  const std::vector<Address>& names() const override { return names_; }
  Hash pin() const override {
    const std::lock_guard lock(mutex_);
    return pin_;
  }
  Hash vault_id() const override { return vault_ != nullptr ? vault_->vault_id() : Hash{}; }

  // From the outside inwards: no request comes in any more, then nothing is decided, then nothing is stored.
  void Stop() override {
    metrics_.reset();
    std::shared_ptr<HttpServer> http;
    {
      const std::lock_guard lock(mutex_);
      http.swap(http_);
    }
    if (http != nullptr) http->Stop(kStopGrace);
    http.reset();
    late_.reset();
    lanes_.reset();
    vault_.reset();
    store_.reset();
  }

 private:
  // The names depend on the port that is bound, and the gate on the names: what comes in between is told to
  // come again.
  Status Listen() {
    const TlsIdentity tls = GRANTFS_TRY(LoadTls(*store_));
    pin_ = GRANTFS_TRY(PinOf(tls.certificate_pem));
    vault_->OnTlsSwitch([this] { return ShowNewKey(); });
    late_ = std::make_unique<LateAnswers>(kLateAnswer);
    lanes_ = std::make_unique<SlowLanes>(options_.threads);
    HttpServerOptions http;
    http.listen = options_.listen;
    http.threads = options_.threads;
    http_ = GRANTFS_TRY(
        HttpServer::Start(http, tls, [this](HttpRequest request, std::shared_ptr<Responder> responder) {
          Handle(std::move(request), std::move(responder));
        }));
    bound_ = Bound(options_.listen, http_->Ports());
    names_ = GRANTFS_TRY(ServedNames(options_.names, bound_));
    Authenticator::Options gate{ServedAuthorities(names_, bound_), options_.nonces_of_one,
                                options_.nonces_of_all, options_.failures_of_one};
    auto authenticator = std::make_unique<Authenticator>(*vault_, *options_.clock, std::move(gate));
    {
      const std::lock_guard lock(mutex_);
      authenticator_ = std::move(authenticator);
    }
    if (options_.metrics) {
      metrics_ = GRANTFS_TRY(MetricsListener::Start(*options_.metrics, [this]() -> Result<std::string> {
        const auto figures = GRANTFS_TRY(vault_->CurrentFigures());
        return MetricsText(counts_, figures, options_.version, started_);
      }));
    }
    return Announce();
  }

  // On the store's thread, which the vault waits for before it ends.
  Status ShowNewKey() {
    const TlsIdentity tls = GRANTFS_TRY(LoadTls(*store_));
    const Hash pin = GRANTFS_TRY(PinOf(tls.certificate_pem));
    std::shared_ptr<HttpServer> http;
    {
      const std::lock_guard lock(mutex_);
      pin_ = pin;
      http = http_;
    }
    if (http == nullptr) return {};  // it stops
    GRANTFS_CHECK(http->UseIdentity(tls));
    Say(options_, "shows the TLS key " + pin.Hex() + " from now on");
    return {};
  }

  Status Announce() {
    if (vault_->vault_id() == Hash{}) {
      vault_->OnClaimed([directory = options_.data_directory] { RemoveClaimFile(directory); });
      GRANTFS_CHECK(ShowNewClaim(*vault_, options_, names_.front(), pin_));
    } else {
      RemoveClaimFile(options_.data_directory);
    }
    for (const Address& address : bound_) Say(options_, "listening on " + address.Text());
    if (metrics_ != nullptr)
      Say(options_,
          "metrics at http://" + Address{options_.metrics->host, metrics_->port()}.Text() + "/metrics");
    if (options_.ready) options_.ready(bound_);
    return {};
  }

  void Handle(HttpRequest request, std::shared_ptr<Responder> responder) {
    Authenticator* authenticator = nullptr;
    {
      const std::lock_guard lock(mutex_);
      authenticator = authenticator_.get();
    }
    if (authenticator == nullptr)
      return responder->Send(ProblemResponse({Code::kUnreachable, "the vault is starting"}));
    bool late = false;
    const auto caller = authenticator->Check(request, &late);
    responder = counts_.Counting(caller ? RequestCounts::RouteOf(request) : RequestCounts::kNoRoute,
                                 std::move(responder));
    if (caller) return Dispatch({*vault_, *caller, request, std::move(responder), *lanes_});
    const bool stranger = caller.error().code == Code::kUnauthentic;
    HttpResponse refusal = stranger ? authenticator->Unauthenticated() : ProblemResponse(caller.error());
    if (late) return late_->Send(std::move(responder), std::move(refusal));
    responder->Send(std::move(refusal));
  }

  const ServeOptions options_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Vault> vault_;
  std::unique_ptr<LateAnswers> late_;
  std::unique_ptr<SlowLanes> lanes_;
  std::shared_ptr<HttpServer> http_;
  std::vector<Address> bound_;
  std::vector<Address> names_;
  Hash pin_;
  RequestCounts counts_;
  const std::int64_t started_ = SystemClock().WallSeconds();
  std::unique_ptr<MetricsListener> metrics_;
  mutable std::mutex mutex_;
  std::unique_ptr<Authenticator> authenticator_;
};

}  // namespace

Result<std::unique_ptr<VaultServer>> VaultServer::Start(ServeOptions options) {
  auto server = std::make_unique<RunningServer>(std::move(options));
  GRANTFS_CHECK(server->Open());
  return std::unique_ptr<VaultServer>(std::move(server));
}

Status RunServer(ServeOptions options) {
  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGTERM);
  ::sigaddset(&ends, SIGINT);
  if (const int failed = ::pthread_sigmask(SIG_BLOCK, &ends, nullptr); failed != 0)
    return Error{Code::kIo, "the signals that end the server cannot be waited for", failed};
  const ServeOptions copy = options;
  const auto server = GRANTFS_TRY(VaultServer::Start(std::move(options)));
  int signal = 0;
  while (::sigwait(&ends, &signal) == EINTR) continue;
  Say(copy, std::string("stopping after ") + ::strsignal(signal));
  server->Stop();
  return {};
}

}  // namespace grantfs
