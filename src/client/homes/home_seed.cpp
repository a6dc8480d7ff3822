// The seed of a home, and the passphrase that it may lie under.

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "grantfs/client/home.h"
#include "grantfs/crypto/passphrase.h"
#include "grantfs/util/file.h"
#include "grantfs/util/unique_fd.h"
#include "home_profile_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kBareSeedBytes = 32;

Home::PassphraseSource& Source() {
  static Home::PassphraseSource source;
  return source;
}

Error DamagedSeed(const std::string& path) {
  return {Code::kIntegrity, "the seed is damaged; restore it, or enrol anew with another home", 0, path};
}

Error AboutSeed(Error error, const std::string& path) {
  if (error.subject.empty()) error.subject = path;
  return error;
}

Result<SecretMemory> ReadSeedFile(const std::string& path) {
  SecretMemory content = GRANTFS_TRY(ReadSecretFile(path.c_str(), kProtectedKeyBytes));
  if (content.size() == kBareSeedBytes || IsProtectedKey(content.Expose())) return content;
  return DamagedSeed(path);
}

/// As far as the medium lets one: what a bare seed was stored in is not left to whoever finds it.
void Overwrite(int fd, std::size_t size) {
  const Bytes zeros(size);
  if (::pwrite(fd, zeros.data(), zeros.size(), 0) == static_cast<ssize_t>(zeros.size())) ::fsync(fd);
}

