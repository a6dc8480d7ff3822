#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <tuple>

#include "admin_mount_internal.h"
#include "background_internal.h"
#include "commands_internal.h"
#include "grantfs/client/home.h"
#include "grantfs/client/join.h"
#include "grantfs/client/mount_home.h"
#include "grantfs/mount/mount.h"
#include "grantfs/mount/supervisor.h"
#include "grantfs/trust/names.h"
#include "grantfs/util/clock.h"
#include "homes_internal.h"
#include "manager_store_internal.h"
#include "mount_worker_internal.h"
#include "notify_internal.h"
#include "passphrase_internal.h"

namespace grantfs {
namespace {

constexpr std::chrono::seconds kLongestOnChange = std::chrono::hours(24);

struct MountRequest {
  std::string home;
  std::string directory;
  std::string root;
  bool allow_other = false;
  bool admin = false;
  std::string on_change;
  std::chrono::seconds on_change_limit{};
};

// The process may change its directory before it uses them.
std::string Absolute(const std::string& path) {
  std::error_code failed;
  const auto absolute = std::filesystem::absolute(path, failed);
  return failed ? path : absolute.string();
}

Result<std::chrono::seconds> OnChangeLimit(const Arguments& arguments) {
  const std::string text = arguments.Text("on-change-limit");
  if (text.empty()) return MountOptions().on_change_limit;
  const std::int64_t seconds = ParseDurationSeconds(text.c_str());
  if (seconds <= 0 || seconds > kLongestOnChange.count())
    return Error{Code::kInvalid, "--on-change-limit is from 1s to 1d, such as 90s or 10m", 0, text};
  return std::chrono::seconds(seconds);
}

Result<MountRequest> Requested(const Context& context) {
  const Arguments& arguments = context.arguments;
  MountRequest request;
  request.home = Absolute(context.home);
  request.directory = Absolute(GRANTFS_TRY(MountDirectory(Surroundings::OfThisProcess(), arguments.At(0))));
  request.allow_other = arguments.Flag("allow-other");
  request.admin = arguments.Flag("admin");
  if (request.admin && arguments.positional().empty())
    return Error{Code::kInvalid, "needs a directory of its own: grantfs mount --admin DIR", 0, "--admin"};
  if (request.admin && arguments.Has("root"))
    return Error{Code::kInvalid, "does not go with --admin, which shows all that you may see; leave it out",
                 0, "--root"};
  request.root = arguments.Text("root");
  if (!request.root.empty()) GRANTFS_CHECK(CheckEnvironmentName(request.root));
  if (request.admin && arguments.Has("on-change"))
    return Error{Code::kInvalid, "does not go with --admin, which shows reports; leave it out", 0,
                 "--on-change"};
  if (arguments.Has("on-change-limit") && !arguments.Has("on-change"))
    return Error{Code::kInvalid, "bounds the command of --on-change, and there is none", 0,
                 "--on-change-limit"};
  request.on_change = arguments.Text("on-change");
  request.on_change_limit = GRANTFS_TRY(OnChangeLimit(arguments));
  return request;
}

// The supervisor takes these.
void BlockStopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

void LinkDefault(const std::string& directory) {
  if (directory != kDefaultMountPoint) return;
  const auto linked = MakeConvenienceLink(directory);
  if (!linked)
    Log(LogLevel::kWarning, "the link to the mount was not made", linked.error());
  else if (!*linked)
    Log(LogLevel::kWarning,
        std::string(kConvenienceLink) + " is something else; the files are in " + directory);
}

Status RunWorkers(const MountRequest& request, bool background, DescriptorStore* store,
                  const std::function<void()>& ready) {
  GRANTFS_CHECK(RunApart([&] { return FinishEnrolment(request.home); }));
  SupervisorOptions options;
  std::tie(options.user, options.group) = WorkerUser();
  if (const std::string doubt = DoubtAboutWorkerUser(options.user); !doubt.empty())
    Log(LogLevel::kWarning, doubt);
  const MountHome home = GRANTFS_TRY(OpenMountHome(request.home, options.user, options.group));
  Home::AskPassphraseBy({});  // it has done what it was for
  options.mount_point = request.directory;
  options.root = request.root;
  options.identity = home.identity;
  options.version = GRANTFS_VERSION;
  options.allow_other = request.allow_other;
  options.on_change = request.on_change;
  options.on_change_limit = request.on_change_limit;
  options.worker_words = {kWorkerWord};
  options.worker_descriptors = home.Descriptors();
  options.relay_log = background;
  options.control_directory = ControlDirectory();
  options.store = store;
  options.ready = [&request, &ready] {
    LinkDefault(request.directory);
    ready();
    NotifyManager("READY=1");
  };
  options.tell = [](std::string_view state) { NotifyManager("STATUS=" + std::string(state)); };
  return RunSupervisor(options);
}

Status RunHere(const MountRequest& request, bool background, const std::function<void()>& ready) {
  BlockStopSignals();
  if (request.admin) return RunAdminMount({request.home, request.directory, request.allow_other}, ready);
  DescriptorStore store = GRANTFS_TRY(ManagerStore());
  const Status status = RunWorkers(request, background, &store, ready);
  // A mount that nobody could go on with: who waits there is told so when nobody holds it any more.
  for (const StoredDescriptor& left : store.kept) store.remove(left.name);
  NotifyManager("STOPPING=1");
  return status;
}

// The mount has them from its beginning. In grantfs.conf they are for that.
Status CheckUpgradeOptions(const Arguments& arguments) {
  for (const char* option :
       {"--root", "--on-change", "--on-change-limit", "--allow-other", "--admin", "--foreground"})
    if (arguments.IsTyped(option + 2))
      return Error{Code::kInvalid,
                   "does not go with --upgrade, which changes the program and nothing else; leave it out, or "
                   "unmount and mount again with it",
                   0, option};
  return {};
}

Status RunUpgrade(Context& context) {
  context.failure = "the mount was not upgraded";
  GRANTFS_CHECK(CheckUpgradeOptions(context.arguments));
  const std::string directory =
      Absolute(GRANTFS_TRY(MountDirectory(Surroundings::OfThisProcess(), context.arguments.At(0))));
  context.terminal.ShowProgress({"waiting until workers of this program serve it (2 minutes at most)", 0, 0});
  GRANTFS_CHECK(UpgradeMount(directory, ControlDirectory()));
  if (context.json())
    context.terminal.OutJson(Json::Object({{"upgraded", directory}}));
  else
    context.terminal.OutLine("upgraded " + directory);
  return {};
}

void OutMounted(Context& context, const MountRequest& request, pid_t process) {
  const std::string& directory = request.directory;
  if (context.json()) {
    context.terminal.OutJson(Json::Object({{"mounted", directory}, {"process", std::int64_t{process}}}));
    return;
  }
  context.terminal.OutLine("mounted " + directory + " (process " + std::to_string(process) + ")");
  if (::geteuid() != 0 && !request.allow_other)
    context.terminal.Note(
        "it is yours alone: no other user can enter it, not even root, whatever owners and modes say");
}

Status RunMountCommand(Context& context) {
  if (context.arguments.Flag("upgrade")) return RunUpgrade(context);
  const MountRequest request = GRANTFS_TRY(Requested(context));
  const auto told = [&] { OutMounted(context, request, ::getpid()); };
  GRANTFS_CHECK(AskPassphraseNow(request.home));
  if (context.arguments.Flag("foreground")) return RunHere(request, false, told);
  const pid_t process = GRANTFS_TRY(RunInBackground(
      [&request](const std::function<void()>& ready) { return RunHere(request, true, ready); }));
  OutMounted(context, request, process);
  return {};
}

}  // namespace

const Command kMountCommand = {
    .name = "mount",
    .arguments = "[DIR]",
    .min_arguments = 0,
    .max_arguments = 1,
    .summary = "show this machine's secrets as files",
    .about =
        R"(On a machine: mounts the secrets that it is granted below DIR (default: /run/grantfs/secrets, to which
/run/secrets becomes a link where nothing has that name), and returns once they can be read. Every open
is checked by the vault, decrypted on demand and recorded; with the vault down the files are listed, and
reading them fails.

The files are served by a worker process without privileges: the system's user "grantfs" if there is
one, else user 60843. When it ends, another goes on where it was, and readers wait a few milliseconds.

As an ordinary user it needs the package fuse3, mounts at $XDG_RUNTIME_DIR/grantfs/secrets by default and makes
no link. The kernel then lets that user in alone; files of other owners are listed, but nobody can read them
there.

With --admin it shows, to an owner and from an owner's home, what there is in the vault: who may read what, on
whose word, and who did. It is made of lists that this program verified, holds no value and has no way to one.
Below grants/, "~" stands behind what ends in ".json" in a secret's own name.)",
    .options =
        {{"admin", "", "in DIR, reports on the vault instead: machines/, projects/, audit/"},
         {"root", "PROJECT/ENVIRONMENT", "show this environment alone, at the top of DIR"},
         {"allow-other", "",
          "as an ordinary user: let other users in, as owners and modes say, where /etc/fuse.conf has"
          " user_allow_other (a mount that root makes does so always)"},
         {"upgrade", "",
          "have the mount that runs on DIR go on with this program, which may be a newer one; it goes back"
          " by itself where this one's workers do not serve"},
         {"on-change", "COMMAND",
          R"(run by /bin/sh when secrets have changed, with their names below DIR as "$@" and DIR in
GRANTFS_MOUNT; one run at a time; how it fares is in .grantfs/status)"},
         {"on-change-limit", "DURATION", "kill a COMMAND that runs longer (default: 60s)"},
         {"foreground", "",
          "stay in the foreground and log to standard error, as a service manager wants it"}},
    .examples = {{"sudo grantfs mount", "mounted /run/grantfs/secrets (process 4711)"},
                 {"sudo grantfs mount /srv/shop/secrets --root shop/prod --on-change 'nginx -s reload'",
                  R"(mounted /srv/shop/secrets (process 4712)
  $ cat /srv/shop/secrets/db-password)"},
                 {"grantfs mount --admin ~/vault",
                  R"(mounted /u/ada/vault (process 4713)
  $ ls ~/vault/machines/web-1/grants/shop/prod
  $ cat ~/vault/projects/shop/prod/db-password/readers
  $ grep -rl web-1 ~/vault/projects --include=readers)"},
                 {"sudo grantfs mount --upgrade",
                  "upgraded /run/grantfs/secrets\n"
                  "  (when a newer one was installed; readers notice a pause of milliseconds)"}},
    .next =
        "ls -lR /run/secrets, and cat /run/secrets/.grantfs/status; systemctl enable --now grantfs-mount "
        "mounts at every start of the machine; grantfs umount ends it.",
    .failure = "the files are not shown",
    .run = RunMountCommand,
    .log = LogLevel::kInfo,
};

}  // namespace grantfs
