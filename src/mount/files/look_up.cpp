#include <sys/statvfs.h>

#include <algorithm>
#include <string>
#include <vector>

#include "grantfs/util/clock.h"
#include "mount/files/operations_internal.h"
#include "mount/reports/why_internal.h"

namespace grantfs {

namespace {

/// Of one answer: more no kernel asks for, but who served before may have written any request down.
constexpr std::size_t kMaxDirectoryBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxPartBytes = 255;  // of a path between two slashes, as everywhere on Linux

/// Reports change by themselves, so their looks are never remembered.
double AttributeTimeout(NodeId node) { return IsReport(node) ? 0 : kRememberSeconds; }

/// What the kernel remembers of a name; `ino` 0 if there is no such node.
fuse_entry_param EntryOf(Filesystem& filesystem, const std::shared_ptr<const Tree>& tree, NodeId node) {
  fuse_entry_param entry{};
  const auto info = filesystem.Stat(tree, node);
  if (!info) return entry;
  entry.ino = node;
  entry.attr = *info;
  entry.attr_timeout = AttributeTimeout(node);
  entry.entry_timeout = kRememberSeconds;
  return entry;
}

/// Collects the entries of one answer to READDIR or READDIRPLUS.
class DirectoryWriter {
 public:
  DirectoryWriter(fuse_req_t req, std::size_t size, bool plus)
      : req_(req), buffer_(std::min(size, kMaxDirectoryBytes)), plus_(plus) {}

  /// @param entry for READDIR only the type and number of its attributes count.
  /// @return false if it does not fit any more.
  bool Add(const std::string& name, const fuse_entry_param& entry, std::uint64_t cookie) {
    char* place = buffer_.data() + used_;
    const std::size_t left = buffer_.size() - used_;
    const auto next = static_cast<off_t>(cookie);
    const std::size_t need = plus_ ? fuse_add_direntry_plus(req_, place, left, name.c_str(), &entry, next)
                                   : fuse_add_direntry(req_, place, left, name.c_str(), &entry.attr, next);
    if (need > left) return false;
    used_ += need;
    return true;
  }
  void Reply() { fuse_reply_buf(req_, buffer_.data(), used_); }

 private:
  fuse_req_t req_;
  std::vector<char> buffer_;
  std::size_t used_ = 0;
  bool plus_;
};

/// "." and "..": number and type alone, for the kernel knows them (`ino` stays 0).
bool AddDots(const Directory& directory, std::uint64_t after, DirectoryWriter* writer) {
  fuse_entry_param entry{};
  entry.attr.st_mode = S_IFDIR;
  entry.attr.st_ino = directory.id;
  if (after < 1 && !writer->Add(".", entry, 1)) return false;
  entry.attr.st_ino = directory.parent;
  return after >= 2 || writer->Add("..", entry, 2);
}

/// Where a name leads until the helper has switched it; 0: to nothing.
NodeId ShownAt(Filesystem& filesystem, NodeId parent, const Child& child) {
  return filesystem.rotation().held().Shown(parent, child.name).value_or(child.id);
}

void AddChildren(Filesystem& filesystem, const std::shared_ptr<const Tree>& tree, const Directory& directory,
                 std::uint64_t after, bool plus, DirectoryWriter* writer) {
  auto child =
      std::upper_bound(directory.children.begin(), directory.children.end(), after,
                       [](std::uint64_t cookie, const Child& one) { return cookie < CookieOf(one.id); });
  for (; child != directory.children.end(); ++child) {
    const NodeId shown = ShownAt(filesystem, directory.id, *child);
    if (shown == 0) continue;
    fuse_entry_param entry{};
    if (plus) {
      entry = EntryOf(filesystem, tree, shown);
    } else {
      entry.attr.st_ino = shown;
      entry.attr.st_mode = tree->FindDirectory(shown) ? S_IFDIR : S_IFREG;
    }
    if (!writer->Add(child->name, entry, CookieOf(child->id))) return;
  }
}

void ListDirectory(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, bool plus) {
  Guarded(req, [&](Filesystem& filesystem) {
    const auto view = filesystem.Look();
    DirectoryWriter writer(req, size, plus);
    const auto after = static_cast<std::uint64_t>(offset);
    // A directory that is gone is an empty one to who stands in it.
    const Directory* directory = view.tree()->FindDirectory(node);
    if (directory != nullptr && AddDots(*directory, after, &writer)) {
      AddChildren(filesystem, view.tree(), *directory, after, plus, &writer);
    }
    writer.Reply();
  });
}

}  // namespace

namespace {
/// What a name leads to; 0: nowhere.
NodeId FindChild(Filesystem& filesystem, const Tree& tree, NodeId parent, const char* name, uid_t user) {
  const Directory* directory = tree.FindDirectory(parent);
  const Child* child = directory ? directory->Find(name) : nullptr;
  if (child != nullptr) return child->id;
  const bool other = directory && IsWhyDirectory(parent) && filesystem.MayAskForOthers(user);
  return other ? FindExplanationFor(*directory, name) : 0;
}
}  // namespace

void LookUp(fuse_req_t req, fuse_ino_t parent, const char* name) {
  Guarded(req, [&](Filesystem& filesystem) {
    if (LookUpForHelper(filesystem, req, parent, name)) return;
    const auto view = filesystem.Look();
    const auto held = filesystem.rotation().held().Shown(parent, name);
    const NodeId node =
        held ? *held : FindChild(filesystem, *view.tree(), parent, name, fuse_req_ctx(req)->uid);
    fuse_entry_param entry = node != 0 ? EntryOf(filesystem, view.tree(), node) : fuse_entry_param{};
    // Another user would be shown nothing by it.
    if (KindOf(node) == NodeKind::kWhy && VersionOf(node) != 0) entry.entry_timeout = 0;
    if (entry.ino == 0) {
      // Neither of which the kernel remembers.
      fuse_reply_err(req, std::string_view(name).size() > kMaxPartBytes ? ENAMETOOLONG : ENOENT);
      return;
    }
    if (KindOf(entry.ino) == NodeKind::kSecret) {
      filesystem.rules().Looked(static_cast<std::uint32_t>(fuse_req_ctx(req)->pid), entry.ino,
                                SystemClock().Boot());
    }
    fuse_reply_entry(req, &entry);
  });
}

void GetAttributes(fuse_req_t req, fuse_ino_t node, fuse_file_info*) {
  Guarded(req, [&](Filesystem& filesystem) {
    const auto view = filesystem.Look();
    const auto info = filesystem.Stat(view.tree(), node);
    if (!info) {
      fuse_reply_err(req, ESTALE);
      return;
    }
    fuse_reply_attr(req, &*info, AttributeTimeout(node));
  });
}

void ReadDirectory(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, fuse_file_info*) {
  ListDirectory(req, node, size, offset, false);
}

void ReadDirectoryPlus(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, fuse_file_info*) {
  ListDirectory(req, node, size, offset, true);
}

void StatFilesystem(fuse_req_t req, fuse_ino_t) {
  Guarded(req, [&](Filesystem& filesystem) {
    struct statvfs info {};
    info.f_bsize = info.f_frsize = 4096;
    info.f_namemax = kMaxPartBytes;
    info.f_files = filesystem.CurrentTree()->secrets().size();
    fuse_reply_statfs(req, &info);
  });
}

}  // namespace grantfs
