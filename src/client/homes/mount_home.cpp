#include "grantfs/client/mount_home.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "grantfs/client/known_store.h"
#include "grantfs/client/vault_connection.h"
#include "grantfs/log/log.h"
#include "grantfs/util/file.h"
#include "grantfs/util/sealed_file.h"
#include "grantfs/util/text.h"
#include "home_profile_internal.h"
#include "mount_home_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kHandedSeedBytes = 32;
constexpr std::size_t kMaxKnownBytes = std::size_t{1} << 30;
constexpr char kKnownName[] = "known.db";  // and its copies: MakerOf

std::string ByDescriptor(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

/// A file of the directory becomes the new user's, if it is one of its former user's. What that one may have
/// put in its place (a link, another's file) does not.
Status GiveFile(const UniqueFd& directory, const char* name, uid_t former, uid_t user, gid_t group) {
  const UniqueFd file(::openat(directory.get(), name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0) return {};
  if (!S_ISREG(info.st_mode) || info.st_nlink != 1 || info.st_uid != former) return {};
  if (::fchownat(file.get(), "", user, group, AT_EMPTY_PATH) != 0)
    return Error{Code::kIo, "could not give it to the user that mounts work as", errno, name};
  return {};
}

/// Where workers ran as another user before, or whoever owns the home made it, what was kept goes to the new
/// user.
Status GiveTo(const UniqueFd& directory, const std::string& path, uid_t user, gid_t group) {
  struct stat info {};
  if (::fstat(directory.get(), &info) != 0) return Error{Code::kIo, "could not look at it", errno, path};
  if (info.st_uid == user && info.st_gid == group) return {};
  DIR* const entries = ::fdopendir(::openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (entries == nullptr) return Error{Code::kIo, "could not list it", errno, path};
  Status given;
  while (const dirent* const entry = given ? ::readdir(entries) : nullptr)
    given = GiveFile(directory, entry->d_name, info.st_uid, user, group);
  ::closedir(entries);
  GRANTFS_CHECK(std::move(given));
  if (::fchownat(directory.get(), "", user, group, AT_EMPTY_PATH) != 0)
    return Error{Code::kIo, "could not give it to the user that mounts work as", errno, path};
  return {};
}

/// In another user's home nothing that is root's is given away: who knows how it got there.
Status CheckMayBeGiven(int home, const UniqueFd& directory, const std::string& path) {
  struct stat whole {
  }, part{};
  if (::fstat(home, &whole) != 0 || ::fstat(directory.get(), &part) != 0)
    return Error{Code::kIo, "could not look at it", errno, path};
  if (whole.st_uid == ::geteuid() || part.st_uid != ::geteuid()) return {};
  return Error{Code::kDenied,
               "is root's in a home of another user: give it to the home's owner (chown), or take it away", 0,
               path};
}

}  // namespace

Result<UniqueFd> WorkersDirectory(int home, const std::string& name, uid_t user, gid_t group) {
  const std::string path = PathForMessages(ByDescriptor(home) + "/" + name);
  const bool is_new = ::mkdirat(home, name.c_str(), 0700) == 0;
  if (!is_new && errno != EEXIST) {
    return Error{Code::kIo, "could not make a directory for what the mount keeps; make the home writable",
                 errno, path};
  }
  UniqueFd fd(::openat(home, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return Error{Code::kIo, "could not open the directory for what the mount keeps", errno, path};
  if (!is_new) GRANTFS_CHECK(CheckMayBeGiven(home, fd, path));
  GRANTFS_CHECK(GiveTo(fd, path, user, group));
  return fd;
}

namespace {

/// The process that a copy of known.db is named for; 0: it is no such copy's name.
pid_t MakerOf(std::string_view name) {
  constexpr std::string_view kBefore = "known.db.";
  if (!name.starts_with(kBefore)) return 0;
  name.remove_prefix(kBefore.size());
  // "-journal" of it, and ".XXXXXX" that was to become it
  if (const auto end = name.find_first_of("-."); end != name.npos) name = name.substr(0, end);
  unsigned long long maker = 0;
  return ParseNumber(name, 0x7fffffff, &maker) ? static_cast<pid_t>(maker) : 0;
}

}  // namespace

void RemoveLeftCopies(const std::string& directory) {
  DIR* const entries = ::opendir(directory.c_str());
  if (entries == nullptr) return;
  while (const dirent* const entry = ::readdir(entries)) {
    const pid_t maker = MakerOf(entry->d_name);
    if (maker > 0 && ::kill(maker, 0) != 0 && errno == ESRCH) ::unlinkat(::dirfd(entries), entry->d_name, 0);
  }
  ::closedir(entries);
}

namespace {

/// What the home knows is what the mount's own begins with, and is taken over where that is older.
Status TakeKnown(const std::string& directory, int from) {
  RemoveLeftCopies(directory);
  const std::string path = directory + "/" + kKnownName;
  const std::string copy = path + "." + std::to_string(::getpid());
  GRANTFS_CHECK(WriteFileAtomic(copy, GRANTFS_TRY(ReadFile(ByDescriptor(from), kMaxKnownBytes)), 0600));
  // Who comes second finds the first one's.
  const bool is_new = ::link(copy.c_str(), path.c_str()) == 0;
  Status taken;
  if (is_new) {
    taken = SyncDirectoryOf(path);
  } else if (errno == EEXIST) {
    auto known = KnownStore::Open(path, KnownStore::Missing::kRefuse);
    taken = known ? (*known)->TakeHeadsOf(copy) : Status(known.error());
  } else {
    taken = Error{Code::kIo, "could not begin what the mount verifies", errno, path};
  }
  ::unlink(copy.c_str());
  return taken;
}

}  // namespace

namespace {

/// @param opened the home, which has no other name here: whoever may rename above it cannot put another one
/// in its place between two steps.
Result<MountHome> TakeOut(int opened, uid_t user, gid_t group) {
  const std::string directory = ByDescriptor(opened);
  const Home home = GRANTFS_TRY(OpenMachineHome(directory));
  const SecretMemory seed = GRANTFS_TRY(home.LoadSeed());
  const PrivateIdentity identity =
      GRANTFS_TRY(PrivateIdentity::FromSeed(seed, home.profile().kind, home.profile().name));
  const auto known = GRANTFS_TRY(KnownStore::Open(home.KnownPath(), KnownStore::Missing::kRefuse));
  MountHome handed;
  handed.identity = identity.Id().Hex();
  handed.profile = GRANTFS_TRY(SealedFile(GRANTFS_TRY(ReadFile(home.ProfilePath(), std::size_t{64} << 10))));
  handed.seed = GRANTFS_TRY(SealedMemory(seed));
  handed.known = GRANTFS_TRY(SealedFile(GRANTFS_TRY(known->Image())));
  handed.state = GRANTFS_TRY(WorkersDirectory(opened, "mount-" + handed.identity.substr(0, 16), user, group));
  handed.journal = GRANTFS_TRY(WorkersDirectory(opened, "journal", user, group));
  handed.offline = GRANTFS_TRY(WorkersDirectory(opened, "offline", user, group));
  return handed;
}

}  // namespace

Result<MountHome> OpenMountHome(const std::string& directory, uid_t user, gid_t group) {
  const UniqueFd opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened) {
    const int sys = errno;
    GRANTFS_TRY(OpenMachineHome(directory));  // says what is wrong
    return Error{Code::kIo, "could not open the home", sys, directory};
  }
  auto taken = TakeOut(opened.get(), user, group);
  if (taken) return taken;
  Error error = taken.error();
  error.subject = PathForMessages(error.subject);  // by the descriptor it has no name
  return error;
}

std::shared_ptr<HttpClient> WarmUpMountSession(const HandedHome& handed) {
  const auto made = [&]() -> Result<std::shared_ptr<HttpClient>> {
    const auto profile = GRANTFS_TRY(ReadProfile(ByDescriptor(handed.profile)));
    return VaultConnection::MakeHttp(profile.address, profile.pins);
  }();
  if (made) return *made;
  Log(LogLevel::kWarning, "a worker that stands by could not prepare", made.error());
  return nullptr;
}

Result<std::unique_ptr<MachineSession>> StartMountSession(const HandedHome& handed, bool first,
                                                          std::shared_ptr<HttpClient> http,
                                                          KeptMemory* kept) {
  const std::string state = ByDescriptor(handed.state);
  if (first) GRANTFS_CHECK(TakeKnown(state, handed.known));
  MachineOptions options;
  options.http = std::move(http);
  options.kept = kept;
  options.seed = GRANTFS_TRY(ReadSealedMemory(handed.seed, kHandedSeedBytes));
  auto profile = GRANTFS_TRY(ReadProfile(ByDescriptor(handed.profile)));
  Home home = Home::Handed(std::move(profile), {state + "/" + kKnownName, ByDescriptor(handed.journal),
                                                ByDescriptor(handed.offline)});
  return MachineSession::StartHanded(std::move(home), std::move(options));
}

}  // namespace grantfs
