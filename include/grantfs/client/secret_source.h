#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "grantfs/crypto/secret.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// The process that asked for a file, as the kernel named it.
struct Caller {
  std::uint32_t pid = 0;  ///< 0: in a pid namespace that is not visible from here
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string executable;  ///< /proc/PID/exe, "" where it cannot be read
  std::string cgroup;      ///< the unified hierarchy's path, "" where it cannot be read
};

/// One secret that this machine may read, as its verified lists say.
struct GrantedSecret {
  std::uint64_t number = 0;   ///< 1..2^38-1, vault-wide, never reused
  std::uint32_t version = 0;  ///< 1..2^24-1, the one that the grant's label points at
  std::string environment;    ///< "shop/prod"
  std::string path;           ///< within the environment: "db-password", "tls/server.key"
  std::uint64_t size = 0;     ///< bytes of that version's plaintext
  std::int64_t time = 0;      ///< of that version: unix seconds
  std::string owner;          ///< user name or number; "" = whoever mounted
  std::string group;          ///< group name or number; "" = whoever mounted
  std::uint32_t mode = 0400;
  bool strict = false;       ///< page-cache fills are refused
  std::int64_t lease = 0;    ///< seconds for which it may be served without asking again
  std::int64_t offline = 0;  ///< seconds for which it may be served after the vault was last heard
  std::string record;        ///< of reads under a lease: "each", "sync", "aggregate"
  std::int64_t expires = 0;  ///< of the grant, or of its value if that is sooner: unix seconds, 0 = never
  bool value_ends = false;   ///< `expires` is the value's: a new one mends it, and no grant
  /// `at` (0 = never) ends it too, if that is sooner.
  void EndAt(std::int64_t at, bool value) {
    if (at == 0 || (expires != 0 && expires <= at)) return;
    expires = at;
    value_ends = value;
  }
  std::int64_t rotate_due = 0;  ///< unix seconds from which no lease runs until it is rotated, 0 = never
  std::vector<std::string>
      conditions;  ///< of the grant: who may read (trust/conditions.h); the mount holds callers against them
  std::string
      by;  ///< the group that it is granted to, and the prefix: "@web", "@web shop/prod/tls/"; "" = none
  /// Of a file that a template makes of so many secrets; 0 = it is a value. Then `version` stands for
  /// template and parts together, and `size` is what the file has at most: what it has is known when it has
  /// been opened.
  std::size_t parts = 0;
  std::string
      missing;  ///< non-empty: there is no such file now, for want of a part; a sentence part with its mend
  std::string frozen;  ///< non-empty: the vault delivers it to nobody, or nothing to this machine; a sentence
  std::string unenforceable;  ///< non-empty: why this mount denies the grant (a condition, lease or record
                              ///< kind of later)
};

/// What a machine may read at one moment. Immutable; ordered by environment, then path.
struct Listing {
  std::uint64_t generation = 0;  ///< grows with each change
  std::vector<GrantedSecret> secrets;
};

/// A decrypted version.
struct OpenedSecret {
  SecretValue value;
  std::uint32_t version = 0;
  std::uint64_t record = 0;  ///< the read's place in the audit log; 0: it waits to be told to the vault
  /// What Reopen makes the value of once more: ciphertext and sealed key, never a plaintext. "": cannot be.
  std::string evidence = {};
};

/// How things stand, for `.grantfs/status`.
struct SourceStatus {
  std::string vault_id;
  std::string vault_address;
  std::string machine;               ///< this machine's name
  bool connected = false;            ///< heartbeats arrive
  bool refused = false;              ///< the vault does not accept this machine's key: it was removed
  bool settled = false;              ///< so that the next process may go on with what is leased
  std::int64_t last_heard = 0;       ///< unix seconds, 0 = never since start
  std::string problem;               ///< the last failure in one sentence with its mend, "" = none
  std::uint64_t unsent = 0;          ///< reads under leases that the vault was not told of yet
  std::string untold;                ///< why the vault does not take them; "" = nothing is known against it
  std::uint64_t proved = 0;          ///< reads that were found in the vault's audit log
  std::uint64_t unproved = 0;        ///< that nobody looked for: too many at once, or purged meanwhile
  std::string log_problem;           ///< what the audit log contradicts; "" = nothing
  std::vector<std::string> notices;  ///< one sentence each: refused lists, unenforceable grants
};

