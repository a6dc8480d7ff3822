#include <gtest/gtest.h>

#include "cli/homes_internal.h"

namespace grantfs {
namespace {

Surroundings User() {
  Surroundings around;
  around.user_home = "/u/ada";
  return around;
}

TEST(HomesTest, OptionWinsThenVariableThenWhoRunsIt) {
  Surroundings around = User();
  EXPECT_EQ(*HomeDirectory(around, ""), "/u/ada/.config/grantfs");
  around.xdg_config = "/u/ada/etc";
  EXPECT_EQ(*HomeDirectory(around, ""), "/u/ada/etc/grantfs");
  around.root = true;
  EXPECT_EQ(*HomeDirectory(around, ""), "/etc/grantfs");
  around.grantfs_home = "/srv/x";
  EXPECT_EQ(*HomeDirectory(around, ""), "/srv/x");
  EXPECT_EQ(*HomeDirectory(around, "/given"), "/given");
}

TEST(HomesTest, RelativeXdgDirectoriesCountAsUnset) {
  Surroundings around = User();
  around.xdg_config = around.xdg_data = "here";
  EXPECT_EQ(*HomeDirectory(around, ""), "/u/ada/.config/grantfs");
  EXPECT_EQ(*DataDirectory(around, ""), "/u/ada/.local/share/grantfs");
}

TEST(HomesTest, DataOfRootAndOthers) {
  Surroundings around = User();
  around.xdg_data = "/d";
  EXPECT_EQ(*DataDirectory(around, ""), "/d/grantfs");
  around.root = true;
  EXPECT_EQ(*DataDirectory(around, ""), "/var/lib/grantfs");
  EXPECT_EQ(*DataDirectory(around, "x"), "x");
}

TEST(HomesTest, SaysWhatIsMissing) {
  const auto home = HomeDirectory(Surroundings{}, "");
  ASSERT_FALSE(home);
  EXPECT_EQ(home.error().code, Code::kInvalid);
  EXPECT_FALSE(DataDirectory(Surroundings{}, ""));
}

TEST(HomesTest, MountPointOfRootAndOthers) {
  Surroundings around = User();
  EXPECT_EQ(MountDirectory(around, "").error().code, Code::kInvalid);
  around.xdg_runtime = "run";
  EXPECT_EQ(MountDirectory(around, "").error().code, Code::kInvalid);
  around.xdg_runtime = "/run/user/1000";
  EXPECT_EQ(*MountDirectory(around, ""), "/run/user/1000/grantfs/secrets");
  around.root = true;
  EXPECT_EQ(*MountDirectory(around, ""), "/run/grantfs/secrets");
  EXPECT_EQ(*MountDirectory(around, "x"), "x");
}

}  // namespace
}  // namespace grantfs
