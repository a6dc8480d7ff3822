#include "grantfs/api/machine.h"
#include "support/test_server.h"

namespace grantfs::testing {
namespace {

api::ReadRequest ReadOf(std::uint64_t secret, const std::string& open) {
  api::ReadRequest request;
  request.secret = secret;
  request.open = open;
  request.caller = {4711, 33, 33, "/usr/sbin/nginx", "/system.slice/nginx.service"};
  return request;
}

TEST(EndToEndTest, AMachineReadsWhatItWasGranted) {
  ServedVault served;
  VaultWorld& world = served.world;
  const auto machine = world.EnrolMachine("web-1");
  Must(world.Publish("shop/prod", "db-password", "correct horse"));
  Must(world.GrantTo(machine, "shop/prod", "db-password"));
  const std::uint64_t number = world.secret("shop/prod", "db-password").list.id().number;
  const auto answer = Must(served.door.client.Call<api::ReadResponse>(
      RequestSigner::Of(machine.key), api::kMachineRead, ReadOf(number, "one")));
  EXPECT_EQ(answer.version, 1U);
  EXPECT_EQ(Must(world.Open(machine, "shop/prod", "db-password", 1, answer.sealed, answer.ciphertext)),
            "correct horse");
}

}  // namespace
}  // namespace grantfs::testing
