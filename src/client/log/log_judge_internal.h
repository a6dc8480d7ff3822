#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "grantfs/api/log.h"
#include "grantfs/client/known_store.h"
#include "grantfs/tlog/checkpoint.h"
#include "grantfs/trust/lists.h"

// What a client makes of the audit log that it is shown: one that contradicts what it has seen is a
// complaint, kept in known.db until the vault has recorded it. The higher checkpoint stays remembered.

namespace grantfs {

/// A checkpoint that was shown, and the one that was remembered before it was asked for (another process may
/// have seen a newer one meanwhile); "" = none.
struct ShownLog {
  std::string remembered;
  std::string shown;
};
/// The proof that the tree of `size` continues that of `old_size`.
using Continues = std::function<Result<std::vector<Hash>>(std::uint64_t old_size, const Checkpoint& shown)>;

/// Remembers what is shown if it continues what was; what was of another log than the vault's list names now
/// counts as nothing. Errors: kIntegrity (not the log's; lower; forked: the
/// last two are complained of), and those of `proof`.
Result<Checkpoint> JudgeLog(KnownStore& known, const VaultList& vault, const ShownLog& log,
                            const Continues& proof, std::int64_t now);

struct KeptComplaint {
  api::LogComplaintRequest complaint;
  bool told = false;  ///< the vault has said that it recorded it, while its log was not good
};

/// In the order in which they came. What cannot be read is left out.
Result<std::vector<KeptComplaint>> Complaints(KnownStore& known);
/// Keeps it, unless the same is kept. At most kMaxComplaints are.
Status KeepComplaint(KnownStore& known, const api::LogComplaintRequest& complaint);
/// The next to be sent: one that was not told; or, once the vault shows a good log again, any, since the one
/// who lied may have said that it was recorded.
std::optional<api::LogComplaintRequest> NextComplaint(const std::vector<KeptComplaint>& kept, bool good);
/// Drops those of another log: after a restored backup an owner's statement names a new one.
Status ForgetOtherLogs(KnownStore& known, const std::string& origin);
/// The vault has taken it.
Status ComplaintTaken(KnownStore& known, const api::LogComplaintRequest& complaint, bool good);

inline constexpr std::size_t kMaxComplaints = 16;

/// One sentence for people.
std::string DescribeComplaint(const KeptComplaint& kept);

}  // namespace grantfs
