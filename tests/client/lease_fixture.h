#pragma once

#include <memory>
#include <string>
#include <vector>

#include "grantfs/util/kept_memory.h"
#include "served_vault.h"
#include "support/test_clock.h"

namespace grantfs::testing {

/// A machine with a grant under a lease, by a clock of the test's.
class LeaseTest : public ServedTest {
 protected:
  LeaseTest() {
    Set("db-password", "hunter2");
    Machine("web-1");
  }
  void GrantLease(std::int64_t lease, std::int64_t offline = 0, const char* record = "each",
                  std::int64_t expires = 0) {
    GrantOptions options;
    options.terms.lease = lease;
    options.terms.offline = offline;
    options.terms.record = record;
    if (expires != 0) options.terms.expires = SystemClock().WallSeconds() + expires;
    Grant("web-1", "db-password", options);
  }
  /// The same value once more, to be rotated after so many seconds.
  void SetRotated(std::int64_t after) {
    SetSecretOptions options;
    options.rotate_after = after;
    Must(Owner().SetSecret({"shop/prod", "db-password"}, Value("hunter2"), options));
  }
  std::unique_ptr<MachineSession> Start(KeptMemory* kept = nullptr) {
    MachineOptions options;
    options.clock = &clock_;
    options.kept = kept;
    return Must(MachineSession::Start(Path("web-1"), std::move(options)));
  }
  /// Listening, with nothing left to look at: what was leased is served without asking.
  std::unique_ptr<MachineSession> Connected(KeptMemory* kept = nullptr) {
    auto session = Start(kept);
    Good(session->WaitUntilCurrent(kLong));
    EXPECT_TRUE(Eventually([&] { return session->HeardWithin(std::chrono::seconds(1)); }));
    return session;
  }
  /// The same after an open, with what it may serve offline on the disk.
  std::unique_ptr<MachineSession> KeptForOffline() {
    auto session = Connected();
    Must(Open(*session));
    EXPECT_TRUE(Eventually([&] { return Kept(); }));
    return session;
  }
  void LoseVault(const MachineSession& session) {
    server_.Stop();
    EXPECT_TRUE(Eventually([&] { return !session.CurrentStatus().connected; }));
  }
  static Result<OpenedSecret> Open(MachineSession& session, const std::string& path = "db-password") {
    return ReadSecretOnce(session, "shop/prod/" + path, {123, 33, 33, "/usr/bin/cat", "/x"}, kLong);
  }
  static bool Leased(MachineSession& session) {
    const auto opened = Open(session);
    return opened && opened->record == 0 && Shown(opened->value) == "hunter2";
  }
  std::vector<AuditLine> Reads() {
    AuditFilter filter;
    filter.object = "shop/prod/db-password";
    filter.actor = "web-1";
    auto lines = Must(Owner().ListAudit(filter));
    std::erase_if(lines, [](const AuditLine& line) { return line.action != "secret.read"; });
    return lines;
  }
  std::uint64_t Told() {
    std::uint64_t reads = 0;
    for (const AuditLine& line : Reads()) reads += line.count;
    return reads;
  }
  /// A secret, and when the vault was heard: whole files, not those that are being written.
  bool Kept() const {
    bool contact = false, secret = false;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(Path("web-1") + "/offline", none)) {
      if (entry.path().extension() == ".json")
        (entry.path().filename() == "contact.json" ? contact : secret) = true;
    }
    return contact && secret;
  }
  TestClock clock_;
};

}  // namespace grantfs::testing
