#include <sodium.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

#include "secret_internal.h"

namespace grantfs {
namespace {

// The mapping around `size` usable bytes: a guard page, the pages that hold them, a guard page.
struct Extent {
  explicit Extent(std::size_t size)
      : page(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))), inner((size + page - 1) / page * page) {}
  std::size_t Whole() const { return inner + 2 * page; }
  std::size_t page;
  std::size_t inner;
};

}  // namespace

Result<std::uint8_t*> MapLocked(std::size_t size) {
  if (size > std::numeric_limits<std::size_t>::max() / 2) {
    return Error{Code::kIo, "no memory for a secret", ENOMEM};
  }
  const Extent extent(size);
  void* const base = ::mmap(nullptr, extent.Whole(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) return Error{Code::kIo, "no memory for a secret", errno};
  std::uint8_t* const inner = static_cast<std::uint8_t*>(base) + extent.page;
  const auto give_up = [&](const char* where) {
    const Error error{Code::kIo, where, errno};
    ::munmap(base, extent.Whole());
    return error;
  };
  if (::mprotect(inner, extent.inner, PROT_READ | PROT_WRITE) != 0) return give_up("no memory for a secret");
  if (::madvise(inner, extent.inner, MADV_DONTDUMP) != 0 ||
      ::madvise(inner, extent.inner, MADV_WIPEONFORK) != 0) {
    return give_up("could not keep a secret out of core dumps and child processes");
  }
  // Not mlock, which sanitizers replace by nothing.
  if (::mlock2(inner, extent.inner, 0) != 0) {
    return give_up(
        "could not lock memory for a secret, raise the limit (ulimit -l, or LimitMEMLOCK= in the unit)");
  }
  return inner + (extent.inner - size);
}

void UnmapLocked(std::uint8_t* data, std::size_t size) {
  const Extent extent(size);
  std::uint8_t* const base = data + size - extent.inner - extent.page;
  sodium_memzero(data, size);
  ::munmap(base, extent.Whole());
}

}  // namespace grantfs
