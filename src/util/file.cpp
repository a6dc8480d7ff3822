#include "grantfs/util/file.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "grantfs/util/unique_fd.h"

namespace grantfs {
namespace {

Error SystemError(const char* where, const std::string& path) {
  const int sys = errno;
  const Code code = sys == ENOENT                    ? Code::kNotFound
                    : sys == ENOSPC || sys == EDQUOT ? Code::kNoSpace
                                                     : Code::kIo;
  return Error{code, where, sys, PathForMessages(path)};
}

Status WriteAll(int fd, ByteView content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("could not write the file", path);
    content = content.subspan(static_cast<std::size_t>(written));
  }
  if (::fsync(fd) != 0) return SystemError("could not sync the file", path);
  return {};
}

/// With that mode whatever the umask is: a service may well run with 0077, and make what others must reach.
Status MakeDirectory(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) != 0) return SystemError("could not make the directory", path);
  const UniqueFd made(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!made || ::fchmod(made.get(), mode) != 0)
    return SystemError("could not set the directory's mode", path);
  return {};
}

}  // namespace

Result<Bytes> ReadFile(const std::string& path, std::size_t max_bytes) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd) return SystemError("could not open the file", path);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return SystemError("could not look at the file", path);
  if (!S_ISREG(info.st_mode)) return Error{Code::kInvalid, "not a regular file", 0, PathForMessages(path)};
  Bytes content;
  std::uint8_t buffer[16384];
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError("could not read the file", path);
    if (got == 0) return content;
    if (content.size() + static_cast<std::size_t>(got) > max_bytes) {
      return Error{Code::kInvalid, "the file is larger than the bound", 0, PathForMessages(path)};
    }
    content.insert(content.end(), buffer, buffer + got);
  }
}

Status WriteFileAtomic(const std::string& path, ByteView content, mode_t mode) {
  std::string temporary = path + ".XXXXXX";
  UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return SystemError("could not make a file beside it", path);
  const auto give_up = [&](Error error) {
    ::unlink(temporary.c_str());
    return error;
  };
  if (::fchmod(fd.get(), mode) != 0) return give_up(SystemError("could not set the file's mode", path));
  if (auto written = WriteAll(fd.get(), content, path); !written) return give_up(written.error());
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    return give_up(SystemError("could not put the file in its place", path));
  }
  return SyncDirectoryOf(path);
}

Status SyncDirectoryOf(const std::string& path) {
  const UniqueFd directory(::open(DirectoryOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) != 0) return SystemError("could not sync the directory", path);
  return {};
}

Status MakeDirectories(const std::string& path, mode_t mode) {
  Status made = MakeDirectory(path, mode);
  if (made) return made;
  if (made.error().sys == EEXIST) {
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
    return Error{Code::kIo, "exists and is not a directory", ENOTDIR, path};
  }
  const std::string parent = DirectoryOf(path);
  if (made.error().sys != ENOENT || parent == path || parent == ".") return made;
  GRANTFS_CHECK(MakeDirectories(parent, mode));
  made = MakeDirectory(path, mode);
  if (!made && made.error().sys == EEXIST) return {};
  return made;
}

std::string DirectoryOf(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string PathForMessages(const std::string& path) {
  constexpr std::string_view kOwn = "/proc/self/fd/";
  if (!path.starts_with(kOwn)) return path;
  const std::size_t end = std::min(path.find('/', kOwn.size()), path.size());
  char target[PATH_MAX];
  const ssize_t size = ::readlink(path.substr(0, end).c_str(), target, sizeof target);
  if (size <= 0 || target[0] != '/') return path;
  return std::string(target, static_cast<std::size_t>(size)) + path.substr(end);
}

bool PathExists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

}  // namespace grantfs
