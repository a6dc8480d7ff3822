#include "secret_cache_internal.h"

namespace grantfs {

SecretCache::ListPtr SecretCache::Find(std::uint64_t number, const Head& head) {
  const std::lock_guard lock(mutex_);
  const auto found = by_number_.find(number);
  if (found == by_number_.end() || (*found->second)->head() != head) return nullptr;
  used_.splice(used_.begin(), used_, found->second);
  return *found->second;
}

void SecretCache::Put(ListPtr list) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t number = list->id().number;
  if (const auto held = by_number_.find(number); held != by_number_.end()) {
    // A reader that loaded an older state must not push out what an append has put here.
    if ((*held->second)->next_sequence() > list->next_sequence()) return;
    Drop(number);
  }
  statements_ += list->size();
  used_.push_front(std::move(list));
  by_number_[number] = used_.begin();
  while (statements_ > max_ && used_.size() > 1) Drop(used_.back()->id().number);
}

void SecretCache::Drop(std::uint64_t number) {
  const auto found = by_number_.find(number);
  statements_ -= (*found->second)->size();
  used_.erase(found->second);
  by_number_.erase(found);
}

}  // namespace grantfs
