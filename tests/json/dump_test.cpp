#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "grantfs/json/json.h"

namespace grantfs {
namespace {

using namespace std::string_literals;

TEST(DumpTest, IsCompactAndKeepsTheOrder) {
  Json json = Json::Object();
  json.Set("z", 1).Set("a", Json::Array({Json(), true, false, "x"})).Set("m", Json::Object());
  EXPECT_EQ(json.Dump(), R"({"z":1,"a":[null,true,false,"x"],"m":{}})");
  json.Set("z", -5);
  EXPECT_EQ(json.Dump(), R"({"z":-5,"a":[null,true,false,"x"],"m":{}})");
}

TEST(DumpTest, EscapesWhatItMustAndNothingElse) {
  EXPECT_EQ(Json("\"\\/\b\f\n\r\t\x01\x1f\x7f\0"s).Dump(),
            "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\\u0000\"");
  EXPECT_EQ(Json("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x94\x91").Dump(),
            "\"gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x94\x91\"");
  EXPECT_EQ(Json::Object({{"a\"b", 1}}).Dump(), R"({"a\"b":1})");
}

TEST(DumpTest, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(Json("a\xFF"s).Dump(), "\"a\xEF\xBF\xBD\"");
  EXPECT_EQ(Json("\xE2\x82"s).Dump(), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
  EXPECT_EQ(Json("\xC3"s).Dump(), "\"\xEF\xBF\xBD\"");
  for (int byte = 0x80; byte < 0x100; ++byte) {
    const std::string text = "x"s + static_cast<char>(byte) + "y"s;
    EXPECT_TRUE(ParseJson(Json(text).Dump())) << byte;
  }
}

TEST(DumpTest, WhatItWritesReadsBackEqual) {
  const char* const texts[] = {
      R"({"n":null,"t":true,"f":false,"i":-7,"s":"x\n\u0000\"","a":[1,[],{}],"o":{"k":"v"}})",
      "-9223372036854775808",
      "9223372036854775807",
      R"("")",
      "[]",
      "{}",
      R"([[[["\ud83d\udd11"]]]])"};
  for (const char* text : texts) {
    const Json json = *ParseJson(text);
    EXPECT_EQ(*ParseJson(json.Dump()), json) << text;
    EXPECT_EQ(*ParseJson(json.DumpPretty()), json) << text;
    EXPECT_EQ(ParseJson(json.Dump())->Dump(), json.Dump()) << text;
  }
}

TEST(DumpTest, PrettyIsIndented) {
  const Json json = *ParseJson(R"({"a":[1,{"b":"c"}],"e":[],"o":{}})");
  EXPECT_EQ(json.DumpPretty(),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"c\"\n    }\n  ],\n  \"e\": [],\n  \"o\": {}\n}");
}

TEST(JsonTest, EqualityIsOfKindAndContent) {
  EXPECT_EQ(Json(1), Json(std::int64_t{1}));
  EXPECT_NE(Json(1), Json(true));
  EXPECT_NE(Json(""), Json());
  EXPECT_NE(Json::Array(), Json::Object());
  EXPECT_EQ(Json("x").Find("x"), nullptr);
}

TEST(JsonTest, AppendsToArrays) {
  Json array = Json::Array();
  array.Append(1).Append("two");
  EXPECT_EQ(array.Dump(), R"([1,"two"])");
  EXPECT_EQ(Json(std::uint64_t{std::numeric_limits<std::int64_t>::max()}).Dump(), "9223372036854775807");
}

TEST(JsonDeathTest, AbortsOnMisuse) {
  EXPECT_DEATH((void)Json(1).AsString(), "");
  EXPECT_DEATH((void)Json("1").AsNumber(), "");
  EXPECT_DEATH((void)Json(1).AsBool(), "");
  EXPECT_DEATH((void)Json::Object().Items(), "");
  EXPECT_DEATH((void)Json::Array().Members(), "");
  EXPECT_DEATH((void)Json::Object({{"a", 1}, {"a", 2}}), "");
  EXPECT_DEATH((void)Json(std::uint64_t{1} << 63), "");
}

}  // namespace
}  // namespace grantfs
