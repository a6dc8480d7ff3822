// What README.md tells people to type, read and open is there.

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <regex>
#include <set>
#include <sstream>

#include "shell_lines.h"
#include "streams.h"

namespace grantfs {
namespace {

std::string Readme() { return FileText(SOURCE_ROOT "/README.md"); }

std::vector<std::smatch> AllMatches(const std::string& text, const std::regex& pattern) {
  return {std::sregex_iterator(text.begin(), text.end(), pattern), std::sregex_iterator()};
}

// The lines that show a prompt: "    laptop$ grantfs ...   # why".
std::vector<std::string> TypedLines(const std::string& text) {
  const std::regex prompt("^    [a-z0-9-]+[$#] +(.*?)( +# .*)?$");
  std::vector<std::string> typed;
  std::istringstream lines(text);
  std::smatch found;
  for (std::string line; std::getline(lines, line);)
    if (std::regex_match(line, found, prompt)) typed.push_back(found[1]);
  return typed;
}

// What a heading is called in a link: lower case, "-" for spaces, nothing else but letters and digits.
std::string AnchorOf(const std::string& heading) {
  std::string anchor;
  for (const char c : heading) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '-')
      anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else if (c == ' ')
      anchor += '-';
  }
  return anchor;
}

TEST(ReadmeTest, EveryTypedLineIsAccepted) {
  std::size_t seen = 0;
  for (const std::string& line : TypedLines(Readme())) {
    for (const auto& words : CommandsIn(line)) {
      ExpectIsAccepted(words, line);
      ++seen;
    }
  }
  EXPECT_GT(seen, 70u);
}

// `grantfs why PATH --pid N`: the command exists, and has the options.
TEST(ReadmeTest, EveryCommandInTheTextExists) {
  const std::string text = Readme();
  std::size_t seen = 0;
  for (const std::smatch& found :
       AllMatches(text, std::regex("`(?:sudo (?:-u [a-z-]+ )?)?grantfs ([^`]+)`"))) {
    const std::string said = std::regex_replace(found[1].str(), std::regex("\n"), " ");
    const auto words = ShellWords(said, 0);
    if (words.empty() || words[0] == "COMMAND") continue;
    std::size_t taken = 0;
    const Command* command = FindCommand(words, &taken);
    if (command == nullptr) {
      EXPECT_TRUE(words.size() == 1 && !CommandsOfGroup(words[0]).empty()) << "grantfs " << said;
      continue;
    }
    std::set<std::string> options;
    for (const Option& option : AcceptedOptions(*command)) options.insert(std::string("--") + option.name);
    for (const std::string& word : words)
      EXPECT_TRUE(!word.starts_with("--") || options.contains(word)) << "grantfs " << said << ": " << word;
    ++seen;
  }
  EXPECT_GT(seen, 40u);
}

TEST(ReadmeTest, EveryLinkLeadsToAHeading) {
  const std::string text = Readme();
  std::set<std::string> anchors;
  for (const std::smatch& found : AllMatches(text, std::regex("\n##+ ([^\n]+)")))
    EXPECT_TRUE(anchors.insert(AnchorOf(found[1])).second) << found[1];
  const auto links = AllMatches(text, std::regex("\\]\\(#([^)]*)\\)"));
  for (const std::smatch& found : links) EXPECT_TRUE(anchors.contains(found[1])) << found[1];
  EXPECT_GT(links.size(), 20u);
}

TEST(ReadmeTest, EveryFileThatItNamesIsThere) {
  const std::string text = Readme();
  std::size_t seen = 0;
  for (const std::smatch& found : AllMatches(
           text, std::regex("\\b(?:contrib|examples|include|src|tests)/[A-Za-z0-9_./*-]*[A-Za-z0-9_/]"))) {
    const std::string name = found[0];
    if (name.find('*') != std::string::npos || name.find("NAME") != std::string::npos) continue;
    EXPECT_TRUE(std::filesystem::exists(SOURCE_ROOT "/" + name)) << name;
    ++seen;
  }
  EXPECT_GT(seen, 20u);
}

}  // namespace
}  // namespace grantfs
