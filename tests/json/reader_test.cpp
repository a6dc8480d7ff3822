#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "grantfs/json/json.h"

namespace grantfs {
namespace {

const Json& Grant() {
  static const Json grant = *ParseJson(
      R"({"mode":288,"owner":"app","strict":true,"labels":["current"],"ext":{"x":1},"when":{"uid":7},"none":null})");
  return grant;
}

// The error that reading Grant() with `read` ends in, as a line.
std::string ErrorOf(const std::function<void(JsonReader&)>& read) {
  JsonReader in(Grant(), "grant");
  read(in);
  const Status status = in.Finish();
  if (status) return "";
  EXPECT_EQ(status.error().code, Code::kInvalid);
  return Describe(status.error());
}

TEST(JsonReaderTest, ReadsEveryMember) {
  JsonReader in(Grant(), "grant");
  EXPECT_EQ(in.Number("mode", 0, 07777), 288);
  EXPECT_EQ(in.String("owner", 64), "app");
  EXPECT_TRUE(in.Bool("strict"));
  EXPECT_EQ(in.Array("labels", 4).size(), 1u);
  EXPECT_EQ(in.Object("when").Find("uid")->AsNumber(), 7);
  EXPECT_TRUE(in.Has("ext"));
  EXPECT_FALSE(in.Has("nothing"));
  in.Ignore("ext");
  in.Ignore("none");
  const Status done = in.Finish();
  EXPECT_TRUE(done) << Describe(done.error());
}

TEST(JsonReaderTest, AbsentOptionalsHaveTheirDefaults) {
  const Json empty = Json::Object();
  JsonReader in(empty, "grant");
  EXPECT_EQ(in.OptionalString("a", 8), "");
  EXPECT_EQ(in.OptionalNumber("b", 1, 9, 42), 42);
  EXPECT_TRUE(in.OptionalBool("c", true));
  EXPECT_FALSE(in.OptionalBool("c", false));
  EXPECT_EQ(in.OptionalObject("d"), nullptr);
  EXPECT_TRUE(in.OptionalArray("e", 8).empty());
  EXPECT_TRUE(in.Finish());
}

TEST(JsonReaderTest, PresentOptionalsAreReadAndChecked) {
  JsonReader in(Grant(), "grant");
  EXPECT_EQ(in.OptionalString("owner", 8), "app");
  EXPECT_EQ(in.OptionalNumber("mode", 1, 999, 42), 288);
  EXPECT_TRUE(in.OptionalBool("strict", false));
  EXPECT_NE(in.OptionalObject("when"), nullptr);
  EXPECT_EQ(in.OptionalArray("labels", 8).size(), 1u);
  EXPECT_EQ(ErrorOf([](JsonReader& r) { r.OptionalString("mode", 8); }),
            "grant.mode: a member must be a string");
  EXPECT_EQ(ErrorOf([](JsonReader& r) { r.OptionalString("none", 8); }),
            "grant.none: a member must be a string");
  EXPECT_EQ(ErrorOf([](JsonReader& r) { r.OptionalNumber("mode", 0, 287, 1); }),
            "grant.mode: a member is out of its range");
  EXPECT_EQ(ErrorOf([](JsonReader& r) { r.OptionalArray("labels", 0); }),
            "grant.labels: a member has too many items");
}

TEST(JsonReaderTest, SaysWhatIsWrongWithWhichMember) {
  EXPECT_EQ(ErrorOf([](JsonReader& r) { r.Number("size", 0, 1); }), "grant.size: a member is missing");
  EXPECT_EQ(ErrorOf([](JsonReader& r) { r.Number("owner", 0, 1); }),
            "grant.owner: a member must be a whole number");
  EXPECT_EQ(ErrorOf([](JsonReader& r) { r.Bool("owner"); }), "grant.owner: a member must be true or false");
  EXPECT_EQ(ErrorOf([](JsonReader& r) { r.Array("owner", 1); }), "grant.owner: a member must be an array");
  EXPECT_EQ(ErrorOf([](JsonReader& r) { r.Object("owner"); }), "grant.owner: a member must be an object");
  EXPECT_EQ(ErrorOf([](JsonReader& r) { r.Number("mode", 289, 999); }),
            "grant.mode: a member is out of its range");
  EXPECT_EQ(ErrorOf([](JsonReader& r) { r.String("owner", 2); }), "grant.owner: a member is too long");
  EXPECT_EQ(ErrorOf([](JsonReader& r) { r.String("owner", 8, 4); }), "grant.owner: a member is too short");
  EXPECT_EQ(ErrorOf([](JsonReader& r) { r.Fail("no such user", "owner"); }), "grant.owner: no such user");
}

TEST(JsonReaderTest, TheFirstErrorStaysAndEveryLaterGetterIsEmpty) {
  JsonReader in(Grant(), "grant");
  in.Number("size", 0, 1);
  EXPECT_EQ(in.Number("mode", 0, 999), 0);
  EXPECT_EQ(in.OptionalNumber("gone", 0, 999, 42), 0);
  EXPECT_EQ(in.String("owner", 8), "");
  EXPECT_FALSE(in.Bool("strict"));
  EXPECT_FALSE(in.OptionalBool("gone", true));
  EXPECT_TRUE(in.Array("labels", 8).empty());
  EXPECT_TRUE(in.Object("when").Members().empty());
  EXPECT_EQ(in.OptionalObject("when"), nullptr);
  in.Fail("later", "owner");
  EXPECT_EQ(Describe(in.Finish().error()), "grant.size: a member is missing");
}

TEST(JsonReaderTest, RefusesAMemberThatNobodyAskedAbout) {
  EXPECT_EQ(ErrorOf([](JsonReader& r) { r.Number("mode", 0, 999); }), "grant.owner: a member is not known");
  Json hostile = Json::Object();
  hostile.Set("\x1b[2J" + std::string(5000, 'x'), 1);
  JsonReader in(hostile, "grant");
  const std::string line = Describe(in.Finish().error());
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  EXPECT_LT(line.size(), 200u);
}

TEST(JsonReaderTest, RefusesWhatIsNoObject) {
  for (const Json& json : {Json(), Json(1), Json("x"), Json::Array()}) {
    JsonReader in(json, "grant");
    EXPECT_EQ(in.String("owner", 8), "");
    EXPECT_FALSE(in.Has("owner"));
    EXPECT_EQ(Describe(in.Finish().error()), "grant: an object is expected here");
  }
}

TEST(JsonReaderTest, AnEmptyStringWhereOneIsNeededIsNamed) {
  const Json json = Json::Object({{"name", ""}});
  JsonReader in(json, "project");
  in.String("name", 8, 1);
  EXPECT_EQ(Describe(in.Finish().error()), "project.name: a member is empty");
}

}  // namespace
}  // namespace grantfs
