#pragma once

#include <string>

#include "grantfs/util/result.h"

namespace grantfs {

/// What the process was started with, as far as it says where things are.
struct Surroundings {
  bool root = false;
  std::string grantfs_home;  ///< GRANTFS_HOME
  std::string xdg_config;    ///< XDG_CONFIG_HOME
  std::string xdg_data;      ///< XDG_DATA_HOME
  std::string user_home;     ///< HOME
  std::string xdg_runtime;   ///< XDG_RUNTIME_DIR

  static Surroundings OfThisProcess();
};

/// The directory of the identity. @param given  --home, "" = not given.
/// Errors: kInvalid (nothing says where).
Result<std::string> HomeDirectory(const Surroundings& around, const std::string& given);

/// The vault's directory. @param given  --data, "" = not given. Errors: kInvalid (nothing says where).
Result<std::string> DataDirectory(const Surroundings& around, const std::string& given);

/// Where secrets are shown. @param given  the argument, "" = not given. Errors: kInvalid (nothing says
/// where).
Result<std::string> MountDirectory(const Surroundings& around, const std::string& given);

inline constexpr const char* kSystemConfig = "/etc/grantfs/grantfs.conf";
inline constexpr const char* kConfigName = "/grantfs.conf";

}  // namespace grantfs
