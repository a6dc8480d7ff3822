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
  /// Everybody who begins with the vault's list is shown this one. The list outlives that.
  void ShowVault(const VaultList& list) {
    vault_.Lie<api::ListReadRequest, api::ListReadResponse>(
        api::kListsRead, [&list](const api::ListReadRequest& asked, api::ListReadResponse& answer) {
          if (asked.list.kind != ListKind::kVault || asked.from != 0) return;
          answer.head = list.head();
          answer.statements.clear();
          for (std::uint64_t i = 0; i < list.next_sequence(); ++i)
            answer.statements.push_back(list.At(i)->envelope());
        });
  }
  /// The machine, and it alone, is shown this list as its environment's. The list outlives that.
  void ShowEnvironment(const EnvironmentList& list) {
    const std::string machine = Must(Must(Home::Open(Path("web-1"))).LoadIdentity()).Id().Hex();
    vault_.SetRewrite([&list, machine](const HttpRequest& asked, HttpResponse& answer) {
      const std::string* signer = FindHeader(asked.headers, "signature-input");
      if (answer.status != 200 || signer == nullptr || signer->find(machine) == std::string::npos) return;
      if (asked.path == api::kMachineGrants.path) {
        auto grants = *api::GrantsResponse::FromJson(*ParseJson(answer.body));
        for (auto& environment : grants.environments) environment.head = *list.head();
        answer.body = grants.ToJson().Dump();
      }
      if (asked.path != api::kListsRead.path) return;
      const auto request = *api::ListReadRequest::FromJson(*ParseJson(asked.body));
      if (request.list.kind != ListKind::kEnvironment) return;
      api::ListReadResponse shown{request.list, list.head(), {}};
      for (auto i = request.from; i < list.next_sequence(); ++i)
        shown.statements.push_back(list.At(i)->envelope());
      answer.body = shown.ToJson().Dump();
    });
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
