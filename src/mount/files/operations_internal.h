#pragma once

#include <fuse_lowlevel.h>

#include <cerrno>
#include <functional>
#include <string_view>

#include "mount/files/filesystem_internal.h"

namespace grantfs {

/// How long the kernel remembers names and attributes; what changes is invalidated.
inline constexpr double kRememberSeconds = 60;

/// The table of everything that the kernel may ask.
const fuse_lowlevel_ops& FuseOperations();

// Names and attributes: answered from memory, at once.
void LookUp(fuse_req_t req, fuse_ino_t parent, const char* name);
void GetAttributes(fuse_req_t req, fuse_ino_t node, fuse_file_info* info);
void ReadDirectory(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, fuse_file_info* info);
void ReadDirectoryPlus(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, fuse_file_info* info);
void StatFilesystem(fuse_req_t req, fuse_ino_t node);

// Requests that write: the rotation helper's alone.
/// @return whether it was the helper's way to what it renames, and is answered.
bool LookUpForHelper(Filesystem& filesystem, fuse_req_t req, NodeId parent, std::string_view name);
void RenameEntry(fuse_req_t req, fuse_ino_t parent, const char* name, fuse_ino_t new_parent,
                 const char* new_name, unsigned flags);
void RemoveFile(fuse_req_t req, fuse_ino_t parent, const char* name);
void MakeDirectory(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode);
void SetAttributes(fuse_req_t req, fuse_ino_t node, struct stat* attributes, int which, fuse_file_info* info);
void OpenToWrite(fuse_req_t req, NodeId node, const fuse_file_info& info);

// Contents: may be answered later, by a thread of the source.
void OpenFileNode(fuse_req_t req, fuse_ino_t node, fuse_file_info* info);
void ReadOpenFile(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, fuse_file_info* info);
void ReleaseFile(fuse_req_t req, fuse_ino_t node, fuse_file_info* info);

/// Has the source answer a request within the deadline. Where too many wait already it is answered with an
/// error.
///
/// @param answered  whether the source has: what is waited for then is the mount's own
/// @param log  writes down why it is refused; may run on another thread.
void AwaitSource(fuse_req_t req, std::function<bool()> answered, std::function<void(const char* reason)> log,
                 const Requests::Start& start);

/// Runs the body of an operation, which answers as the last thing it does: so whatever it throws comes before
/// the answer.
template <typename Body>
void Guarded(fuse_req_t req, Body body) noexcept {
  try {
    body(Filesystem::Of(req));
  } catch (...) {
    fuse_reply_err(req, EIO);
  }
}

}  // namespace grantfs
