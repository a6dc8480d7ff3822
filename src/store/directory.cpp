#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "directory_internal.h"
#include "grantfs/store/store.h"
#include "grantfs/util/file.h"

namespace grantfs {
namespace {

Error System(const char* where, const std::string& path) {
  const Code code = errno == EACCES || errno == EPERM ? Code::kDenied
                    : errno == ENOSPC                 ? Code::kNoSpace
                                                      : Code::kIo;
  return Error{code, where, errno, path};
}

std::string Holder(int fd) {
  char text[32];
  const ssize_t size = ::pread(fd, text, sizeof text, 0);
  std::string pid(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  while (!pid.empty() && (pid.back() < '0' || pid.back() > '9')) pid.pop_back();
  return pid.empty() ? "another process" : "process " + pid;
}

}  // namespace

Status PrepareDirectory(const std::string& directory) {
  GRANTFS_CHECK(MakeDirectories(directory, 0700));
  struct stat found {};
  if (::stat(directory.c_str(), &found) != 0)
    return System("could not look at the vault's directory", directory);
  if (!S_ISDIR(found.st_mode)) return Error{Code::kInvalid, "is not a directory", 0, directory};
  if (found.st_uid != ::geteuid()) {
    return Error{Code::kDenied, "belongs to another user: serve as that one, or name another directory", 0,
                 directory};
  }
  if ((found.st_mode & 077) != 0) {
    return Error{Code::kDenied, "may be entered by others, and the vault's keys will lie in it: chmod 700 it",
                 0, directory};
  }
  return {};
}

Result<UniqueFd> LockDirectory(const std::string& directory) {
  const std::string path = directory + "/" + kLockFile;
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return System("could not open the lock", path);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return System("could not take the lock", path);
    return Error{Code::kConflict,
                 "the vault is being served already: stop that process first, or name another directory", 0,
                 directory + "/" + kDatabaseFile + " (" + Holder(fd.get()) + ")"};
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  // Only for the sentence above: a disk without room for it holds no vault back.
  if (::ftruncate(fd.get(), 0) == 0) (void)!::pwrite(fd.get(), pid.data(), pid.size(), 0);
  return fd;
}

}  // namespace grantfs
