#include <fcntl.h>
#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "mount/reports/why_way_internal.h"

namespace grantfs {

namespace {

constexpr int kAllTheWay = 0;
constexpr int kCannotTell = 255;
constexpr std::size_t kMaxDirectories = 254;  // what an exit status can tell

/// "/", "/a", "/a/b" of "/a/b/c".
std::vector<std::string> DirectoriesOf(const std::string& path) {
  std::vector<std::string> directories = {"/"};
  for (std::size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
    directories.push_back(path.substr(0, end));
  }
  return directories;
}

/// In the child: becomes who the process is, as far as files go. @return the place of the first directory
/// that refuses, counted from 1.
int Walk(int root, const std::vector<std::string>& directories, const std::vector<gid_t>& groups,
         const ProcessFacts& facts) {
  if (fchdir(root) != 0 || chroot(".") != 0 || setgroups(groups.size(), groups.data()) != 0 ||
      setresgid(facts.file_gid, facts.file_gid, facts.file_gid) != 0 ||
      setresuid(facts.file_uid, facts.file_uid, facts.file_uid) != 0)
    return kCannotTell;
  for (std::size_t i = 0; i < directories.size(); ++i) {
    if (faccessat(AT_FDCWD, directories[i].c_str(), X_OK, AT_EACCESS) != 0 && errno == EACCES)
      return static_cast<int>(i) + 1;
  }
  return kAllTheWay;
}

}  // namespace

Result<std::string> FindBarrier(int root, const std::string& path, const ProcessFacts& facts) {
  const auto directories = DirectoriesOf(path);
  if (directories.size() > kMaxDirectories)
    return Error{Code::kInvalid, "the path has too many parts", 0, path};
  const std::vector<gid_t> groups(facts.groups.begin(), facts.groups.end());
  const pid_t child = fork();
  if (child < 0) return Error{Code::kIo, "cannot make a process", errno, {}};
  if (child == 0) _exit(Walk(root, directories, groups, facts));
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const int place = WIFEXITED(status) ? WEXITSTATUS(status) : kCannotTell;
  if (place == kCannotTell) return Error{Code::kIo, "cannot act as that process", 0, {}};
  return place == kAllTheWay ? std::string() : directories[static_cast<std::size_t>(place) - 1];
}

}  // namespace grantfs
