#pragma once

#include <map>
#include <mutex>
#include <tuple>
#include <vector>

#include "records_internal.h"

namespace grantfs {

/// Counts what strangers can cause at will, so that the log gets one record a minute for each source instead
/// of one for each attempt. Bounded: beyond the bound all sources are one. Threads: safe.
class EventCounts {
 public:
  void Add(const std::string& type, const std::string& environment, const std::string& actor,
           const std::string& source, std::int64_t now);
  /// What was counted since, and begins anew.
  std::vector<CountedEvent> Take();
  /// Puts back what could not be recorded.
  void Return(const std::vector<CountedEvent>& events);

 private:
  using Key = std::tuple<std::string, std::string, std::string, std::string>;
  CountedEvent& Find(const Key& key);
  static constexpr std::size_t kMaxSources = 4096;
  std::mutex mutex_;
  std::map<Key, CountedEvent> events_;
};

}  // namespace grantfs
