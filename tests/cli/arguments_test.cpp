#include <gtest/gtest.h>

#include "cli/command_internal.h"
#include "cli/config_internal.h"

namespace grantfs {
namespace {

Command Sample() {
  return {.name = "paint wall",
          .arguments = "WALL [COLOUR]",
          .min_arguments = 1,
          .max_arguments = 2,
          .summary = "paint a wall",
          .about = "Paints it.",
          .options = {{"brush", "SIZE", "how wide"},
                      {"wet", "", "do not wait"},
                      {"helper", "NAME", "who helps", true}},
          .examples = {{"grantfs paint wall north", "painted"}},
          .next = "look at it",
          .failure = "the wall was not painted",
          .run = nullptr,
          .stray_argument = "paint is not given as an argument"};
}

Result<Arguments> Parse(const std::vector<std::string>& words) { return ParseArguments(Sample(), words); }

std::string Refusal(const std::vector<std::string>& words) {
  const auto parsed = Parse(words);
  if (parsed) return "accepted";
  EXPECT_EQ(parsed.error().code, Code::kInvalid);
  return Describe(parsed.error());
}

TEST(ArgumentsTest, TakesOptionsOfBothFormsAroundArguments) {
  const auto parsed = Parse({"north", "--brush", "7", "--wet", "red", "--helper=ada", "--helper", "bob"});
  ASSERT_TRUE(parsed) << Describe(parsed.error());
  EXPECT_EQ(parsed->positional(), (std::vector<std::string>{"north", "red"}));
  EXPECT_EQ(parsed->Text("brush"), "7");
  EXPECT_TRUE(parsed->Flag("wet"));
  EXPECT_FALSE(parsed->Flag("json"));
  EXPECT_EQ(parsed->Many("helper"), (std::vector<std::string>{"ada", "bob"}));
}

TEST(ArgumentsTest, FlagBeforeAnArgumentDoesNotSwallowIt) {
  const auto parsed = Parse({"--wet", "north"});
  ASSERT_TRUE(parsed) << Describe(parsed.error());
  EXPECT_TRUE(parsed->Flag("wet"));
  EXPECT_EQ(parsed->At(0), "north");
}

TEST(ArgumentsTest, FlagCanBeTakenBack) {
  const auto parsed = Parse({"--wet=no", "north"});
  ASSERT_TRUE(parsed) << Describe(parsed.error());
  EXPECT_TRUE(parsed->Has("wet"));
  EXPECT_FALSE(parsed->Flag("wet"));
}

TEST(ArgumentsTest, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(Refusal({"north", "--bru", "7"}), "--bru: there is no such option here")
      << "abbreviations are not options";
  EXPECT_EQ(Refusal({"north", "--roller=7"}), "--roller: there is no such option here");
  EXPECT_EQ(Refusal({"north", "--brush"}), "--brush: this option needs a value, and takes one at most");
  EXPECT_EQ(Refusal({"north", "--brush", ""}),
            "--brush: its value is empty; leave the option out to have the default");
  EXPECT_EQ(Refusal({"north", "--brush", "1", "--brush", "2"}), "--brush: may be given once only");
  EXPECT_EQ(Refusal({"north", "--wet=maybe"}), "--wet: is yes or no, and takes nothing else");
  EXPECT_EQ(Refusal({}), "WALL [COLOUR]: an argument is missing");
}

TEST(ArgumentsTest, StrayArgumentIsNotRepeated) {
  EXPECT_EQ(Refusal({"north", "red", "hunter2"}), "paint is not given as an argument");
}

TEST(ArgumentsTest, HelpNeedsNoArguments) {
  const auto parsed = Parse({"--help"});
  ASSERT_TRUE(parsed) << Describe(parsed.error());
  EXPECT_TRUE(parsed->Flag("help"));
}

TEST(ArgumentsTest, DashesEndOptions) {
  const auto parsed = Parse({"--", "--wet"});
  ASSERT_TRUE(parsed) << Describe(parsed.error());
  EXPECT_EQ(parsed->At(0), "--wet");
  EXPECT_FALSE(parsed->Flag("wet"));
}

TEST(ArgumentsTest, ReadsNumbersAndTimes) {
  const auto parsed = Parse({"north", "--brush", "10m"});
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed->Seconds("brush", 1), 600);
  EXPECT_EQ(*parsed->Seconds("helper", 7), 7);
  EXPECT_EQ(*parsed->Number("helper", 10, 3), 3u);
  EXPECT_FALSE(parsed->Number("brush", 10, 3));
  EXPECT_FALSE(Parse({"north", "--brush", "soon"})->Seconds("brush", 1));
}

class ConfigTest : public ::testing::Test {
 protected:
  Result<Config> Read(const std::string& text) { return ParseConfig(text, "/etc/x.conf", {&command_}); }
  std::string Refused(const std::string& text) {
    const auto config = Read(text);
    if (config) return "accepted";
    EXPECT_EQ(config.error().code, Code::kInvalid);
    return Describe(config.error());
  }
  Arguments Given(const std::vector<std::string>& words, const std::string& text) {
    const auto config = Read(text);
    EXPECT_TRUE(config) << Describe(config.error());
    return WithConfig(*ParseArguments(command_, words), *config, command_);
  }
  Command command_ = Sample();
};

TEST_F(ConfigTest, SetsWhatTheCommandLineLeavesOpen) {
  const auto arguments =
      Given({"north", "--brush", "9"},
            "# how we paint\njson = yes\n\n[paint wall]\nbrush = 7\nwet = true   # always\nhelper = ada\n"
            "helper = bob b\n");
  EXPECT_EQ(arguments.Text("brush"), "9");
  EXPECT_TRUE(arguments.Flag("wet"));
  EXPECT_TRUE(arguments.Flag("json"));
  EXPECT_EQ(arguments.Many("helper"), (std::vector<std::string>{"ada", "bob b"}));
  EXPECT_EQ(arguments.At(0), "north");
}

TEST_F(ConfigTest, CommandLineWins) {
  const auto arguments =
      Given({"north", "--wet=no", "--helper", "eve"}, "[paint wall]\nwet = yes\nhelper = ada\n");
  EXPECT_FALSE(arguments.Flag("wet"));
  EXPECT_EQ(arguments.Many("helper"), (std::vector<std::string>{"eve"}));
}

TEST_F(ConfigTest, SectionOfTheCommandWinsOverWhatIsShared) {
  EXPECT_FALSE(Given({"north"}, "json = yes\n[paint wall]\njson = no\n").Flag("json"));
}

TEST_F(ConfigTest, RefusesWhatItDoesNotKnow) {
  EXPECT_NE(Refused("[paint wall]\nbrsh = 7\n").find("/etc/x.conf: paint wall.brsh: there is no such"),
            std::string::npos);
  EXPECT_NE(Refused("[paint roof]\nbrush = 7\n").find("paint roof.brush"), std::string::npos);
  EXPECT_NE(Refused("brush = 7\n").find("brush"), std::string::npos);
  EXPECT_NE(Refused("home = /x\n").find("home"), std::string::npos);
  EXPECT_NE(Refused("[paint wall]\nhelp = yes\n").find("paint wall.help"), std::string::npos);
  EXPECT_NE(Refused("[paint wall]\nbrush\n").find("neither"), std::string::npos);
  EXPECT_NE(Refused("[paint wall]\nbrush = 1\nbrush = 2\n").find("once"), std::string::npos);
  EXPECT_NE(Refused("[paint wall]\nwet = perhaps\n").find("--wet"), std::string::npos);
}

TEST(HelpTest, NamesEveryOptionAndShowsExamples) {
  const std::string help = CommandHelp(Sample());
  EXPECT_EQ(help.find("usage: grantfs paint wall [OPTION...] WALL [COLOUR]\n"), 0u) << help;
  for (const Option& option : AcceptedOptions(Sample()))
    EXPECT_NE(help.find(std::string("  --") + option.name), std::string::npos) << option.name;
  EXPECT_NE(help.find("$ grantfs paint wall north\n  painted\n"), std::string::npos) << help;
  EXPECT_NE(help.find("exit codes: 0 done"), std::string::npos) << help;
}

TEST(ErrorLineTest, SaysWhatHappenedWhyAndWhatMendsIt) {
  const Command command = Sample();
  EXPECT_EQ(ErrorLine(command, {Code::kInvalid, "is too wide", 0, "--brush"}),
            "grantfs: the wall was not painted: --brush: is too wide; grantfs paint wall --help shows how");
  EXPECT_EQ(ErrorLine(command, {Code::kInvalid, "is too wide; take another", 0, "--brush"}),
            "grantfs: the wall was not painted: --brush: is too wide; take another");
  EXPECT_EQ(
      ErrorLine(command, {Code::kUnreachable, "no answer", 0, "vault.lan:7843"}),
      "grantfs: the wall was not painted: vault.lan:7843: no answer; grantfs doctor says what is in the way");
}

}  // namespace
}  // namespace grantfs
