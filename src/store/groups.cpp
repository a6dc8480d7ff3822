// Groups: their keys' sealed copies, and what is granted to them by prefix.

#include <algorithm>
#include <iterator>
#include <limits>
#include <set>

#include "query_internal.h"
#include "writer_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMaxGroupKeyBytes = 4096;

std::int64_t Number(std::uint64_t number) { return static_cast<std::int64_t>(number); }

StoredGroupCopy ReadGroupCopy(RowColumns& row) {
  StoredGroupCopy copy;
  copy.environment = row.Text();
  copy.group = row.Number();
  copy.epoch = row.Number32();
  copy.copy.recipient.kind = static_cast<RecipientKind>(row.Int());
  copy.copy.recipient.number = row.Number();
  copy.copy.recipient.epoch = row.Number32();
  copy.copy.sealed = row.Blob();
  return copy;
}

}  // namespace

Result<std::vector<StoredGroupCopy>> SqliteReader::GroupsOf(RecipientKind kind, std::uint64_t number) {
  return Query(database_,
               "SELECT environment, grp, epoch, kind, number, recipient_epoch, sealed FROM group_copies "
               "WHERE kind = ?1 AND number = ?2 ORDER BY environment, grp",
               Stored(kind), Number(number))
      .All(ReadGroupCopy);
}

Result<std::optional<StoredGroupCopy>> SqliteReader::FindGroupCopy(std::string_view environment,
                                                                   std::uint64_t group, RecipientKind kind,
                                                                   std::uint64_t number) {
  return Query(database_,
               "SELECT environment, grp, epoch, kind, number, recipient_epoch, sealed FROM group_copies "
               "WHERE environment = ?1 AND grp = ?2 AND kind = ?3 AND number = ?4",
               environment, Number(group), Stored(kind), Number(number))
      .One(ReadGroupCopy);
}

Result<std::vector<StoredGrant>> SqliteReader::GroupGrantsOf(std::uint64_t secret, std::uint64_t machine) {
  return Query(database_,
               "SELECT g.secret, g.kind, g.number, g.grantee, g.sequence, g.label, g.expires, g.leaf "
               "FROM grants AS g JOIN secrets AS s ON s.number = g.secret "
               "JOIN group_copies AS c ON c.environment = s.environment AND c.grp = g.number "
               "AND c.kind = ?3 AND c.number = ?4 WHERE g.secret = ?1 AND g.kind = ?2 ORDER BY g.number",
               Number(secret), Stored(GranteeKind::kGroup), Stored(RecipientKind::kMachine), Number(machine))
      .All(ReadGrant);
}

Result<std::vector<StoredPrefix>> SqliteReader::PrefixesOf(std::string_view environment,
                                                           std::string_view path, std::uint64_t machine) {
  return Query(database_,
               "SELECT p.environment, p.prefix, p.grp, p.label, p.expires FROM group_copies AS c "
               "CROSS JOIN prefix_grants AS p INDEXED BY prefix_grants_by_group "
               "ON p.environment = c.environment AND p.grp = c.grp WHERE c.kind = ?3 AND c.number = ?4 "
               "AND c.environment = ?1 AND substr(?2, 1, length(p.prefix)) = p.prefix "
               "ORDER BY length(p.prefix) DESC, p.grp",
               environment, path, Stored(RecipientKind::kMachine), Number(machine))
      .All([](RowColumns& row) {
        StoredPrefix prefix;
        prefix.environment = row.Text();
        prefix.prefix = row.Text();
        prefix.group = row.Number();
        prefix.label = row.Text();
        prefix.expires = row.Int();
        return prefix;
      });
}

namespace {

/// The lowest of some numbers.
class Lowest {
 public:
  explicit Lowest(std::size_t limit) : limit_(limit) {}
  void Add(const std::vector<std::uint64_t>& numbers) {
    numbers_.insert(numbers.begin(), numbers.end());
    while (numbers_.size() > limit_) numbers_.erase(std::prev(numbers_.end()));
  }
  /// Above it none is looked for any more.
  std::int64_t end() const {
    return numbers_.size() < limit_ || numbers_.empty() ? std::numeric_limits<std::int64_t>::max()
                                                        : Number(*numbers_.rbegin());
  }
  std::vector<std::uint64_t> Take() const { return {numbers_.begin(), numbers_.end()}; }

 private:
  const std::size_t limit_;
  std::set<std::uint64_t> numbers_;
};

}  // namespace

