#pragma once

#include <dirent.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "grantfs/util/unique_fd.h"

namespace grantfs {

/// inotify(7) on one path, collecting what it is told.
class Watcher {
 public:
  explicit Watcher(std::string path,
                   std::uint32_t mask = IN_ALL_EVENTS & ~(IN_OPEN | IN_ACCESS | IN_CLOSE_NOWRITE))
      : path_(std::move(path)), mask_(mask), fd_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    Add();
  }
  /// Watches what the path leads to now, as programs do when a file that they watch was replaced.
  bool Add() { return inotify_add_watch(fd_.get(), path_.c_str(), mask_) >= 0; }

  /// Forgets what came so far.
  void Drain() {
    Read();
    seen_.clear();
  }
  /// Whether an event with all bits of `mask` came since, of a file of that name ("" for the path itself).
  bool Saw(std::uint32_t mask, const std::string& name = "") {
    Read();
    for (const Event& event : seen_) {
      if ((event.mask & mask) == mask && event.name == name) return true;
    }
    return false;
  }
  /// Whether any event with one bit of `mask` came.
  bool SawAny(std::uint32_t mask) {
    Read();
    for (const Event& event : seen_) {
      if ((event.mask & mask) != 0) return true;
    }
    return false;
  }
  std::string Seen() const {
    std::string text;
    for (const Event& event : seen_) text += std::to_string(event.mask) + ":" + event.name + " ";
    return text;
  }

 private:
  struct Event {
    std::uint32_t mask;
    std::string name;
  };
  void Read() {
    alignas(inotify_event) char buffer[16384];
    for (ssize_t got; (got = read(fd_.get(), buffer, sizeof buffer)) > 0;) {
      for (const char* at = buffer; at < buffer + got;) {
        const auto* event = reinterpret_cast<const inotify_event*>(at);
        seen_.push_back({event->mask, event->len > 0 ? event->name : ""});
        at += sizeof *event + event->len;
      }
    }
  }

  std::string path_;
  std::uint32_t mask_;
  UniqueFd fd_;
  std::vector<Event> seen_;
};

/// This process's children of that name (comm).
inline std::vector<pid_t> ChildrenNamed(const std::string& name) {
  std::vector<pid_t> found;
  DIR* const all = opendir("/proc");
  while (const dirent* entry = all ? readdir(all) : nullptr) {
    const pid_t pid = std::atoi(entry->d_name);
    std::string line;
    if (pid <= 1 || !std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), line)) continue;
    const std::size_t end = line.rfind(')');
    if (line.find("(" + name + ")") == std::string::npos || end == std::string::npos ||
        end + 4 >= line.size())
      continue;
    if (line[end + 2] != 'Z' && std::atoi(line.c_str() + end + 4) == getpid()) found.push_back(pid);
  }
  if (all) closedir(all);
  return found;
}

}  // namespace grantfs
