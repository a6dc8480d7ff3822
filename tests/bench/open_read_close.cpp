// Times what programs do with files, in turns, so that each is measured in the same minutes of the same
// machine.
//
//   open_read_close SECONDS READERS LABEL=PATH[=PID,PID...]...
//
// A PATH is a file, which is opened, read and closed, by so many threads at once; or a directory ("/" at the
// end), which is listed with a stat of each name. Prints a line a label: count, p50 and p99 in microseconds,
// how many a second, and p50 as a ratio to the first label's. With the numbers of the processes that serve
// it, also what processor time those took and how often their threads were switched, for each; what they do
// besides counts too, so one process is to serve one label.

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
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

/// What processes have taken since they began.
struct Taken {
  double microseconds = 0;
  double switches = 0;
};

struct Target {
  std::string label;
  std::string path;
  std::vector<double> microseconds;
  double seconds = 0;
  std::vector<pid_t> servers;
  Taken taken = {};  ///< by the servers
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

Taken TakenBy(const std::vector<pid_t>& processes) {
  Taken taken;
  for (const pid_t process : processes) {
    clockid_t clock{};
    timespec time{};
    if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &time) != 0)
      Give("process " + std::to_string(process));
    taken.microseconds += static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
    for (const auto& thread :
         std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task")) {
      std::ifstream status(thread.path() / "status");
      for (std::string line; std::getline(status, line);) {
        const auto at = line.find("ctxt_switches:");
        if (at != std::string::npos) taken.switches += std::atof(line.c_str() + line.find(':') + 1);
      }
    }
  }
  return taken;
}

Taken Since(const Taken& then, const Taken& now) {
  return {now.microseconds - then.microseconds, now.switches - then.switches};
}

Target ParseTarget(const std::string& word) {
  std::istringstream parts(word);
  Target target;
  std::string servers;
  std::getline(parts, target.label, '=');
  std::getline(parts, target.path, '=');
  while (std::getline(parts, servers, ',')) target.servers.push_back(std::atoi(servers.c_str()));
  return target;
}

double Percentile(const std::vector<double>& sorted, double part) {
  return sorted[std::min(sorted.size() - 1,
                         static_cast<std::size_t>(part * static_cast<double>(sorted.size())))];
}

void Print(std::vector<Target> targets, const std::string& what) {
  for (Target& target : targets) std::sort(target.microseconds.begin(), target.microseconds.end());
  const double base = Percentile(targets.front().microseconds, 0.5);
  std::printf("%-34s %8s %10s %10s %10s %8s %10s %8s\n", what.c_str(), "count", "p50 us", "p99 us", "per s",
              "ratio", "server us", "switches");
  for (const Target& target : targets) {
    const double p50 = Percentile(target.microseconds, 0.5);
    const auto count = static_cast<double>(target.microseconds.size());
    std::printf("%-34s %8zu %10.1f %10.1f %10.0f %8.2f", target.label.c_str(), target.microseconds.size(),
                p50, Percentile(target.microseconds, 0.99), count / target.seconds, p50 / base);
    if (!target.servers.empty())
      std::printf(" %10.1f %8.1f", target.taken.microseconds / count, target.taken.switches / count);
    std::printf("\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: open_read_close SECONDS READERS LABEL=PATH[=PID,PID...]...\n");
    return 2;
  }
  const auto readers = static_cast<std::size_t>(std::max(std::atoi(argv[2]), 1));
  std::vector<Target> targets;
  for (int i = 3; i < argc; ++i) targets.push_back(ParseTarget(argv[i]));
  const bool list = targets.front().path.back() == '/';
  for (Target& target : targets) Turn(target, 1, list ? 2 : 100);
  for (Target& target : targets)
    target = {target.label, target.path, {}, 0, target.servers, TakenBy(target.servers)};
  const auto end = Clock::now() + std::chrono::duration<double>(std::atof(argv[1]));
  while (Clock::now() < end) {
    for (Target& target : targets) Turn(target, readers, list ? 1 : 50);
  }
  for (Target& target : targets) target.taken = Since(target.taken, TakenBy(target.servers));
  Print(std::move(targets),
        list ? "list and stat" : "open+read+close, " + std::to_string(readers) + " at once");
}
