#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <string_view>

#include "grantfs/util/text.h"
#include "grantfs/util/unique_fd.h"
#include "mount/account_internal.h"
#include "mount/caller_internal.h"

namespace grantfs {

namespace {

/// The first few kilobytes of a file in procfs, "" if it cannot be read.
std::string ReadProc(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text(8192, '\0');
  const ssize_t size = fd ? read(fd.get(), text.data(), text.size()) : -1;
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

/// The rest of the line that begins with `key`, "" if there is none.
std::string_view LineAfter(std::string_view text, std::string_view key) {
  for (std::string_view line : Split(text, '\n')) {
    if (line.starts_with(key)) return line.substr(key.size());
  }
  return {};
}

std::string ReadLink(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t size = readlink(path.c_str(), target, sizeof target);
  return {target, size > 0 ? static_cast<std::size_t>(size) : 0};
}

}  // namespace

Caller ResolveCaller(std::uint32_t thread, std::uint32_t uid, std::uint32_t gid, const std::string& proc) {
  Caller caller{.pid = thread, .uid = uid, .gid = gid, .executable = {}, .cgroup = {}};
  if (thread == 0) return caller;
  if (proc == "/proc") return LookUpAccount(thread, uid, gid);
  const std::string directory = proc + "/" + std::to_string(thread);
  unsigned long long group = 0;
  const std::string status = ReadProc(directory + "/status");
  if (ParseNumber(LineAfter(status, "Tgid:\t"), 0xffffffff, &group))
    caller.pid = static_cast<std::uint32_t>(group);
  caller.executable = ReadLink(directory + "/exe");
  caller.cgroup = LineAfter(ReadProc(directory + "/cgroup"), "0::");
  return caller;
}

}  // namespace grantfs
