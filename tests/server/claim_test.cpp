#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>

#include <future>
#include <thread>

#include "grantfs/util/file.h"
#include "served.h"

namespace grantfs::testing {
namespace {

TEST(ClaimTest, LiesInAFileForItsOwnerAloneAndGoesWhenItWasUsed) {
  TestServer server;
  struct stat info {};
  ASSERT_EQ(::stat(server.claim_path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  WireDoor door(server);
  VaultWorld world(door);
  const InviteLine line = server.claim();
  EXPECT_EQ(line.address, server.address().Text());
  EXPECT_EQ(line.pin, server.pin());
  Must(world.Claim());
  EXPECT_FALSE(PathExists(server.claim_path()));
  EXPECT_EQ(server.server().vault_id(), world.vault.vault_id());
  door.client.vault = std::string(64, '0');
  const auto again = Must(door.client.Exchange(RequestSigner::OfClaim(line.secret), api::kClaimShow, ""));
  EXPECT_EQ(again.status, 410) << again.body;
}

TEST(ClaimTest, AFreshOneReplacesItAtEachStart) {
  TestServer server;
  const InviteLine before = server.claim();
  const Hash pin = server.pin();
  server.Restart();
  const InviteLine after = server.claim();
  EXPECT_NE(after.secret.id(), before.secret.id());
  EXPECT_EQ(server.pin(), pin) << "the keys stay";
  RawClient client(server);
  EXPECT_EQ(Must(client.Exchange(RequestSigner::OfClaim(before.secret), api::kClaimShow, "")).status, 401);
  EXPECT_EQ(Must(client.Exchange(RequestSigner::OfClaim(after.secret), api::kClaimShow, "")).status, 200);
}

TEST(ClaimTest, IsNoKeyToAnythingElse) {
  TestServer server;
  RawClient client(server);
  const InviteLine line = server.claim();
  EXPECT_EQ(Must(client.Exchange(RequestSigner::OfClaim(line.secret), api::kStatus, "")).status, 404);
  EXPECT_EQ(Must(client.Exchange(RequestSigner::OfClaim(line.secret), api::kListsAppend, "{}")).status, 404);
}

TEST(ClaimTest, SurvivesAClaimThatFails) {
  TestServer server;
  RawClient client(server);
  const InviteLine line = server.claim();
  const auto signer = RequestSigner::OfClaim(line.secret);
  EXPECT_EQ(Must(client.Exchange(signer, api::kClaimUse, R"({"vault":["x"],"machines":["y"]})")).status, 400);
  EXPECT_TRUE(PathExists(server.claim_path()));
  EXPECT_EQ(Must(client.Exchange(signer, api::kClaimShow, "")).status, 200);
}

TEST(ClaimTest, OfTwoWhoRaceOneMakesTheVault) {
  TestServer server;
  WireDoor one(server);
  WireDoor two(server);
  VaultWorld first(one);
  VaultWorld second(two);
  auto other = std::async(std::launch::async, [&] { return second.Claim(); });
  const bool mine = first.Claim().has_value();
  EXPECT_NE(mine, other.get().has_value());
  EXPECT_EQ(server.server().vault_id(), (mine ? first : second).vault.vault_id());
}

TEST(ServerTest, AVaultIsServedAgainAfterARestart) {
  ServedSecret served;
  served.server.Restart();
  EXPECT_FALSE(PathExists(served.server.claim_path()));
  const auto answer = Must(served.client().Exchange(RequestSigner::Of(served.machine.key), api::kMachineRead,
                                                    served.ReadBody("x")));
  EXPECT_EQ(answer.status, 200);
}

TEST(ServerTest, IsServedUnderItsNamesAndNoOther) {
  ServeOptions options;
  options.names = {"vault.lan", "Vault.Example:443"};
  ServedSecret served(options);
  const std::string port = ":" + std::to_string(served.server.address().port);
  EXPECT_EQ(served.server.server().names().front().Text(), "vault.lan" + port);
  const auto status = [&](const std::string& authority) {
    served.client().authority = authority;
    return served.StatusOf(served.SignedRead("x"));
  };
  EXPECT_EQ(status("vault.lan" + port), 200);
  EXPECT_EQ(status("vault.example"), 200);
  EXPECT_EQ(status("localhost" + port), 200);
  EXPECT_EQ(status("[::1]" + port), 200);
  EXPECT_EQ(status("evil.lan" + port), 401);
  EXPECT_EQ(status("vault.lan:1"), 401);
  EXPECT_EQ(status("vault.lan"), 401);
}

TEST(ServerTest, ADirectoryIsServedOnce) {
  TestServer server;
  ServeOptions options;
  options.data_directory = server.directory();
  options.listen = {{"127.0.0.1", 0}};
  const auto second = VaultServer::Start(options);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kConflict);
}

TEST(ServerTest, OptionsThatCannotBeServedAreRefused) {
  TempDir dir;
  const auto start = [&](std::vector<Address> listen, std::vector<std::string> names) {
    ServeOptions options;
    options.data_directory = dir.path() + "/data";
    options.listen = std::move(listen);
    options.names = std::move(names);
    options.claim_on_terminal = false;
    const auto server = VaultServer::Start(options);
    return server ? std::string("started") : std::string(CodeName(server.error().code));
  };
  EXPECT_EQ(start({}, {}), "invalid");
  EXPECT_EQ(start({{"127.0.0.1", 0}}, {"no name"}), "invalid");
  EXPECT_EQ(start({{"127.0.0.1", 0}}, {"0.0.0.0"}), "invalid");
  EXPECT_EQ(start({{"127.0.0.1", 0}}, {"vault.lan"}), "started");
}

TEST(ServerTest, RunsUntilItIsToldToStop) {
  TempDir dir;
  std::promise<std::uint16_t> ready;
  std::promise<Status> ended;
  std::thread thread([&] {
    ServeOptions options;
    options.data_directory = dir.path() + "/data";
    options.listen = {{"127.0.0.1", 0}};
    options.claim_on_terminal = false;
    options.say = [](std::string_view) {};
    options.ready = [&](const std::vector<Address>& bound) { ready.set_value(bound.at(0).port); };
    ended.set_value(RunServer(std::move(options)));
  });
  EXPECT_NE(ready.get_future().get(), 0);
  ::pthread_kill(thread.native_handle(), SIGTERM);
  EXPECT_TRUE(ended.get_future().get());
  thread.join();
}

}  // namespace
}  // namespace grantfs::testing
