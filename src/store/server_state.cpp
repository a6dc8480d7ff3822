#include <string.h>

#include <cstring>

#include "query_internal.h"
#include "server_state_internal.h"

namespace grantfs {
namespace {

// SQLite's own copies cannot be wiped from here; this one can.
Result<SecretMemory> MoveToLocked(Bytes bytes) {
  auto memory = SecretMemory::Allocate(bytes.size());
  if (memory && !bytes.empty()) std::memcpy(memory->Expose().data(), bytes.data(), bytes.size());
  ::explicit_bzero(bytes.data(), bytes.size());
  return memory;
}

struct Row {
  ServerState state;
  Bytes tls_key;
  Bytes log_seed;
};

}  // namespace

Result<std::optional<ServerState>> LoadServerState(Database& database) {
  auto row =
      GRANTFS_TRY(Query(database, "SELECT name, tls_certificate, tls_key, log_origin, log_seed FROM server")
                      .One([](RowColumns& in) {
                        Row out;
                        out.state.name = in.Text();
                        out.state.tls_certificate = in.Text();
                        out.tls_key = in.Blob();
                        out.state.log_origin = in.Text();
                        out.log_seed = in.Blob();
                        return out;
                      }));
  if (!row) return std::optional<ServerState>();
  auto tls_key = MoveToLocked(std::move(row->tls_key));
  auto log_seed = MoveToLocked(std::move(row->log_seed));
  row->state.tls_key = GRANTFS_TRY(std::move(tls_key));
  row->state.log_seed = GRANTFS_TRY(std::move(log_seed));
  return std::optional<ServerState>(std::move(row->state));
}

Result<std::optional<StoredTls>> LoadNextTls(Database& database) {
  struct Found {
    StoredTls tls;
    Bytes key;
  };
  auto row =
      GRANTFS_TRY(Query(database, "SELECT certificate, key, made FROM tls_next").One([](RowColumns& in) {
        Found found;
        found.tls.certificate = in.Text();
        found.key = in.Blob();
        found.tls.made = in.Int();
        return found;
      }));
  if (!row) return std::optional<StoredTls>();
  row->tls.key = GRANTFS_TRY(MoveToLocked(std::move(row->key)));
  return std::optional<StoredTls>(std::move(row->tls));
}

Status SaveNextTls(Database& database, const StoredTls& next) {
  return database.Run("INSERT OR REPLACE INTO tls_next VALUES (1, ?1, ?2, ?3)", next.certificate,
                      ByteView(next.key.Expose()), next.made);
}

Status SaveServerState(Database& database, const ServerState& state) {
  return database.Run(
      "INSERT INTO server VALUES (1, ?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE SET name = "
      "excluded.name, "
      "tls_certificate = excluded.tls_certificate, tls_key = excluded.tls_key, log_origin = "
      "excluded.log_origin, "
      "log_seed = excluded.log_seed",
      state.name, state.tls_certificate, ByteView(state.tls_key.Expose()), state.log_origin,
      ByteView(state.log_seed.Expose()));
}

}  // namespace grantfs
