#include <gtest/gtest.h>

#include "cli/listen_addresses_internal.h"

namespace grantfs {
namespace {

std::string Choose(const std::vector<std::string>& names, const std::vector<std::string>& listen,
                   bool ipv6 = true) {
  const auto chosen = ChooseListenAddresses(names, listen, ipv6);
  if (!chosen) return CodeName(chosen.error().code);
  std::string text;
  for (const Address& place : *chosen) text += (text.empty() ? "" : " ") + place.Text();
  return text;
}

TEST(ListenAddressesTest, WithoutANameTheVaultIsOfThisHostAlone) {
  EXPECT_EQ(Choose({}, {}), "127.0.0.1:7843 [::1]:7843");
  EXPECT_EQ(Choose({"localhost:9000", "127.0.0.1"}, {}, false), "127.0.0.1:9000");
}

TEST(ListenAddressesTest, ANameThatOthersUseIsServedToOthers) {
  EXPECT_EQ(Choose({"vault.lan"}, {}), "0.0.0.0:7843 [::]:7843");
  EXPECT_EQ(Choose({"localhost", "vault.lan"}, {}, false), "0.0.0.0:7843");
  EXPECT_EQ(Choose({"vault.lan:9000"}, {}, false), "0.0.0.0:9000");
}

TEST(ListenAddressesTest, WhatIsGivenCounts) {
  EXPECT_EQ(Choose({"vault.lan"}, {"10.0.0.5:9000", "[::1]"}), "10.0.0.5:9000 [::1]:7843");
  EXPECT_EQ(Choose({}, {"127.0.0.1:0"}), "127.0.0.1:0");
}

TEST(ListenAddressesTest, RefusesWhatIsNoAddress) {
  EXPECT_EQ(Choose({"vault lan"}, {}), "invalid");
  EXPECT_EQ(Choose({}, {"x:99999"}), "invalid");
}

}  // namespace
}  // namespace grantfs
