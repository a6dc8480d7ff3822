#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <tuple>

#include "background_internal.h"
#include "commands_internal.h"
#include "grantfs/client/join.h"
#include "grantfs/client/mount_home.h"
#include "grantfs/mount/mount.h"
#include "grantfs/mount/supervisor.h"
#include "grantfs/trust/names.h"
#include "mount_worker_internal.h"
#include "notify_internal.h"

namespace grantfs {
namespace {

struct MountRequest {
  std::string home;
  std::string directory;
  std::string root;
};

// The process may change its directory before it uses them.
std::string Absolute(const std::string& path) {
  std::error_code failed;
  const auto absolute = std::filesystem::absolute(path, failed);
  return failed ? path : absolute.string();
}

Result<MountRequest> Requested(const Context& context) {
  const Arguments& arguments = context.arguments;
  MountRequest request;
  request.home = Absolute(context.home);
  request.directory = arguments.positional().empty() ? kDefaultMountPoint : Absolute(arguments.At(0));
  request.root = arguments.Text("root");
  if (!request.root.empty()) GRANTFS_CHECK(CheckEnvironmentName(request.root));
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

// Where orders to running mounts are taken; "" for a user who has no such place.
std::string ControlDirectory() {
  if (::geteuid() == 0) return "/run/grantfs/control";
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  return runtime != nullptr && *runtime == '/' ? std::string(runtime) + "/grantfs/control" : "";
}

Status RunHere(const MountRequest& request, bool background, const std::function<void()>& ready) {
  BlockStopSignals();
  GRANTFS_CHECK(RunApart([&] { return FinishEnrolment(request.home); }));
  SupervisorOptions options;
  std::tie(options.user, options.group) = WorkerUser();
  const MountHome home = GRANTFS_TRY(OpenMountHome(request.home, options.user, options.group));
  options.mount_point = request.directory;
  options.root = request.root;
  options.worker_words = {kWorkerWord};
  options.worker_descriptors = {home.profile.get(), home.seed.get(), home.known.get(), home.state.get()};
  options.relay_log = background;
  options.control_directory = ControlDirectory();
  options.ready = [&request, &ready] {
    LinkDefault(request.directory);
    ready();
    NotifyManager("READY=1");
  };
  options.tell = [](std::string_view state) { NotifyManager("STATUS=" + std::string(state)); };
  const Status status = RunSupervisor(options);
  NotifyManager("STOPPING=1");
  return status;
}

Status RunUpgrade(Context& context) {
  const std::string directory =
      context.arguments.positional().empty() ? kDefaultMountPoint : Absolute(context.arguments.At(0));
  GRANTFS_CHECK(UpgradeMount(directory, ControlDirectory()));
  if (context.json())
    context.terminal.OutJson(Json::Object({{"upgraded", directory}}));
  else
    context.terminal.OutLine("upgraded " + directory);
  return {};
}

void OutMounted(Context& context, const std::string& directory, pid_t process) {
  if (context.json())
    context.terminal.OutJson(Json::Object({{"mounted", directory}, {"process", std::int64_t{process}}}));
  else
    context.terminal.OutLine("mounted " + directory + " (process " + std::to_string(process) + ")");
}

Status RunMountCommand(Context& context) {
  if (context.arguments.Flag("upgrade")) return RunUpgrade(context);
  const MountRequest request = GRANTFS_TRY(Requested(context));
  const auto told = [&] { OutMounted(context, request.directory, ::getpid()); };
  if (context.arguments.Flag("foreground")) return RunHere(request, false, told);
  const pid_t process = GRANTFS_TRY(RunInBackground(
      [&request](const std::function<void()>& ready) { return RunHere(request, true, ready); }));
  OutMounted(context, request.directory, process);
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
one, else user 60843. When it ends, another goes on where it was, and readers wait a few milliseconds.)",
    .options = {{"root", "PROJECT/ENVIRONMENT", "show this environment alone, at the top of DIR"},
                {"upgrade", "",
                 "have the mount that runs on DIR go on with this program, which may be a newer one"},
                {"foreground", "",
                 "stay in the foreground and log to standard error, as a service manager wants it"}},
    .examples = {{"sudo grantfs mount", "mounted /run/grantfs/secrets (process 4711)"},
                 {"sudo grantfs mount /srv/shop/secrets --root shop/prod",
                  R"(mounted /srv/shop/secrets (process 4712)
  $ cat /srv/shop/secrets/db-password)"},
                 {"sudo grantfs mount --upgrade", "upgraded /run/grantfs/secrets"},
                 {"sudo systemctl enable --now grantfs-mount", "(the same at every start of the machine)"}},
    .next = "ls -lR /run/secrets, and cat /run/secrets/.grantfs/status; grantfs umount ends it.",
    .failure = "the files are not shown",
    .run = RunMountCommand,
    .log = LogLevel::kInfo,
};

}  // namespace grantfs
