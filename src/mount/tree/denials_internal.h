#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "grantfs/client/secret_source.h"
#include "grantfs/util/kept_memory.h"

namespace grantfs {

/// Refusals by a condition or a freeze, of one program, one secret and one reason within a minute.
struct Denial {
  std::string name;  ///< "shop/prod/db-password"
  RefusedRead read;  ///< all of them
};

/// Remembers whom conditions and freezes refused, and what of it is still to be recorded. A process that
/// tries again and again makes two reports a minute, and whoever makes ever new programs not many more:
/// beyond kMaxPrograms a minute they are counted by secret alone, beyond as many secrets not at all. All of
/// it outlives the process, if there is memory that does. Threads: safe.
class Denials {
 public:
  static constexpr std::size_t kMaxKept = 1000;
  static constexpr std::size_t kMaxPrograms = 64;
  static constexpr std::int64_t kSeconds = 60;

  /// Takes over what the process before has left; what of it was not reported is due.
  /// @param kept null: nothing is kept. Outlives this.
  explicit Denials(KeptMemory* kept = nullptr);

  /// @param one  its count, first and last are filled in here.  @param now  unix seconds.
  /// @return whether there is something new to report.
  bool Add(const std::string& name, RefusedRead one, std::int64_t now);

  /// What is to be reported: the first of a kind at once, those that followed when their minute is over.
  /// @param all  those too whose minute is not over yet.
  /// @param report  takes them; one that it does not return from is due in the next process, as the same.
  void TakeDue(std::int64_t now, bool all, const std::function<void(std::vector<RefusedRead>)>& report);

  /// The last kMaxKept, the oldest first.
  std::vector<Denial> Recent() const;

 private:
  struct Row {
    std::uint64_t id = 0;  ///< in the kept memory
    std::string key;
    Denial denial;
    std::uint64_t unreported = 0;
    std::int64_t first_unreported = 0;
    bool reported = false;
    std::optional<RefusedRead> under_way;  ///< a report that the process before may have made: first due
  };
  bool Fits(const std::string& key, std::size_t bound) const;
  bool Keep(const Row& row);  ///< whether the process that follows finds it
  RefusedRead Begin(Row& row);
  void KeepReport(const Row& row, const RefusedRead& report);
  void TakeOverReport(Row& row);
  void TakeOver();
  void Append(const std::string& key, const std::string& name, RefusedRead one, std::int64_t now);

  KeptMemory* const kept_;
  mutable std::mutex mutex_;
  std::uint64_t next_id_ = 1;
  bool unkept_ = false;                                               ///< it was told that there is no room
  std::list<Row> rows_;                                               // by when they began
  std::unordered_map<std::string, std::list<Row>::iterator> by_key_;  // of this minute
  std::int64_t minute_ = 0;
};

}  // namespace grantfs
