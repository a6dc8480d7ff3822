#pragma once

#include <string>

#include "export_state_internal.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {

/// The file that records are exported into; it belongs to the export alone. Threads: one.
class ExportFile {
 public:
  /// Opens or makes it (0600), and cuts off what was written behind what the state knows of. A file that was
  /// put in place of the one that the state names (a rotated log) must be new and empty. @param state absent:
  /// it must be empty.  Errors: kConflict (it holds something else, or less than the state says), kInvalid
  /// (no ordinary file), kIo, kNotFound.
  static Result<ExportFile> Open(const std::string& path, const ExportState* state);
  /// Appends, and returns once it is on the disk. Errors: kIo, kNoSpace.
  Status Append(std::string_view text);
  /// Says in the state which file it is, and how long.
  void Note(ExportState* state) const;

 private:
  ExportFile(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  std::string path_;
  UniqueFd fd_;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
  std::uint64_t length_ = 0;
};

}  // namespace grantfs
