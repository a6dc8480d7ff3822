#pragma once

#include "hostile_test.h"

namespace grantfs::testing {

/// A machine that is granted one of two secrets, and is lied to about its grants.
class HostileMachineTest : public HostileTest {
 protected:
  HostileMachineTest() {
    Set("a", "one");
    Set("b", "two");
    Machine("web-1");
    Grant("web-1", "a");
  }
  using Lie = std::function<void(const api::GrantsRequest&, api::GrantsResponse&)>;
  void LieAboutGrants(Lie lie) {
    vault_.Lie<api::GrantsRequest, api::GrantsResponse>(api::kMachineGrants, std::move(lie));
  }
  /// Something of the machine's changes, so that it looks.
  void Stir() { Grant("web-1", "b"); }
  static bool Says(const MachineSession& session, const std::string& why) {
    for (const std::string& notice : session.CurrentStatus().notices) {
      if (notice.find(why) != std::string::npos) return true;
    }
    return false;
  }
  static std::string Notices(const MachineSession& session) {
    std::string all;
    for (const std::string& notice : session.CurrentStatus().notices) all += notice + "\n";
    return all;
  }
  static void ExpectSays(const MachineSession& session, const std::string& why) {
    EXPECT_TRUE(Eventually([&] { return Says(session, why); })) << Notices(session);
  }
};

}  // namespace grantfs::testing
