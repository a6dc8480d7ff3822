#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "grantfs/crypto/hash.h"
#include "grantfs/net/address.h"
#include "grantfs/store/audit_purge.h"
#include "grantfs/util/clock.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// Where critical records are told; "" = not there.
struct AlertOptions {
  std::string webhook;           ///< "https://HOST[:PORT]/PATH"
  std::string webhook_key_file;  ///< what it is signed with: 16..1024 bytes, 0600
  std::string webhook_ca_file;   ///< "": the system's authorities
  std::string command;           ///< absolute path
  std::string syslog;            ///< path of a socket: "/dev/log"
};

struct ServeOptions {
  std::string data_directory;                              ///< made 0700 if it is not there
  std::vector<Address> listen{{"0.0.0.0", kDefaultPort}};  ///< port 0: any free one
  /// "HOST[:PORT]": what clients may sign requests for; without a port, that of the first listen address.
  /// None: the first listen address if it is this computer's own loopback, else the computer's host name.
  /// Loopback names are served besides, where one listens there.
  std::vector<std::string> names;
  /// Where GET /metrics is answered without TLS, on loopback alone. None: nowhere.
  std::optional<Address> metrics;
  unsigned threads = 2;  ///< that carry requests, 1..64
  std::string version = "0";
  const Clock* clock = &SystemClock();
  /// How many requests of one identity are remembered for the minute in which they could be replayed; more
  /// are refused with 429.
  std::size_t nonces_of_one = std::size_t{1} << 18;
  std::size_t nonces_of_all = std::size_t{1} << 22;
  /// How many failed authentications from one address, or in one identity's name, are answered at once within
  /// a minute; further ones a second later each. A good signature is never among them.
  std::uint64_t failures_of_one = 20;
  /// Where standard output is a terminal, the claim of a new vault is shown there; else, and where this is
  /// false, it lies in DATA/claim.
  bool claim_on_terminal = true;
  AlertOptions alerts;
  AuditKeep keep_audit;  ///< for how long bodies of the audit log are kept; empty: all of them for ever
  /// Runs once requests are served, with the addresses really bound. May be empty.
  std::function<void(const std::vector<Address>&)> ready;
  /// One sentence for whoever started the server. Empty: they go to the log.
  std::function<void(std::string_view)> say;
};

/// The file in ServeOptions::data_directory that holds an unused claim.
inline constexpr char kClaimFile[] = "claim";

/// A vault's server, running on threads of its own.
class VaultServer {
 public:
  /// Makes the server's keys on an empty directory, verifies the lists of another, shows a claim where the
  /// vault has none yet, and serves. Errors, each a sentence: kInvalid (options), kConflict (another process
  /// serves the directory; an address in use), kIntegrity (a list or the log does not verify), kDenied,
  /// kUnreachable, kUnsupported, kNoSpace, kIo.
  static Result<std::unique_ptr<VaultServer>> Start(ServeOptions options);
  virtual ~VaultServer() = default;  ///< Stop

  virtual const std::vector<Address>& addresses() const = 0;  ///< bound, in the order of the listen addresses
  virtual const std::vector<Address>& names()
      const = 0;                      ///< what clients may sign for; the first is told them
  virtual Hash pin() const = 0;       ///< of the TLS key that it shows
  virtual Hash vault_id() const = 0;  ///< zero until it is claimed
  /// Ends streams, lets running requests end for at most two seconds, closes the store. Not from its threads.
  virtual void Stop() = 0;
};

/// Starts a server and runs it until SIGTERM or SIGINT, which it blocks in all threads. For a program's main
/// thread, before it has others. Errors: as VaultServer::Start.
Status RunServer(ServeOptions options);

}  // namespace grantfs
