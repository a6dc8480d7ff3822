#include "grantfs/store/requests.h"

#include "query_internal.h"
#include "writer_internal.h"

namespace grantfs {
namespace {

static_assert(static_cast<int>(RequestState::kOpen) == 0 && static_cast<int>(RequestState::kFulfilled) == 1 &&
              static_cast<int>(RequestState::kRefused) == 2 &&
              static_cast<int>(RequestState::kWithdrawn) == 3);

#define GRANTFS_REQUEST_COLUMNS                                                                   \
  "number, id, environment, signer, type, subject, envelope, received, expires, state, changed, " \
  "settled_by, "                                                                                  \
  "reason"

StoredRequest ReadRequest(RowColumns& row) {
  StoredRequest request;
  request.number = row.Number();
  request.id = row.Digest();
  request.environment = row.Text();
  request.signer = row.Digest();
  request.type = row.Text();
  request.subject = row.Text();
  request.envelope = row.Text();
  request.received = row.Int();
  request.expires = row.Int();
  request.state = static_cast<RequestState>(row.Int());
  request.changed = row.Int();
  request.by = row.Text();
  request.reason = row.Text();
  return request;
}

}  // namespace

Result<std::optional<StoredRequest>> SqliteReader::FindRequest(const Hash& id) {
  return Query(database_, "SELECT " GRANTFS_REQUEST_COLUMNS " FROM requests WHERE id = ?1", id.View())
      .One(ReadRequest);
}

Result<std::vector<StoredRequest>> SqliteReader::ListRequests(const RequestQuery& query) {
  const std::int64_t before = query.before ? static_cast<std::int64_t>(*query.before) : INT64_MAX;
  const Hash signer = query.signer.value_or(Hash{});
  return Query(database_,
               "SELECT " GRANTFS_REQUEST_COLUMNS
               " FROM requests WHERE environment = ?1 AND number < ?2 AND (?3 OR signer = ?4) AND "
               "(?5 OR (state = 0 AND expires > ?6)) ORDER BY number DESC LIMIT ?7",
               query.environment, before, std::int64_t{!query.signer}, signer.View(), std::int64_t{query.all},
               query.now, RowLimit(query.limit))
      .All(ReadRequest);
}

Result<std::uint64_t> SqliteReader::CountOpenRequests(const Hash& signer, std::string_view environment,
                                                      std::int64_t now) {
  return GRANTFS_TRY(Query(database_,
                           "SELECT count(*) FROM requests WHERE environment = ?1 AND signer = ?2 AND state = "
                           "0 AND expires > ?3",
                           environment, signer.View(), now)
                         .One(ReadNumber))
      .value_or(0);
}

// Along the open ones: those that are settled are many more.
Result<std::vector<std::pair<std::string, Hash>>> SqliteReader::OpenRotations(std::string_view environment,
                                                                              std::int64_t now) {
  return Query(database_,
               "SELECT subject, id FROM requests INDEXED BY requests_open WHERE environment = ?1 AND "
               "type = 'rotation' AND state = 0 AND expires > ?2 ORDER BY number",
               environment, now)
      .All([](RowColumns& row) {
        std::string path = row.Text();
        return std::pair(std::move(path), row.Digest());
      });
}

Status SqliteWriter::AddRequest(const StoredRequest& request) {
  return Run(
      "INSERT INTO requests (id, environment, signer, type, subject, envelope, received, expires, state, "
      "changed, settled_by, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, 0, '', '')",
      request.id.View(), request.environment, request.signer.View(), request.type, request.subject,
      request.envelope, request.received, request.expires);
}

Status SqliteWriter::SettleRequest(const Hash& id, RequestState state, std::string_view by,
                                   std::string_view reason, std::int64_t now) {
  const auto found = GRANTFS_TRY(FindRequest(id));
  if (found && found->state != RequestState::kOpen)
    return Error{Code::kConflict, "the request is settled already", 0, id.Hex()};
  return RunOnOne(
      "there is no such request",
      "UPDATE requests SET state = ?2, settled_by = ?3, reason = ?4, changed = ?5 WHERE id = ?1 AND "
      "state = 0",
      id.View(), Stored(state), by, reason, now);
}

Status SqliteWriter::DropRequests(std::int64_t before) {
  return Run("DELETE FROM requests WHERE expires < ?1", before);
}

Status SqliteWriter::DropRequestsOf(const Hash& signer, std::string_view environment, bool consents,
                                    std::size_t keep, std::int64_t now) {
  return Run(
      "DELETE FROM requests WHERE number IN (SELECT number FROM requests WHERE environment = ?1 AND signer = "
      "?2 AND (type = 'consent') = ?3 AND NOT (state = 0 AND expires > ?4) ORDER BY number DESC LIMIT -1 "
      "OFFSET ?5)",
      environment, signer.View(), std::int64_t{consents}, now, RowLimit(keep));
}

}  // namespace grantfs
