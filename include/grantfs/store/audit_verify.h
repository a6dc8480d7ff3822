#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "grantfs/crypto/hash.h"
#include "grantfs/crypto/keys.h"
#include "grantfs/store/audit.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// More than ten years of them; who shows more is not heard to the end.
inline constexpr std::size_t kMaxPurgesRead = 20'000;

/// Where a log to be verified comes from: a vault over the wire, or a copy of its database.
class AuditSource {
 public:
  virtual ~AuditSource() = default;
  /// The newest signed checkpoint; all that follows is judged by it. Absent: the log is empty.
  virtual Result<std::optional<std::string>> Checkpoint() = 0;
  /// Records from sequence `from` on, in the order in which they are kept, 1..`limit`; empty: there are no
  /// more.
  virtual Result<std::vector<AuditEntry>> Fetch(std::uint64_t from, std::size_t limit) = 0;
  /// Older signed checkpoints that are still kept, of trees larger than `above`, in order: with them a bad
  /// record is found within a smaller range. May have none.
  virtual Result<std::vector<std::string>> OlderCheckpoints(std::uint64_t above, std::size_t limit) = 0;
  /// The records of purges, with bodies, in order; at most kMaxPurgesRead. They are checked against the log.
  virtual Result<std::vector<AuditEntry>> Purges() { return std::vector<AuditEntry>(); }
  /// True: all there is is shown, so a body that is not there and was not purged is missing, and a record
  /// behind the checkpoint is none of the log's. False: bodies may be withheld, and the log may grow.
  virtual bool complete() const = 0;
};

/// What is known of the log from elsewhere.
struct AuditAnchor {
  std::optional<VerifyKey> key;  ///< from the verified vault list; with it the verdict is authenticated
  std::string origin;            ///< with the key
  struct Point {
    std::uint64_t size = 0;
    Hash root;
  };
  std::vector<Point> remembered;  ///< trees that were seen and verified before
};

struct AuditVerdict {
  bool good = false;
  bool authenticated = false;  ///< by the anchor's key; else no more than "consistent, not authenticated"
  std::uint64_t size = 0;      ///< of the checkpoint's tree
  Hash root;
  std::string checkpoint;    ///< to be remembered if good
  std::uint64_t bodies = 0;  ///< how many were there and match
  std::uint64_t purged = 0;  ///< how many are not, by the rules of retention that the log itself tells of
  std::optional<std::uint64_t>
      bad;           ///< the first bad record, or the first that may be it; absent: it is the checkpoint
  std::string what;  ///< what is wrong, as a sentence; "" if good
};

/// Recomputes the log from its first record: each leaf, its sequence, its body's salted hash, the root under
/// the checkpoint and under every tree of the anchor.
/// @return a verdict, also on a bad log.  Errors: what the source fails with.
Result<AuditVerdict> VerifyAudit(AuditSource& source, const AuditAnchor& anchor);

/// A database file, or a copy of one, opened for reading only: with its -wal file beside it, or without one.
/// Errors: kNotFound, kInvalid (not a vault's database), kUnsupported (a newer schema), kIntegrity, kIo.
Result<std::unique_ptr<AuditSource>> OpenAuditDatabase(const std::string& path);

}  // namespace grantfs
