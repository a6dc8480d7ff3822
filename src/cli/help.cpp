#include <algorithm>
#include <sstream>

#include "command_internal.h"
#include "exit_code_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kWidth = 80;

// Breaks `text` into lines that begin behind `indent` spaces; the first one is written at the current place.
std::string Wrap(const std::string& text, std::size_t indent) {
  std::istringstream words(text);
  std::string wrapped, word;
  std::size_t column = indent;
  while (words >> word) {
    const bool first = wrapped.empty();
    if (!first && column + 1 + word.size() > kWidth) {
      wrapped += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (!first) {
      wrapped += ' ';
      ++column;
    }
    wrapped += word;
    column += word.size();
  }
  return wrapped;
}

std::string OptionUsage(const Option& option) {
  return std::string("--") + option.name + (*option.value ? " " : "") + option.value;
}

std::string OptionsHelp(const std::vector<Option>& options) {
  std::size_t width = 0;
  for (const Option& option : options) width = std::max(width, OptionUsage(option).size());
  std::string text = "options:\n";
  for (const Option& option : options) {
    const std::string usage = OptionUsage(option);
    const std::string many = option.many ? " (may be given several times)" : "";
    text += "  " + usage + std::string(width - usage.size() + 2, ' ') + Wrap(option.help + many, width + 4) +
            "\n";
  }
  return text;
}

std::string ExamplesHelp(const std::vector<Example>& examples) {
  std::string text = "examples:\n";
  for (const Example& example : examples) {
    text += std::string("  $ ") + example.line + "\n";
    std::istringstream lines(example.prints);
    for (std::string line; std::getline(lines, line);) text += "  " + line + "\n";
  }
  return text;
}

// A code and its meaning stay on one line.
std::string ExitCodesHelp() {
  constexpr char kGlue = '\x1f';
  std::string text = "exit codes:";
  for (const ExitCode code : kAllExitCodes) {
    std::string each = std::to_string(static_cast<int>(code)) + " " + ExitCodeMeaning(code);
    std::replace(each.begin(), each.end(), ' ', kGlue);
    text += (code == ExitCode::kDone ? " " : ", ") + each;
  }
  text = Wrap(text, 0) + "\n";
  std::replace(text.begin(), text.end(), kGlue, ' ');
  return text;
}

}  // namespace

std::vector<Option> AcceptedOptions(const Command& command) {
  auto options = command.options;
  if (command.uses_data)
    options.push_back(
        {"data", "DIR",
         "the vault's directory (default: /var/lib/grantfs for root, else $XDG_DATA_HOME/grantfs)"});
  if (command.uses_home)
    options.push_back({"home", "DIR",
                       "where the identity is (default: $GRANTFS_HOME, else /etc/grantfs for root and"
                       " $XDG_CONFIG_HOME/grantfs for others)"});
  if (command.uses_home && !command.uses_data)
    options.push_back({"passphrase-file", "FILE",
                       "the passphrase of the key there (grantfs key protect), in a file of yours (0600); "
                       "else it is asked for"});
  options.push_back({"json", "", "print one JSON document, for programs"});
  options.push_back({"help", "", "this text"});
  return options;
}

std::string UsageLine(const Command& command) {
  std::string line = std::string("grantfs ") + command.name + " [OPTION...]";
  if (*command.arguments) line += std::string(" ") + command.arguments;
  return line;
}

std::string CommandHelp(const Command& command) {
  std::string text = "usage: " + UsageLine(command) + "\n\n" + Wrap(command.about, 0) + "\n\n";
  text += OptionsHelp(AcceptedOptions(command)) + "\n" + ExamplesHelp(command.examples) + "\n";
  text += Wrap(std::string("next: ") + command.next, 0) + "\n\n";
  return text + ExitCodesHelp();
}

std::string OverviewHelp(const std::vector<CommandSection>& sections) {
  std::size_t width = 0;
  for (const CommandSection& section : sections)
    for (const Command* command : section.commands)
      width = std::max(width, std::string_view(command->name).size());
  std::string text =
      "usage: grantfs COMMAND [OPTION...] [ARGUMENT...]\n\n"
      "Gives programs their secrets as read-only files; this one program is the vault, the\n"
      "mount and the administrator's tool. `grantfs COMMAND --help` explains by example.\n\n";
  for (const CommandSection& section : sections) {
    if (*section.title) text += std::string(section.title) + ":\n";
    for (const Command* command : section.commands) {
      const std::string_view name = command->name;
      text += "  " + std::string(name) + std::string(width - name.size() + 2, ' ') + command->summary + "\n";
    }
    text += "\n";
  }
  return text + ExitCodesHelp();
}

}  // namespace grantfs
