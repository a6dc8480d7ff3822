#include <memory>
#include <string>

#include "grantfs/mount/mount.h"
#include "grantfs/util/text.h"
#include "mount/files/filesystem_internal.h"
#include "mount/files/operations_internal.h"
#include "mount/supervisor/plain_mount_internal.h"

namespace grantfs {

namespace {

Status CheckOptions(const MountOptions& options) {
  if (options.source == nullptr) return Error{Code::kInvalid, "a mount needs a source of secrets", 0, {}};
  return CheckMountOptions(options);
}

Result<std::unique_ptr<OnChange>> StartCommand(const MountOptions& options, const std::string& point) {
  const OnChangeCommand command{options.on_change, point, options.on_change_limit};
  return OnChange::Start([command] { return StartOnChange(command); }, options.log, {});
}

}  // namespace

Status CheckMountOptions(const MountOptions& options) {
  if (options.threads < 1 || options.threads > 64) {
    return Error{Code::kInvalid, "the number of threads must be 1 to 64", 0, std::to_string(options.threads)};
  }
  const auto parts = Split(options.root, '/');
  if (!options.root.empty() && (parts.size() != 2 || parts[0].empty() || parts[1].empty())) {
    return Error{Code::kInvalid, "the root must be an environment, like shop/prod", 0, options.root};
  }
  return {};
}

Status RunMount(const MountOptions& given) {
  MountOptions options = given;
  if (!options.log) options.log = [](LogLevel level, std::string_view line) { Log(level, line); };
  GRANTFS_CHECK(CheckOptions(options));
  std::unique_ptr<OnChange> on_change;
  std::shared_ptr<Filesystem> filesystem;
  PlainMount mount;
  mount.mount_point = options.mount_point;
  mount.allow_other = options.allow_other;
  mount.threads = options.threads;
  mount.last_wait = options.open_deadline;
  mount.log = options.log;
  mount.ready = options.ready;
  mount.operations = &FuseOperations();
  mount.prepare = [&](const std::string& point) -> Status {
    if (!options.on_change.empty()) on_change = GRANTFS_TRY(StartCommand(options, point));
    return {};
  };
  mount.make = [&](const std::string& point, Session* session) {
    OtherProcesses others;
    others.on_change = on_change.get();
    filesystem = std::make_shared<Filesystem>(options, point, session, std::move(others));
    filesystem->Start();
    return filesystem.get();
  };
  mount.interrupt = [&] { filesystem->Interrupt(); };
  mount.stop = [&] {
    filesystem->Stop();
    filesystem.reset();  // before the session that it knows
  };
  return RunPlainMount(mount);
}

}  // namespace grantfs