/// Reads that a mount refused because of who read, for the audit log.
struct RefusedRead {
  std::uint64_t number = 0;
  std::uint32_t version = 0;
  std::string reason;  ///< a sentence part
  Caller caller;       ///< of the first of them
  std::uint64_t count = 0;
  std::int64_t first = 0, last = 0;  ///< unix seconds
  /// Recorded once, however often it is reported: 1..64 of [0-9a-z-]. "": it is reported once.
  std::string id = {};
};

/// Where a mount gets its secrets from. Implemented over the vault by the client module; a test of the
/// filesystem has one of its own. Threads: all safe. Holds no lock while it calls back: a callback may call
/// any of these, and wait.
class SecretSource {
 public:
  virtual ~SecretSource() = default;

  /// The last verified listing; never blocks, never null, never touches the network.
  virtual std::shared_ptr<const Listing> CurrentListing() const = 0;
  virtual SourceStatus CurrentStatus() const = 0;

  struct OpenRequest {
    std::uint64_t number = 0;
    std::uint32_t version = 0;  ///< the node's version; 0: the one that the label points at now
    bool grace = false;         ///< `version` may have been superseded a moment ago: serve it all the same
    std::string
        open_id;  ///< recorded once by the vault, however often it is sent: 1..64 characters of [0-9a-z-]
    Caller caller;
    bool again = false;  ///< the process that served before this one may have been asked the same
  };
  using OpenDone = std::function<void(Result<OpenedSecret>)>;
  /// A started open. Dropping it lets the open run on; Cancel() ends it early with kCancelled.
  class Pending {
   public:
    virtual ~Pending() = default;
    virtual void Cancel() = 0;
  };

  /// Asks, verifies and decrypts. `done` runs exactly once, on a thread of the source (perhaps before this
  /// returns), within the deadline. Asked for a version that is no longer the label's, without `grace` (or
  /// when that was more than a minute ago), it answers kConflict, and CurrentListing() shows the newer
  /// version before `done` runs. Errors: kNotFound (not granted), kDenied (revoked or frozen), kExpired,
  /// kUnreachable, kThrottled, kUnrecorded, kIntegrity, kUnsupported (unenforceable), kConflict, kCancelled.
  virtual std::shared_ptr<Pending> Open(OpenRequest request, std::chrono::milliseconds deadline,
                                        OpenDone done) = 0;

  /// The same where nothing need be waited for: under a lease. Empty: it must be opened with Open, and
  /// nothing was recorded.
  virtual std::optional<Result<OpenedSecret>> OpenAtOnce(const OpenRequest& /*request*/) {
    return std::nullopt;
  }

  /// For a file that stays open while another process takes over: the value of an open that was answered, of
  /// its evidence. Asks and records nothing. Errors: kIntegrity, kUnsupported (this source cannot).
  virtual Result<SecretValue> Reopen(std::uint64_t number, std::uint32_t version,
                                     const std::string& evidence) {
    (void)number, (void)version, (void)evidence;
    return Error{Code::kUnsupported, "this source opens nothing again"};
  }

  /// `changed` runs on a thread of the source after CurrentListing() changed. At most one subscriber; an
  /// empty function unsubscribes, and none runs after that returned.
  virtual void Subscribe(std::function<void()> changed) = 0;

  /// True if a heartbeat of the vault was seen at most `within` ago, and nothing that it told could not be
  /// taken over. Open handles of lease 0 are served while it holds.
  virtual bool HeardWithin(std::chrono::milliseconds within) const = 0;

  /// Whether a secret may be served without the vault: its lease runs, or it may be used offline, and nothing
  /// was told of it that is not looked at yet. Open handles of its versions are then served.
  virtual bool LeaseStands(std::uint64_t /*number*/) const { return false; }

  /// For an open handle that is read while HeardWithin fails: asks the vault whether the grant still stands,
  /// records nothing. Errors: as Open.
  using CheckDone = std::function<void(Status)>;
  virtual std::shared_ptr<Pending> Check(std::uint64_t number, std::uint32_t version,
                                         std::chrono::milliseconds deadline, CheckDone done) = 0;

  /// Has refusals recorded, each once, as soon as that can be; does not wait for it. The newest are dropped,
  /// with a line in the log, where too many wait for a vault that does not answer.
  virtual void ReportRefusals(std::vector<RefusedRead> refusals) = 0;

  /// Before the process ends and another goes on in its place: writes down what that one would not find
  /// otherwise. Returns after `most`, done or not; called again it does what came meanwhile.
  virtual void HandOver(std::chrono::milliseconds /*most*/) {}
};

}  // namespace grantfs
