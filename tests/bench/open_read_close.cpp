// Times open+read+close of files, in turns, so that each is measured in the same minutes of the same machine.
//
//   open_read_close SECONDS LABEL=PATH...
//
// Prints a line a label: count, p50 and p99 in microseconds, and p50 as a ratio to the second label's.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Target {
  std::string label;
  std::string path;
  std::vector<double> microseconds;
};

double Once(const Target& target) {
  char buffer[4096];
  const auto begin = Clock::now();
  const int fd = ::open(target.path.c_str(), O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 ? -1 : ::read(fd, buffer, sizeof buffer);
  if (fd >= 0) ::close(fd);
  const auto end = Clock::now();
  if (got <= 0) {
    std::fprintf(stderr, "open_read_close: %s: %s\n", target.path.c_str(), std::strerror(errno));
    std::exit(1);
  }
  return std::chrono::duration<double, std::micro>(end - begin).count();
}

double Percentile(std::vector<double>& sorted, double part) {
  return sorted[std::min(sorted.size() - 1,
                         static_cast<std::size_t>(part * static_cast<double>(sorted.size())))];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: open_read_close SECONDS LABEL=PATH...\n");
    return 2;
  }
  std::vector<Target> targets;
  for (int i = 2; i < argc; ++i) {
    const std::string word = argv[i];
    const auto equals = word.find('=');
    targets.push_back({word.substr(0, equals), word.substr(equals + 1), {}});
  }
  for (const Target& target : targets) {
    for (int i = 0; i < 100; ++i) Once(target);
  }
  const auto end = Clock::now() + std::chrono::duration<double>(std::atof(argv[1]));
  while (Clock::now() < end) {
    for (Target& target : targets) {
      for (int i = 0; i < 50; ++i) target.microseconds.push_back(Once(target));
    }
  }
  for (Target& target : targets) std::sort(target.microseconds.begin(), target.microseconds.end());
  const double base = targets.size() > 1 ? Percentile(targets[1].microseconds, 0.5) : 0;
  std::printf("%-34s %8s %10s %10s %8s\n", "open+read+close", "count", "p50 us", "p99 us", "ratio");
  for (Target& target : targets) {
    const double p50 = Percentile(target.microseconds, 0.5);
    std::printf("%-34s %8zu %10.1f %10.1f %8.2f\n", target.label.c_str(), target.microseconds.size(), p50,
                Percentile(target.microseconds, 0.99), base > 0 ? p50 / base : 0.0);
  }
}
