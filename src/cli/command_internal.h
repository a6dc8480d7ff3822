#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "grantfs/client/options.h"
#include "grantfs/log/log.h"
#include "grantfs/util/result.h"
#include "terminal_internal.h"

namespace grantfs {

/// An option of a command: `--name VALUE`, or a flag where `value` is "".
struct Option {
  const char* name;
  const char* value;
  const char* help;
  bool many = false;  ///< may be given several times
};

/// A line that a reader may type, and what it prints.
struct Example {
  const char* line;
  const char* prints;
};

/// What a command was given: by its command line, else by grantfs.conf.
class Arguments {
 public:
  using Values = std::map<std::string, std::vector<std::string>, std::less<>>;
  Arguments() = default;
  /// @param from_file  those of the options that grantfs.conf sets.
  Arguments(Values options, std::vector<std::string> positional,
            std::set<std::string, std::less<>> from_file = {})
      : options_(std::move(options)), positional_(std::move(positional)), from_file_(std::move(from_file)) {}

  bool Has(std::string_view name) const { return options_.find(name) != options_.end(); }
  /// Whether it stands on the command line.
  bool IsTyped(std::string_view name) const { return Has(name) && !from_file_.contains(name); }
  bool Flag(std::string_view name) const;
  std::string Text(std::string_view name, std::string_view absent = "") const;
  std::vector<std::string> Many(std::string_view name) const;
  /// Errors: kInvalid.
  Result<std::uint64_t> Number(std::string_view name, std::uint64_t max, std::uint64_t absent) const;
  /// "90s", "10m", "24h", "30d". Errors: kInvalid.
  Result<std::int64_t> Seconds(std::string_view name, std::int64_t absent) const;

  const std::vector<std::string>& positional() const { return positional_; }
  /// "" where there are not so many.
  std::string At(std::size_t index) const { return index < positional_.size() ? positional_[index] : ""; }

 private:
  Values options_;
  std::vector<std::string> positional_;
  std::set<std::string, std::less<>> from_file_;
};

/// What a handler works with.
struct Context {
  Terminal& terminal;
  Arguments arguments;
  std::string home;               ///< the directory of the identity
  std::string data;               ///< the directory of a vault on this host
  const char* failure = nullptr;  ///< what an error's line begins with, if it is not the command's

  bool json() const { return arguments.Flag("json"); }
  ClientOptions Client() const;
};

/// One command, and all that its --help says.
struct Command {
  const char* name;       ///< "env create"
  const char* arguments;  ///< "PROJECT/ENVIRONMENT", "" = none
  std::size_t min_arguments;
  std::size_t max_arguments;
  const char* summary;  ///< one line, for `grantfs help`
  const char* about;    ///< what it does, in a few sentences
  std::vector<Option> options;
  std::vector<Example> examples;
  const char* next;     ///< what to do afterwards
  const char* failure;  ///< "the secret was not set": what an error's line begins with
  Status (*run)(Context& context);
  bool uses_home = true;              ///< takes --home and reads the grantfs.conf in it
  bool uses_data = false;             ///< takes --data
  bool system_config = false;         ///< reads /etc/grantfs/grantfs.conf too, and needs no home
  LogLevel log = LogLevel::kWarning;  ///< the least that goes to standard error
  const char* stray_argument = "";    ///< what one who gives an argument too many should know
};

/// Commands that are about one thing.
struct CommandSection {
  const char* title;  ///< for `grantfs help`; "" = none
  std::vector<const Command*> commands;
};

inline constexpr std::size_t kManyArguments = 10'000;

/// The options that a command accepts: its own and those that it shares with others.
std::vector<Option> AcceptedOptions(const Command& command);

/// "grantfs secret set [OPTION...] NAME"
std::string UsageLine(const Command& command);
std::string CommandHelp(const Command& command);
/// Commands, a line each, below the titles of their sections.
std::string OverviewHelp(const std::vector<CommandSection>& sections);

/// Reads the words behind a command's name. Errors: kInvalid, with the word as the subject.
Result<Arguments> ParseArguments(const Command& command, const std::vector<std::string>& words);

/// "grantfs: the secret was not set: SUBJECT: WHY; WHAT MENDS IT"
std::string ErrorLine(const Command& command, const Error& error);

}  // namespace grantfs
