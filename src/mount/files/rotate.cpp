#include <fcntl.h>

#include <optional>
#include <string_view>

#include "grantfs/util/text.h"
#include "mount/files/operations_internal.h"

namespace grantfs {

namespace {

bool FromHelper(Filesystem& filesystem, fuse_req_t req) {
  return filesystem.rotation().IsHelper(fuse_req_ctx(req)->pid);
}

/// What a process that is not the helper gets, whatever it wants to write.
void RefuseStranger(fuse_req_t req) { fuse_reply_err(req, EROFS); }

fuse_entry_param HelperEntry(Filesystem& filesystem, const std::shared_ptr<const Tree>& tree, NodeId node) {
  fuse_entry_param entry{};
  const auto info = node == 0 ? std::nullopt : filesystem.Stat(tree, node);
  if (!info) return entry;
  entry.ino = node;
  entry.attr = *info;  // and nothing is remembered
  return entry;
}

}  // namespace

bool LookUpForHelper(Filesystem& filesystem, fuse_req_t req, NodeId parent, std::string_view name) {
  const bool hidden_directory = parent == kReportsNode && name == kHiddenName;
  if (!hidden_directory && parent != kHiddenNode) return false;
  if (!FromHelper(filesystem, req)) return false;
  NodeId node = kHiddenNode;
  if (!hidden_directory) {
    unsigned long long number = 0;
    node = ParseNumber(name, kNumberMask, &number) ? filesystem.rotation().held().Coming(number) : 0;
  }
  const auto view = filesystem.Look();
  const fuse_entry_param entry = HelperEntry(filesystem, view.tree(), node);
  if (entry.ino == 0) {
    fuse_reply_err(req, ENOENT);
  } else {
    fuse_reply_entry(req, &entry);
  }
  return true;
}

// The helper's request is the moment at which a name switches. One that was given up meanwhile is refused:
// that name has switched without it.

void RenameEntry(fuse_req_t req, fuse_ino_t parent, const char* name, fuse_ino_t new_parent,
                 const char* new_name, unsigned flags) {
  Guarded(req, [&](Filesystem& filesystem) {
    if (!FromHelper(filesystem, req) || parent != kHiddenNode || flags != 0) return RefuseStranger(req);
    unsigned long long number = 0;
    const bool known = ParseNumber(name, kNumberMask, &number);
    const bool done = known && filesystem.Release(NameChangeKind::kReplace, new_parent, new_name, number);
    fuse_reply_err(req, done ? 0 : ENOENT);
  });
}

void RemoveFile(fuse_req_t req, fuse_ino_t parent, const char* name) {
  Guarded(req, [&](Filesystem& filesystem) {
    if (!FromHelper(filesystem, req)) return RefuseStranger(req);
    fuse_reply_err(req, filesystem.Release(NameChangeKind::kRemove, parent, name) ? 0 : ENOENT);
  });
}

void MakeDirectory(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t) {
  Guarded(req, [&](Filesystem& filesystem) {
    if (!FromHelper(filesystem, req)) return RefuseStranger(req);
    const bool done = filesystem.Release(NameChangeKind::kMakeDirectory, parent, name);
    const auto view = filesystem.Look();
    const Directory* directory = done ? view.tree()->FindDirectory(parent) : nullptr;
    const Child* child = directory ? directory->Find(name) : nullptr;
    const fuse_entry_param entry = HelperEntry(filesystem, view.tree(), child ? child->id : 0);
    if (entry.ino == 0) {
      fuse_reply_err(req, ENOENT);
    } else {
      fuse_reply_entry(req, &entry);
    }
  });
}

void SetAttributes(fuse_req_t req, fuse_ino_t node, struct stat*, int which, fuse_file_info*) {
  Guarded(req, [&](Filesystem& filesystem) {
    constexpr int kTimes = FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_CTIME |
                           FUSE_SET_ATTR_ATIME_NOW | FUSE_SET_ATTR_MTIME_NOW;
    if (!FromHelper(filesystem, req) || (which & ~kTimes) != 0) return RefuseStranger(req);
    // A touch is there to be seen; the time stays the version's.
    const auto view = filesystem.Look();
    const auto info = filesystem.Stat(view.tree(), node);
    if (info) {
      fuse_reply_attr(req, &*info, kRememberSeconds);
    } else {
      fuse_reply_err(req, ESTALE);
    }
  });
}

void OpenToWrite(fuse_req_t req, NodeId node, const fuse_file_info& given) {
  Guarded(req, [&](Filesystem& filesystem) {
    const bool touch = FromHelper(filesystem, req) && KindOf(node) == NodeKind::kSecret;
    if (!touch || (given.flags & O_TRUNC) != 0) return RefuseStranger(req);
    fuse_file_info info = given;
    info.direct_io = 1;
    info.keep_cache = 1;
    info.fh = 0;  // no open file of ours
    fuse_reply_open(req, &info);
  });
}

}  // namespace grantfs
