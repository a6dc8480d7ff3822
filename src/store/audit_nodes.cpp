#include "audit_nodes_internal.h"
#include "grantfs/crypto/merkle.h"
#include "grantfs/tlog/tile.h"
#include "query_internal.h"
#include "reader_internal.h"

namespace grantfs {
namespace {

Result<std::vector<Hash>> ReadNodes(Database& database, unsigned level, std::uint64_t from,
                                    std::size_t limit) {
  const auto first = static_cast<std::int64_t>(from);
  const auto digest = [](RowColumns& row) { return row.Digest(); };
  if (level == 0) {
    return Query(database, "SELECT hash FROM audit_leaves WHERE sequence >= ?1 ORDER BY sequence LIMIT ?2",
                 first, RowLimit(limit))
        .All(digest);
  }
  return Query(database,
               "SELECT hash FROM audit_nodes WHERE level = ?1 AND number >= ?2 ORDER BY number LIMIT ?3",
               std::int64_t{level}, first, RowLimit(limit))
      .All(digest);
}

}  // namespace

Result<std::vector<Hash>> SqliteReader::AuditNodes(unsigned level, std::uint64_t from, std::size_t limit) {
  return ReadNodes(database_, level, from, limit);
}

Status AddNodes(Database& database, std::uint64_t size) {
  unsigned level = 1;
  for (std::uint64_t count = size; count % kTileWidth == 0 && level <= kMaxTileLevel; ++level) {
    count /= kTileWidth;
    const auto below = GRANTFS_TRY(ReadNodes(database, level - 1, (count - 1) * kTileWidth, kTileWidth));
    if (below.size() != kTileWidth)
      return Error{Code::kIntegrity, "the audit log lacks a leaf: restore a backup", 0, database.path()};
    GRANTFS_CHECK(database.Run("INSERT INTO audit_nodes VALUES (?1, ?2, ?3)", std::int64_t{level},
                               static_cast<std::int64_t>(count - 1), MerkleRoot(below).View()));
  }
  return {};
}

Status FillNodes(Database& database, std::uint64_t size) {
  const auto have =
      GRANTFS_TRY(Query(database, "SELECT count(*) FROM audit_nodes WHERE level = 1").One(ReadNumber));
  std::uint64_t next = have.value_or(0) + 1;
  if (next * kTileWidth > size) return {};
  Transaction transaction = GRANTFS_TRY(Transaction::Begin(database));
  for (; next * kTileWidth <= size; ++next) GRANTFS_CHECK(AddNodes(database, next * kTileWidth));
  return transaction.Commit();
}

}  // namespace grantfs
