#include <limits.h>
#include <unistd.h>

#include "commands_internal.h"
#include "grantfs/util/file.h"
#include "grantfs/util/text.h"
#include "owner_internal.h"
#include "secret_io_internal.h"

namespace grantfs {
namespace {

constexpr std::chrono::seconds kDeadline{10};
constexpr std::size_t kMaxCgroupBytes = 64 * 1024;

// The unified hierarchy's path, as in the records of a mount.
std::string Cgroup() {
  const auto content = ReadFile("/proc/self/cgroup", kMaxCgroupBytes);
  if (!content) return "";
  for (const std::string_view line : Split(AsText(*content), '\n'))
    if (line.starts_with("0::")) return std::string(line.substr(3));
  return "";
}

Caller ThisProcess() {
  Caller caller;
  caller.pid = static_cast<std::uint32_t>(::getpid());
  caller.uid = ::getuid();
  caller.gid = ::getgid();
  char path[PATH_MAX];
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
  if (size > 0) caller.executable.assign(path, static_cast<std::size_t>(size));
  caller.cgroup = Cgroup();
  return caller;
}

Status RunReadCommand(Context& context) {
  const SecretName name = GRANTFS_TRY(ParseSecretName(context.arguments.At(0)));
  const auto session = GRANTFS_TRY(OpenMachine(context));
  const OpenedSecret opened = GRANTFS_TRY(ReadSecretOnce(*session, name.Full(), ThisProcess(), kDeadline));
  if (!context.json()) {
    OutSecret(context.terminal, opened.value);
    return {};
  }
  return OutJsonWithValue(context.terminal,
                          Json::Object({{"name", name.Full()},
                                        {"version", opened.version},
                                        {"size", opened.value.size()},
                                        {"record", opened.record}}),
                          "value_base64", opened.value);
}

}  // namespace

const Command kReadCommand = {
    .name = "read",
    .arguments = "PROJECT/ENVIRONMENT/NAME",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "read a granted secret without a mount",
    .about =
        R"(On a machine: writes a secret that is granted to it to standard output, byte for byte. It is the same
read as of a file below the mount, checked, decrypted and recorded alike, for places where there is no
FUSE. It always asks the vault, also under a lease, and refuses a grant with --only-*: only a mount sees who reads.)",
    .options = {},
    .examples =
        {{"sudo grantfs read shop/prod/db-password", "correct horse battery staple"},
         {"PGPASSWORD=\"$(grantfs read shop/prod/db-password)\" psql -h db", "(psql, with the password)"},
         {"grantfs read --json shop/prod/tls/server.key",
          "{\"name\": \"shop/prod/tls/server.key\", \"version\": 2, ..., \"value_base64\": \"LS0t...\"}"}},
    .next = "grantfs grants lists what this machine may read.",
    .failure = "the secret was not read",
    .run = RunReadCommand,
};

}  // namespace grantfs
