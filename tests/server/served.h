#pragma once

#include "grantfs/api/machine.h"
#include "support/test_clock.h"
#include "support/test_server.h"

namespace grantfs::testing {

/// A served vault with a machine that may read shop/prod/a.
struct ServedSecret : ServedVault {
  explicit ServedSecret(ServeOptions options = {}) : ServedVault(std::move(options)) {
    machine = world.EnrolMachine("web-1");
    Must(world.Publish("shop/prod", "a", "one"));
    Must(world.GrantTo(machine, "shop/prod", "a"));
    number = world.secret("shop/prod", "a").list.id().number;
  }
  RawClient& client() { return door.client; }
  std::string ReadBody(const std::string& open) const {
    api::ReadRequest request;
    request.secret = number;
    request.open = open;
    request.caller = {4711, 33, 33, "/usr/sbin/nginx", "/system.slice/nginx.service"};
    return request.ToJson().Dump();
  }
  HttpRequest SignedRead(const std::string& open) {
    return client().Signed(RequestSigner::Of(machine.key), api::kMachineRead, ReadBody(open));
  }
  int StatusOf(const HttpRequest& request) { return Must(client().Send(request)).status; }
  VaultWorld::Machine machine;
  std::uint64_t number = 0;
};

}  // namespace grantfs::testing
