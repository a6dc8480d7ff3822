#pragma once

#include <chrono>
#include <functional>

#include "command_internal.h"
#include "grantfs/client/owner_session.h"

namespace grantfs {

/// SIGINT and SIGTERM, from its making on: blocked, and looked for. Make it before there are other threads.
class EndSignals {
 public:
  EndSignals();
  /// Waits for one of them. @return it has come, now or before.
  bool Wait(std::chrono::milliseconds at_most);
  bool stopped() { return Wait(std::chrono::milliseconds(0)); }

 private:
  bool came_ = false;
};

/// Records in order, page after page.
struct AuditWalk {
  AuditFilter filter;
  std::uint64_t from = 0;
  bool follow = false;  ///< goes on at the end, until it is stopped
  /// Takes a page that is not empty, or at least goes further. An error ends the walk, but kUnreachable and
  /// kThrottled while following: then the same page comes again.
  std::function<Status(const AuditPage&)> take;
};

/// Goes on while there is more; while following it tries again every second, also while the vault is away.
/// Errors: as OwnerSession's, and what `take` returns. A signal ends it without an error.
Status WalkAudit(Terminal& terminal, OwnerSession& session, EndSignals& stop, AuditWalk walk);

}  // namespace grantfs
