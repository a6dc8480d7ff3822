#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "grantfs/client/home.h"
#include "grantfs/util/unique_fd.h"

// Room for revoking. What is verified must be noted before it is used, so a full disk would keep an owner
// from the one act that cannot wait. A file holds the room until then.

namespace grantfs {
namespace {

constexpr char kReserve[] = "/reserve";
/// The lists of some hundred secrets, and SQLite's journal of the pages that change.
constexpr off_t kReserveBytes = off_t{1} << 20;
constexpr off_t kLeastReserve = off_t{64} << 10;

bool IsFull(int sys) { return sys == ENOSPC || sys == EDQUOT; }

Error NoRoom(int sys, const std::string& path) {
  return {IsFull(sys) ? Code::kNoSpace : Code::kIo,
          "there is no room for the reserve from which a full disk lets grants be revoked: make room there",
          sys, path};
}

}  // namespace

void Home::GiveUpReserve() const { ::unlink((directory_ + kReserve).c_str()); }

Status Home::MakeReserve() const {
  const std::string path = directory_ + kReserve;
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  struct stat info {};
  if (!file && IsFull(errno)) return NoRoom(errno, path);
  if (!file || ::fstat(file.get(), &info) != 0)
    return Error{Code::kIo, "the reserve for revoking on a full disk cannot be made", errno, path};
  if (info.st_size >= kReserveBytes && info.st_blocks > 0) return {};
  // What fits: on a disk that is nearly full half of it is better than none.
  int failed = ENOSPC;
  for (off_t size = kReserveBytes; size >= kLeastReserve && failed != 0; size /= 2) {
    if (size <= info.st_size) return {};
    failed = ::posix_fallocate(file.get(), 0, size);
  }
  if (failed == 0) return {};
  if (info.st_size == 0) ::unlink(path.c_str());
  return NoRoom(failed, path);
}

}  // namespace grantfs
