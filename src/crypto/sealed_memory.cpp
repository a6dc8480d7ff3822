#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "grantfs/crypto/secret.h"
#include "grantfs/util/sealed_file.h"

namespace grantfs {
namespace {

// As long as somebody has it mapped and locked it is not written to swap. One page, for the life of the
// process.
Status LockForGood(int fd, std::size_t size) {
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (memory == MAP_FAILED || ::mlock(memory, size) != 0 || ::madvise(memory, size, MADV_DONTDUMP) != 0)
    return Error{Code::kIo, "could not lock memory", errno};
  return {};
}

}  // namespace

Result<UniqueFd> SealedMemory(const SecretMemory& content) {
  UniqueFd fd = GRANTFS_TRY(SealedFile(content.Expose()));
  if (content.size() > 0) GRANTFS_CHECK(LockForGood(fd.get(), content.size()));
  return fd;
}

Result<SecretMemory> ReadSealedMemory(int fd, std::size_t max_bytes) {
  // A description of its own: others read from the same one.
  const UniqueFd own(::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDONLY | O_CLOEXEC));
  if (!own) return Error{Code::kIo, "could not open what another process handed over", errno};
  return ReadSecret(own.get(), max_bytes);
}

}  // namespace grantfs
