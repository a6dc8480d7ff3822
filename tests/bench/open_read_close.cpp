// Times what programs do with files, in turns, so that each is measured in the same minutes of the same
// machine.
//
//   open_read_close SECONDS READERS LABEL=PATH...
//
// A PATH is a file, which is opened, read and closed, by so many threads at once; or a directory ("/" at the
// end), which is listed with a stat of each name. Prints a line a label: count, p50 and p99 in microseconds,
// how many a second, and p50 as a ratio to the first label's.

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Target {
  std::string label;
  std::string path;
  std::vector<double> microseconds;
  double seconds = 0;
};

[[noreturn]] void Give(const std::string& path) {
  std::fprintf(stderr, "open_read_close: %s: %s\n", path.c_str(), std::strerror(errno));
  std::exit(1);
}

void ReadFile(const std::string& path) {
  char buffer[4096];
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 || ::read(fd, buffer, sizeof buffer) <= 0) Give(path);
  ::close(fd);
}

void ListDirectory(const std::string& path) {
  DIR* const directory = ::opendir(path.c_str());
  if (directory == nullptr) Give(path);
  while (const dirent* const entry = ::readdir(directory)) {
    struct stat info {};
    if (::fstatat(::dirfd(directory), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) Give(path);
  }
  ::closedir(directory);
}

double Once(const Target& target) {
  const auto begin = Clock::now();
  if (target.path.back() == '/')
    ListDirectory(target.path);
  else
    ReadFile(target.path);
  return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

// One turn: every reader the same target.
void Turn(Target& target, std::size_t readers, int times) {
  std::vector<std::vector<double>> measured(readers);
  const auto read = [&](std::size_t reader) {
    for (int i = 0; i < times; ++i) measured[reader].push_back(Once(target));
  };
  const auto begin = Clock::now();
  if (readers == 1) {
    read(0);
  } else {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < readers; ++i) threads.emplace_back(read, i);
    for (std::thread& thread : threads) thread.join();
  }
  target.seconds += std::chrono::duration<double>(Clock::now() - begin).count();
  for (const auto& times_of_one : measured)
    target.microseconds.insert(target.microseconds.end(), times_of_one.begin(), times_of_one.end());
}

double Percentile(const std::vector<double>& sorted, double part) {
  return sorted[std::min(sorted.size() - 1,
                         static_cast<std::size_t>(part * static_cast<double>(sorted.size())))];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: open_read_close SECONDS READERS LABEL=PATH...\n");
    return 2;
  }
  const auto readers = static_cast<std::size_t>(std::max(std::atoi(argv[2]), 1));
  std::vector<Target> targets;
  for (int i = 3; i < argc; ++i) {
    const std::string word = argv[i];
    const auto equals = word.find('=');
    targets.push_back({word.substr(0, equals), word.substr(equals + 1), {}, 0});
  }
  const bool list = targets.front().path.back() == '/';
  for (Target& target : targets) Turn(target, 1, list ? 2 : 100);
  for (Target& target : targets) target = {target.label, target.path, {}, 0};
  const auto end = Clock::now() + std::chrono::duration<double>(std::atof(argv[1]));
  while (Clock::now() < end) {
    for (Target& target : targets) Turn(target, readers, list ? 1 : 50);
  }
  for (Target& target : targets) std::sort(target.microseconds.begin(), target.microseconds.end());
  const double base = Percentile(targets.front().microseconds, 0.5);
  std::printf("%-34s %8s %10s %10s %10s %8s\n",
              (list ? "list and stat" : "open+read+close, " + std::to_string(readers) + " at once").c_str(),
              "count", "p50 us", "p99 us", "per s", "ratio");
  for (const Target& target : targets) {
    const double p50 = Percentile(target.microseconds, 0.5);
    const auto count = static_cast<double>(target.microseconds.size());
    std::printf("%-34s %8zu %10.1f %10.1f %10.0f %8.2f\n", target.label.c_str(), target.microseconds.size(),
                p50, Percentile(target.microseconds, 0.99), count / target.seconds, p50 / base);
  }
}
