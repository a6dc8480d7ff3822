#pragma once

namespace grantfs {

/// `where` of the error of a list that is served lower than it was seen.
inline constexpr char kRolledBack[] =
    "the vault serves an older state of this list than this home has verified (a rollback): nothing of it is "
    "used; if it was restored from a backup, grantfs restore, run by an owner, accepts that";

}  // namespace grantfs
