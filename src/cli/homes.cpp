#include <unistd.h>

#include <cstdlib>

#include "grantfs/mount/mount.h"
#include "homes_internal.h"

namespace grantfs {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// The XDG base directory specification: a relative path counts as unset.
Result<std::string> UserDirectory(const std::string& xdg, const std::string& user_home,
                                  const char* below_home, const char* missing) {
  if (xdg.starts_with('/')) return xdg + "/grantfs";
  if (user_home.starts_with('/')) return user_home + below_home;
  return Error{Code::kInvalid, missing};
}

}  // namespace

Surroundings Surroundings::OfThisProcess() {
  return {::geteuid() == 0,
          Environment("GRANTFS_HOME"),
          Environment("XDG_CONFIG_HOME"),
          Environment("XDG_DATA_HOME"),
          Environment("HOME"),
          Environment("XDG_RUNTIME_DIR")};
}

Result<std::string> HomeDirectory(const Surroundings& around, const std::string& given) {
  if (!given.empty()) return given;
  if (!around.grantfs_home.empty()) return around.grantfs_home;
  if (around.root) return std::string("/etc/grantfs");
  return UserDirectory(around.xdg_config, around.user_home, "/.config/grantfs",
                       "neither HOME nor XDG_CONFIG_HOME says where the identity is; give --home DIR");
}

Result<std::string> DataDirectory(const Surroundings& around, const std::string& given) {
  if (!given.empty()) return given;
  if (around.root) return std::string("/var/lib/grantfs");
  return UserDirectory(around.xdg_data, around.user_home, "/.local/share/grantfs",
                       "neither HOME nor XDG_DATA_HOME says where the vault's data is; give --data DIR");
}

Result<std::string> MountDirectory(const Surroundings& around, const std::string& given) {
  if (!given.empty()) return given;
  if (around.root) return std::string(kDefaultMountPoint);
  const std::string base = GRANTFS_TRY(
      UserDirectory(around.xdg_runtime, "", "",
                    "XDG_RUNTIME_DIR is not set, so name the directory: DIR of grantfs mount DIR"));
  return base + "/secrets";
}

}  // namespace grantfs
