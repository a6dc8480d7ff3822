#pragma once

#include <cstddef>
#include <list>
#include <unordered_map>
#include <utility>

namespace grantfs {

/// A map of at most `capacity` entries that forgets the one which was written longest ago. Threads: guard it.
template <typename Key, typename Value>
class RecentMap {
 public:
  explicit RecentMap(std::size_t capacity) : capacity_(capacity) {}

  Value* Find(const Key& key) {
    auto found = index_.find(key);
    return found == index_.end() ? nullptr : &found->second->second;
  }
  const Value* Find(const Key& key) const { return const_cast<RecentMap*>(this)->Find(key); }

  /// Finds or makes the entry, which becomes the newest.
  Value& Touch(const Key& key) {
    if (auto found = index_.find(key); found != index_.end()) {
      order_.splice(order_.begin(), order_, found->second);
    } else {
      if (index_.size() >= capacity_) {
        index_.erase(order_.back().first);
        order_.pop_back();
      }
      order_.emplace_front(key, Value{});
      index_.emplace(key, order_.begin());
    }
    return order_.front().second;
  }

  void Erase(const Key& key) {
    auto found = index_.find(key);
    if (found == index_.end()) return;
    order_.erase(found->second);
    index_.erase(found);
  }

  std::size_t size() const { return index_.size(); }

 private:
  using Order = std::list<std::pair<Key, Value>>;
  std::size_t capacity_;
  Order order_;
  std::unordered_map<Key, typename Order::iterator> index_;
};

}  // namespace grantfs
