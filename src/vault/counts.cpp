#include <algorithm>

#include "counts_internal.h"

namespace grantfs {

CountedEvent& EventCounts::Find(const Key& key) {
  const auto found = events_.find(key);
  if (found != events_.end()) return found->second;
  const bool full = events_.size() >= kMaxSources;
  const Key used = full ? Key(std::get<0>(key), "", "", "others") : key;
  CountedEvent& event = events_[used];
  std::tie(event.type, event.environment, event.actor, event.source) = used;
  return event;
}

void EventCounts::Add(const std::string& type, const std::string& environment, const std::string& actor,
                      const std::string& source, std::int64_t now) {
  const std::lock_guard lock(mutex_);
  CountedEvent& event = Find({type, environment, actor, source});
  if (event.count++ == 0) event.first = now;
  event.last = now;
}

std::vector<CountedEvent> EventCounts::Take() {
  const std::lock_guard lock(mutex_);
  std::vector<CountedEvent> events;
  for (auto& [key, event] : events_) events.push_back(std::move(event));
  events_.clear();
  return events;
}

void EventCounts::Return(const std::vector<CountedEvent>& events) {
  const std::lock_guard lock(mutex_);
  for (const CountedEvent& event : events) {
    CountedEvent& held = Find({event.type, event.environment, event.actor, event.source});
    held.first = held.count == 0 ? event.first : std::min(held.first, event.first);
    held.last = std::max(held.last, event.last);
    held.count += event.count;
  }
}

}  // namespace grantfs
