#include "grantfs/cli/cli.h"

#include <unistd.h>

#include "commands_internal.h"
#include "config_internal.h"
#include "exit_code_internal.h"
#include "grantfs/log/log.h"
#include "grantfs/mount/supervisor.h"
#include "grantfs/util/text.h"
#include "homes_internal.h"
#include "mount_worker_internal.h"
#include "passphrase_internal.h"

namespace grantfs {
namespace {

// What stands in the file that is looked at first wins.
Status MergeConfig(const std::string& path, const Command& command, Arguments* arguments) {
  const Config config = GRANTFS_TRY(LoadConfig(path, AllCommands()));
  *arguments = WithConfig(*arguments, config, command);
  return {};
}

Result<Context> MakeContext(Terminal& terminal, const Command& command, Arguments arguments) {
  const Surroundings around = Surroundings::OfThisProcess();
  Context context{terminal, {}, "", "", nullptr};
  if (command.uses_home) {
    auto home = HomeDirectory(around, arguments.Text("home"));
    if (!home && !command.system_config) return home.error();
    if (home) context.home = *std::move(home);
    if (!context.home.empty()) GRANTFS_CHECK(MergeConfig(context.home + kConfigName, command, &arguments));
  }
  if (command.system_config && context.home + kConfigName != kSystemConfig)
    GRANTFS_CHECK(MergeConfig(kSystemConfig, command, &arguments));
  if (command.uses_data) context.data = GRANTFS_TRY(DataDirectory(around, arguments.Text("data")));
  context.arguments = std::move(arguments);
  return context;
}

/// @param failure  becomes what an error's line begins with, where that is not the command's.
Status RunCommand(Terminal& terminal, const Command& command, const std::vector<std::string>& words,
                  const char** failure) {
  Arguments arguments = GRANTFS_TRY(ParseArguments(command, words));
  if (arguments.Flag("help")) {
    terminal.Out(CommandHelp(command));
    return {};
  }
  Context context = GRANTFS_TRY(MakeContext(terminal, command, std::move(arguments)));
  std::optional<PassphraseOfHome> passphrase;
  if (command.uses_home) passphrase.emplace(context);
  const Status status = command.run(context);
  if (context.failure != nullptr) *failure = context.failure;
  return status;
}

int Report(Terminal& terminal, const Command& command, const Status& status) {
  terminal.EndProgress();
  if (!status) {
    terminal.Note(ErrorLine(command, status.error()));
    return static_cast<int>(ExitCodeOf(status.error().code));
  }
  const Status out = terminal.OutStatus();
  if (out) return static_cast<int>(ExitCode::kDone);
  // A reader that went away ("| head") saw what it wanted.
  if (out.error().code != Code::kCancelled)
    terminal.Note("grantfs: it was done, but what it prints is not complete: " + Describe(out.error()));
  return static_cast<int>(ExitCode::kFailed);
}

int NoSuchCommand(Terminal& terminal, const std::vector<std::string>& words) {
  const auto group = words.empty() ? std::vector<const Command*>{} : CommandsOfGroup(words[0]);
  if (!group.empty()) {
    if (words.size() > 1)
      terminal.Note("grantfs: there is no command '" + words[0] + " " + words[1] + "'; there are:");
    for (const Command* command : group) terminal.Note("usage: " + UsageLine(*command));
  } else if (words.empty()) {
    terminal.Say(OverviewHelp(CommandTable()));
  } else {
    terminal.Note("grantfs: there is no command '" + words[0] + "'; grantfs help lists them");
  }
  return static_cast<int>(ExitCode::kUsage);
}

// What people type before they know the commands.
std::vector<std::string> Normalized(std::vector<std::string> words) {
  words = CommandFirst(words);
  if (words.empty()) return words;
  if (words[0] == "--version") words[0] = "version";
  if (words[0] == "--help" || words[0] == "-h") words[0] = "help";
  const bool asks = words.size() == 2 && (words[1] == "--help" || words[1] == "-h");
  if (asks && !CommandsOfGroup(words[0]).empty()) return {"help", words[0]};
  for (std::string& word : words) {
    if (word == "--") break;
    if (word == "-h") word = "--help";
  }
  return words;
}

}  // namespace

ClientOptions Context::Client() const {
  ClientOptions options;
  options.progress = [this](const Progress& progress) { terminal.ShowProgress(progress); };
  return options;
}

int RunCli(int argc, const char* const* argv) {
  if (argc > 1 && std::string_view(argv[1]) == kWorkerWord)
    RunMountWorker(std::vector<std::string>(argv + 2, argv + argc));
  Terminal terminal(STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO);
  const auto words = Normalized(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  std::size_t taken = 0;
  const Command* command = FindCommand(words, &taken);
  if (command == nullptr) return NoSuchCommand(terminal, words);
  StartLog(command->log);
  const std::vector<std::string> rest(words.begin() + static_cast<std::ptrdiff_t>(taken), words.end());
  Command named = *command;
  const Status status = RunCommand(terminal, *command, rest, &named.failure);
  return Report(terminal, named, status);
}

}  // namespace grantfs
