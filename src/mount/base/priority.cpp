#include <dirent.h>
#include <sys/resource.h>

#include <string>

#include "grantfs/util/text.h"
#include "mount/base/priority_internal.h"

namespace grantfs {

namespace {
// A thread that began meanwhile has the value of the one that began it.
constexpr int kMostRounds = 4;

/// @return whether there was one that had another value.
bool SetOnce(const std::string& threads, int nice) {
  DIR* const entries = ::opendir(threads.c_str());
  if (entries == nullptr) return false;
  bool any = false;
  while (const dirent* const entry = ::readdir(entries)) {
    unsigned long long thread = 0;
    if (!ParseNumber(entry->d_name, 0x7fffffff, &thread)) continue;
    const auto id = static_cast<id_t>(thread);
    any = (::getpriority(PRIO_PROCESS, id) != nice && ::setpriority(PRIO_PROCESS, id, nice) == 0) || any;
  }
  ::closedir(entries);
  return any;
}

}  // namespace

void SetNice(pid_t process, int nice) {
  if (process <= 1) return;
  const std::string threads = "/proc/" + std::to_string(process) + "/task";
  for (int round = 0; round < kMostRounds && SetOnce(threads, nice); ++round) {
  }
}

}  // namespace grantfs
