#include "grantfs/trust/conditions.h"

#include <gtest/gtest.h>

namespace grantfs {
namespace {

const std::string kHash(64, '5');

TEST(ConditionsTest, AreReadAndWrittenAlike) {
  for (const std::string text :
       {"user=app", "user=33", "group=www-data", "unit=nginx.service", "unit=user@1000.service",
        "unit=shop.slice", "unit=/system.slice/nginx.service", "unit=0123456789ab", "exe=/usr/sbin/nginx"}) {
    const auto condition = ParseCondition(text);
    ASSERT_TRUE(condition) << text << ": " << Describe(condition.error());
    EXPECT_EQ(ConditionText(*condition), text);
    EXPECT_FALSE(condition->content);
  }
  const auto exe = ParseCondition("exe=/usr/sbin/nginx=" + kHash);
  ASSERT_TRUE(exe);
  EXPECT_EQ(exe->value, "/usr/sbin/nginx");
  EXPECT_EQ(exe->content->Hex(), kHash);
  EXPECT_EQ(ConditionText(*exe), "exe=/usr/sbin/nginx=" + kHash);
}

TEST(ConditionsTest, OfALaterVersionAreNotUnderstood) {
  for (const char* text : {"moon=full", "user", "", "=app", "User=app", "users=app"})
    EXPECT_EQ(ParseCondition(text).error().code, Code::kUnsupported) << text;
  const auto all = ParseConditions({"user=app", "moon=full"});
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().subject, "moon=full");
}

TEST(ConditionsTest, WithoutSenseAreRefused) {
  for (const std::string& text :
       {std::string("user="), std::string("user=a b"), std::string("group=a:b"), std::string("unit=nginx"),
        std::string("unit=.service"), std::string("unit=/"), std::string("unit=a/b.service"),
        std::string("unit=/a/./b"), std::string("exe=nginx"), std::string("exe=/"), std::string("exe=/a/"),
        std::string("exe=/a/../b"), "exe=/a=" + std::string(63, '5'), "exe=/a=b=" + kHash})
    EXPECT_EQ(ParseCondition(text).error().code, Code::kInvalid) << text;
}

TEST(ConditionsTest, AreJoinedForPeople) {
  EXPECT_EQ(JoinConditions({}), "");
  EXPECT_EQ(JoinConditions({"user=app", "exe=/a"}), "user=app, exe=/a");
}

}  // namespace
}  // namespace grantfs
