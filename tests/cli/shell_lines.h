#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "cli/commands_internal.h"

namespace grantfs {

/// The words of a shell's line from `at` on, up to what ends the command.
inline std::vector<std::string> ShellWords(const std::string& line, std::size_t at) {
  std::vector<std::string> words;
  std::string word;
  bool within = false;
  char quote = '\0';
  for (; at < line.size(); ++at) {
    const char c = line[at];
    if (quote == '\0' && std::string_view("|&<>;)").find(c) != std::string_view::npos) break;
    if (c == quote || (quote == '\0' && c == '\'')) {
      quote = quote == '\0' ? c : '\0';
      within = true;
    } else if (c == ' ' && quote == '\0') {
      if (within) words.push_back(word);
      within = false;
      word.clear();
    } else {
      word += c;
      within = true;
    }
  }
  if (within) words.push_back(word);
  return words;
}

/// Each "grantfs ..." in a shell's line.
inline std::vector<std::vector<std::string>> CommandsIn(const std::string& line) {
  std::vector<std::vector<std::string>> found;
  for (std::size_t at = line.find("grantfs "); at != std::string::npos; at = line.find("grantfs ", at + 1)) {
    const bool begins = at == 0 || std::string_view(" (").find(line[at - 1]) != std::string_view::npos;
    if (begins && line.substr(0, at).find("cat ") == std::string::npos)
      found.push_back(ShellWords(line, at + 8));
  }
  return found;
}

/// Expects that there is such a command, and that it takes these options and so many arguments.
inline void ExpectIsAccepted(const std::vector<std::string>& words, const std::string& line) {
  std::size_t taken = 0;
  const Command* command = FindCommand(words, &taken);
  ASSERT_NE(command, nullptr) << line;
  const auto parsed = ParseArguments(
      *command, std::vector<std::string>(words.begin() + static_cast<std::ptrdiff_t>(taken), words.end()));
  EXPECT_TRUE(parsed) << line << ": " << Describe(parsed.error());
}

}  // namespace grantfs
