#include "grantfs/net/http_server.h"

#include <pthread.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <future>

#include "server_connection_internal.h"

namespace grantfs {
namespace net {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

void ServerThread::Start() {
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "grantfs-server");
}

void ServerThread::Run() {
  while (true) {
    try {
      io_.run();
      return;
    } catch (...) {
      // A task failed for want of memory: its connection ends by its deadline, the others go on.
    }
  }
}

void ServerThread::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  work_.reset();
  if (thread_.joinable()) thread_.join();
}

namespace {

constexpr std::chrono::milliseconds kAcceptPause{100};

Error AcceptorError(const boost::system::error_code& failed, const Address& address) {
  const Code code = failed == asio::error::address_in_use ? Code::kConflict
                    : failed == asio::error::access_denied || failed == asio::error::no_permission
                        ? Code::kDenied
                        : Code::kIo;
  return Error{code, "the address cannot be listened at; free it or name another", failed.value(),
               address.Text()};
}

/// One bound address, accepting on the first thread's loop.
struct Listener {
  explicit Listener(asio::io_context& io) : acceptor(io), pause(io) {}
  Status Bind(asio::io_context& io, const Address& address);

  tcp::acceptor acceptor;
  asio::steady_timer pause;
};

Result<tcp::endpoint> Lookup(asio::io_context& io, const Address& address) {
  boost::system::error_code failed;
  const auto numeric = asio::ip::make_address(address.host, failed);
  if (!failed) return tcp::endpoint(numeric, address.port);
  tcp::resolver resolver(io);
  const auto found =
      resolver.resolve(address.host, std::to_string(address.port), tcp::resolver::passive, failed);
  if (failed || found.empty())
    return Error{Code::kUnreachable, "the name cannot be looked up; mind the spelling, or name an address", 0,
                 address.host};
  return found.begin()->endpoint();
}

Status Listener::Bind(asio::io_context& io, const Address& address) {
  const tcp::endpoint endpoint = GRANTFS_TRY(Lookup(io, address));
  boost::system::error_code failed;
  acceptor.open(endpoint.protocol(), failed);
  if (!failed) acceptor.set_option(asio::socket_base::reuse_address(true), failed);
  if (!failed && endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(true), failed);
  if (!failed) acceptor.bind(endpoint, failed);
  if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
  if (failed) return AcceptorError(failed, address);
  return {};
}

class Server final : public HttpServer {
 public:
  explicit Server(std::shared_ptr<ServerCore> core) : core_(std::move(core)) {}
  ~Server() override;

  Status Open();
  std::vector<std::uint16_t> Ports() const override;
  std::size_t ConnectionCount() const override { return core_->count(); }
  Status UseIdentity(const TlsIdentity& identity) override {
    core_->UseContext(GRANTFS_TRY(MakeServerContext(identity)));
    return {};
  }
  void Stop(std::chrono::milliseconds grace) override;

 private:
  void Accept(Listener& listener);
  void Accepted(const std::shared_ptr<ServerThread>& thread, tcp::socket socket);
  template <typename Action>
  void ForEachConnection(Action action);

  const std::shared_ptr<ServerCore> core_;
  std::vector<std::shared_ptr<ServerThread>> threads_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::uint16_t> ports_;
  std::size_t next_thread_ = 0;
  bool running_ = false;
};

Server::~Server() {
  Stop(std::chrono::milliseconds(0));
  // After a failed start some threads may run, with nothing to do.
  for (const auto& thread : threads_) {
    thread->io().stop();
    thread->Stop();
  }
}

Status Server::Open() {
  for (unsigned i = 0; i < core_->options.threads; ++i) threads_.push_back(std::make_shared<ServerThread>());
  for (const Address& address : core_->options.listen) {
    auto listener = std::make_unique<Listener>(threads_[0]->io());
    GRANTFS_CHECK(listener->Bind(threads_[0]->io(), address));
    boost::system::error_code failed;
    ports_.push_back(listener->acceptor.local_endpoint(failed).port());
    listeners_.push_back(std::move(listener));
  }
  for (const auto& listener : listeners_) Accept(*listener);
  for (const auto& thread : threads_) thread->Start();
  running_ = true;
  return {};
}

std::vector<std::uint16_t> Server::Ports() const { return ports_; }

void Server::Accept(Listener& listener) {
  const auto thread = threads_[next_thread_++ % threads_.size()];
  listener.acceptor.async_accept(
      thread->io(), [this, &listener, thread](boost::system::error_code failed, tcp::socket socket) {
        if (!listener.acceptor.is_open()) return;
        if (!failed) {
          Accepted(thread, std::move(socket));
          return Accept(listener);
        }
        // Out of descriptors or memory: the queue would only wake us again at once.
        listener.pause.expires_after(kAcceptPause);
        listener.pause.async_wait([this, &listener](boost::system::error_code) {
          if (listener.acceptor.is_open()) Accept(listener);
        });
      });
}

void Server::Accepted(const std::shared_ptr<ServerThread>& thread, tcp::socket socket) {
  if (core_->count() >= core_->options.max_connections) return;  // the socket closes
  auto connection = std::make_shared<ServerConnection>(core_, thread, std::move(socket));
  thread->Dispatch([connection] { connection->Start(); });
}

template <typename Action>
void Server::ForEachConnection(Action action) {
  for (const auto& thread : threads_) {
    thread->Post([thread, action] {
      const auto connections = thread->connections;  // the action removes from it
      for (const auto& connection : connections) action(*connection);
    });
  }
}

void Server::Stop(std::chrono::milliseconds grace) {
  if (!std::exchange(running_, false)) return;
  core_->stopping = true;
  std::promise<void> closed;
  threads_[0]->Post([this, &closed] {
    boost::system::error_code ignored;
    for (const auto& listener : listeners_) {
      listener->acceptor.close(ignored);
      listener->pause.cancel();
    }
    closed.set_value();
  });
  closed.get_future().wait();  // from here on no connection is added
  ForEachConnection([](ServerConnection& connection) { connection.Retire(); });
  core_->WaitUntilNone(grace);
  ForEachConnection([](ServerConnection& connection) { connection.Close(); });
  for (const auto& thread : threads_) thread->Stop();
}

Status CheckOptions(const HttpServerOptions& options) {
  const bool good = !options.listen.empty() && options.threads >= 1 && options.threads <= 64 &&
                    options.max_body_bytes > 0 && options.max_connections > 0 &&
                    options.max_stream_backlog > 0;
  if (!good) return Error{Code::kInvalid, "the server's options are out of bounds"};
  return {};
}

}  // namespace
}  // namespace net

Result<std::unique_ptr<HttpServer>> HttpServer::Start(HttpServerOptions options, const TlsIdentity& identity,
                                                      Handler handler) {
  GRANTFS_CHECK(net::CheckOptions(options));
  auto core = std::make_shared<net::ServerCore>();
  core->UseContext(GRANTFS_TRY(net::MakeServerContext(identity)));
  core->options = std::move(options);
  core->handler = std::move(handler);
  auto server = std::make_unique<net::Server>(std::move(core));
  try {
    GRANTFS_CHECK(server->Open());
  } catch (const boost::system::system_error& failed) {
    return Error{Code::kIo, "the server's event loop cannot be made", failed.code().value()};
  } catch (const std::system_error& failed) {
    return Error{Code::kIo, "the server's threads cannot be started", failed.code().value()};
  }
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace grantfs
