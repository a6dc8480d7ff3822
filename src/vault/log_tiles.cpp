#include "core_internal.h"

// The audit log for outside tools: C2SP tlog-tiles. Headers are for every identity, so tiles are.

namespace grantfs {
namespace {

constexpr std::size_t kMaxEntriesBytes = std::size_t{1} << 20;

Error NotSoFar() { return {Code::kNotFound, "the audit log does not reach so far", 0, {}}; }

Result<std::string> Entries(StoreReader& reader, const TileName& name) {
  std::string bytes;
  const auto found =
      GRANTFS_TRY(reader.ReadAudit(name.number * kTileWidth, name.width, kMaxEntriesBytes, false));
  if (found.size() < name.width) return NotSoFar();
  for (const AuditEntry& entry : found) {
    bytes += static_cast<char>(entry.leaf.size() >> 8);
    bytes += static_cast<char>(entry.leaf.size() & 0xff);
    bytes += AsText(entry.leaf);
  }
  return bytes;
}

}  // namespace

Result<std::string> Vault::LogCheckpoint() const {
  const auto text = GRANTFS_TRY(GRANTFS_TRY(core_->store.Read())->LatestCheckpoint());
  if (!text) return Error{Code::kNotFound, "the audit log is empty"};
  return *text;
}

Result<std::string> Vault::LogTile(const TileName& name) const {
  const auto reader = GRANTFS_TRY(core_->store.Read());
  // A number that no log reaches, so that the multiplication below is one.
  if (name.number > GRANTFS_TRY(reader->AuditSize()) / kTileWidth) return NotSoFar();
  if (name.entries) return Entries(*reader, name);
  const auto hashes = GRANTFS_TRY(reader->AuditNodes(name.level, name.number * kTileWidth, name.width));
  if (hashes.size() < name.width) return NotSoFar();
  std::string bytes;
  for (const Hash& hash : hashes) bytes += AsText(hash.View());
  return bytes;
}

}  // namespace grantfs
