#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>

#include "grantfs/util/unique_fd.h"
#include "mount/base/recent_map_internal.h"
#include "mount/callers/executable_internal.h"

namespace grantfs {

namespace {

constexpr const char* kDeleted = " (deleted)";  // as the kernel writes it behind the path
constexpr off_t kMaxBytes = off_t{1} << 30;
constexpr std::size_t kPieceBytes = 256 * 1024;

std::string CanonicalPath(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), ::free);
  return real ? std::string(real.get()) : path;
}

/// What a file's content is known by as long as it stays the same.
std::string FileKey(const struct stat& file) {
  std::string key;
  for (const auto part :
       {static_cast<long long>(file.st_dev), static_cast<long long>(file.st_ino),
        static_cast<long long>(file.st_size), static_cast<long long>(file.st_ctim.tv_sec),
        static_cast<long long>(file.st_ctim.tv_nsec), static_cast<long long>(file.st_mtim.tv_sec),
        static_cast<long long>(file.st_mtim.tv_nsec)}) {
    key += std::to_string(part) + ":";
  }
  return key;
}

/// The contents that were read already. Threads: safe.
class KnownContents {
 public:
  std::string Find(const std::string& key) {
    std::lock_guard lock(mutex_);
    const std::string* known = known_.Find(key);
    return known ? *known : "";
  }
  void Keep(const std::string& key, const std::string& content) {
    std::lock_guard lock(mutex_);
    known_.Touch(key) = content;
  }

 private:
  std::mutex mutex_;
  RecentMap<std::string, std::string> known_{1024};
};

std::string HashContent(int fd) {
  const std::unique_ptr<std::uint8_t[]> buffer(new std::uint8_t[kPieceBytes]);
  const auto hash = Sha256Of([&]() -> Result<ByteView> {
    const ssize_t got = read(fd, buffer.get(), kPieceBytes);
    if (got < 0) return Error{Code::kIo, "an executable cannot be read", errno, {}};
    return ByteView(buffer.get(), static_cast<std::size_t>(got));
  });
  return hash ? hash->Hex() : "";
}

std::string ContentOf(const std::string& link) {
  static KnownContents known;
  const UniqueFd fd(open(link.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  struct stat before {};
  struct stat after {};
  if (!fd || fstat(fd.get(), &before) != 0 || !S_ISREG(before.st_mode) || before.st_size > kMaxBytes)
    return "";
  if (std::string content = known.Find(FileKey(before)); !content.empty()) return content;
  std::string content = HashContent(fd.get());
  if (fstat(fd.get(), &after) != 0 || FileKey(after) != FileKey(before)) return "";
  if (!content.empty()) known.Keep(FileKey(before), content);
  return content;
}

bool IsSameFile(const std::string& one, const std::string& other) {
  struct stat a {};
  struct stat b {};
  return stat(one.c_str(), &a) == 0 && stat(other.c_str(), &b) == 0 && a.st_dev == b.st_dev &&
         a.st_ino == b.st_ino;
}

}  // namespace

ExecutableFacts CompareExecutable(const std::string& link, const std::string& shown,
                                  const WantedExecutable& wanted) {
  ExecutableFacts facts;
  const std::string real = CanonicalPath(wanted.path);
  facts.deleted = shown == wanted.path + kDeleted || shown == real + kDeleted;
  facts.named = shown == wanted.path || shown == real;
  // What has another path is not touched: it may lie on a filesystem that never answers.
  if (!facts.named) return facts;
  facts.same = IsSameFile(link, wanted.path);
  if (wanted.content) facts.content = ContentOf(link);
  return facts;
}

}  // namespace grantfs
