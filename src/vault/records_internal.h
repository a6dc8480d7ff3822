#pragma once

#include <string>

#include "grantfs/api/machine.h"
#include "grantfs/store/audit.h"
#include "grantfs/trust/statement.h"
#include "grantfs/util/clock.h"
#include "grantfs/vault/caller.h"

// What the audit log says (contrib/FORMATS.md, "Bodies of audit records").

namespace grantfs {

inline constexpr char kDone[] = "done";
inline constexpr char kRefused[] = "refused";
inline constexpr char kReadRefused[] = "read.refused";  ///< its type
inline constexpr char kJournalGap[] = "journal.gap";
inline constexpr char kLogContradicted[] = "log.contradicted";

/// A process, as its machine told of it, within the bounds of a body.
Json ProcessJson(const api::CallerInfo& process);

/// A record of something that `caller` did or asked for, without its particulars.
AuditRecord MakeRecord(const Clock& clock, const VaultCaller& caller, const char* type,
                       const std::string& environment, const std::string& object, const char* outcome);

/// A read of a version by a machine or a member, with the evidence that the caller asked for it.
struct ReadRecord {
  std::string environment;
  std::string path;
  std::uint64_t secret = 0;
  std::uint32_t version = 0;
  std::string open;
  const api::CallerInfo* process = nullptr;
  const char* refusal = nullptr;  ///< why not; nullptr = it was delivered
  bool asked = true;              ///< the request asked for this read, and is evidence of it
};
AuditRecord MakeReadRecord(const Clock& clock, const VaultCaller& caller, const ReadRecord& read);

/// Reads that a machine's mount refused because of who read.
AuditRecord MakeRefusedRecord(const Clock& clock, const VaultCaller& caller, const std::string& environment,
                              const std::string& path, const api::RefusalsRequest::Refusal& refusal);

/// Where a statement was appended, and whom it is about.
struct AppendPlace {
  std::string environment;  ///< of the list, "" for vault and machines
  std::string path;         ///< of a secret
  std::string ended;        ///< the name of whom it takes something from; "": as the act says
};
AuditRecord MakeAppendRecord(const Clock& clock, const VaultCaller& caller, const SignedStatement& statement,
                             const AppendPlace& place);

/// Something that happened `count` times within a minute and is recorded once.
struct CountedEvent {
  std::string type;
  std::string environment;
  std::string actor;
  std::string source;
  std::uint64_t count = 0;
  std::int64_t first = 0;  ///< unix seconds
  std::int64_t last = 0;
};
AuditRecord MakeCountedRecord(const Clock& clock, const CountedEvent& event);

}  // namespace grantfs
