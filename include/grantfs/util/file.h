#pragma once

#include <sys/types.h>

#include <string>

#include "grantfs/util/bytes.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// Reads a whole regular file of at most `max_bytes`. Not for secrets (see crypto/secret_file.h).
/// Errors: kNotFound, kInvalid (larger than the bound), kIo.
Result<Bytes> ReadFile(const std::string& path, std::size_t max_bytes);

/// Replaces `path` by a new file of that content and mode: temporary file beside it, fsync, rename, fsync of
/// the directory. After a crash the old or the new content stands there, whole. Errors: kIo, kNoSpace.
Status WriteFileAtomic(const std::string& path, ByteView content, mode_t mode);

/// Makes what happened to the name `path` in its directory last. Errors: kNotFound, kIo, kNoSpace.
Status SyncDirectoryOf(const std::string& path);

/// Makes `path` and its missing parents, each with `mode`, whatever the umask is. An existing directory is
/// left as it is. Errors: kIo, kNotFound, kNoSpace.
Status MakeDirectories(const std::string& path, mode_t mode);

/// The path without its last part: "/a" of "/a/b", "/" of "/b", "." of "b".
std::string DirectoryOf(const std::string& path);

/// What a message calls it: for a path by way of one of this process's descriptors ("/proc/self/fd/11/name",
/// as a process has it that may not enter the directory itself) the one that its directory has in the system.
std::string PathForMessages(const std::string& path);

/// True if something exists there (a dangling link counts).
bool PathExists(const std::string& path);

}  // namespace grantfs
