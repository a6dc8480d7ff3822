#pragma once

#include <atomic>
#include <cstddef>
#include <system_error>
#include <thread>

namespace grantfs {

/// Runs `work` with 0..count-1 on this thread and one more, in any order. What it is given differs, so that
/// it needs no lock; it throws nothing. A machine that has no thread to spare does all on this one.
template <typename Work>
void OnTwoThreads(std::size_t count, const Work& work) {
  std::atomic<std::size_t> next{0};
  const auto run = [&] {
    for (std::size_t i = next++; i < count; i = next++) work(i);
  };
  std::thread other;
  try {
    if (count > 1) other = std::thread(run);
  } catch (const std::system_error&) {
  }
  run();
  if (other.joinable()) other.join();
}

}  // namespace grantfs