// By its own grants, by its groups', and by prefixes: each in the order of the numbers, as far as the page
// may reach, so that all pages together look at each secret once.
Result<std::vector<std::uint64_t>> SqliteReader::SecretsFor(std::uint64_t machine, std::uint64_t after,
                                                            std::size_t limit) {
  Lowest lowest(limit);
  lowest.Add(GRANTFS_TRY(Query(database_,
                               "SELECT secret FROM grants WHERE kind = 0 AND number = ?1 AND secret > ?2 "
                               "ORDER BY secret LIMIT ?3",
                               Number(machine), Number(after), RowLimit(limit))
                             .All(ReadNumber)));
  const auto groups =
      GRANTFS_TRY(Query(database_, "SELECT environment, grp FROM group_copies WHERE kind = 1 AND number = ?1",
                        Number(machine))
                      .All([](RowColumns& row) {
                        std::string environment = row.Text();
                        return std::pair(std::move(environment), row.Number());
                      }));
  if (groups.empty()) return lowest.Take();
  for (const auto& [environment, group] : groups) {
    lowest.Add(
        GRANTFS_TRY(Query(database_,
                          "SELECT g.secret FROM grants AS g CROSS JOIN secrets AS s ON s.number = g.secret "
                          "WHERE g.kind = 1 "
                          "AND g.number = ?1 AND g.secret > ?2 AND g.secret <= ?3 AND s.environment = ?4 "
                          "ORDER BY g.secret LIMIT ?5",
                          Number(group), Number(after), lowest.end(), environment, RowLimit(limit))
                        .All(ReadNumber)));
  }
  // Without one no secret's path is looked at.
  const auto prefix = GRANTFS_TRY(Query(database_,
                                        "SELECT p.grp FROM group_copies AS c CROSS JOIN prefix_grants AS p "
                                        "ON p.environment = c.environment AND "
                                        "p.grp = c.grp WHERE c.kind = 1 AND c.number = ?1 LIMIT 1",
                                        Number(machine))
                                      .One(ReadNumber));
  if (!prefix) return lowest.Take();
  lowest.Add(GRANTFS_TRY(
      Query(database_,
            "SELECT s.number FROM secrets AS s NOT INDEXED WHERE s.number > ?2 AND s.number <= ?3 AND EXISTS "
            "(SELECT 1 FROM group_copies AS c CROSS JOIN prefix_grants AS p ON p.environment = c.environment "
            "AND p.grp = c.grp WHERE c.kind = 1 AND c.number = ?1 AND c.environment = s.environment "
            "AND substr(s.path, 1, length(p.prefix)) = p.prefix) ORDER BY s.number LIMIT ?4",
            Number(machine), Number(after), lowest.end(), RowLimit(limit))
          .All(ReadNumber)));
  return lowest.Take();
}

Result<std::vector<GroupCopy>> SqliteReader::StagedGroupCopies(const Hash& signer, const GroupPlace& place,
                                                               std::int64_t now) {
  return Query(database_,
               "SELECT kind, number, recipient_epoch, sealed FROM staged_group_copies WHERE signer = ?1 "
               "AND environment = ?2 AND grp = ?3 AND epoch = ?4 AND expires > ?5 ORDER BY kind, number",
               signer.View(), place.environment, Number(place.group), place.epoch, now)
      .All([](RowColumns& row) {
        GroupCopy copy;
        copy.recipient.kind = static_cast<RecipientKind>(row.Int());
        copy.recipient.number = row.Number();
        copy.recipient.epoch = row.Number32();
        copy.sealed = row.Blob();
        return copy;
      });
}

Status SqliteWriter::StageGroupCopy(const Hash& signer, const GroupPlace& place, const GroupCopy& copy,
                                    std::int64_t now) {
  if (copy.sealed.empty() || copy.sealed.size() > kMaxGroupKeyBytes)
    return Error{Code::kInvalid, "is empty or larger than what can be staged", 0,
                 std::to_string(copy.sealed.size()) + " bytes"};
  GRANTFS_CHECK(ExpireStaged(now));
  const Recipient& to = copy.recipient;
  GRANTFS_CHECK(Run(
      "DELETE FROM staged_group_copies WHERE signer = ?1 AND environment = ?2 AND grp = ?3 AND epoch = ?4 "
      "AND kind = ?5 AND number = ?6",
      signer.View(), place.environment, Number(place.group), place.epoch, Stored(to.kind),
      Number(to.number)));
  GRANTFS_CHECK(CheckStagingBound(signer, copy.sealed.size()));
  return Run("INSERT INTO staged_group_copies VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", signer.View(),
             place.environment, Number(place.group), place.epoch, Stored(to.kind), Number(to.number),
             to.epoch, copy.sealed, now + kStagedSeconds);
}

Status SqliteWriter::PutGroupCopies(const Hash& signer, const GroupPlace& place,
                                    const std::vector<GroupCopy>& copies, bool anew) {
  if (anew) {
    GRANTFS_CHECK(Run("DELETE FROM group_copies WHERE environment = ?1 AND grp = ?2", place.environment,
                      Number(place.group)));
  }
  for (const GroupCopy& copy : copies) {
    const Recipient& to = copy.recipient;
    GRANTFS_CHECK(
        Run("INSERT INTO group_copies VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (environment, grp, "
            "kind, number) "
            "DO UPDATE SET epoch = excluded.epoch, recipient_epoch = excluded.recipient_epoch, "
            "sealed = excluded.sealed",
            place.environment, Number(place.group), Stored(to.kind), Number(to.number), place.epoch, to.epoch,
            copy.sealed));
    GRANTFS_CHECK(Run(
        "DELETE FROM staged_group_copies WHERE signer = ?1 AND environment = ?2 AND grp = ?3 AND epoch = ?4 "
        "AND kind = ?5 AND number = ?6",
        signer.View(), place.environment, Number(place.group), place.epoch, Stored(to.kind),
        Number(to.number)));
  }
  return {};
}

Status SqliteWriter::RemoveGroup(std::string_view environment, std::uint64_t group) {
  GRANTFS_CHECK(
      Run("DELETE FROM group_copies WHERE environment = ?1 AND grp = ?2", environment, Number(group)));
  return Run("DELETE FROM prefix_grants WHERE environment = ?1 AND grp = ?2", environment, Number(group));
}

Status SqliteWriter::PutPrefix(const StoredPrefix& prefix) {
  return Run(
      "INSERT INTO prefix_grants VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (environment, prefix, grp) DO "
      "UPDATE "
      "SET label = excluded.label, expires = excluded.expires",
      prefix.environment, prefix.prefix, Number(prefix.group), prefix.label, prefix.expires);
}

Status SqliteWriter::RemovePrefix(std::string_view environment, std::string_view prefix,
                                  std::uint64_t group) {
  return Run("DELETE FROM prefix_grants WHERE environment = ?1 AND prefix = ?2 AND grp = ?3", environment,
             prefix, Number(group));
}

}  // namespace grantfs
