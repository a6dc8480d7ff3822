#pragma once

#include <cstddef>

#include "grantfs/crypto/aead.h"
#include "grantfs/crypto/keys.h"
#include "grantfs/store/audit.h"
#include "grantfs/trust/statement.h"

// How large the parts of requests and responses may be. Both sides refuse what is larger.

namespace grantfs::api {

inline constexpr std::size_t kMaxStatements = 500;  ///< in one request or response
inline constexpr std::size_t kMaxAppends = 500;     ///< lists of one atomic append
inline constexpr std::size_t kMaxTails = 500;       ///< secrets' lists asked for at once
/// About so many bytes of statements a server puts into one response; one statement is always sent.
inline constexpr std::size_t kStatementBytes = std::size_t{1} << 20;
/// The same for the lists of several secrets together.
inline constexpr std::size_t kTailsBytes = std::size_t{2} << 20;
inline constexpr std::size_t kMaxCopies = 1000;       ///< of a data key, or of an epoch's key, in one request
inline constexpr std::size_t kMaxCopiesSent = 20000;  ///< in one response
inline constexpr std::size_t kMaxNumbers = 1000;      ///< reserved, listed or asked for at once
inline constexpr std::size_t kMaxGrants = 200;        ///< in one response
inline constexpr std::size_t kMaxOwnGroups = 1000;    ///< of a machine, in one response
inline constexpr std::size_t kMaxRefusals = 50;       ///< reported in one request
inline constexpr std::size_t kMaxReasonBytes = 1024;  ///< of a refusal
inline constexpr std::size_t kMaxAuditRecords = 1000;
inline constexpr std::size_t kMaxAuditReaders = 1000;  ///< in one response
inline constexpr std::size_t kMaxCiphertextBytes = kMaxSecretBytes + kAeadOverhead;
inline constexpr std::size_t kMaxSealedBytes = 256;  ///< room for a suite that is to come
inline constexpr std::size_t kMaxSentCheckpointBytes = 8192;
inline constexpr std::size_t kMaxProofHashes = 64;
inline constexpr std::size_t kMaxProvenRecords = 200;              ///< in one request
inline constexpr std::size_t kMaxComplaintCheckpointBytes = 2048;  ///< two of them fit into a record's body
inline constexpr std::size_t kMaxOpenIdBytes = 64;
inline constexpr std::size_t kMaxPathBytes = 4096;  ///< of a caller's executable and cgroup
inline constexpr std::size_t kMaxServerNameBytes = 255;
inline constexpr std::size_t kMaxJournalEntries = 500;     ///< in one request
inline constexpr std::size_t kMaxFrozenAtOnce = 1000;      ///< in one request
inline constexpr std::size_t kMaxFreezesListed = 1000;     ///< in one response
inline constexpr std::size_t kMaxBehind = 100;             ///< machines in one response
inline constexpr std::size_t kMaxFreezeReasonBytes = 512;  ///< it is a part of a problem's detail too
inline constexpr int kMaxPresenceWaitMs = 10'000;
inline constexpr std::size_t kMaxWatchLineBytes = 8192;
/// The largest response body.
inline constexpr std::size_t kMaxResponseBytes = std::size_t{4} << 20;

}  // namespace grantfs::api
