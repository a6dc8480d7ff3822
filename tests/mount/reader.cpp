// Reads a secret that rotates, again and again, and finds out whether each time it got one version, whole.
//
//   reader KIND PATH SECONDS     for so long
//   reader KIND PATH FILE        until FILE exists (so a FILE's name must not be a number)
//   reader content VERSION       prints what that version must contain
//
// KIND: read; bind (the same on a single-file bind mount, whose size fstat may already tell of the next
// version); mmap (private); shared (mapped); sendfile; held (a descriptor and a mapping over several
// rotations, which must stay true to their version). Prints counts; exit status 1 if anything was wrong, or
// nothing was read.

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "versioned_content.h"

namespace {

std::map<std::string, long> wrong;
long whole = 0;
int newest = 0;
sigjmp_buf bus_jump;
volatile sig_atomic_t bus_expected = 0;

void OnBus(int) {
  if (bus_expected) siglongjmp(bus_jump, 1);
  _exit(3);
}

void Wrong(const std::string& what) { ++wrong[what]; }
void WrongErrno(const std::string& what) { Wrong(what + ":" + strerror(errno)); }

/// Everything that read(2) gives from the start; none after an error.
std::optional<std::string> ReadAll(int fd) {
  std::string content;
  char piece[65536];
  ssize_t got = 0;
  while ((got = pread(fd, piece, sizeof piece, static_cast<off_t>(content.size()))) > 0) {
    content.append(piece, static_cast<std::size_t>(got));
  }
  if (got == 0) return content;
  WrongErrno("read");
  return std::nullopt;
}

/// Content must be a whole version that is not older than one seen before.
int Judge(const std::string& content, off_t size) {
  const int version = grantfs::VersionOfContent(content);
  if (version < 0) Wrong("torn");
  if (static_cast<off_t>(content.size()) != size) Wrong("fstat-size-differs");
  if (version >= 0 && version < newest) Wrong("backwards");
  if (version > newest) newest = version;
  return version;
}

/// Copies a mapping, which may die of SIGBUS.
std::optional<std::string> CopyMapping(const void* mapping, std::size_t size) {
  static std::string copy;  // lives through the jump
  copy.assign(size, '\0');
  bus_expected = 1;
  if (sigsetjmp(bus_jump, 1) != 0) {
    bus_expected = 0;
    Wrong("SIGBUS");
    return std::nullopt;
  }
  std::memcpy(copy.data(), mapping, size);
  bus_expected = 0;
  return copy;
}

void ByMapping(int fd, off_t size, int flags) {
  const auto bytes = static_cast<std::size_t>(size);
  void* mapping = mmap(nullptr, bytes, PROT_READ, flags, fd, 0);
  if (mapping == MAP_FAILED) return WrongErrno("mmap");
  if (auto content = CopyMapping(mapping, bytes)) Judge(*content, size);
  munmap(mapping, bytes);
}

void BySendfile(int fd, off_t size) {
  static const int target = memfd_create("reader", MFD_CLOEXEC);
  if (ftruncate(target, 0) != 0 || lseek(target, 0, SEEK_SET) != 0) return WrongErrno("memfd");
  ssize_t sent = 0;
  while ((sent = sendfile(target, fd, nullptr, 1 << 20)) > 0) {
  }
  if (sent < 0) return WrongErrno("sendfile");
  if (auto content = ReadAll(target)) Judge(*content, size);
}

void CheckHeld(int fd, const std::string& content, const void* mapping) {
  struct stat info {};
  if (fstat(fd, &info) != 0) WrongErrno("held-fstat");
  if (static_cast<std::size_t>(info.st_size) != content.size()) Wrong("held-size");
  if (auto now = ReadAll(fd); now && *now != content) Wrong("held-read-changed");
  if (auto now = CopyMapping(mapping, content.size()); now && *now != content) Wrong("held-map-changed");
}

void ByHolding(int fd, off_t size) {
  const auto content = ReadAll(fd);
  if (!content || Judge(*content, size) < 0) return;
  void* mapping = mmap(nullptr, content->size(), PROT_READ, MAP_PRIVATE, fd, 0);
  if (mapping == MAP_FAILED) return WrongErrno("mmap");
  for (int i = 0; i < 5; ++i) {
    CheckHeld(fd, *content, mapping);
    if (i == 2) madvise(mapping, content->size(), MADV_DONTNEED);  // its pages must be filled again
    poll(nullptr, 0, 5);
  }
  munmap(mapping, content->size());
}

void ReadOnce(const std::string& kind, const char* path) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat info {};
  if (fd < 0) {
    WrongErrno("open");
    poll(nullptr, 0, 1);
    return;
  }
  if (fstat(fd, &info) != 0) WrongErrno("fstat");
  if (kind == "read" || kind == "bind") {
    auto content = ReadAll(fd);
    if (content) Judge(*content, kind == "read" ? info.st_size : static_cast<off_t>(content->size()));
  } else if (kind == "mmap") {
    ByMapping(fd, info.st_size, MAP_PRIVATE);
  } else if (kind == "shared") {
    ByMapping(fd, info.st_size, MAP_SHARED);
  } else if (kind == "sendfile") {
    BySendfile(fd, info.st_size);
  } else {
    ByHolding(fd, info.st_size);
  }
  close(fd);
  ++whole;
}

int Usage() {
  std::fprintf(
      stderr,
      "usage: reader read|bind|mmap|shared|sendfile|held PATH SECONDS|FILE\n       reader content VERSION\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "content") == 0) {
    const std::string content = grantfs::VersionedContent(static_cast<unsigned>(std::atoi(argv[2])));
    return std::fwrite(content.data(), 1, content.size(), stdout) == content.size() ? 0 : 1;
  }
  const std::string kind = argc == 4 ? argv[1] : "";
  const std::set<std::string> kinds = {"read", "bind", "mmap", "shared", "sendfile", "held"};
  if (!kinds.contains(kind)) return Usage();
  signal(SIGBUS, OnBus);
  char* end = nullptr;
  const double seconds = std::strtod(argv[3], &end);
  const bool timed = *end == '\0';
  const auto start = std::chrono::steady_clock::now();
  const auto goes_on = [&] {
    if (!timed) return access(argv[3], F_OK) != 0;
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < seconds;
  };
  do {
    ReadOnce(kind, argv[2]);
  } while (goes_on());
  std::printf("%s: %ld reads, newest version %d", kind.c_str(), whole, newest);
  for (const auto& [what, count] : wrong) std::printf(", %s %ld", what.c_str(), count);
  std::printf("\n");
  return wrong.empty() && whole > 0 ? 0 : 1;
}
