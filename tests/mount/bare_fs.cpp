// The baseline that grantfs is measured against: a filesystem of one file, "file", on the same session, mount
// options, threads and answers (direct_io, 60 s, no FLUSH), with its content in memory and nobody to ask.
//
//   bare_fs MOUNTPOINT BYTES [THREADS]     until it is unmounted; prints "ready" when the file can be read

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "mount/mount_point_internal.h"
#include "mount/operations_internal.h"
#include "mount/session_internal.h"

namespace {

using grantfs::kRememberSeconds;

constexpr fuse_ino_t kRoot = 1;
constexpr fuse_ino_t kFile = 2;
std::string content;

struct stat StatOf(fuse_ino_t node) {
  struct stat info {};
  info.st_ino = node;
  info.st_mode = node == kRoot ? S_IFDIR | 0755 : S_IFREG | 0444;
  info.st_nlink = node == kRoot ? 2 : 1;
  info.st_size = node == kRoot ? 0 : static_cast<off_t>(content.size());
  return info;
}

void LookUp(fuse_req_t req, fuse_ino_t parent, const char* name) {
  if (parent != kRoot || std::strcmp(name, "file") != 0) {
    fuse_reply_err(req, ENOENT);
    return;
  }
  fuse_entry_param entry{};
  entry.ino = kFile;
  entry.attr = StatOf(kFile);
  entry.attr_timeout = entry.entry_timeout = kRememberSeconds;
  fuse_reply_entry(req, &entry);
}

void GetAttributes(fuse_req_t req, fuse_ino_t node, fuse_file_info*) {
  const struct stat info = StatOf(node);
  fuse_reply_attr(req, &info, kRememberSeconds);
}

void Open(fuse_req_t req, fuse_ino_t, fuse_file_info* info) {
  info->direct_io = 1;
  info->keep_cache = 1;
  fuse_reply_open(req, info);
}

void Read(fuse_req_t req, fuse_ino_t, size_t size, off_t offset, fuse_file_info*) {
  const std::size_t start = std::min(static_cast<std::size_t>(offset), content.size());
  fuse_reply_buf(req, content.data() + start, std::min(size, content.size() - start));
}

void Release(fuse_req_t req, fuse_ino_t, fuse_file_info*) { fuse_reply_err(req, 0); }

int Fail(const grantfs::Error& error) {
  std::fprintf(stderr, "bare_fs: %s\n", Describe(error).c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: bare_fs MOUNTPOINT BYTES [THREADS]\n");
    return 2;
  }
  content.assign(static_cast<std::size_t>(std::atoll(argv[2])), 'x');
  const auto point = grantfs::PrepareMountPoint(argv[1], [](std::string_view) {});
  if (!point) return Fail(point.error());
  auto mounted = grantfs::MountFuse(*point);
  if (!mounted) return Fail(mounted.error());
  fuse_lowlevel_ops operations{};
  operations.lookup = LookUp;
  operations.getattr = GetAttributes;
  operations.open = Open;
  operations.read = Read;
  operations.release = Release;
  auto session = grantfs::Session::Create(std::move(mounted->fuse), operations, nullptr);
  if (!session) return Fail(session.error());
  const unsigned threads = argc > 3 ? static_cast<unsigned>(std::atoi(argv[3])) : 4;
  if (const auto status = (*session)->Start(threads); !status) return Fail(status.error());
  for (bool ready = false; !(*session)->ended();) {
    if (!ready && (*session)->initialised()) {
      std::printf("ready\n");
      std::fflush(stdout);
      ready = true;
    }
    pollfd event{(*session)->event_fd(), POLLIN, 0};
    poll(&event, 1, -1);
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = read(event.fd, &count, sizeof count);
  }
  return 0;
}
