#include <algorithm>
#include <boost/program_options.hpp>

#include "grantfs/util/clock.h"
#include "grantfs/util/text.h"
#include "options_internal.h"

namespace grantfs {
namespace po = boost::program_options;
namespace {

// Whole names only: an abbreviation that is clear today is not when the next option comes.
constexpr int kStyle = po::command_line_style::allow_long | po::command_line_style::long_allow_adjacent |
                       po::command_line_style::long_allow_next;

Result<std::string> FlagValue(const std::string& text, const Option& option) {
  for (const char* yes : {"yes", "true", "on", "1"})
    if (text == yes) return std::string("yes");
  for (const char* no : {"no", "false", "off", "0"})
    if (text == no) return std::string("no");
  return Error{Code::kInvalid, "is yes or no, and takes nothing else", 0, std::string("--") + option.name};
}

const Option* FindOption(const std::vector<Option>& options, std::string_view name) {
  const auto found = std::find_if(options.begin(), options.end(),
                                  [name](const Option& option) { return name == option.name; });
  return found == options.end() ? nullptr : &*found;
}

bool IsFlag(const Option& option) { return *option.value == '\0'; }

// Takes "--flag=no" out of the words: the library knows flags without a value, and options that swallow the
// next word.
Status TakeFlagsWithValues(const std::vector<Option>& options, std::vector<std::string>* words,
                           Arguments::Values* values) {
  for (auto word = words->begin(); word != words->end() && *word != "--";) {
    const std::size_t equals = word->find('=');
    const Option* option = word->starts_with("--") && equals != std::string::npos
                               ? FindOption(options, std::string_view(*word).substr(2, equals - 2))
                               : nullptr;
    if (option == nullptr || !IsFlag(*option)) {
      ++word;
      continue;
    }
    GRANTFS_CHECK(TakeOption(*option, {word->substr(equals + 1)}, values));
    word = words->erase(word);
  }
  return {};
}

// Only the name: what follows it may be something that was not meant to be shown.
std::string NameOnly(const std::string& option) { return option.substr(0, option.find('=')); }

Error ParseError(const po::error& error) {
  if (const auto* named = dynamic_cast<const po::unknown_option*>(&error))
    return {Code::kInvalid, "there is no such option here", 0, NameOnly(named->get_option_name())};
  if (const auto* named = dynamic_cast<const po::invalid_command_line_syntax*>(&error))
    return {Code::kInvalid, "this option needs a value, and takes one at most", 0,
            NameOnly(named->get_option_name())};
  return {Code::kInvalid, "the options cannot be read"};
}

Status CheckPositional(const Command& command, const std::vector<std::string>& words) {
  if (words.size() < command.min_arguments)
    return Error{Code::kInvalid, "an argument is missing", 0, command.arguments};
  if (words.size() <= command.max_arguments) return {};
  // Not the word itself: it may be a value that was never meant to stand there.
  return Error{Code::kInvalid,
               *command.stray_argument ? command.stray_argument : "there is an argument too many"};
}

}  // namespace

Status TakeOption(const Option& option, const std::vector<std::string>& parsed, Arguments::Values* values) {
  auto& taken = (*values)[option.name];
  if (!option.many && taken.size() + parsed.size() > 1)
    return Error{Code::kInvalid, "may be given once only", 0, std::string("--") + option.name};
  // "--home $UNSET" must not mean the default.
  for (const std::string& text : parsed)
    if (text.empty())
      return Error{Code::kInvalid, "its value is empty; leave the option out to have the default", 0,
                   std::string("--") + option.name};
  for (const std::string& text : parsed)
    taken.push_back(IsFlag(option) ? GRANTFS_TRY(FlagValue(text, option)) : text);
  return {};
}

Result<Arguments> ParseArguments(const Command& command, const std::vector<std::string>& given) try {
  const auto options = AcceptedOptions(command);
  Arguments::Values values;
  auto words = given;
  GRANTFS_CHECK(TakeFlagsWithValues(options, &words, &values));
  po::options_description described;
  for (const Option& option : options) {
    if (IsFlag(option))
      described.add_options()(option.name, "");
    else
      described.add_options()(option.name, po::value<std::string>());
  }
  std::vector<std::string> positional;
  for (const po::option& each :
       po::command_line_parser(words).options(described).style(kStyle).run().options) {
    if (each.position_key >= 0) {
      positional.insert(positional.end(), each.value.begin(), each.value.end());
      continue;
    }
    const Option& option = *FindOption(options, each.string_key);
    GRANTFS_CHECK(TakeOption(option, IsFlag(option) ? std::vector<std::string>{"yes"} : each.value, &values));
  }
  if (values.count("help") == 0) GRANTFS_CHECK(CheckPositional(command, positional));
  return Arguments(std::move(values), std::move(positional));
} catch (const po::error& error) {
  return ParseError(error);
}

bool Arguments::Flag(std::string_view name) const { return Text(name) == "yes"; }

std::string Arguments::Text(std::string_view name, std::string_view absent) const {
  const auto found = options_.find(name);
  return found == options_.end() ? std::string(absent) : found->second.back();
}

std::vector<std::string> Arguments::Many(std::string_view name) const {
  const auto found = options_.find(name);
  return found == options_.end() ? std::vector<std::string>{} : found->second;
}

Result<std::uint64_t> Arguments::Number(std::string_view name, std::uint64_t max,
                                        std::uint64_t absent) const {
  if (!Has(name)) return absent;
  unsigned long long number = 0;
  if (ParseNumber(Text(name), max, &number)) return std::uint64_t{number};
  return Error{Code::kInvalid, "is a whole number, and this one is none or too large", 0,
               "--" + std::string(name)};
}

Result<std::int64_t> Arguments::Seconds(std::string_view name, std::int64_t absent) const {
  if (!Has(name)) return absent;
  const std::int64_t seconds = ParseDurationSeconds(Text(name).c_str());
  if (seconds > 0) return seconds;
  return Error{Code::kInvalid, "is a time such as 90s, 10m, 24h or 30d", 0, "--" + std::string(name)};
}

}  // namespace grantfs
