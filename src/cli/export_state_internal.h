#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "grantfs/json/json.h"
#include "grantfs/util/result.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {

/// How far an export has come; what it is of, so that it goes on as nothing else.
struct ExportState {
  std::string vault;   ///< id
  std::string target;  ///< --to
  std::string format;
  Json filter = Json::Object();  ///< the options, as they were given
  std::optional<std::int64_t> since_ms;
  std::optional<std::int64_t> until_ms;
  std::uint64_t next = 0;  ///< the record to go on from
  /// Of a file: which it is, and how long once everything before `next` is in it.
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t length = 0;
  Json ToJson() const;
  static Result<ExportState> FromJson(const Json& json);
};

/// The file that holds it, and a lock beside it: one export at a time. Threads: one.
class ExportStateFile {
 public:
  /// Errors: kConflict (another process has it), kIo, kNotFound (no such directory).
  static Result<ExportStateFile> Open(const std::string& path);
  /// Absent: there is none yet. Errors: kInvalid (it is none), kIo.
  Result<std::optional<ExportState>> Read() const;
  /// Errors: kIo, kNoSpace.
  Status Write(const ExportState& state) const;

 private:
  ExportStateFile(std::string path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::string path_;
  UniqueFd lock_;
};

}  // namespace grantfs
