#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "mount/tree/denials_internal.h"
#include "mount/tree/tree_internal.h"

namespace grantfs {

/// What `.grantfs/status` and `.grantfs/grants` are made of.
struct ReportInput {
  std::string mount_point;
  std::string root;
  const Tree* tree = nullptr;
  SourceStatus source;
  std::size_t open_files = 0;
  std::uint64_t throttled = 0;     ///< reads that were refused since too many waited
  std::optional<uid_t> only_user;  ///< the kernel lets this user in alone
  std::string kernel;              ///< its release
  std::string worker;              ///< the process that serves, and what became of those before it
  std::string holder;              ///< what holds the mount while workers come and go
  bool shared_mmap = false;        ///< the kernel lets files that bypass its cache be mapped shared
  std::string unseen_rotations;    ///< why watchers do not see rotations, "" if they do
  std::string on_change;           ///< how the on-change command fares, "" if there is none
  std::int64_t now = 0;            ///< unix seconds
};

/// How the mount stands: for everybody (0444), so it counts secrets and names none.
std::string StatusReport(const ReportInput& input);

/// Every grant with its state, the hidden and the refused ones with the reason, and the source's notices: for
/// whoever mounted (0400).
std::string GrantsReport(const ReportInput& input);

/// Whom the conditions of grants refused lately, as a table: for whoever mounted (0400).
std::string DenialsReport(const std::vector<Denial>& denials);

}  // namespace grantfs
