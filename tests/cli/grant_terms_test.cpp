#include <gtest/gtest.h>

#include "cli/commands_internal.h"
#include "cli/grant_terms_internal.h"

namespace grantfs {
namespace {

constexpr std::int64_t kNow = 1'000'000;

Result<Grant> Terms(std::vector<std::string> words) {
  words.insert(words.begin(), {"web-1", "shop/prod/x"});
  const Arguments arguments = GRANTFS_TRY(ParseArguments(kGrantCommand, words));
  return GrantTerms(arguments, kNow);
}

TEST(GrantTermsTest, DefaultsAreTheActs) {
  const auto terms = Terms({});
  ASSERT_TRUE(terms) << Describe(terms.error());
  EXPECT_EQ(terms->label, "current");
  EXPECT_EQ(terms->mode, 0400u);
  EXPECT_EQ(terms->expires, 0);
  EXPECT_EQ(terms->lease, 0);
  EXPECT_EQ(terms->record, "each");
  EXPECT_FALSE(terms->strict);
}

TEST(GrantTermsTest, TakesWhatAMountEnforces) {
  const auto terms = Terms({"--owner", "nginx", "--group", "33", "--mode", "0440", "--label", "previous",
                            "--expires", "2d", "--strict", "--record", "each"});
  ASSERT_TRUE(terms) << Describe(terms.error());
  EXPECT_EQ(terms->owner, "nginx");
  EXPECT_EQ(terms->group, "33");
  EXPECT_EQ(terms->mode, 0440u);
  EXPECT_EQ(terms->label, "previous");
  EXPECT_EQ(terms->expires, kNow + 2 * 86400);
  EXPECT_TRUE(terms->strict);
}

TEST(GrantTermsTest, TakesWhoMayRead) {
  const std::string hash(64, 'a');
  const auto terms = Terms({"--only-exe", "/usr/bin/psql=" + hash, "--only-user", "app", "--only-user", "33",
                            "--only-group", "www-data", "--only-unit", "nginx.service", "--only-unit",
                            "/a.slice/b", "--only-unit", "0123456789ab", "--only-exe", "/usr/sbin/nginx"});
  ASSERT_TRUE(terms) << Describe(terms.error());
  EXPECT_EQ(terms->conditions,
            (std::vector<std::string>{"user=app", "user=33", "group=www-data", "unit=nginx.service",
                                      "unit=/a.slice/b", "unit=0123456789ab", "exe=/usr/bin/psql=" + hash,
                                      "exe=/usr/sbin/nginx"}));
}

TEST(GrantTermsTest, RefusesConditionsThatCouldNeverHold) {
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"--only-user", "a b"},
                                             {"--only-user", "a:b"},
                                             {"--only-group", "a/b"},
                                             {"--only-unit", "nginx"},
                                             {"--only-unit", "a/b.service"},
                                             {"--only-unit", "/"},
                                             {"--only-unit", "/a/../b"},
                                             {"--only-unit", "nginx.timer"},
                                             {"--only-exe", "psql"},
                                             {"--only-exe", "/usr//bin/psql"},
                                             {"--only-exe", "/usr/bin/psql=abcd"},
                                             {"--only-exe", "/usr/bin/psql=" + std::string(64, 'A')}}) {
    const auto terms = Terms(words);
    ASSERT_FALSE(terms) << words[0] << " " << words[1];
    EXPECT_EQ(terms.error().code, Code::kInvalid) << words[1];
  }
  std::vector<std::string> many;
  for (int i = 0; i < 33; ++i) many.insert(many.end(), {"--only-user", std::to_string(i)});
  EXPECT_EQ(Terms(many).error().code, Code::kInvalid);
}

TEST(GrantTermsTest, TakesALeaseAndHowItsReadsAreRecorded) {
  const auto terms = Terms({"--lease", "10m", "--offline", "24h", "--record", "sync"});
  ASSERT_TRUE(terms) << Describe(terms.error());
  EXPECT_EQ(terms->lease, 600);
  EXPECT_EQ(terms->offline, 86400);
  EXPECT_EQ(terms->record, "sync");
  EXPECT_EQ(Terms({"--offline", "90d", "--record", "aggregate"})->record, "aggregate");
  const auto alone = Terms({"--record", "sync"});
  ASSERT_FALSE(alone);
  EXPECT_NE(Describe(alone.error()).find("--record sync: is about reads that the machine serves by itself"),
            std::string::npos);
}

TEST(GrantTermsTest, RefusesNonsense) {
  for (const auto& words : std::vector<std::vector<std::string>>{{"--mode", "888"},
                                                                 {"--mode", "01777"},
                                                                 {"--mode", "u=r"},
                                                                 {"--mode", ""},
                                                                 {"--label", "Current!"},
                                                                 {"--label", "curent"},
                                                                 {"--expires", "tomorrow"},
                                                                 {"--lease", "8d"},
                                                                 {"--lease", "0s"},
                                                                 {"--offline", "91d"},
                                                                 {"--record", "aggregate"},
                                                                 {"--record", "never"}}) {
    const auto terms = Terms(words);
    ASSERT_FALSE(terms) << words[0] << " " << words[1];
    EXPECT_EQ(terms.error().code, Code::kInvalid) << words[0];
  }
}

}  // namespace
}  // namespace grantfs
