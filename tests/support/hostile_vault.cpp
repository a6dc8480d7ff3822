#include "hostile_vault.h"

#include "grantfs/crypto/aead.h"
#include "grantfs/store/store.h"
#include "grantfs/trust/statement.h"
#include "must.h"

namespace grantfs::testing {
namespace {

bool IsOfTheConnection(const std::string& name) {
  return name == "host" || name == "content-length" || name == "connection" || name == "transfer-encoding";
}

std::vector<HttpHeader> Carried(const std::vector<HttpHeader>& headers) {
  std::vector<HttpHeader> carried;
  for (const HttpHeader& header : headers) {
    if (!IsOfTheConnection(header.name)) carried.push_back(header);
  }
  return carried;
}

TlsIdentity StolenIdentity(const std::string& directory) {
  StoreOptions options;
  options.directory = directory;
  const auto store = Must(OpenEmbeddedStore(options));
  auto state = Must(Must(store->Read())->Server());
  return {state->tls_certificate, Must(state->tls_key.Clone())};
}

// A version becomes the one that is served.
Status ForceIn(StoreWriter& writer, const std::string& envelope) {
  const auto made = GRANTFS_TRY(SignedStatement::Parse(envelope));
  const Statement& said = made.statement();
  GRANTFS_CHECK(
      writer.AppendStatement({said.list.Text(), made.head(), said.signer, envelope}, said.previous));
  const auto* version = std::get_if<VersionPublish>(&said.act);
  if (version == nullptr) return {};
  const std::uint64_t secret = said.list.number;
  GRANTFS_CHECK(writer.StageCiphertext({said.signer, secret, version->version, version->commitment},
                                       Bytes(version->size + kAeadOverhead), said.time));
  GRANTFS_CHECK(writer.PublishVersion(said.signer,
                                      {secret, version->version, made.head(), version->commitment,
                                       version->ciphertext, version->size, version->epoch, said.time},
                                      said.time));
  return writer.SetLabel(secret, "current", version->version, said.time * 1000);
}

}  // namespace

HostileVault::HostileVault() {
  options_.data_directory = dir_.path() + "/data";
  options_.listen = {{"127.0.0.1", 0}};
  options_.names = {"127.0.0.1:" + std::to_string(relay_.port())};
  options_.claim_on_terminal = false;
  options_.say = [](std::string_view) {};
  StartReal();
  server_.reset();
  const TlsIdentity identity = StolenIdentity(directory());
  StartReal();
  HttpClientOptions client;
  client.server = server_->addresses().front();
  client.pins = {server_->pin()};
  client.stream_timeout = std::chrono::seconds(30);
  client_ = Must(HttpClient::Create(std::move(client)));
  HttpServerOptions front;
  front.listen = {{"127.0.0.1", 0}};
  front_ = Must(
      HttpServer::Start(front, identity, [this](HttpRequest request, std::shared_ptr<Responder> responder) {
        Handle(std::move(request), responder);
      }));
  relay_.LeadTo(front_->Ports().front());
}

HostileVault::~HostileVault() {
  relay_.LeadTo(0);
  relay_.CutAll();
  front_.reset();  // first: whatever it still takes is handed to the client
  client_.reset();
}

void HostileVault::StartReal() { server_ = Must(VaultServer::Start(options_)); }

void HostileVault::LetIn(const std::vector<std::string>& envelopes) {
  options_.listen = {server_->addresses().front()};
  server_.reset();
  {
    StoreOptions options;
    options.directory = directory();
    const auto store = Must(OpenEmbeddedStore(options));
    Must(store->WriteAndWait([&](StoreWriter& writer) -> Status {
      for (const std::string& envelope : envelopes) GRANTFS_CHECK(ForceIn(writer, envelope));
      GRANTFS_TRY(writer.NextChange());
      return {};
    }));
  }
  StartReal();
}

void HostileVault::SetRewrite(Rewrite rewrite) {
  const std::lock_guard lock(mutex_);
  rewrite_ = std::move(rewrite);
}

void HostileVault::LoseNextAnswer(const api::Route& route) {
  const std::lock_guard lock(mutex_);
  lose_ = route.path;
  lost_ = false;
}

void HostileVault::Silence(const api::Route& route) {
  const std::lock_guard lock(mutex_);
  silent_ = route.path;
}

void HostileVault::EndWatches(const std::string& lines) {
  {
    const std::lock_guard lock(mutex_);
    watch_lines_ = lines;
  }
  relay_.CutAll();
}

void HostileVault::Handle(HttpRequest request, const std::shared_ptr<Responder>& responder) {
  HttpRequest onward = request;
  onward.headers = Carried(request.headers);
  onward.remote.clear();
  if (request.path == api::kWatch.path) return Follow(onward, responder);
  HttpClient::SendOptions options;
  options.deadline = std::chrono::seconds(20);
  client_->Send(onward, options,
                [this, request = std::move(request), responder](Result<HttpResponse> response) {
                  if (!response) return responder->Send({502, {}, "{}"});
                  Answer(request, std::move(*response), responder);
                });
}

void HostileVault::Answer(const HttpRequest& request, HttpResponse response,
                          const std::shared_ptr<Responder>& responder) {
  Rewrite rewrite;
  bool lose = false;
  {
    const std::lock_guard lock(mutex_);
    rewrite = rewrite_;
    if (silent_ == request.path) return unanswered_.push_back(responder);
    lose = lose_ == request.path && response.status == 200;
    if (lose) lose_.clear();
  }
  if (rewrite) rewrite(request, response);
  response.headers = Carried(response.headers);
  if (lose) {
    relay_.CutAll();
    lost_ = true;
  }
  responder->Send(std::move(response));
}

void HostileVault::Follow(const HttpRequest& request, const std::shared_ptr<Responder>& responder) {
  {
    const std::lock_guard lock(mutex_);
    if (watch_lines_) {
      ++watches_ended_;
      const auto down = responder->Stream({200, {{"content-type", "application/x-ndjson"}}, {}});
      down->Write(std::string(*watch_lines_));
      return down->Close();
    }
  }
  struct Stream {
    std::shared_ptr<Responder> responder;
    HttpResponse head;
    std::shared_ptr<ResponseStream> down;
  };
  auto stream = std::make_shared<Stream>();
  stream->responder = responder;
  StreamEvents events;
  events.head = [stream](HttpResponse head) {
    head.headers = Carried(head.headers);
    stream->head = std::move(head);
    if (stream->head.status == 200) stream->down = stream->responder->Stream(stream->head);
  };
  events.chunk = [stream](std::string_view bytes) {
    if (stream->down) {
      stream->down->Write(std::string(bytes));
    } else {
      stream->head.body += bytes;
    }
  };
  events.end = [stream](const Status&) {
    if (stream->down) return stream->down->Close();
    stream->responder->Send(std::move(stream->head));
  };
  client_->OpenStream(request, std::move(events));
}

}  // namespace grantfs::testing
