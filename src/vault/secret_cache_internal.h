#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "grantfs/trust/lists.h"

namespace grantfs {

/// Whole lists of secrets that were verified, the ones used last, bounded by their statements. Threads: safe.
class SecretCache {
 public:
  using ListPtr = std::shared_ptr<const SecretList>;
  explicit SecretCache(std::size_t max_statements) : max_(max_statements) {}

  /// The list, if it is held and ends in `head`; nullptr if not.
  ListPtr Find(std::uint64_t number, const Head& head);
  void Put(ListPtr list);

 private:
  void Drop(std::uint64_t number);
  const std::size_t max_;
  std::mutex mutex_;
  std::size_t statements_ = 0;
  std::list<ListPtr> used_;  // the last one first
  std::unordered_map<std::uint64_t, std::list<ListPtr>::iterator> by_number_;
};

/// Lists that somebody holds whatever becomes of the cache, by the secret's number.
using HeldLists = std::map<std::uint64_t, SecretCache::ListPtr>;

}  // namespace grantfs
