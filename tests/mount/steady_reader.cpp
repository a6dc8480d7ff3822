// Reads a secret without a pause while something happens to the mount, and tells what came of it.
//
//   steady_reader KIND PATH FILE     until FILE exists
//
// KIND: open (open, read, close); held (one descriptor, read again and again); mapped (one descriptor, mapped
// anew each time and read there); interrupted (processes that open and read, ended by a signal at some
// moment). The secret's content is that of versioned_content.h. Prints one line of JSON: opens that succeeded
// (those of interrupted processes are not known), errors by name, contents that were wrong, and whatever took
// longer than 2 ms as [start, microseconds], start being seconds of CLOCK_MONOTONIC. Exit status 1 if
// anything was wrong.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "versioned_content.h"

namespace {

long opens = 0;
long reads = 0;
long wrong = 0;
std::map<std::string, long> errors;
std::vector<std::pair<double, long>> stalls;

double Now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void Failed(const char* what) { ++errors[std::string(what) + ": " + strerror(errno)]; }

void Took(double since) {
  const long microseconds = static_cast<long>((Now() - since) * 1e6);
  if (microseconds > 2000) stalls.emplace_back(since, microseconds);
}

bool IsWhole(const std::string& content) { return grantfs::VersionOfContent(content) > 0; }

/// @return false after an error.
bool ReadWhole(int fd, std::string* content) {
  content->clear();
  char piece[65536];
  ssize_t got = 0;
  while ((got = pread(fd, piece, sizeof piece, static_cast<off_t>(content->size()))) > 0)
    content->append(piece, static_cast<std::size_t>(got));
  return got == 0;
}

int OpenIt(const char* path) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    Failed("open");
  else
    ++opens;
  return fd;
}

void OpenReadClose(const char* path) {
  const double since = Now();
  const int fd = OpenIt(path);
  if (fd < 0) return;
  std::string content;
  if (!ReadWhole(fd, &content))
    Failed("read");
  else if (!IsWhole(content))
    ++wrong;
  close(fd);
  ++reads;
  Took(since);
}

void ReadHeld(int fd, const std::string& first) {
  const double since = Now();
  std::string content;
  if (!ReadWhole(fd, &content))
    Failed("read of a held descriptor");
  else if (content != first)
    ++wrong;
  ++reads;
  Took(since);
}

void ReadMapped(int fd, const std::string& first) {
  const double since = Now();
  void* memory = mmap(nullptr, first.size(), PROT_READ, MAP_PRIVATE, fd, 0);
  if (memory == MAP_FAILED) return Failed("mmap");
  if (std::memcmp(memory, first.data(), first.size()) != 0) ++wrong;
  munmap(memory, first.size());
  ++reads;
  Took(since);
}

/// A reader in the D state, which no signal ends, shows itself here.
void Interrupted(const char* path, std::mt19937* numbers) {
  const pid_t child = fork();
  if (child < 0) return Failed("fork");
  if (child == 0) {
    signal(SIGINT, SIG_DFL);  // a shell's background jobs ignore it
    for (;;) OpenReadClose(path);
  }
  const timespec moment{0, static_cast<long>((*numbers)() % 20'000'000)};
  ppoll(nullptr, 0, &moment, nullptr);
  const double since = Now();
  kill(child, (*numbers)() % 2 == 0 ? SIGKILL : SIGINT);
  if (waitpid(child, nullptr, 0) != child) return Failed("waitpid");
  ++reads;
  Took(since);
}

void Print() {
  std::printf("{\"opens\": %ld, \"reads\": %ld, \"wrong\": %ld, \"errors\": {", opens, reads, wrong);
  const char* separator = "";
  for (const auto& [what, count] : errors) {
    std::printf("%s\"%s\": %ld", separator, what.c_str(), count);
    separator = ", ";
  }
  std::printf("}, \"stalls\": [");
  separator = "";
  for (const auto& [since, microseconds] : stalls) {
    std::printf("%s[%.6f, %ld]", separator, since, microseconds);
    separator = ", ";
  }
  std::printf("]}\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const std::string kind = argv[1];
  const char* path = argv[2];
  std::mt19937 numbers(static_cast<unsigned>(getpid()));
  struct stat info {};
  int fd = -1;
  std::string first;
  if (kind == "held" || kind == "mapped") {
    fd = OpenIt(path);
    if (fd < 0 || !ReadWhole(fd, &first) || !IsWhole(first)) return 2;
  }
  while (stat(argv[3], &info) != 0) {
    if (kind == "open") OpenReadClose(path);
    if (kind == "held") ReadHeld(fd, first);
    if (kind == "mapped") ReadMapped(fd, first);
    if (kind == "interrupted") Interrupted(path, &numbers);
  }
  Print();
  return wrong == 0 && errors.empty() && reads > 0 ? 0 : 1;
}
