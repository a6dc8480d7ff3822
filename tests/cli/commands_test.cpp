#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <set>

#include "cli/commands_internal.h"
#include "shell_lines.h"
#include "streams.h"

namespace grantfs {
namespace {

TEST(CommandsTest, EveryHelpTeachesByExample) {
  for (const Command* command : AllCommands()) {
    SCOPED_TRACE(command->name);
    const std::string help = CommandHelp(*command);
    EXPECT_GE(command->examples.size(), 2u);
    EXPECT_LE(command->examples.size(), 4u);
    for (const Example& example : command->examples) {
      EXPECT_NE(help.find(std::string("  $ ") + example.line + "\n"), std::string::npos);
      EXPECT_STRNE(example.prints, "") << example.line;
    }
    for (const Option& option : AcceptedOptions(*command)) {
      EXPECT_NE(help.find(std::string("  --") + option.name), std::string::npos) << option.name;
      EXPECT_STRNE(option.help, "") << option.name;
      EXPECT_EQ(std::string_view(option.help).find("several times"), std::string_view::npos) << option.name;
    }
    EXPECT_NE(help.find("\nnext: "), std::string::npos);
    EXPECT_NE(help.find("exit codes: 0 done, 1 failed, 2 usage, 3 denied, 4 not found, 5 unreachable,"),
              std::string::npos);
  }
}

TEST(CommandsTest, EveryExampleIsALineThatIsAccepted) {
  std::size_t seen = 0;
  for (const Command* command : AllCommands()) {
    bool of_its_own = false;
    for (const Example& example : command->examples) {
      for (const auto& words : CommandsIn(example.line)) {
        ExpectIsAccepted(words, example.line);
        std::size_t taken = 0;
        of_its_own |= FindCommand(words, &taken) == command;
        ++seen;
      }
    }
    EXPECT_TRUE(of_its_own) << command->name;
  }
  EXPECT_GT(seen, 50u);
}

TEST(CommandsTest, NamesAreUniqueAndSummariesShort) {
  std::set<std::string> names;
  for (const Command* command : AllCommands()) {
    EXPECT_TRUE(names.insert(command->name).second) << command->name;
    EXPECT_LE(std::string_view(command->summary).size(), 55u) << command->name;
    EXPECT_NE(command->run, nullptr) << command->name;
    EXPECT_STRNE(command->failure, "") << command->name;
  }
}

TEST(CommandsTest, OptionsOfACommandAreUnique) {
  for (const Command* command : AllCommands()) {
    std::set<std::string> names;
    for (const Option& option : AcceptedOptions(*command))
      EXPECT_TRUE(names.insert(option.name).second) << command->name << " " << option.name;
  }
}

std::string FileOf(const Command& command) {
  std::string name = command.name;
  std::replace(name.begin(), name.end(), ' ', '_');
  return FileText(SOURCE_ROOT "/src/cli/" + name + "_command.cpp");
}

// The option's name stands where it is declared and, at least once more, where it is looked at: in the
// command's own file, or in one that several share.
TEST(CommandsTest, NoOptionIsParsedAndIgnored) {
  std::string shared;
  for (const auto& entry : std::filesystem::directory_iterator(SOURCE_ROOT "/src/cli")) {
    const std::string path = entry.path().string();
    if (path.ends_with(".cpp") && !path.ends_with("_command.cpp")) shared += FileText(path);
  }
  ASSERT_NE(shared, "");
  for (const Command* command : AllCommands()) {
    ASSERT_NE(FileOf(*command), "") << command->name << " has no file of its own";
    const std::string sources = FileOf(*command) + shared;
    for (const Option& option : AcceptedOptions(*command)) {
      const std::string quoted = std::string("\"") + option.name + "\"";
      const std::size_t first = sources.find(quoted);
      ASSERT_NE(first, std::string::npos) << command->name << " " << quoted;
      EXPECT_NE(sources.find(quoted, first + 1), std::string::npos) << command->name << " " << quoted;
    }
  }
}

// What a sentence tells people to run exists. ("this grantfs knows" is about the program.)
TEST(CommandsTest, SentencesNameCommandsThatExist) {
  const std::set<std::string> about = {"a", "another", "killed", "of", "this", "upgrade"};
  const std::regex split("\"\\s*\n\\s*\""), told("([a-z]*)[:;,(]* '?grantfs ([a-z]+) ?([a-z]*)");
  std::size_t seen = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(SOURCE_ROOT "/src")) {
    if (entry.path().extension() != ".cpp") continue;
    const std::string text = std::regex_replace(FileText(entry.path().string()), split, "");
    for (std::sregex_iterator found(text.begin(), text.end(), told), end; found != end; ++found) {
      if (about.contains((*found)[1])) continue;
      std::size_t taken = 0;
      EXPECT_NE(FindCommand({(*found)[2], (*found)[3]}, &taken), nullptr) << entry.path() << found->str();
      ++seen;
    }
  }
  EXPECT_GT(seen, 80u);
}

TEST(CommandsTest, OverviewTellsEachCommandOnceBelowItsTitle) {
  const std::string help = OverviewHelp(CommandTable());
  for (const CommandSection& section : CommandTable()) {
    const std::size_t title = help.find(std::string("\n") + section.title + ":\n");
    ASSERT_NE(title, std::string::npos) << section.title;
    const std::string below = help.substr(title, help.find("\n\n", title) - title + 1);
    for (const Command* command : section.commands)
      EXPECT_NE(below.find(std::string("\n  ") + command->name + "  "), std::string::npos) << command->name;
  }
  EXPECT_EQ(OverviewHelp({{"", {&kReadCommand}}}).find(":\n  read"), std::string::npos);
}

TEST(CommandsTest, LongestNameIsTaken) {
  std::size_t taken = 0;
  EXPECT_EQ(FindCommand({"secret", "set", "x"}, &taken), &kSecretSetCommand);
  EXPECT_EQ(taken, 2u);
  EXPECT_EQ(FindCommand({"grant", "set"}, &taken), &kGrantCommand);
  EXPECT_EQ(taken, 1u);
  EXPECT_EQ(FindCommand({"secret"}, &taken), nullptr);
  EXPECT_EQ(FindCommand({}, &taken), nullptr);
  EXPECT_EQ(CommandsOfGroup("secret").size(), 15u);
  EXPECT_TRUE(CommandsOfGroup("secr").empty());
}

TEST(CommandsTest, CommonOptionsMayStandBeforeTheCommand) {
  EXPECT_EQ(CommandFirst({"--home", "/x", "--json", "env", "list"}),
            (std::vector<std::string>{"env", "list", "--home", "/x", "--json"}));
  EXPECT_EQ(CommandFirst({"--home=/x", "status"}), (std::vector<std::string>{"status", "--home=/x"}));
  EXPECT_EQ(CommandFirst({"read", "x"}), (std::vector<std::string>{"read", "x"}));
  EXPECT_EQ(CommandFirst({"--json", "env", "crate"}), (std::vector<std::string>{"env", "crate", "--json"}));
  EXPECT_EQ(CommandFirst({}), std::vector<std::string>{});
}

}  // namespace
}  // namespace grantfs
