#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "grantfs/crypto/hash.h"
#include "grantfs/crypto/secret.h"
#include "grantfs/net/address.h"
#include "grantfs/util/clock.h"
#include "grantfs/util/result.h"

namespace grantfs {

struct ServeOptions {
  std::string data;             ///< the vault's directory; made if it is not there
  std::vector<Address> listen;  ///< at least one; port 0 is any free one
  std::vector<Address>
      names;             ///< what clients may sign for, at least one; port 0 stands for the first bound port
  unsigned threads = 2;  ///< of the HTTP server
  std::string version;   ///< of the program, for the status
  const Clock* clock = &SystemClock();
  /// Shows the claim of an empty vault to the person at the terminal. Where it is empty, the claim goes to
  /// the file `claim` in the data directory (0600), which is taken away once it is used. Runs before `ready`,
  /// on the calling thread.
  std::function<void(const SecretMemory& line)> show_claim;
};

/// The file of an unused claim within ServeOptions::data.
inline constexpr char kClaimFile[] = "claim";

/// A vault that serves: store, vault and HTTPS together. Threads: all functions are safe.
class Server {
 public:
  /// Opens the data directory, making a new vault's keys and claim where it is empty, and listens. Errors: as
  /// OpenEmbeddedStore, Vault::Open and HttpServer::Start.
  static Result<std::unique_ptr<Server>> Start(const ServeOptions& options);
  virtual ~Server() = default;  ///< as Stop

  /// What clients connect to: the first name, with the port that is bound.
  virtual Address address() const = 0;
  virtual std::vector<std::uint16_t> Ports() const = 0;
  virtual Hash Pin() const = 0;
  virtual bool Claimed() const = 0;
  virtual std::size_t ConnectionCount() const = 0;
  /// Gives running requests `grace`, ends streams, closes the database.
  virtual void Stop(std::chrono::milliseconds grace) = 0;
};

/// Serves until SIGTERM or SIGINT, then stops gracefully. `ready` runs once it listens. Must be called before
/// any thread is started: it blocks these signals for all of them. Errors: as Server::Start.
Status RunServer(const ServeOptions& options, const std::function<void(const Server&)>& ready);

}  // namespace grantfs
