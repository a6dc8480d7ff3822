#include <utility>

#include "mount/denials_internal.h"

namespace grantfs {

namespace {

constexpr const char* kOthers = "more programs were refused in this minute than are named one by one";

/// Without the process's id: a program in a loop has a new one each time.
std::string KeyOf(const RefusedRead& read) {
  std::string key;
  for (const std::string& part : {std::to_string(read.number), std::to_string(read.caller.uid), read.reason,
                                  read.caller.executable, read.caller.cgroup}) {
    key += std::to_string(part.size()) + ":" + part;
  }
  return key;
}

}  // namespace

bool Denials::Fits(const std::string& key, std::size_t bound) const {
  return by_key_.contains(key) || by_key_.size() < bound;
}

void Denials::Append(const std::string& key, const std::string& name, RefusedRead one, std::int64_t now) {
  if (rows_.size() >= kMaxKept) {
    if (const auto found = by_key_.find(rows_.front().key);
        found != by_key_.end() && found->second == rows_.begin())
      by_key_.erase(found);
    rows_.pop_front();
  }
  one.count = 0;
  one.first = now;
  rows_.push_back({key, {name, std::move(one)}, 0, 0, false});
  by_key_[key] = std::prev(rows_.end());
}

bool Denials::Add(const std::string& name, RefusedRead one, std::int64_t now) {
  std::lock_guard lock(mutex_);
  if (std::exchange(minute_, now / kSeconds) != now / kSeconds) by_key_.clear();
  std::string key = KeyOf(one);
  if (!Fits(key, kMaxPrograms)) {
    one.reason = kOthers;
    one.caller.pid = 0;
    one.caller.executable.clear();
    one.caller.cgroup.clear();
    key = "others:" + std::to_string(one.number);
    if (!Fits(key, 2 * kMaxPrograms)) return false;
  }
  const bool is_new = !by_key_.contains(key);
  if (is_new) Append(key, name, std::move(one), now);
  Row& row = *by_key_.at(key);
  if (row.unreported++ == 0) row.first_unreported = now;
  ++row.denial.read.count;
  row.denial.read.last = now;
  return is_new;
}

std::vector<RefusedRead> Denials::TakeDue(std::int64_t now, bool all) {
  std::lock_guard lock(mutex_);
  std::vector<RefusedRead> due;
  for (Row& row : rows_) {
    const bool over = row.denial.read.first / kSeconds != now / kSeconds;
    if (row.unreported == 0 || (row.reported && !over && !all)) continue;
    RefusedRead read = row.denial.read;
    read.count = std::exchange(row.unreported, 0);
    read.first = row.first_unreported;
    row.reported = true;
    due.push_back(std::move(read));
  }
  return due;
}

std::vector<Denial> Denials::Recent() const {
  std::lock_guard lock(mutex_);
  std::vector<Denial> denials;
  for (const Row& row : rows_) denials.push_back(row.denial);
  return denials;
}

}  // namespace grantfs
