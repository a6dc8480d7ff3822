// What a home remembers beside lists: one text of each kind.

#include "grantfs/client/known_store.h"
#include "grantfs/tlog/tree.h"
#include "grantfs/util/text.h"

namespace grantfs {
namespace {

/// Of a checkpoint that was verified before it was stored.
std::uint64_t SizeOfCheckpoint(const std::string& checkpoint) {
  const auto lines = Split(checkpoint, '\n');
  unsigned long long size = 0;
  return lines.size() > 1 && ParseNumber(lines[1], kMaxTreeSize, &size) ? size : 0;
}

}  // namespace

Status KnownStore::PutText(const char* name, const std::string& value) {
  return database_.Run(
      "INSERT INTO texts (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2", name,
      value);
}

Result<std::string> KnownStore::GetText(const char* name) {
  SqlStatement row = GRANTFS_TRY(database_.Prepare("SELECT value FROM texts WHERE name = ?1"));
  row.BindAll(name);
  return GRANTFS_TRY(row.Step()) ? row.Text(0) : std::string();
}

Result<KnownStore::Peer> KnownStore::ReadPeer() {
  const std::lock_guard guard(mutex_);
  Peer peer;
  peer.instance = GRANTFS_TRY(GetText("instance"));
  peer.clock_offset = std::atoll(GRANTFS_TRY(GetText("clock_offset")).c_str());
  peer.change = static_cast<std::uint64_t>(std::atoll(GRANTFS_TRY(GetText("change")).c_str()));
  peer.checkpoint = GRANTFS_TRY(GetText("checkpoint"));
  return peer;
}

Status KnownStore::RememberPeer(const std::string& instance, std::int64_t clock_offset) {
  const std::lock_guard guard(mutex_);
  Transaction transaction = GRANTFS_TRY(Transaction::Begin(database_));
  GRANTFS_CHECK(PutText("instance", instance));
  GRANTFS_CHECK(PutText("clock_offset", std::to_string(clock_offset)));
  return transaction.Commit();
}

Status KnownStore::RememberChange(std::uint64_t change) {
  const std::lock_guard guard(mutex_);
  return PutText("change", std::to_string(change));
}

Status KnownStore::RememberFreezes(const std::string& freezes) {
  const std::lock_guard guard(mutex_);
  return PutText("freezes", freezes);
}

Result<std::string> KnownStore::Freezes() {
  const std::lock_guard guard(mutex_);
  return GetText("freezes");
}

Result<std::string> KnownStore::ListMark(const ListId& list) {
  const std::lock_guard guard(mutex_);
  return GetText(("verified " + list.Text()).c_str());
}

Status KnownStore::PutListMark(const ListId& list, const std::string& mark) {
  const std::lock_guard guard(mutex_);
  return PutText(("verified " + list.Text()).c_str(), mark);
}

Status KnownStore::RememberGroups(const std::string& groups) {
  const std::lock_guard guard(mutex_);
  return PutText("groups", groups);
}

Result<std::string> KnownStore::Groups() {
  const std::lock_guard guard(mutex_);
  return GetText("groups");
}

Status KnownStore::RememberCheckpoint(const std::string& checkpoint) {
  const std::lock_guard guard(mutex_);
  Transaction transaction = GRANTFS_TRY(Transaction::Begin(database_));
  const std::string stored = GRANTFS_TRY(GetText("checkpoint"));
  if (!stored.empty() && SizeOfCheckpoint(stored) > SizeOfCheckpoint(checkpoint)) return {};
  GRANTFS_CHECK(PutText("checkpoint", checkpoint));
  return transaction.Commit();
}

Result<std::string> KnownStore::Complaints() {
  const std::lock_guard guard(mutex_);
  return GetText("complaints");
}

Status KnownStore::ChangeComplaints(const std::function<std::string(const std::string&)>& change) {
  const std::lock_guard guard(mutex_);
  Transaction transaction = GRANTFS_TRY(Transaction::Begin(database_));
  const std::string before = GRANTFS_TRY(GetText("complaints"));
  const std::string after = change(before);
  if (after == before) return {};
  GRANTFS_CHECK(PutText("complaints", after));
  return transaction.Commit();
}

}  // namespace grantfs
