#include <sys/stat.h>

#include "cli/import_internal.h"
#include "streams.h"

namespace grantfs {
namespace {

using Parser = Result<std::vector<Imported>> (*)(const SecretMemory&);

SecretMemory Text(const std::string& text) {
  auto memory = SecretMemory::Allocate(text.size());
  EXPECT_TRUE(memory);
  std::copy(text.begin(), text.end(), memory->Expose().begin());
  return *std::move(memory);
}

/// "a=1|b=2", or the error.
std::string Shown(const Result<std::vector<Imported>>& values) {
  if (!values) return Describe(values.error());
  std::string all;
  for (const auto& [path, value] : *values) {
    all += (all.empty() ? "" : "|") + path + "=";
    all.append(reinterpret_cast<const char*>(value.Expose().data()), value.size());
  }
  return all;
}
std::string Parsed(Parser parser, const std::string& text) { return Shown(parser(Text(text))); }

struct Case {
  const char* text;
  const char* shown;
};

void ExpectRefused(Parser parser, const Case& one) {
  const std::string told = Parsed(parser, one.text);
  EXPECT_TRUE(told.starts_with(one.shown)) << one.text << ": " << told;
  EXPECT_EQ(told.find("hunter2"), std::string::npos);
}

TEST(ImportTest, WhatProgramsAgreeOnInAnEnvFile) {
  for (const Case& one : std::initializer_list<Case>{
           {"", ""},
           {"\n  \n# A=1\n", ""},
           {"A=1", "A=1"},
           {"\xef\xbb\xbf"
            "A=1\r\nB=2\r\n",
            "A=1|B=2"},
           {"export A=1\n  B = two words  \n", "A=1|B=two words"},
           {"A=\nB=''\nC=\"\"", "A=|B=|C="},
           {"A=a#b # note\nB=#note", "A=a#b|B="},
           {"A=c2VjcmV0PT0=\nURL=postgres://u:p@h:5432/d?x=1&y=%20",
            "A=c2VjcmV0PT0=|URL=postgres://u:p@h:5432/d?x=1&y=%20"},
           {"A='it is $HOME \\n \"x\"' # note", "A=it is $HOME \\n \"x\""},
           {"A=\"a\\tb\\n\\\"c\\\" \\\\ \\$x 'y'\"", "A=a\tb\n\"c\" \\ $x 'y'"},
           {"KEY='-----BEGIN\nline\n-----END\n'\nB=2", "KEY=-----BEGIN\nline\n-----END\n|B=2"},
           {"A=100$ and $5", "A=100$ and $5"},
           {"a.b-c=1", "a.b-c=1"},
       })
    EXPECT_EQ(Parsed(ParseEnvText, one.text), one.shown) << one.text;
}

TEST(ImportTest, WhatTheyReadDifferentlyIsRefusedWithItsLine) {
  for (const Case& one : std::initializer_list<Case>{
           {"A=1\nhunter2\n", "line 2: a line is NAME=VALUE"},
           {"=1", "line 1: a line is"},
           {"1A=1", "line 1: a line is"},
           {"A B=1", "line 1: a line is"},
           {"A=x$HOME", "line 1: some programs"},
           {"A=${B}", "line 1: some programs"},
           {"A=\"$(id)\"", "line 1: some programs"},
           {"A=it's", "line 1: a value with quotes"},
           {"A=a\\b", "line 1: a value with quotes"},
           {"A=`id`", "line 1: a value with quotes"},
           {"A='x\ny", "line 1: the value's closing quote"},
           {"\nA=\"x", "line 2: the value's closing quote"},
           {"A=\"\\q\"", "line 1: behind a backslash"},
           {"A='x'y", "line 1: something stands behind"},
       })
    ExpectRefused(ParseEnvText, one);
}

TEST(ImportTest, JsonIsAnObjectOfStrings) {
  for (const Case& one : std::initializer_list<Case>{
           {"{}", ""},
           {" {\"a\" : \"1\", \"b\":\"\"}\n", "a=1|b="},
           {"{\"tls\":{\"key\":\"k\",\"x\":{\"y\":\"z\"}},\"b\":\"2\"}", "tls/key=k|tls/x/y=z|b=2"},
           {"{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "a=\"\\/\b\f\n\r\t"},
           {"{\"a\":\"\\u00e9 \\u20AC \\ud83d\\ude00 \\u0041\"}",
            "a=\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 A"},
       })
    EXPECT_EQ(Parsed(ParseJsonText, one.text), one.shown) << one.text;
}

TEST(ImportTest, OtherJsonIsRefused) {
  for (const Case& one : std::initializer_list<Case>{
           {"", "line 1: is no JSON object"},
           {"[\"hunter2\"]", "line 1: is no JSON object"},
           {"{\"a\":1}", "line 1: a value is a string"},
           {"{\n\"a\":null}", "line 2: a value is a string"},
           {"{\"a\":[\"x\"]}", "line 1: a value is a string"},
           {"{\"a\":\"hunter2", "line 1: is not JSON"},
           {"{\"a\":\"\\x\"}", "line 1: is not JSON"},
           {"{\"a\":\"\\ud83d\"}", "line 1: is not JSON"},
           {"{\"a\":\"\\ude00\"}", "line 1: is not JSON"},
           {"{\"a\":\"\\u12g4\"}", "line 1: is not JSON"},
           {"{\"a\":\"x\ny\"}", "line 2: is not JSON"},
           {"{\"a\" \"x\"}", "line 1: is not JSON: the colon"},
           {"{\"a\":\"x\" \"b\":\"y\"}", "line 1: is not JSON: a comma"},
           {"{\"a\":\"x\",}", "line 1: is not JSON: a name"},
           {"{\"a\":\"x\"} {}", "line 1: is not JSON: something"},
       })
    ExpectRefused(ParseJsonText, one);
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "{\"a\":";
  EXPECT_NE(Parsed(ParseJsonText, deep).find("more than 16 deep"), std::string::npos);
}

TEST(ImportTest, ADirectorysFiles) {
  TempDirectory directory;
  const std::string root = directory.path() + "/values";
  std::filesystem::create_directories(root + "/tls");
  std::ofstream(root + "/tls/server.key", std::ios::binary) << std::string("k\0\n", 3);
  std::ofstream(root + "/db-password") << "one\n";
  EXPECT_EQ(Shown(ReadDirectoryOfValues(root)), std::string("db-password=one\n|tls/server.key=k\0\n", 35));
  EXPECT_EQ(Shown(ReadDirectoryOfValues(root + "/")).substr(0, 12), "db-password=");
  std::filesystem::create_symlink(root + "/db-password", root + "/link");
  EXPECT_NE(Shown(ReadDirectoryOfValues(root)).find("link: is no plain file"), std::string::npos);
  std::filesystem::remove(root + "/link");
  ASSERT_EQ(::mkfifo((root + "/pipe").c_str(), 0600), 0);
  EXPECT_NE(Shown(ReadDirectoryOfValues(root)).find("pipe: is no plain file"), std::string::npos);
  std::filesystem::remove(root + "/pipe");
  std::filesystem::resize_file(root + "/db-password", kMaxSecretBytes + 1);
  EXPECT_NE(Shown(ReadDirectoryOfValues(root)).find("db-password: a value has at most 1 MiB"),
            std::string::npos);
  for (const char* large : {"/db-password", "/2", "/3"}) {
    std::ofstream(root + large).flush();
    std::filesystem::resize_file(root + large, kMaxSecretBytes);
  }
  EXPECT_NE(Shown(ReadDirectoryOfValues(root)).find("tls/server.key: a value has at most"), std::string::npos)
      << "the others are 3 MiB";
  EXPECT_EQ(ReadDirectoryOfValues(root + "/nowhere").error().code, Code::kNotFound);
}

}  // namespace
}  // namespace grantfs
