#include <malloc.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string_view>

#include "grantfs/client/mount_home.h"
#include "grantfs/mount/supervisor.h"
#include "grantfs/util/text.h"
#include "mount_worker_internal.h"

namespace grantfs {
namespace {

constexpr int kArenas = 2;
constexpr char kWorkerName[] = "grantfs";
constexpr uid_t kWorkerUser = 60843;  // in a range that neither distributions nor systemd use

// A mount shows what was last verified when the vault is down; this is how long it waits to begin with what
// is true now.
constexpr std::chrono::seconds kFirstWait{3};

void WarnOfEmptyRoot(const MachineSession& session, const std::string& root) {
  if (root.empty()) return;
  const auto listing = session.CurrentListing();
  const bool any = std::any_of(listing->secrets.begin(), listing->secrets.end(),
                               [&](const GrantedSecret& secret) { return secret.environment == root; });
  if (!any) Log(LogLevel::kWarning, "nothing of " + root + " is granted now; mind the spelling of --root");
}

constexpr HandedHome kHanded{kFirstWorkerDescriptor,     kFirstWorkerDescriptor + 1,
                             kFirstWorkerDescriptor + 2, kFirstWorkerDescriptor + 3,
                             kFirstWorkerDescriptor + 4, kFirstWorkerDescriptor + 5};

Result<std::unique_ptr<SecretSource>> SourceOf(const std::string& root, bool first,
                                               std::shared_ptr<HttpClient> http, KeptMemory* kept) {
  auto session = GRANTFS_TRY(StartMountSession(kHanded, first, std::move(http), kept));
  if (first) {
    if (const auto current = session->WaitUntilCurrent(kFirstWait); !current)
      Log(LogLevel::kWarning, "mounting what was last verified, since the vault could not be asked",
          current.error());
    WarnOfEmptyRoot(*session, root);
  }
  return std::unique_ptr<SecretSource>(std::move(session));
}

}  // namespace

std::pair<uid_t, gid_t> WorkerUser() {
  if (::geteuid() != 0) return {::geteuid(), ::getegid()};
  const passwd* entry = ::getpwnam(kWorkerName);
  return entry != nullptr && entry->pw_uid != 0 ? std::pair(entry->pw_uid, entry->pw_gid)
                                                : std::pair(kWorkerUser, kWorkerUser);
}

std::string DoubtAboutWorkerUser(uid_t user) {
  if (::geteuid() != 0 || user != kWorkerUser) return "";
  const passwd* entry = ::getpwuid(user);
  if (entry == nullptr || std::string_view(entry->pw_name) == kWorkerName) return "";
  return "the files are served as user " + std::to_string(user) + ", who is " + Printable(entry->pw_name) +
         " here and so could disturb it and write what it keeps: make a user for it (useradd --system " +
         kWorkerName + ") and mount again";
}

std::string ControlDirectory() {
  if (::geteuid() == 0) return "/run/grantfs/control";
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  return runtime != nullptr && *runtime == '/' ? std::string(runtime) + "/grantfs/control" : "";
}

void RunMountWorker(const std::vector<std::string>& words) {
  // Its threads are few and mostly wait: with an arena for each, memory that one freed is no other's.
  ::mallopt(M_ARENA_MAX, kArenas);
  StartLog(LogLevel::kInfo);
  const std::string root = words.size() > 2 ? words[2] : "";
  std::shared_ptr<HttpClient> http;
  ::_exit(RunWorker(
      words, [&](bool first, KeptMemory* kept) { return SourceOf(root, first, std::move(http), kept); },
      [&http] { http = WarmUpMountSession(kHanded); }, GRANTFS_VERSION));
}

}  // namespace grantfs
