#include "mount/operations_internal.h"

namespace grantfs {

namespace {

/// Any write, whatever its arguments: the filesystem is read-only.
template <typename... Arguments>
void RefuseWrite(fuse_req_t req, Arguments...) {
  fuse_reply_err(req, EROFS);
}

}  // namespace

const fuse_lowlevel_ops& FuseOperations() {
  // Without an entry libfuse answers for us: ENOSYS to FLUSH and to extended attributes (the kernel then
  // never asks again), success to opening directories.
  static const fuse_lowlevel_ops operations = {
      .lookup = LookUp,
      .getattr = GetAttributes,
      .setattr = SetAttributes,
      .mknod = RefuseWrite,
      .mkdir = MakeDirectory,
      .unlink = RemoveFile,
      .rmdir = RefuseWrite,
      .symlink = RefuseWrite,
      .rename = RenameEntry,
      .link = RefuseWrite,
      .open = OpenFileNode,
      .read = ReadOpenFile,
      .write = RefuseWrite,
      .release = ReleaseFile,
      .readdir = ReadDirectory,
      .statfs = StatFilesystem,
      .setxattr = RefuseWrite,
      .removexattr = RefuseWrite,
      .create = RefuseWrite,
      .fallocate = RefuseWrite,
      .readdirplus = ReadDirectoryPlus,
      .copy_file_range = RefuseWrite,
  };
  return operations;
}

}  // namespace grantfs
