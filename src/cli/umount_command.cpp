#include "commands_internal.h"
#include "grantfs/mount/mount.h"
#include "homes_internal.h"

namespace grantfs {
namespace {

Status RunUmountCommand(Context& context) {
  const std::string directory =
      GRANTFS_TRY(MountDirectory(Surroundings::OfThisProcess(), context.arguments.At(0)));
  GRANTFS_CHECK(Unmount(directory));
  if (context.json())
    context.terminal.OutJson(Json::Object({{"unmounted", directory}}));
  else
    context.terminal.OutLine("unmounted " + directory);
  return {};
}

}  // namespace

const Command kUmountCommand = {
    .name = "umount",
    .arguments = "[DIR]",
    .min_arguments = 0,
    .max_arguments = 1,
    .summary = "take the files away",
    .about =
        R"(Unmounts a grantfs filesystem, an owner's view (mount --admin) too, and nothing else; the mount's process
then ends, or with the last bind of it that a container keeps. It fails while a program has a file open there or
works in one of its directories; what a killed mount has left is taken away in any case. Without DIR it is
/run/grantfs/secrets, of an ordinary user, who unmounts his own mounts alone,
$XDG_RUNTIME_DIR/grantfs/secrets. The link /run/secrets stays for the next mount.)",
    .options = {},
    .examples = {{"grantfs umount", "unmounted /run/grantfs/secrets"},
                 {"grantfs umount /srv/app/secrets", "unmounted /srv/app/secrets"}},
    .next = "grantfs mount shows them again.",
    .failure = "it was not unmounted",
    .run = RunUmountCommand,
    .uses_home = false,
};

}  // namespace grantfs
