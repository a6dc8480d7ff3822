#include "grantfs/net/address.h"

#include <gtest/gtest.h>

namespace grantfs {
namespace {

TEST(AddressTest, ReadsNamesAndAddresses) {
  const auto text = [](std::string_view in) {
    const auto address = ParseAddress(in);
    return address ? address->Text() : std::string(address.error().where);
  };
  EXPECT_EQ(text("vault.lan"), "vault.lan:7843");
  EXPECT_EQ(text("Vault.LAN:99"), "vault.lan:99");
  EXPECT_EQ(text("localhost:65535"), "localhost:65535");
  EXPECT_EQ(text("10.0.0.1"), "10.0.0.1:7843");
  EXPECT_EQ(text("[::1]"), "[::1]:7843");
  EXPECT_EQ(text("[2001:DB8:0:0::1]:443"), "[2001:db8::1]:443");
  EXPECT_EQ(text("my_host-1"), "my_host-1:7843");
}

TEST(AddressTest, TheAuthorityLeavesTheDefaultPortOfHttpsOut) {
  EXPECT_EQ(ParseAddress("vault.lan:443")->Authority(), "vault.lan");
  EXPECT_EQ(ParseAddress("[::1]:443")->Authority(), "[::1]");
  EXPECT_EQ(ParseAddress("vault.lan")->Authority(), "vault.lan:7843");
}

TEST(AddressTest, RefusesEverythingElse) {
  for (const char* bad :
       {"",      ":",         ":80",         "a:",        "a:0",      "a:65536",   "a:080",
        "a:+80", "a:8 0",     "a b",         "a..b",      ".a",       "a.",        "-a",
        "a-",    "a/b",       "a@b",         "user@a:1",  "::1",      "::1:80",    "[::1",
        "::1]",  "[::1]80",   "[::1]x:80",   "[]",        "[]:80",    "[1.2.3.4]", "[fe80::1%eth0]",
        "1.2.3", "1.2.3.256", "01.2.3.4",    "1.2.3.4.5", "127.1",    "0x7f.1",    "a.0x1",
        "1",     "host\n",    "h\xc3\xb6st", "a:1:2",     "https://a"}) {
    const auto address = ParseAddress(bad);
    EXPECT_FALSE(address) << bad << " became " << address->Text();
  }
  EXPECT_FALSE(ParseAddress(std::string(64, 'a')));
  EXPECT_TRUE(ParseAddress(std::string(63, 'a')));
  std::string long_name;
  for (int i = 0; i < 127; ++i) long_name += "a.";
  EXPECT_FALSE(ParseAddress(long_name + "a"));
}

TEST(AddressTest, OnlyAListenAddressMayHavePortZero) {
  EXPECT_EQ(ParseListenAddress("0.0.0.0:0")->port, 0);
  EXPECT_EQ(ParseListenAddress("[::]")->port, 7843);
  EXPECT_FALSE(ParseAddress("0.0.0.0:0"));
}

TEST(AddressTest, LoopbackIsThisComputersOwn) {
  for (const char* host : {"localhost", "127.0.0.1", "127.8.9.1", "::1"})
    EXPECT_TRUE(IsLoopback(Address{host, 1})) << host;
  for (const char* host : {"127.example.org", "128.0.0.1", "::2", "localhost.org", "0.0.0.0", "::"})
    EXPECT_FALSE(IsLoopback(Address{host, 1})) << host;
}

}  // namespace
}  // namespace grantfs
