#include <gtest/gtest.h>

#include "program.h"

namespace grantfs {
namespace {

// From a .env file to secrets, and back to a .env.example, with the real program.

class ImportStoryTest : public ::testing::Test {
 protected:
  Finished Import(const std::string& text, Words options = {}) {
    options.insert(options.begin(), {"secret", "import", "shop/prod"});
    return vault_.Owner(options, text);
  }
  std::string Value(const std::string& name) {
    return vault_.Owner({"secret", "get", "shop/prod/" + name}).out;
  }
  std::size_t Secrets() {
    return vault_.Owner({"secret", "list", "shop/prod", "--json"}).Document().Find("secrets")->Items().size();
  }

  OwnedVault vault_;
};

TEST_F(ImportStoryTest, ADotEnvFile) {
  const std::string text = "DB_PASSWORD='hunter2 $x'\nAPI_KEY=abc\n";
  const Finished dry = Import(text, {"--dry-run"});
  EXPECT_EQ(dry.exit, 0) << dry.Told();
  EXPECT_NE(dry.err.find("nothing was changed; this would store 2 secrets, 2 of them new"), std::string::npos)
      << dry.Told();
  EXPECT_EQ(Secrets(), 0u);
  const Finished done = Import(text);
  EXPECT_EQ(done.exit, 0) << done.Told();
  EXPECT_NE(done.out.find("shop/prod/DB_PASSWORD  1 (new)"), std::string::npos) << done.Told();
  EXPECT_EQ(Value("DB_PASSWORD"), "hunter2 $x");
  EXPECT_EQ(Value("API_KEY"), "abc");
  EXPECT_EQ((done.out + done.err + dry.out + dry.err).find("hunter2"), std::string::npos);
}

TEST_F(ImportStoryTest, AllOrNothing) {
  ASSERT_EQ(Import("B=old\n").exit, 0);
  const Finished exists = Import("A=1\nB=2\nC=3\n");
  EXPECT_EQ(exists.exit, 6) << exists.Told();
  EXPECT_NE(exists.err.find("shop/prod/B: there already; --replace"), std::string::npos) << exists.Told();
  EXPECT_EQ(Import("A=1\nA=2\n").exit, 2) << "a name that comes twice";
  EXPECT_EQ(Import("A=1\n..=2\n").exit, 2);
  EXPECT_EQ(Import("{\"A\": \"1\", \"..\": \"2\"}", {"--format", "json"}).exit, 2) << "a name that is none";
  EXPECT_EQ(Import("").exit, 2) << "nothing in it";
  EXPECT_EQ(Import("A=1\n", {"--format", "toml"}).exit, 2);
  EXPECT_EQ(Secrets(), 1u);
  EXPECT_EQ(Value("B"), "old");
  const Finished replaced = Import("A=1\nB=2\nC=3\n", {"--replace", "--json"});
  EXPECT_EQ(replaced.exit, 0) << replaced.Told();
  const Json document = replaced.Document();
  EXPECT_EQ(document.Find("secrets")->Items().at(1).Find("version")->AsNumber(), 2);
  EXPECT_FALSE(document.Find("secrets")->Items().at(1).Find("created")->AsBool());
  EXPECT_EQ(Value("B"), "2");
  EXPECT_EQ(Value("C"), "3");
}

TEST_F(ImportStoryTest, AsManyAsFitAndNotOneMore) {
  std::string text;
  for (int i = 0; i < 250; ++i) text += "NAME_" + std::to_string(i) + "=" + std::to_string(i) + "\n";
  const Finished more = Import(text + "ONE_MORE=1\n");
  EXPECT_EQ(more.exit, 2) << more.Told();
  EXPECT_NE(more.err.find("at most 250"), std::string::npos) << more.Told();
  EXPECT_EQ(Secrets(), 0u);
  const Finished done = Import(text);
  EXPECT_EQ(done.exit, 0) << done.Told();
  EXPECT_EQ(Secrets(), 250u);
  EXPECT_EQ(Value("NAME_249"), "249");
}

TEST_F(ImportStoryTest, ADirectoryBelowAPrefix) {
  const std::string root = vault_.path() + "/tls";
  std::filesystem::create_directory(root);
  std::ofstream(root + "/server.key") << "the key\n";
  const Finished done = vault_.Owner({"secret", "import", "shop/prod/tls/", "--directory", root});
  EXPECT_EQ(done.exit, 0) << done.Told();
  EXPECT_EQ(Value("tls/server.key"), "the key\n");
  EXPECT_EQ(vault_.Owner({"secret", "import", "shop/prod", "--directory", root, "--file", "x"}).exit, 2);
}

TEST_F(ImportStoryTest, CheckAndSet) {
  const auto set = [&](Words options, const std::string& value = "x") {
    options.insert(options.begin(), {"secret", "set", "shop/prod/a"});
    return vault_.Owner(options, value);
  };
  EXPECT_EQ(set({"--if-version", "1"}).exit, 6) << "there is none";
  EXPECT_EQ(set({"--if-version", "0"}).exit, 0);
  const Finished again = set({"--if-version", "0"});
  EXPECT_EQ(again.exit, 6) << again.Told();
  EXPECT_NE(again.err.find("exists already"), std::string::npos) << again.Told();
  EXPECT_EQ(set({"--if-version", "1"}, "two").exit, 0);
  EXPECT_EQ(set({"--if-version", "1"}, "three").exit, 6);
  EXPECT_EQ(Value("a"), "two");
  EXPECT_EQ(set({"--trim"}, "four\r\n\n").exit, 0);
  EXPECT_EQ(Value("a"), "four");
}

TEST_F(ImportStoryTest, AGeneratedValueIsShownToNobody) {
  const auto generate = [&](Words options) {
    options.insert(options.begin(), {"secret", "set", "shop/prod/a", "--generate"});
    return vault_.Owner(options);
  };
  const Finished made = generate({"40"});
  EXPECT_EQ(made.exit, 0) << made.Told();
  const std::string first = Value("a");
  EXPECT_EQ(first.size(), 40u);
  EXPECT_EQ((made.out + made.err).find(first), std::string::npos);
  EXPECT_EQ(generate({"40", "--alphabet", "hex"}).exit, 0);
  EXPECT_EQ(Value("a").find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(Value("a"), first);
  EXPECT_EQ(generate({"7"}).exit, 2) << "too short";
  EXPECT_EQ(generate({"40", "--alphabet", "runes"}).exit, 2);
  EXPECT_EQ(generate({"40", "--trim"}).exit, 2);
  EXPECT_EQ(vault_.Owner({"secret", "set", "shop/prod/a", "--alphabet", "hex"}, "x").exit, 2);
}

TEST_F(ImportStoryTest, AnExampleHoldsNoValue) {
  ASSERT_EQ(
      vault_.Owner({"secret", "set", "shop/prod/db-password", "--description", "of the shop"}, "hunter2")
          .exit,
      0);
  ASSERT_EQ(vault_.Owner({"secret", "set", "shop/prod/tls/server.key"}, "hunter3").exit, 0);
  const Finished example = vault_.Owner({"env", "example", "shop/prod"});
  EXPECT_EQ(example.exit, 0) << example.Told();
  EXPECT_EQ(
      example.out,
      "# of the shop\nDB_PASSWORD='<shop/prod/db-password>'\nTLS_SERVER_KEY='<shop/prod/tls/server.key>'\n");
  EXPECT_EQ(
      vault_.Owner({"env", "example", "shop/prod", "--json"}).Document().Find("variables")->Items().size(),
      2u);
  ASSERT_EQ(vault_.Owner({"secret", "set", "shop/prod/db.password"}, "x").exit, 0);
  EXPECT_EQ(vault_.Owner({"env", "example", "shop/prod"}).exit, 6) << "two secrets, one variable";
  EXPECT_EQ(vault_.Owner({"env", "example", "shop/prod/tls/"}).exit, 0);
}

}  // namespace
}  // namespace grantfs
