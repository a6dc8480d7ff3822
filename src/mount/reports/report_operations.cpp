#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "grantfs/util/clock.h"
#include "mount/kernel/session_internal.h"
#include "mount/reports/report_operations_internal.h"

namespace grantfs {

namespace {

using OpenList = std::vector<ReportDirectory::Listed>;
using OpenText = ReportDirectory::Text;

/// An open directory: its names and what they lead to stay those of one tree.
struct OpenReportList {
  std::shared_ptr<const ReportDirectory> tree;
  std::string path;
  OpenList names;
};

ReportFilesystem& FilesystemOf(fuse_req_t req) {
  return *static_cast<ReportFilesystem*>(Session::Of(req).owner());
}

/// Runs the body of an operation, which answers as the last thing it does.
template <typename Body>
void GuardedReport(fuse_req_t req, Body body) noexcept {
  try {
    body(FilesystemOf(req));
  } catch (const std::exception&) {  // memory ran out
    fuse_reply_err(req, EIO);
  }
}

template <typename Opened>
std::uint64_t HandleOf(Opened opened) {
  return reinterpret_cast<std::uintptr_t>(new Opened(std::move(opened)));
}

template <typename Opened>
Opened* FromHandle(const fuse_file_info* info) {
  return reinterpret_cast<Opened*>(static_cast<std::uintptr_t>(info->fh));
}

// What a node looks like never changes; where a name leads is remembered so that a long path is not asked for
// part by part each time, and no longer than reports may lag behind anyway.
constexpr double kNodeSeconds = 3600;
constexpr double kNameSeconds = 1;

/// What the kernel is told of a path, and owes a Forget for; `ino` 0 if it leads nowhere.
fuse_entry_param TakeReport(ReportFilesystem& filesystem, const ReportDirectory& tree,
                            const std::string& path) {
  fuse_entry_param entry{};
  const OpenText text = tree.Read(path);
  if (text == nullptr && !tree.HasDirectory(path)) return entry;
  const auto node = filesystem.nodes().Take(path, text, SystemClock().WallSeconds());
  entry.ino = node.id;
  entry.attr = filesystem.Attributes(node);
  entry.attr_timeout = kNodeSeconds;
  entry.entry_timeout = kNameSeconds;
  return entry;
}

std::string PathBelow(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

void LookUpReport(fuse_req_t req, fuse_ino_t parent, const char* name) {
  GuardedReport(req, [&](ReportFilesystem& filesystem) {
    if (std::strlen(name) > ReportDirectory::kMaxNameBytes) {
      fuse_reply_err(req, ENAMETOOLONG);
      return;
    }
    const auto above = filesystem.nodes().Find(parent);
    const auto tree = filesystem.Current();
    const fuse_entry_param entry =
        above ? TakeReport(filesystem, *tree, PathBelow(above->path, name)) : fuse_entry_param{};
    if (entry.ino == 0) {
      fuse_reply_err(req, ENOENT);
    } else if (fuse_reply_entry(req, &entry) != 0) {
      filesystem.nodes().Forget(entry.ino, 1);
    }
  });
}

void ForgetReport(fuse_req_t req, fuse_ino_t node, std::uint64_t times) {
  FilesystemOf(req).nodes().Forget(node, times);
  fuse_reply_none(req);
}

void ForgetReports(fuse_req_t req, std::size_t count, fuse_forget_data* all) {
  for (std::size_t i = 0; i < count; ++i) FilesystemOf(req).nodes().Forget(all[i].ino, all[i].nlookup);
  fuse_reply_none(req);
}

void GetReportAttributes(fuse_req_t req, fuse_ino_t id, fuse_file_info*) {
  GuardedReport(req, [&](ReportFilesystem& filesystem) {
    const auto node = filesystem.nodes().Find(id);
    if (!node) {
      fuse_reply_err(req, ESTALE);
      return;
    }
    const struct stat attributes = filesystem.Attributes(*node);
    fuse_reply_attr(req, &attributes, kNodeSeconds);
  });
}

void OpenReport(fuse_req_t req, fuse_ino_t id, fuse_file_info* info) {
  GuardedReport(req, [&](ReportFilesystem& filesystem) {
    const auto node = filesystem.nodes().Find(id);
    if (!node || node->text == nullptr) {
      fuse_reply_err(req, ESTALE);
      return;
    }
    info->direct_io = 1;
    info->fh = HandleOf<OpenText>(node->text);
    if (fuse_reply_open(req, info) != 0) delete FromHandle<OpenText>(info);
  });
}

void ReadReport(fuse_req_t req, fuse_ino_t, std::size_t size, off_t offset, fuse_file_info* info) {
  const std::string& text = **FromHandle<OpenText>(info);
  const std::size_t at = std::min(text.size(), static_cast<std::size_t>(std::max<off_t>(offset, 0)));
  fuse_reply_buf(req, text.data() + at, std::min(size, text.size() - at));
}

void ReleaseReport(fuse_req_t req, fuse_ino_t, fuse_file_info* info) {
  delete FromHandle<OpenText>(info);
  fuse_reply_err(req, 0);
}

/// A listing stays as it was when it was opened.
void OpenReports(fuse_req_t req, fuse_ino_t id, fuse_file_info* info) {
  GuardedReport(req, [&](ReportFilesystem& filesystem) {
    const auto node = filesystem.nodes().Find(id);
    const auto tree = filesystem.Current();
    const ReportDirectory::Ptr directory = node ? tree->FindDirectory(node->path) : nullptr;
    // A directory that is gone is an empty one to who stands in it.
    info->fh = HandleOf<OpenReportList>(
        {tree, node ? node->path : "", directory != nullptr ? directory->List() : OpenList()});
    if (fuse_reply_open(req, info) != 0) delete FromHandle<OpenReportList>(info);
  });
}

/// One answer to READDIR or READDIRPLUS.
class ReportsWriter {
 public:
  ReportsWriter(fuse_req_t req, std::size_t size) : req_(req), buffer_(size) {}

  bool Add(const char* name, const fuse_entry_param& entry, std::size_t next, bool plus) {
    char* place = buffer_.data() + used_;
    const std::size_t left = buffer_.size() - used_;
    const auto offset = static_cast<off_t>(next);
    const std::size_t need = plus ? fuse_add_direntry_plus(req_, place, left, name, &entry, offset)
                                  : fuse_add_direntry(req_, place, left, name, &entry.attr, offset);
    if (need > left) return false;
    used_ += need;
    return true;
  }
  bool Reply() { return fuse_reply_buf(req_, buffer_.data(), used_) == 0; }

 private:
  fuse_req_t req_;
  std::vector<char> buffer_;
  std::size_t used_ = 0;
};

void ListReports(fuse_req_t req, fuse_ino_t id, std::size_t size, off_t offset, fuse_file_info* info) {
  GuardedReport(req, [&](ReportFilesystem&) {
    const OpenList& list = FromHandle<OpenReportList>(info)->names;
    ReportsWriter writer(req, size);
    for (auto at = static_cast<std::size_t>(offset); at < list.size() + 2; ++at) {
      fuse_entry_param entry{};
      entry.attr.st_ino = at < 2 ? id : ~ino_t{0} >> 1;  // LOOKUP tells the number
      entry.attr.st_mode = at < 2 || list[at - 2].directory ? S_IFDIR : S_IFREG;
      const char* name = at == 0 ? "." : at == 1 ? ".." : list[at - 2].name.c_str();
      if (!writer.Add(name, entry, at + 1, false)) break;
    }
    writer.Reply();
  });
}

void ListReportsPlus(fuse_req_t req, fuse_ino_t id, std::size_t size, off_t offset, fuse_file_info* info) {
  GuardedReport(req, [&](ReportFilesystem& filesystem) {
    const OpenReportList& open = *FromHandle<OpenReportList>(info);
    ReportsWriter writer(req, size);
    std::vector<fuse_ino_t> told;
    for (auto at = static_cast<std::size_t>(offset); at < open.names.size() + 2; ++at) {
      fuse_entry_param entry{};
      const char* name = at == 0 ? "." : "..";
      if (at >= 2) {
        name = open.names[at - 2].name.c_str();
        entry = TakeReport(filesystem, *open.tree, PathBelow(open.path, name));
      } else {  // number and type alone, for the kernel knows them
        entry.attr.st_ino = id;
        entry.attr.st_mode = S_IFDIR;
      }
      if (!writer.Add(name, entry, at + 1, true)) {
        if (entry.ino != 0) filesystem.nodes().Forget(entry.ino, 1);
        break;
      }
      if (entry.ino != 0) told.push_back(entry.ino);
    }
    if (writer.Reply()) return;
    for (const fuse_ino_t node : told) filesystem.nodes().Forget(node, 1);
  });
}

void ReleaseReports(fuse_req_t req, fuse_ino_t, fuse_file_info* info) {
  delete FromHandle<OpenReportList>(info);
  fuse_reply_err(req, 0);
}

}  // namespace

ReportFilesystem::ReportFilesystem(const ReportsOptions& options)
    : options_(options), nodes_(SystemClock().WallSeconds()) {}

struct stat ReportFilesystem::Attributes(const ReportNodes::Node& node) const {
  struct stat attributes {};
  attributes.st_ino = node.id;
  attributes.st_mode = node.text != nullptr ? S_IFREG | 0400 : S_IFDIR | 0500;
  attributes.st_nlink = node.text != nullptr ? 1 : 2;
  attributes.st_uid = geteuid();
  attributes.st_gid = getegid();
  attributes.st_blksize = 4096;
  if (node.text != nullptr) attributes.st_size = static_cast<off_t>(node.text->size());
  attributes.st_blocks = (attributes.st_size + 511) / 512;
  attributes.st_mtim.tv_sec = attributes.st_ctim.tv_sec = attributes.st_atim.tv_sec = node.time;
  return attributes;
}

const fuse_lowlevel_ops& ReportOperations() {
  static const fuse_lowlevel_ops operations = {
      .lookup = LookUpReport,
      .forget = ForgetReport,
      .getattr = GetReportAttributes,
      .open = OpenReport,
      .read = ReadReport,
      .release = ReleaseReport,
      .opendir = OpenReports,
      .readdir = ListReports,
      .releasedir = ReleaseReports,
      .forget_multi = ForgetReports,
      .readdirplus = ListReportsPlus,
  };
  return operations;
}

}  // namespace grantfs
