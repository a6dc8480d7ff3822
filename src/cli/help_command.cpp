#include <algorithm>

#include "commands_internal.h"

namespace grantfs {
namespace {

// A text that is wrapped anew has no line ends of its own.
std::string OneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

Json Described(const Command& command) {
  Json options = Json::Array();
  for (const Option& option : AcceptedOptions(command))
    options.Append(Json::Object({{"name", option.name},
                                 {"value", option.value},
                                 {"help", OneLine(option.help)},
                                 {"many", option.many}}));
  return Json::Object({{"name", command.name},
                       {"usage", UsageLine(command)},
                       {"summary", command.summary},
                       {"options", std::move(options)}});
}

// All of them for no words; one, or those of a group.
std::vector<const Command*> Asked(const std::vector<std::string>& words) {
  if (words.empty()) return AllCommands();
  std::size_t taken = 0;
  const Command* command = FindCommand(words, &taken);
  if (command != nullptr && taken == words.size()) return {command};
  return words.size() == 1 ? CommandsOfGroup(words[0]) : std::vector<const Command*>{};
}

Status RunHelpCommand(Context& context) {
  const auto& words = context.arguments.positional();
  const auto commands = Asked(words);
  if (commands.empty())
    return Error{Code::kInvalid, "there is no such command; grantfs help lists them", 0, words[0]};
  if (context.json()) {
    Json list = Json::Array();
    for (const Command* command : commands) list.Append(Described(*command));
    context.terminal.OutJson(Json::Object({{"commands", std::move(list)}}));
  } else {
    const bool one = commands.size() == 1;
    context.terminal.Out(one             ? CommandHelp(*commands[0])
                         : words.empty() ? OverviewHelp(CommandTable())
                                         : OverviewHelp({{"", commands}}));
  }
  return {};
}

}  // namespace

const Command kHelpCommand = {
    .name = "help",
    .arguments = "[COMMAND]",
    .min_arguments = 0,
    .max_arguments = 2,
    .summary = "list the commands, or explain one",
    .about =
        R"(Without a command it lists all of them; with one it explains that command by example. grantfs COMMAND
--help does the same.)",
    .options = {},
    .examples = {{"grantfs help", "(the list of all commands)"},
                 {"grantfs help secret", "(the commands that begin with secret)"},
                 {"grantfs help secret set",
                  R"(usage: grantfs secret set [OPTION...] PROJECT/ENVIRONMENT/NAME
...)"}},
    .next = "grantfs doctor, where something does not work.",
    .failure = "no help",
    .run = RunHelpCommand,
    .uses_home = false,
};

}  // namespace grantfs
