#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "export_file_internal.h"
#include "grantfs/util/file.h"

namespace grantfs {

Result<ExportFile> ExportFile::Open(const std::string& path, const ExportState* state) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600));
  if (!fd) return Error{errno == ENOENT ? Code::kNotFound : Code::kIo, "cannot be opened", errno, path};
  struct stat found {};
  if (::fstat(fd.get(), &found) != 0) return Error{Code::kIo, "cannot be looked at", errno, path};
  if (!S_ISREG(found.st_mode)) return Error{Code::kInvalid, "is no ordinary file", 0, path};
  ExportFile file(path, std::move(fd));
  file.device_ = found.st_dev;
  file.inode_ = found.st_ino;
  const auto size = static_cast<std::uint64_t>(found.st_size);
  const bool known = state != nullptr && state->inode == file.inode_ && state->device == file.device_;
  if (!known && size != 0)
    return Error{
        Code::kConflict,
        "holds something already; name a new file, or with --state the state of the export that wrote it", 0,
        path};
  if (known && size < state->length)
    return Error{Code::kConflict,
                 "is shorter than this export left it; move it away, and the export goes on in a new one", 0,
                 path};
  if (known) file.length_ = state->length;
  if (size > file.length_ && ::ftruncate(file.fd_.get(), static_cast<off_t>(file.length_)) != 0)
    return Error{Code::kIo, "cannot be cut to where the export was", errno, path};
  GRANTFS_CHECK(SyncDirectoryOf(path));
  return file;
}

Status ExportFile::Append(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::pwrite(fd_.get(), text.data(), text.size(), static_cast<off_t>(length_));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0)
      return Error{errno == ENOSPC || errno == EDQUOT ? Code::kNoSpace : Code::kIo, "cannot be written",
                   errno, path_};
    length_ += static_cast<std::uint64_t>(written);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fdatasync(fd_.get()) != 0) return Error{Code::kIo, "cannot be written to the disk", errno, path_};
  return {};
}

void ExportFile::Note(ExportState* state) const {
  state->device = device_;
  state->inode = inode_;
  state->length = length_;
}

}  // namespace grantfs
