#include <sys/stat.h>
#include <unistd.h>

#include <boost/program_options.hpp>
#include <cerrno>
#include <sstream>

#include "config_internal.h"
#include "grantfs/util/file.h"
#include "options_internal.h"

namespace grantfs {
namespace po = boost::program_options;
namespace {

constexpr std::size_t kMaxConfigBytes = 64 * 1024;

// Options that several commands share may stand before the first section.
const Option kShared[] = {{"json", "", ""}, {"data", "DIR", ""}};

// In a file in the home it is too late to name the home, and help is for people.
bool BelongsInFile(const Option& option) {
  return std::string_view(option.name) != "home" && std::string_view(option.name) != "help";
}

struct Known {
  std::string section;
  Option option;
};

std::map<std::string, Known> KnownKeys(const std::vector<const Command*>& commands) {
  std::map<std::string, Known> known;
  for (const Option& option : kShared) known.emplace(option.name, Known{"", option});
  for (const Command* command : commands)
    for (const Option& option : AcceptedOptions(*command))
      if (BelongsInFile(option))
        known.emplace(std::string(command->name) + "." + option.name, Known{command->name, option});
  return known;
}

Error InFile(Error error, const std::string& path) {
  error.subject = path + (error.subject.empty() ? "" : ": " + error.subject);
  return error;
}

Error FileError(const po::error& error, const std::string& path) {
  if (const auto* named = dynamic_cast<const po::unknown_option*>(&error))
    return InFile({Code::kInvalid, "there is no such command or option, take the line out of the file", 0,
                   named->get_option_name()},
                  path);
  return InFile({Code::kInvalid, "a line is neither \"[command]\" nor \"option = value\"", 0, error.what()},
                path);
}

}  // namespace

Result<Config> ParseConfig(const std::string& text, const std::string& path,
                           const std::vector<const Command*>& commands) try {
  const auto known = KnownKeys(commands);
  po::options_description described;
  for (const auto& [key, what] : known)
    described.add_options()(key.c_str(), po::value<std::vector<std::string>>());
  std::istringstream lines(text);
  Config config;
  for (const po::option& each : po::parse_config_file(lines, described).options) {
    const Known& what = known.at(each.string_key);
    if (auto taken = TakeOption(what.option, each.value, &config[what.section]); !taken)
      return InFile(taken.error(), path);
  }
  return config;
} catch (const po::error& error) {
  return FileError(error, path);
}

Result<Config> LoadConfig(const std::string& path, const std::vector<const Command*>& commands) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return Config{};
    return Error{errno == EACCES ? Code::kDenied : Code::kIo,
                 "could not be looked at; name a home of your own with --home", errno, path};
  }
  const bool trusted = (info.st_uid == 0 || info.st_uid == ::geteuid()) && (info.st_mode & 022) == 0;
  if (!trusted)
    return Error{Code::kDenied, "others may write to this file, mend it with chown and chmod 0644", 0, path};
  const auto content = GRANTFS_TRY(ReadFile(path, kMaxConfigBytes));
  return ParseConfig(ToText(content), path, commands);
}

Arguments WithConfig(const Arguments& given, const Config& config, const Command& command) {
  Arguments::Values values;
  std::set<std::string, std::less<>> from_file;
  for (const Option& option : AcceptedOptions(command)) {
    if (given.Has(option.name)) {
      values[option.name] = given.Many(option.name);
      if (!given.IsTyped(option.name)) from_file.insert(option.name);
      continue;
    }
    for (const char* section : {command.name, ""}) {
      const auto found = config.find(section);
      if (found == config.end() || found->second.count(option.name) == 0) continue;
      values[option.name] = found->second.at(option.name);
      from_file.insert(option.name);
      break;
    }
  }
  return {std::move(values), given.positional(), std::move(from_file)};
}

}  // namespace grantfs
