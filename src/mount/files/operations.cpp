#include "mount/files/operations_internal.h"

namespace grantfs {

namespace {

/// Any write, whatever its arguments: the filesystem is read-only.
template <typename... Arguments>
void RefuseWrite(fuse_req_t req, Arguments...) {
  fuse_reply_err(req, EROFS);
}

}  // namespace

void AwaitSource(fuse_req_t req, std::function<bool()> answered, std::function<void(const char* reason)> log,
                 const Requests::Start& start) {
  Filesystem& filesystem = Filesystem::Of(req);
  const auto late = [kept = filesystem.shared_from_this(), answered = std::move(answered), log] {
    if (answered())
      return log("the mount did not take over its new listing, or tell the kernel, within the deadline");
    kept->SourceWasLate();
    log("the source did not answer within the deadline");
  };
  if (filesystem.session().requests().Begin(req, filesystem.deadline(), late, start)) return;
  log(kThrottled);
  fuse_reply_err(req, EIO);
}

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
