#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "grantfs/util/unique_fd.h"
#include "import_internal.h"

namespace grantfs {
namespace {

namespace fs = std::filesystem;

Error NotRead(const std::error_code& why, const std::string& path) {
  const bool missing = why == std::errc::no_such_file_or_directory;
  return Error{missing ? Code::kNotFound : Code::kIo, "could not be read", why.value(), path};
}

Result<std::vector<fs::path>> FilesBelow(const std::string& directory) {
  std::vector<fs::path> files;
  std::error_code failed;
  for (fs::recursive_directory_iterator at(directory, failed), end; !failed && at != end;
       at.increment(failed)) {
    const fs::file_status status = at->symlink_status(failed);
    if (failed) break;
    if (fs::is_regular_file(status)) {
      files.push_back(at->path());
    } else if (!fs::is_directory(status)) {
      return Error{Code::kInvalid, "is no plain file; an import takes files only, and follows no links", 0,
                   at->path().string()};
    }
  }
  if (failed) return NotRead(failed, directory);
  std::sort(files.begin(), files.end());
  return files;
}

Result<SecretMemory> ReadFileOfValue(const fs::path& path, std::size_t* left) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) return NotRead({errno, std::generic_category()}, path.string());
  auto value = ReadSecret(fd.get(), std::min(*left, kMaxSecretBytes));
  if (!value && value.error().code == Code::kInvalid) {
    return Error{Code::kInvalid, "a value has at most 1 MiB, and an import at most 3 MiB", 0, path.string()};
  }
  if (value) *left -= value->size();
  return value;
}

}  // namespace

Result<std::vector<Imported>> ReadDirectoryOfValues(const std::string& directory) {
  std::size_t left = kMaxImportBytes;
  std::vector<Imported> found;
  for (const fs::path& path : GRANTFS_TRY(FilesBelow(directory))) {
    SecretMemory value = GRANTFS_TRY(ReadFileOfValue(path, &left));
    found.push_back({path.lexically_relative(directory).generic_string(), SecretValue(std::move(value))});
  }
  return found;
}

}  // namespace grantfs