/// What interrupted calls have left, also under the names that a file has while it is written. One that has
/// another name is the seed itself, perhaps.
void RemoveUnfinished(const std::string& path) {
  const std::size_t slash = path.rfind('/') + 1;
  const std::string directory = path.substr(0, slash), prefix = path.substr(slash) + kNextSeedSuffix;
  std::vector<std::string> names;
  if (DIR* const open = ::opendir(directory.empty() ? "." : directory.c_str())) {
    while (const dirent* const entry = ::readdir(open)) {
      if (std::string_view(entry->d_name).starts_with(prefix)) names.push_back(directory + entry->d_name);
    }
    ::closedir(open);
  }
  for (const std::string& name : names) {
    const UniqueFd fd(::open(name.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat info {};
    if (::unlink(name.c_str()) == 0 && fd && ::fstat(fd.get(), &info) == 0 && S_ISREG(info.st_mode) &&
        info.st_nlink == 0)
      Overwrite(fd.get(), kProtectedKeyBytes);
  }
}

bool IsSameFile(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// Names beside its own under which a seed was written that was then killed before it took them away.
void RemoveOtherNames(const std::string& path, int fd) {
  constexpr std::size_t kRandom = 7;  // ".AbCdEf"
  const std::size_t slash = path.rfind('/') + 1;
  const std::string directory = path.substr(0, slash), prefix = path.substr(slash) + ".";
  std::vector<std::string> names;
  DIR* const open = ::opendir(directory.empty() ? "." : directory.c_str());
  if (open == nullptr) return;
  while (const dirent* const entry = ::readdir(open)) {
    const std::string_view name = entry->d_name;
    if (name.starts_with(prefix) && name.size() == prefix.size() - 1 + kRandom)
      names.push_back(directory + std::string(name));
  }
  ::closedir(open);
  struct stat own {
  }, other{};
  if (::fstat(fd, &own) != 0) return;
  for (const std::string& name : names)
    if (::lstat(name.c_str(), &other) == 0 && IsSameFile(own, other)) ::unlink(name.c_str());
}

/// At every moment, also after a crash, the one or the other stands there whole.
Status Replace(const std::string& path, const SecretMemory& content) {
  const std::string next = path + kNextSeedSuffix;
  RemoveUnfinished(path);
  const UniqueFd before(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (const Status written = WriteSecretFile(next.c_str(), content); !written) {
    RemoveUnfinished(path);
    return written;
  }
  if (::rename(next.c_str(), path.c_str()) != 0) {
    const int sys = errno;
    RemoveUnfinished(path);
    return Error{Code::kIo, "the seed could not be put in its place; it is as it was", sys, path};
  }
  GRANTFS_CHECK(SyncDirectoryOf(path));
  // A copy of the home that shares the file (cp -al) is somebody's backup.
  struct stat left {};
  if (before) RemoveOtherNames(path, before.get());
  if (before && ::fstat(before.get(), &left) == 0 && left.st_nlink == 0)
    Overwrite(before.get(), kProtectedKeyBytes);
  return {};
}

Result<UniqueFd> LockHome(const std::string& directory) {
  UniqueFd lock(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock && ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  return Error{Code::kConflict, "another grantfs is at work in this home: wait for it", 0, directory};
}

}  // namespace

void Home::AskPassphraseBy(PassphraseSource source) { Source() = std::move(source); }

Result<bool> Home::IsKeyProtected() const {
  return GRANTFS_TRY(ReadSeedFile(SeedPath())).size() != kBareSeedBytes;
}

Result<SecretMemory> Home::LoadSeed() const {
  SecretMemory content = GRANTFS_TRY(ReadSeedFile(SeedPath()));
  if (content.size() == kBareSeedBytes) return content;
  if (!Source())
    return Error{Code::kDenied,
                 "the key is under a passphrase, which is not known here: give --passphrase-file", 0,
                 SeedPath()};
  const SecretMemory passphrase = GRANTFS_TRY(Source()());
  auto seed = UnprotectKey(content.Expose(), passphrase);
  if (seed) return seed;
  return AboutSeed(seed.error(), SeedPath());
}

Result<PrivateIdentity> Home::LoadIdentity() const {
  return PrivateIdentity::FromSeed(GRANTFS_TRY(LoadSeed()), profile_.kind, profile_.name);
}

// What is written is opened once before it takes the other's place: a passphrase that does not open it would
// lose the key.
Status Home::Protect(const SecretMemory& passphrase) const {
  const UniqueFd lock = GRANTFS_TRY(LockHome(directory_));
  const SecretMemory seed = GRANTFS_TRY(LoadSeed());
  const Bytes made = GRANTFS_TRY(ProtectKey(seed, passphrase));
  const auto again = UnprotectKey(made, passphrase);
  if (!again || !again->Equals(seed))
    return Error{Code::kIntegrity,
                 "what was made does not open again: nothing was changed; is the memory good?", 0,
                 SeedPath()};
  SecretMemory content = GRANTFS_TRY(SecretMemory::Allocate(made.size()));
  std::copy(made.begin(), made.end(), content.Expose().begin());
  return Replace(SeedPath(), content);
}

Status Home::Unprotect() const {
  const UniqueFd lock = GRANTFS_TRY(LockHome(directory_));
  if (!GRANTFS_TRY(IsKeyProtected()))
    return Error{Code::kConflict, "the key is under no passphrase", 0, SeedPath()};
  return Replace(SeedPath(), GRANTFS_TRY(LoadSeed()));
}

Status Home::ProtectLike(const Home& other) const {
  if (!GRANTFS_TRY(other.IsKeyProtected()) || GRANTFS_TRY(IsKeyProtected())) return {};
  GRANTFS_TRY(other.LoadSeed());  // so that what the source gives is known to be the one
  return Protect(GRANTFS_TRY(Source()()));
}

Status Home::TakeKeyOf(const Home& next) const {
  const UniqueFd lock = GRANTFS_TRY(LockHome(directory_));
  const HomeProfile& other = next.profile_;
  if (other.vault != profile_.vault || other.kind != profile_.kind || other.name != profile_.name)
    return Error{Code::kIntegrity, "the new key is of another identity than this home: nothing was changed",
                 0, next.directory_};
  GRANTFS_CHECK(Replace(SeedPath(), GRANTFS_TRY(ReadSeedFile(next.SeedPath()))));
  GRANTFS_CHECK(RemoveHomeParts(next.directory_));
  ::rmdir(next.directory_.c_str());
  return {};
}

}  // namespace grantfs
