#include "grantfs/util/sealed_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace grantfs {

namespace {
constexpr int kAllSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
}  // namespace

Result<UniqueFd> SealedFile(ByteView content) {
  UniqueFd fd(::memfd_create("grantfs-sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  std::size_t at = 0;
  while (fd && at < content.size()) {
    const ssize_t wrote = ::write(fd.get(), content.data() + at, content.size() - at);
    if (wrote < 0 && errno != EINTR) break;
    if (wrote > 0) at += static_cast<std::size_t>(wrote);
  }
  if (!fd || at < content.size() || ::fcntl(fd.get(), F_ADD_SEALS, kAllSeals) != 0)
    return Error{Code::kIo, "could not make memory for another process", errno, {}};
  return fd;
}

Result<Bytes> ReadSealedFile(int fd, std::size_t max_bytes) {
  struct stat info {};
  const int seals = ::fcntl(fd, F_GET_SEALS);  // the kernel may have added one of its own (vm.memfd_noexec)
  if (seals < 0 || (seals & kAllSeals) != kAllSeals || ::fstat(fd, &info) != 0 || info.st_size < 0 ||
      static_cast<std::size_t>(info.st_size) > max_bytes)
    return Error{Code::kInvalid, "this is no sealed memory of this program", 0, {}};
  Bytes content(static_cast<std::size_t>(info.st_size));
  if (::pread(fd, content.data(), content.size(), 0) != static_cast<ssize_t>(content.size()))
    return Error{Code::kIo, "could not read sealed memory", errno, {}};
  return content;
}

}  // namespace grantfs
