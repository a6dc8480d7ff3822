#include "grantfs/json/json.h"
#include "query_internal.h"
#include "writer_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMostTextBytes = 8192, kMostPasses = 64, kMostEnvironments = 100'000;

std::string TextsOf(const std::vector<std::string>& texts) {
  return Json::Array({texts.begin(), texts.end()}).Dump();
}

Result<std::vector<std::string>> ReadTexts(const std::string& text, std::size_t most) {
  const Json whole = Json::Object({{"texts", GRANTFS_TRY(ParseJson(text))}});
  JsonReader in(whole, "texts");
  std::vector<std::string> texts;
  for (const Json& item : in.Array("texts", most)) {
    if (!item.is(Json::Kind::kString) || item.AsString().size() > kMostTextBytes)
      return Error{Code::kIntegrity, "a tripwire's row is damaged: restore a backup"};
    texts.push_back(item.AsString());
  }
  GRANTFS_CHECK(in.Finish());
  return texts;
}

}  // namespace

Result<bool> SqliteReader::IsCanary(std::uint64_t secret) {
  return GRANTFS_TRY(
             Query(database_, "SELECT 1 FROM canaries WHERE secret = ?1", static_cast<std::int64_t>(secret))
                 .One(ReadInt))
      .has_value();
}

Result<std::vector<StoredCanary>> SqliteReader::ListCanaries(std::string_view environment,
                                                             std::uint64_t after, std::size_t limit) {
  return Query(database_,
               "SELECT c.secret, c.name, c.time FROM canaries AS c JOIN secrets AS s ON s.number = c.secret "
               "WHERE s.environment = ?1 AND c.secret > ?2 ORDER BY c.secret LIMIT ?3",
               environment, static_cast<std::int64_t>(after), RowLimit(limit))
      .All([](RowColumns& row) {
        StoredCanary canary;
        canary.secret = row.Number();
        canary.name = row.Text();
        canary.time = row.Int();
        return canary;
      });
}

Result<std::optional<StoredTripwire>> SqliteReader::FindTripwire(std::string_view environment) {
  std::string passes, reach;
  auto found = GRANTFS_TRY(
      Query(database_,
            "SELECT environment, signer, name, time, canary, scope, rate, rate_action, passes, reach "
            "FROM tripwires WHERE environment = ?1",
            environment)
          .One([&passes, &reach](RowColumns& row) {
            StoredTripwire tripwire;
            tripwire.environment = row.Text();
            tripwire.signer = row.Digest();
            tripwire.name = row.Text();
            tripwire.time = row.Int();
            tripwire.policy.canary = static_cast<TripAction>(row.Int());
            tripwire.policy.scope = static_cast<TripScope>(row.Int());
            tripwire.policy.rate = row.Number32();
            tripwire.policy.rate_action = static_cast<TripAction>(row.Int());
            passes = row.Text();
            reach = row.Text();
            return tripwire;
          }));
  if (found) found->policy.passes = GRANTFS_TRY(ReadTexts(passes, kMostPasses));
  if (found) found->reach = GRANTFS_TRY(ReadTexts(reach, kMostEnvironments));
  return found;
}

Result<std::optional<std::uint64_t>> SqliteReader::AlertReached(std::string_view sink) {
  return Query(database_, "SELECT reached FROM alert_sinks WHERE sink = ?1", sink).One(ReadNumber);
}

Status SqliteWriter::PutCanary(const StoredCanary& canary) {
  return Run("INSERT INTO canaries VALUES (?1, ?2, ?3)", static_cast<std::int64_t>(canary.secret),
             canary.name, canary.time);
}

Status SqliteWriter::RemoveCanary(std::uint64_t secret) {
  return RunOnOne("it is no canary", "DELETE FROM canaries WHERE secret = ?1",
                  static_cast<std::int64_t>(secret));
}

Status SqliteWriter::PutTripwire(const StoredTripwire& tripwire) {
  const TripwirePolicy& policy = tripwire.policy;
  return Run("INSERT OR REPLACE INTO tripwires VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
             tripwire.environment, tripwire.signer.View(), tripwire.name, tripwire.time,
             Stored(policy.canary), Stored(policy.scope), policy.rate, Stored(policy.rate_action),
             TextsOf(policy.passes), TextsOf(tripwire.reach));
}

Status SqliteWriter::SetAlertReached(std::string_view sink, std::uint64_t reached) {
  return Run("INSERT OR REPLACE INTO alert_sinks VALUES (?1, ?2)", sink, static_cast<std::int64_t>(reached));
}

Status SqliteWriter::ForgetAlertSink(std::string_view sink) {
  return Run("DELETE FROM alert_sinks WHERE sink = ?1", sink);
}

}  // namespace grantfs
