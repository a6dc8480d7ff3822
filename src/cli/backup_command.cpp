#include "commands_internal.h"
#include "grantfs/store/backup.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Status RunBackupCommand(Context& context) {
  const std::string path = context.arguments.At(0);
  if (path.empty()) return Error{Code::kInvalid, "names no file", 0, "FILE"};
  const StoreBackup done = GRANTFS_TRY(BackupStore(context.data, path));
  if (context.json()) {
    context.terminal.OutJson(Json::Object({{"file", path},
                                           {"data", context.data},
                                           {"bytes", done.bytes},
                                           {"records", done.log.size},
                                           {"root", done.log.root.Hex()}}));
    return {};
  }
  context.terminal.OutLine("copied the vault of " + context.data + " to " + path + ": " +
                           Count(done.bytes, "byte") + ", " + Count(done.log.size, "record") +
                           " of its log, all whole");
  context.terminal.Note("it holds no value, but the server's own keys: keep it as well as the vault itself");
  return {};
}

}  // namespace

const Command kBackupCommand = {
    .name = "backup",
    .arguments = "FILE",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "copy a vault to one file, while it is served or not",
    .about =
        R"(Copies the vault on this host, as it is at one moment, to a new file (0600) that serve can start from as
vault.db. It runs beside serve and stops nothing. Every page of the copy and every record of its audit log is
checked before the file has its name; a file that exists is left as it is. Clients refuse a vault that lacks what
they have seen: to move one, stop it first.)",
    .options = {},
    .examples =
        {{"sudo -u grantfs-vault grantfs backup /srv/backup/vault-1.db",
          R"(copied the vault of /var/lib/grantfs to /srv/backup/vault-1.db: 253952 bytes, 41 records of its log, all whole
it holds no value, but the server's own keys: keep it as well as the vault itself)"},
         {"grantfs backup --data /srv/vault --json copy.db",
          R"({"file": "copy.db", "data": "/srv/vault", "bytes": 253952, "records": 41, "root": "77aa..."})"}},
    .next =
        "grantfs audit verify --database FILE, with an owner's home, which knows how the log must be signed.",
    .failure = "there is no backup",
    .run = RunBackupCommand,
    .uses_data = true,
    .system_config = true,
};

}  // namespace grantfs
