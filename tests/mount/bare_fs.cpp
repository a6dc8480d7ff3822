// The baseline that grantfs is measured against: plain libfuse and nothing of grantfs, with the same mount
// options, number of threads and answers (direct_io, 60 s, no FLUSH), its content in memory and nobody to
// ask.
//
//   bare_fs MOUNTPOINT BYTES [THREADS [FILES]]     until it is unmounted; prints "ready" when it is mounted
//
// The files are `file`, and `file-1` and so on, if there are to be more.

#include <fuse_lowlevel.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr double kRememberSeconds = 60;
constexpr fuse_ino_t kFirstFile = 2;  // the root is 1
std::string content;
std::vector<std::string> names;

struct stat StatOf(fuse_ino_t node) {
  struct stat info {};
  info.st_ino = node;
  info.st_mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0444;
  info.st_nlink = node == FUSE_ROOT_ID ? 2 : 1;
  info.st_size = node == FUSE_ROOT_ID ? 0 : static_cast<off_t>(content.size());
  return info;
}

fuse_entry_param EntryOf(fuse_ino_t node) {
  fuse_entry_param entry{};
  entry.ino = node;
  entry.attr = StatOf(node);
  entry.attr_timeout = entry.entry_timeout = kRememberSeconds;
  return entry;
}

void LookUp(fuse_req_t req, fuse_ino_t, const char* name) {
  if (std::strcmp(name, "never") == 0) return;  // whoever asks for it waits for ever
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    fuse_reply_err(req, ENOENT);
    return;
  }
  const fuse_entry_param entry = EntryOf(kFirstFile + static_cast<fuse_ino_t>(found - names.begin()));
  fuse_reply_entry(req, &entry);
}

void GetAttributes(fuse_req_t req, fuse_ino_t node, fuse_file_info*) {
  const struct stat info = StatOf(node);
  fuse_reply_attr(req, &info, kRememberSeconds);
}

void ReadDirectoryPlus(fuse_req_t req, fuse_ino_t, size_t size, off_t offset, fuse_file_info*) {
  std::vector<char> buffer(size);
  std::size_t used = 0;
  for (auto at = static_cast<std::size_t>(offset); at < names.size(); ++at) {
    const fuse_entry_param entry = EntryOf(kFirstFile + at);
    const std::size_t more = fuse_add_direntry_plus(req, buffer.data() + used, size - used, names[at].c_str(),
                                                    &entry, static_cast<off_t>(at + 1));
    if (more > size - used) break;
    used += more;
  }
  fuse_reply_buf(req, buffer.data(), used);
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

void Serve(fuse_session* session) {
  fuse_buf buffer{};
  while (fuse_session_exited(session) == 0) {
    const int got = fuse_session_receive_buf(session, &buffer);
    if (got == -EINTR) continue;
    if (got <= 0) break;
    fuse_session_process_buf(session, &buffer);
  }
  std::free(buffer.mem);
  fuse_session_exit(session);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: bare_fs MOUNTPOINT BYTES [THREADS [FILES]]\n");
    return 2;
  }
  content.assign(static_cast<std::size_t>(std::atoll(argv[2])), 'x');
  const int threads = argc > 3 ? std::atoi(argv[3]) : 4;
  const int files = argc > 4 ? std::atoi(argv[4]) : 1;
  names.push_back("file");
  for (int i = 1; i < files; ++i) names.push_back("file-" + std::to_string(i));
  fuse_lowlevel_ops operations{};
  operations.lookup = LookUp;
  operations.getattr = GetAttributes;
  operations.readdirplus = ReadDirectoryPlus;
  operations.open = Open;
  operations.read = Read;
  operations.release = Release;
  char options[] = "ro,nosuid,nodev,noexec,noatime,default_permissions,allow_other,fsname=bare,subtype=bare";
  char program[] = "bare_fs", dash_o[] = "-o";
  char* words[] = {program, dash_o, options};
  fuse_args arguments = FUSE_ARGS_INIT(3, words);
  fuse_session* session = fuse_session_new(&arguments, &operations, sizeof operations, nullptr);
  if (session == nullptr || fuse_session_mount(session, argv[1]) != 0) return 1;
  std::printf("ready\n");
  std::fflush(stdout);
  std::vector<std::thread> serving;
  for (int i = 0; i < threads; ++i) serving.emplace_back(Serve, session);
  for (std::thread& thread : serving) thread.join();
  fuse_session_unmount(session);
  fuse_session_destroy(session);
  return 0;
}
