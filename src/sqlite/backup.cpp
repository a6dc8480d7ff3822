#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "connection_internal.h"
#include "grantfs/util/file.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {
namespace {

Error SystemError(const char* where, const std::string& path) {
  const int sys = errno;
  const Code code = sys == ENOSPC || sys == EDQUOT ? Code::kNoSpace
                    : sys == EEXIST                ? Code::kConflict
                    : sys == ENOENT                ? Code::kNotFound
                                                   : Code::kIo;
  return Error{code, where, sys, path};
}

Status Sync(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return SystemError("could not sync the backup", path);
  return {};
}

// Some file systems (NFS) know no rename that refuses to replace; a hard link does refuse.
int RenameNew(const char* from, const char* to) {
  if (::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL) return -1;
  if (::link(from, to) != 0) return -1;
  return ::unlink(from);
}

Status PutInPlace(const std::string& temporary, const std::string& path, Database::Existing existing) {
  GRANTFS_CHECK(Sync(temporary));
  const int done = existing == Database::Existing::kReplace ? ::rename(temporary.c_str(), path.c_str())
                                                            : RenameNew(temporary.c_str(), path.c_str());
  if (done != 0) return SystemError("could not put the backup in its place", path);
  return SyncDirectoryOf(path);
}

}  // namespace

Status Database::BackupInto(const std::string& path, Existing existing,
                            const std::function<Status(const std::string&)>& check) {
  if (existing == Existing::kRefuse && ::access(path.c_str(), F_OK) == 0) {
    return Error{Code::kConflict, "exists already: name a file that does not", 0, path};
  }
  std::string temporary = path + ".XXXXXX";
  // VACUUM INTO takes an empty file, which so has its mode before it has content.
  if (!UniqueFd(::mkostemp(temporary.data(), O_CLOEXEC)))
    return SystemError("could not make the backup", path);
  Status done = Run("VACUUM INTO ?1", temporary);
  if (done && check) done = check(temporary);
  if (done) done = PutInPlace(temporary, path, existing);
  if (!done) ::unlink(temporary.c_str());
  return done;
}

}  // namespace grantfs
