#include "grantfs/client/home.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "grantfs/client/known_store.h"
#include "grantfs/util/file.h"
#include "grantfs/util/unique_fd.h"
#include "home_profile_internal.h"

namespace grantfs {
namespace {

constexpr char kSeed[] = "/seed";
constexpr char kProfile[] = "/identity.json";
constexpr char kInvite[] = "/invite";
constexpr char kRecovery[] = "/recovery";
constexpr std::size_t kSeedBytes = 32;
constexpr std::size_t kInviteBytes = 20;

Error NoIdentity(const std::string& directory) {
  return {Code::kNotFound,
          "there is no identity here: run grantfs enroll (or grantfs init for a new vault), or name "
          "another home with --home",
          0, directory};
}

Status CheckDirectory(const std::string& directory) {
  struct stat info {};
  if (::stat(directory.c_str(), &info) != 0) {
    if (errno == ENOENT) return NoIdentity(directory);
    return Error{Code::kIo, "could not look at the home", errno, directory};
  }
  if (!S_ISDIR(info.st_mode)) return Error{Code::kIo, "the home is not a directory", ENOTDIR, directory};
  if (info.st_uid != ::geteuid() && ::geteuid() != 0) {
    return Error{Code::kDenied, "the home belongs to another user: run this as that user", 0, directory};
  }
  if ((info.st_mode & 077) != 0) {
    return Error{Code::kDenied, "others may enter the home: mend it with chmod 0700", 0, directory};
  }
  return {};
}

// One process at a time makes or takes away a home.
Result<UniqueFd> LockDirectory(const std::string& directory) {
  UniqueFd lock(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock) return Error{Code::kIo, "could not open the home", errno, directory};
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error{Code::kConflict, "another grantfs is at work in this home: wait for it", 0, directory};
  }
  return lock;
}

Status RemoveFile(const std::string& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return Error{Code::kIo, "could not remove the file", errno, path};
}

}  // namespace

Status RemoveHomeParts(const std::string& directory) {
  for (const char* part :
       {kProfile, kInvite, kRecovery, kSeed, "/seed.new", "/known.db", "/known.db-journal", "/reserve"}) {
    GRANTFS_CHECK(RemoveFile(directory + part));
  }
  return {};
}

Error HomeInUse(const std::string& directory) {
  return {Code::kConflict,
          "this home has an identity already: name another one with --home DIR (or GRANTFS_HOME)", 0,
          directory};
}

Home Home::Handed(HomeProfile profile, HandedPaths paths) {
  Home home;
  home.profile_ = std::move(profile);
  home.handed_ = std::move(paths);
  return home;
}

std::string Home::ProfilePath() const { return directory_ + kProfile; }
std::string Home::SeedPath() const { return directory_ + kSeed; }

bool Home::Exists(const std::string& directory) { return PathExists(directory + kProfile); }

Result<Home> Home::OpenAny(const std::string& directory) {
  GRANTFS_CHECK(CheckDirectory(directory));
  auto profile = ReadProfile(directory + kProfile);
  if (!profile && profile.error().code == Code::kNotFound) return NoIdentity(directory);
  if (!profile) return profile.error();
  Home home;
  home.directory_ = directory;
  home.profile_ = std::move(*profile);
  return home;
}

Result<Home> Home::Open(const std::string& directory) {
  Home home = GRANTFS_TRY(OpenAny(directory));
  switch (home.profile_.state) {
    case HomeProfile::State::kReady:
      return home;
    case HomeProfile::State::kEnrolling:
      return Error{Code::kConflict,
                   "this home waits for an owner's approval: go on with grantfs enroll when it was given", 0,
                   directory};
    case HomeProfile::State::kRequesting:
      return Error{
          Code::kConflict,
          "this home waits for the line that grantfs approve - prints for it: grantfs enroll --accept "
          "takes it",
          0, directory};
    case HomeProfile::State::kClaiming:
      return Error{Code::kConflict,
                   "an interrupted init stands here: finish it by running grantfs init again", 0, directory};
  }
  std::abort();
}

Result<Home> Home::Create(const std::string& directory, const HomeProfile& profile, const SecretMemory& seed,
                          const InviteSecret* invite, const SecretMemory* recovery) {
  GRANTFS_CHECK(MakeDirectories(directory, 0700));
  GRANTFS_CHECK(CheckDirectory(directory));
  const UniqueFd lock = GRANTFS_TRY(LockDirectory(directory));
  if (Exists(directory)) return HomeInUse(directory);
  GRANTFS_CHECK(RemoveHomeParts(directory));
  GRANTFS_CHECK(WriteSecretFile((directory + kSeed).c_str(), seed));
  if (invite != nullptr) {
    GRANTFS_CHECK(WriteSecretFile((directory + kInvite).c_str(), GRANTFS_TRY(invite->ToBytes())));
  }
  if (recovery != nullptr) GRANTFS_CHECK(WriteSecretFile((directory + kRecovery).c_str(), *recovery));
  Home home;
  home.directory_ = directory;
  home.profile_ = profile;
  GRANTFS_TRY(KnownStore::Open(home.KnownPath(), KnownStore::Missing::kMake));
  GRANTFS_CHECK(WriteProfile(directory + kProfile, profile));
  return home;
}

Result<InviteSecret> Home::LoadInvite() const {
  return InviteSecret::FromBytes(GRANTFS_TRY(ReadSecretFile((directory_ + kInvite).c_str(), kInviteBytes)));
}

Result<SecretMemory> Home::LoadRecoverySeed() const {
  return ReadSecretFile((directory_ + kRecovery).c_str(), kSeedBytes);
}

Status Home::MarkReady(std::int64_t not_after) {
  HomeProfile ready = profile_;
  ready.not_after = not_after;
  return Accept(std::move(ready));
}

Status Home::Accept(HomeProfile ready) {
  ready.state = HomeProfile::State::kReady;
  ready.standing = false;
  GRANTFS_CHECK(WriteProfile(directory_ + kProfile, ready));
  profile_ = std::move(ready);
  GRANTFS_CHECK(RemoveFile(directory_ + kRecovery));
  return RemoveFile(directory_ + kInvite);
}

Status Home::ForgetKnown() const {
  GRANTFS_CHECK(RemoveFile(KnownPath()));
  GRANTFS_CHECK(RemoveFile(KnownPath() + "-journal"));
  GRANTFS_TRY(KnownStore::Open(KnownPath(), KnownStore::Missing::kMake));
  return {};
}

Status Home::CheckWritable() const {
  if (::access(KnownPath().c_str(), W_OK) == 0) return {};
  return Error{Code::kIo, "may only be read, and what is verified is noted there; make it writable", errno,
               KnownPath()};
}

Status Home::Discard() {
  const UniqueFd lock = GRANTFS_TRY(LockDirectory(directory_));
  const Home now = GRANTFS_TRY(OpenAny(directory_));
  if (now.profile_.state == HomeProfile::State::kReady) return HomeInUse(directory_);
  return RemoveHomeParts(directory_);
}

}  // namespace grantfs
