#pragma once

#include <functional>

#include "grantfs/client/vault_connection.h"
#include "grantfs/store/audit_verify.h"
#include "grantfs/trust/lists.h"

namespace grantfs {

/// A vault's log, read over the wire. The connection outlives it.
class WireAudit final : public AuditSource {
 public:
  explicit WireAudit(VaultConnection* vault, std::function<void(std::uint64_t)> progress)
      : vault_(vault), progress_(std::move(progress)) {}
  Result<std::optional<std::string>> Checkpoint() override;
  Result<std::vector<AuditEntry>> Fetch(std::uint64_t from, std::size_t limit) override;
  Result<std::vector<std::string>> OlderCheckpoints(std::uint64_t above, std::size_t limit) override;
  Result<std::vector<AuditEntry>> Purges() override;
  bool complete() const override { return false; }

 private:
  VaultConnection* const vault_;
  std::function<void(std::uint64_t)> progress_;
};

/// The records of all purges, in order, with bodies; none for who may audit nothing.
Result<std::vector<AuditEntry>> FetchPurges(VaultConnection& vault);

/// What a home knows of the log: its key by the vault's list, and the checkpoint that was verified last.
Result<AuditAnchor> AnchorOf(const VaultList& vault, const std::string& remembered);

}  // namespace grantfs
