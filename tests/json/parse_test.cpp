#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "grantfs/json/json.h"

namespace grantfs {
namespace {

using namespace std::string_literals;

std::string WhyRefused(std::string_view text, const JsonBounds& bounds = {}) {
  const auto parsed = ParseJson(text, bounds);
  if (parsed) return "";
  EXPECT_EQ(parsed.error().code, Code::kInvalid);
  return parsed.error().where;
}

std::string Nested(std::size_t depth, char open, char close) {
  return std::string(depth, open) + std::string(depth, close);
}

TEST(ParseJsonTest, ReadsEveryKind) {
  const auto parsed =
      ParseJson(R"( {"n":null,"t":true,"f":false,"i":-7,"s":"x","a":[1,[],{}],"o":{"k":"v"}} )");
  ASSERT_TRUE(parsed) << Describe(parsed.error());
  EXPECT_TRUE(parsed->Find("n")->is(Json::Kind::kNull));
  EXPECT_TRUE(parsed->Find("t")->AsBool());
  EXPECT_FALSE(parsed->Find("f")->AsBool());
  EXPECT_EQ(parsed->Find("i")->AsNumber(), -7);
  EXPECT_EQ(parsed->Find("s")->AsString(), "x");
  EXPECT_EQ(parsed->Find("a")->Items().size(), 3u);
  EXPECT_EQ(parsed->Find("o")->Find("k")->AsString(), "v");
  EXPECT_EQ(parsed->Find("missing"), nullptr);
  EXPECT_EQ(parsed->Members()[3].first, "i");
}

TEST(ParseJsonTest, ReadsEveryEscape) {
  EXPECT_EQ(ParseJson(R"("\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\udd11\u0000")")->AsString(),
            "\"\\/\b\f\n\r\tA\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\x91\0"s);
  EXPECT_EQ(ParseJson(R"({"a\u0062":1})")->Find("ab")->AsNumber(), 1);
}

TEST(ParseJsonTest, ReadsTheWholeRangeOfIntegers) {
  EXPECT_EQ(ParseJson("9223372036854775807")->AsNumber(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(ParseJson("-9223372036854775808")->AsNumber(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(ParseJson("0")->AsNumber(), 0);
}

TEST(ParseJsonTest, RefusesEveryOtherNumber) {
  for (const char* bad :
       {"9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616", "1.0",
        "1e2", "1E2", "0.5", "-1.5", "99999999999999999999999999999999", "0e0", "1e-1"}) {
    EXPECT_EQ(WhyRefused(bad), "a JSON number is not an integer of 64 bits") << bad;
  }
  EXPECT_EQ(WhyRefused("-0"), "a JSON number is a negative zero");
  for (const char* bad : {"01", "-01", "+1", ".5", "1.", "1e", "0x10", "NaN", "Infinity", "-Infinity", "-",
                          "1_000", "1e999999999999"}) {
    EXPECT_NE(WhyRefused(bad), "") << bad;
  }
}

TEST(ParseJsonTest, RefusesANameThatComesTwice) {
  const std::string why = "a JSON object has two members of one name";
  EXPECT_EQ(WhyRefused(R"({"a":1,"a":1})"), why);
  EXPECT_EQ(WhyRefused(R"({"a":1,"b":2,"\u0061":3})"), why);
  EXPECT_EQ(WhyRefused(R"([{"x":{"":1,"":2}}])"), why);
  std::string many = "{";
  for (int i = 0; i < 1000; ++i) many += "\"m" + std::to_string(i) + "\":0,";
  EXPECT_TRUE(ParseJson(many + "\"last\":0}"));
  EXPECT_EQ(WhyRefused(many + "\"m500\":0}"), why);
  EXPECT_TRUE(ParseJson(R"({"a":{"a":1},"b":{"a":1}})"));
}

TEST(ParseJsonTest, RefusesWhatIsNotWellFormed) {
  for (const char* bad :
       {"",      " ",         "{",         "}",          "[",           "]",       "[1,]",     "[,1]",
        "[1 2]", "{\"a\"}",   "{\"a\":}",  "{\"a\":1,}", "{a:1}",       "{'a':1}", "{1:1}",    "nul",
        "nulll", "True",      "\"",        "\"a",        "'a'",         "// c\n1", "/* c */1", "1 // c",
        "[1}",   "{\"a\":1]", "\"\\x41\"", "\"\\u12\"",  "\"\\u12g4\"", "\"\\",    "undefined"}) {
    EXPECT_NE(WhyRefused(bad), "") << bad;
  }
}

TEST(ParseJsonTest, RefusesLoneSurrogatesAndControls) {
  for (const char* bad : {R"("\ud800")", R"("\udc00")", R"("\ud800x")", R"("\ud800\ud800")",
                          R"("\ud800\u0041")", R"({"\udfff":1})"}) {
    EXPECT_NE(WhyRefused(bad), "") << bad;
  }
  for (char control = 0; control < 0x20; ++control) {
    EXPECT_NE(WhyRefused("\"a" + std::string(1, control) + "b\""), "") << int{control};
  }
}

TEST(ParseJsonTest, RefusesBytesThatAreNotUtf8) {
  for (const char* bad : {"\"\xC0\xAF\"", "\"\xE0\x80\x80\"", "\"\xED\xA0\x80\"", "\"\xF4\x90\x80\x80\"",
                          "\"\xE2\x82\"", "\"\x80\"", "\"\xFF\"", "{\"\xFF\":1}", "\"\xF0\x9F\x94\""}) {
    EXPECT_NE(WhyRefused(bad), "") << bad;
  }
  EXPECT_EQ(ParseJson("\"gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x94\x91\"")->AsString(),
            "gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x94\x91");
}

TEST(ParseJsonTest, RefusesAMarkBeforeAndAnythingAfter) {
  EXPECT_NE(WhyRefused("\xEF\xBB\xBF{}"), "");
  for (const std::string& bad :
       {"{}{}"s, "{} x"s, "1 1"s, "1,"s, "null\0"s, "{}\xEF\xBB\xBF"s, "[]]"s, "\"a\"\v"s}) {
    EXPECT_NE(WhyRefused(bad), "") << bad;
  }
  EXPECT_TRUE(ParseJson(" \t\r\n{} \t\r\n"));
}

TEST(ParseJsonTest, HoldsTheBoundOfDepth) {
  const std::string why = "the JSON text is nested too deeply";
  EXPECT_TRUE(ParseJson(Nested(16, '[', ']')));
  EXPECT_EQ(WhyRefused(Nested(17, '[', ']')), why);
  EXPECT_EQ(WhyRefused(std::string(1'000'000, '[')), why);
  std::string objects;
  for (int i = 0; i < 17; ++i) objects += R"({"a":)";
  EXPECT_EQ(WhyRefused(objects), why);
  EXPECT_TRUE(ParseJson("[[1]]", {.max_depth = 2}));
  EXPECT_EQ(WhyRefused("[[1]]", {.max_depth = 1}), why);
}

TEST(ParseJsonTest, HoldsTheBoundsOfItemsAndBytes) {
  const std::string why = "the JSON text holds too many values";
  EXPECT_TRUE(ParseJson(R"([1,{"a":"b"},[null]])", {.max_items = 6}));
  EXPECT_EQ(WhyRefused(R"([1,{"a":"b"},[null]])", {.max_items = 5}), why);
  EXPECT_EQ(WhyRefused("1", {.max_items = 0}), why);
  std::string many = "[0";
  for (int i = 0; i < 200'000; ++i) many += ",0";
  EXPECT_EQ(WhyRefused(many + "]"), why);
  EXPECT_TRUE(ParseJson("[10]", {.max_bytes = 4}));
  EXPECT_EQ(WhyRefused("[100]", {.max_bytes = 4}), "the JSON text is larger than the bound");
}

TEST(ParseJsonTest, ReadsALongString) {
  const std::string value(1'400'000, 'Q');
  const auto parsed = ParseJson("{\"ciphertext\":\"" + value + "\"}");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->Find("ciphertext")->AsString(), value);
  const std::string escaped = "\\n" + std::string(5000, 'x') + "\\u20ac" + std::string(5000, 'y');
  EXPECT_EQ(ParseJson("\"" + escaped + "\"")->AsString(),
            "\n" + std::string(5000, 'x') + "\xE2\x82\xAC" + std::string(5000, 'y'));
}

TEST(ParseJsonTest, EveryTruncationIsRefused) {
  const std::string text = R"({"a":[1,-2,true,null,"x\u00e9\ud83d\udd11y"],"b":{"c":"\\"}})";
  ASSERT_TRUE(ParseJson(text));
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(ParseJson(text.substr(0, size))) << size;
}

}  // namespace
}  // namespace grantfs
