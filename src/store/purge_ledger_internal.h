#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "grantfs/store/audit_purge.h"
#include "grantfs/store/audit_verify.h"
#include "grantfs/tlog/leaf.h"

namespace grantfs {

/// Which bodies may be missing, while a log is read from its first record on. Purges are told of behind what
/// they took, so what the source says of them is believed at first, and each is compared with the log when
/// its record comes.
class PurgeLedger {
 public:
  /// What is wrong, and with which record.
  struct Problem {
    std::uint64_t record = 0;
    std::string what;
  };

  /// Of a log of `size` records. Errors: what the source fails with.
  Result<std::optional<Problem>> Load(AuditSource& source, std::uint64_t size);

  /// For each record, in order. @return whether a purge by rule took its body.
  bool Take(const AuditEntry& entry, const LeafHeader& header);

  /// Behind each record, and with the log's size at its end.
  std::optional<Problem> CheckBefore(std::uint64_t sequence);

 private:
  struct Claim {
    AuditPurge purge;
    Bytes leaf;
    std::uint64_t taken = 0;
  };
  std::optional<Problem> Ended(const Claim& claim) const;

  std::vector<Claim> claims_;        ///< by their first record
  std::size_t begun_ = 0;            ///< so many of them begin before what was taken
  std::vector<std::size_t> active_;  ///< those of the begun that have not ended, by their own record
  std::vector<std::pair<std::uint64_t, std::size_t>> told_;  ///< by their own records
  std::size_t next_told_ = 0;
  std::optional<Problem> problem_;
};

}  // namespace grantfs
