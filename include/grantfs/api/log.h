#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "grantfs/api/bounds.h"
#include "grantfs/crypto/hash.h"
#include "grantfs/json/json.h"
#include "grantfs/util/bytes.h"

// What holds a vault to its audit log: proofs that a machine's reads are in it, and what clients say against
// it.

namespace grantfs::api {

inline constexpr std::size_t kMaxLogLeafBytes = 1024;
inline constexpr std::size_t kMaxLogSaltBytes = 64;

/// POST /v1/machine/records.
struct MachineRecordsRequest {
  std::vector<std::uint64_t> records;  ///< 1..kMaxProvenRecords, each above the one before
  std::uint64_t before = 0;            ///< size of the log that the machine remembers, 0 = none
  Json ToJson() const;
  static Result<MachineRecordsRequest> FromJson(const Json& json);
};
struct ProvenRecord {
  std::uint64_t record = 0;
  Bytes leaf;  ///< empty: the log has no such record
  std::optional<Bytes> salt;
  std::optional<std::string> body;  ///< of the machine's own records, unless it was purged
  std::vector<Hash> proof;          ///< RFC 6962 section 2.1.1, in the checkpoint's tree
};
struct MachineRecordsResponse {
  std::string checkpoint;
  std::vector<Hash> consistency;      ///< RFC 6962 section 2.1.2, from `before`; empty if it is not less
  std::vector<ProvenRecord> records;  ///< the first of those that were asked for, one at least
  Json ToJson() const;
  static Result<MachineRecordsResponse> FromJson(const Json& json);
};

/// POST /v1/log/complaints: what was shown contradicts what was shown before.
struct LogComplaintRequest {
  enum class Kind {
    kLower,   ///< a checkpoint of fewer records than one seen before
    kForked,  ///< a checkpoint that does not continue one seen before
    kRecord,  ///< a read of the machine's own is not in the log as it was told
  };
  Kind kind = Kind::kLower;
  std::string remembered;     ///< checkpoint; kRecord: may be ""
  std::string shown;          ///< checkpoint
  std::int64_t time = 0;      ///< when that was noticed, unix seconds
  std::uint64_t record = 0;   ///< kRecord: its place, as the vault has told it
  std::uint64_t secret = 0;   ///< kRecord
  std::uint32_t version = 0;  ///< kRecord
  std::string open;           ///< kRecord
  std::string what;           ///< kRecord: a sentence part
  Json ToJson() const;
  static Result<LogComplaintRequest> FromJson(const Json& json);
};
const char* ComplaintKindName(LogComplaintRequest::Kind kind);
struct LogComplaintResponse {
  std::uint64_t record = 0;  ///< the critical record
  Json ToJson() const;
  static Result<LogComplaintResponse> FromJson(const Json& json);
};

}  // namespace grantfs::api
