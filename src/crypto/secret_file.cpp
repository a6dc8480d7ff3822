#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>

#include "grantfs/crypto/secret.h"
#include "grantfs/util/file.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {
namespace {

constexpr std::size_t kFirstRead = 4096;

Error SystemError(const char* where, const std::string& path) {
  const int sys = errno;
  switch (sys) {
    case ENOENT:
      return {Code::kNotFound, where, sys, path};
    case EACCES:
      return {Code::kDenied, where, sys, path};
    case EEXIST:
      return {Code::kConflict, where, sys, path};
    default:
      return {Code::kIo, where, sys, path};
  }
}

// The first `size` bytes of `from` in memory of `capacity` bytes.
Result<SecretMemory> Resize(const SecretMemory& from, std::size_t size, std::size_t capacity) {
  SecretMemory resized = GRANTFS_TRY(SecretMemory::Allocate(capacity));
  std::copy_n(from.Expose().data(), size, resized.Expose().data());
  return resized;
}

Status CheckSecretFile(int fd, const char* path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return SystemError("could not look at the file", path);
  if (!S_ISREG(info.st_mode)) return Error{Code::kInvalid, "not a regular file", 0, path};
  if (info.st_uid != ::geteuid()) {
    return Error{Code::kDenied, "this secret file belongs to another user, chown it to the one who runs this",
                 0, path};
  }
  if ((info.st_mode & 077) != 0) {
    return Error{Code::kDenied,
                 "others may open this secret file, mend it with chmod 0600 and replace what it held", 0,
                 path};
  }
  return {};
}

Status WriteAndSync(int fd, const SecretMemory& content, const std::string& path) {
  auto rest = content.Expose();
  while (!rest.empty()) {
    const ssize_t written = ::write(fd, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("could not write the secret file", path);
    rest = rest.subspan(static_cast<std::size_t>(written));
  }
  if (::fsync(fd) != 0) return SystemError("could not sync the secret file", path);
  return {};
}

}  // namespace

Result<SecretMemory> ReadSecret(int fd, std::size_t max_bytes) {
  // One byte more than the bound, to see what goes beyond it.
  const std::size_t most = max_bytes + 1;
  SecretMemory buffer = GRANTFS_TRY(SecretMemory::Allocate(std::min(kFirstRead, most)));
  std::size_t size = 0;
  for (;;) {
    if (size > max_bytes) return Error{Code::kInvalid, "the secret is larger than the bound"};
    if (size == buffer.size()) buffer = GRANTFS_TRY(Resize(buffer, size, std::min(size * 4, most)));
    const auto free = buffer.Expose().subspan(size);
    const ssize_t got = ::read(fd, free.data(), free.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{Code::kIo, "could not read the secret", errno};
    if (got == 0) return Resize(buffer, size, size);
    size += static_cast<std::size_t>(got);
  }
}

Result<SecretMemory> ReadSecretFile(const char* path, std::size_t max_bytes) {
  // O_NONBLOCK: a FIFO in the file's place is refused, not waited for.
  const UniqueFd fd(::open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd) return SystemError("could not open the secret file", path);
  GRANTFS_CHECK(CheckSecretFile(fd.get(), path));
  auto content = ReadSecret(fd.get(), max_bytes);
  if (!content) return Error{content.error().code, content.error().where, content.error().sys, path};
  return content;
}

Result<SecretMemory> ReadKeyFile(const char* path, std::size_t max_bytes) {
  SecretMemory key = GRANTFS_TRY(ReadSecretFile(path, max_bytes));
  const auto bytes = key.Expose();
  if (bytes.empty() || bytes.back() != '\n') return key;
  return Resize(key, bytes.size() - 1, bytes.size() - 1);
}

Status WriteSecretFile(const char* path, const SecretMemory& content) {
  // Written whole beside its place and then linked there: a crash leaves no half a seed under the real name.
  std::string temporary = std::string(path) + ".XXXXXX";
  const UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return SystemError("could not make the secret file", path);
  Status done = WriteAndSync(fd.get(), content, path);
  if (done && ::link(temporary.c_str(), path) != 0) {
    done = SystemError("could not put the secret file in its place", path);
  }
  ::unlink(temporary.c_str());
  GRANTFS_CHECK(done);
  return SyncDirectoryOf(path);
}

}  // namespace grantfs
