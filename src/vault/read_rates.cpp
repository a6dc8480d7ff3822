#include "read_rates_internal.h"

namespace grantfs {

void ReadWindow::Drop(std::uint64_t secret) {
  const auto at = last_.find(secret);
  if (at == last_.end()) return;
  order_.erase({at->second.time, secret});
  if (--counts_[at->second.limit] == 0) counts_.erase(at->second.limit);
  last_.erase(at);
}

void ReadWindow::Add(std::uint64_t secret, std::uint32_t limit, std::int64_t time) {
  if (IsBefore(time)) *this = {};  // a journal that begins before the last one ended
  newest_ = std::max(newest_, time);
  while (!order_.empty() && order_.begin()->first <= newest_ - kSeconds) Drop(order_.begin()->second);
  if (const auto at = last_.find(secret); at != last_.end()) {
    if (at->second.time >= time && at->second.limit == limit) return;
    time = std::max(time, at->second.time);
    Drop(secret);
  }
  last_[secret] = {time, limit};
  order_.emplace(time, secret);
  ++counts_[limit];
}

bool ReadWindow::IsOver() const {
  if (counts_.size() == 1) return counts_.begin()->second > counts_.begin()->first;
  double used = 0;
  for (const auto& [limit, count] : counts_) used += static_cast<double>(count) / limit;
  return used > 1.0 + 1e-9;  // what adds up to the whole is not above it
}

const ReadRates::Windows& ReadRates::WindowsFor(const Machine& machine, const Read& read) {
  return machine.now.all.IsBefore(read.time) ? machine.before : machine.now;
}

ReadRates::Verdict ReadRates::Note(const Read& read) {
  if (read.limit == 0) return Verdict::kWithin;
  Machine& machine = machines_[read.machine];
  machine.touched = read.now;
  auto& windows = const_cast<Windows&>(WindowsFor(machine, read));
  windows.all.Add(read.secret, read.limit, read.time);
  if (!read.passes) windows.charged.Add(read.secret, read.limit, read.time);
  if (!read.passes && windows.charged.IsOver()) return Verdict::kOver;
  return windows.all.IsOver() ? Verdict::kOverByPassing : Verdict::kWithin;
}

std::size_t ReadRates::CountOf(const Read& read) const {
  const auto machine = machines_.find(read.machine);
  return machine == machines_.end() ? 0 : WindowsFor(machine->second, read).all.size();
}

void ReadRates::Sweep(std::int64_t now) {
  std::erase_if(machines_,
                [now](const auto& one) { return one.second.touched + 2 * ReadWindow::kSeconds < now; });
}

}  // namespace grantfs
