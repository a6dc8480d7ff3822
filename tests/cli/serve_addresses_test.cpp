#include <gtest/gtest.h>

#include "cli/serve_addresses_internal.h"

namespace grantfs {
namespace {

std::string Choose(const std::vector<std::string>& names, const std::vector<std::string>& listen,
                   bool ipv6 = true) {
  const auto chosen = ChooseServeAddresses(names, listen, ipv6);
  if (!chosen) return CodeName(chosen.error().code);
  std::string text;
  for (const Address& name : chosen->names) text += name.Text() + " ";
  text += "at";
  for (const Address& place : chosen->listen) text += " " + place.Text();
  return text;
}

TEST(ServeAddressesTest, WithoutANameTheVaultIsOfThisHostAlone) {
  EXPECT_EQ(Choose({}, {}), "localhost:7843 at 127.0.0.1:7843 [::1]:7843");
  EXPECT_EQ(Choose({"localhost:9000", "127.0.0.1"}, {}, false),
            "localhost:9000 127.0.0.1:7843 at 127.0.0.1:9000");
}

TEST(ServeAddressesTest, ANameThatOthersUseIsServedToOthers) {
  EXPECT_EQ(Choose({"vault.lan"}, {}), "vault.lan:7843 at 0.0.0.0:7843 [::]:7843");
  EXPECT_EQ(Choose({"localhost", "vault.lan"}, {}, false), "localhost:7843 vault.lan:7843 at 0.0.0.0:7843");
}

TEST(ServeAddressesTest, ANameHasThePortThatIsListenedAt) {
  EXPECT_EQ(Choose({"vault.lan", "v2:80"}, {"10.0.0.5:9000", "[::1]"}),
            "vault.lan:9000 v2:80 at 10.0.0.5:9000 [::1]:7843");
  EXPECT_EQ(Choose({"[::1]"}, {"[::1]:9000"}), "[::1]:9000 at [::1]:9000");
  EXPECT_EQ(Choose({}, {"127.0.0.1:0"}), "localhost:0 at 127.0.0.1:0");
}

TEST(ServeAddressesTest, RefusesWhatIsNoAddress) {
  EXPECT_EQ(Choose({"vault lan"}, {}), "invalid");
  EXPECT_EQ(Choose({}, {"x:99999"}), "invalid");
}

}  // namespace
}  // namespace grantfs
