#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "grantfs/client/audit.h"
#include "grantfs/client/group_results.h"
#include "grantfs/client/options.h"
#include "grantfs/client/owner_results.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// What an owner's client has verified of a vault, for reports. Immutable.
struct AdminSnapshot {
  WhoAmIInfo who;
  bool machines_known = false;            ///< only a vault owner sees the machines' list
  std::vector<IdentityInfo> machines;     ///< the removed ones too
  std::vector<std::string> environments;  ///< that one may look into
  SecretSurveys secrets;                  ///< ordered by name
  std::vector<GroupSurvey> groups;        ///< of those environments
  std::vector<FreezeInfo> frozen;         ///< that one may see
  bool audit_known = false;               ///< who looks may audit something
  std::vector<AuditLine> recent;          ///< newest first, as the rest
  std::vector<AuditLine> critical;
};

/// A snapshot and how good it is.
struct AdminView {
  std::shared_ptr<const AdminSnapshot> snapshot;
  std::int64_t time = 0;  ///< unix seconds, when it was last found to be true
  std::string problem;  ///< "": it is at most a few seconds old; else why there is no newer one, one sentence
};

/// Where reports come from. There is no way to a value through it. Threads: safe.
class AdminSource {
 public:
  /// Asks the vault for the first time, and goes on with it in a thread of its own.
  /// Errors: as OwnerSession::Open and its listings.  Blocks.
  static Result<std::unique_ptr<AdminSource>> Start(const std::string& home_directory,
                                                    ClientOptions options = {});
  virtual ~AdminSource() = default;

  /// What is known; of the last second, unless the vault took more than two to say it.  Blocks: at most 2 s.
  virtual AdminView Look() = 0;
};

}  // namespace grantfs
