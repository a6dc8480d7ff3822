#pragma once

#include "grantfs/api/problem.h"
#include "grantfs/api/tripwires.h"
#include "grantfs/journal/entry.h"
#include "support/direct_vault.h"

namespace grantfs::testing {

/// A vault with people in each role of shop/prod, and machines that read there.
struct TripwireTest : ::testing::Test, ClaimedVault {
  explicit TripwireTest(std::uint32_t usual_rate = kUsualRate) : ClaimedVault(usual_rate) {
    for (const char* name : {"shop/test", "shop/stage", "other/prod"}) Must(world.AddEnvironment(name));
    const std::pair<PrivateIdentity*, Role> members[] = {{&reader, Role::kReader},
                                                         {&writer, Role::kWriter},
                                                         {&operating, Role::kOperator},
                                                         {&auditor, Role::kAuditor}};
    for (const auto& [who, role] : members) Must(world.AddMember("shop/prod", *who, role));
    Must(world.AddMember("shop/test", operating, Role::kOperator));
    machine = world.EnrolMachine("web-1");
    other = world.EnrolMachine("web-2");
    Must(world.Publish("shop/prod", "bait", "decoy"));
    for (int i = 0; i < 8; ++i) Must(world.Publish("shop/prod", Name(i), "value"));
    for (const auto* who : {&machine, &other}) {
      Must(world.GrantTo(*who, "shop/prod", "bait"));
      for (int i = 0; i < 8; ++i) Must(world.GrantTo(*who, "shop/prod", Name(i)));
    }
    Must(world.Publish("shop/test", "a", "value"));
    Must(world.GrantTo(machine, "shop/test", "a"));
  }
  static std::string Name(int i) { return "s" + std::to_string(i); }

  Result<api::CanaryResponse> Canary(const PrivateIdentity& who, bool canary = true) {
    return Wait<api::CanaryResponse>([&](auto done) {
      vault().SetCanary(direct.Caller(who), {NumberOf("bait"), canary}, done);
    });
  }
  Result<api::TripwireResponse> Set(const PrivateIdentity& who, const TripwirePolicy& policy,
                                    const std::string& environment = "shop/prod") {
    return Wait<api::TripwireResponse>([&](auto done) {
      vault().SetTripwire(direct.Caller(who), {environment, policy}, done);
    });
  }
  Result<api::ReadResponse> Read(const VaultWorld::Machine& who, const std::string& path,
                                 const api::CallerInfo& process = {4711, 33, 33, "/usr/bin/cat", "/"},
                                 const std::string& environment = "shop/prod") {
    api::ReadRequest request;
    request.secret = world.secret(environment, path).list.id().number;
    request.open = "open-" + std::to_string(++opens);
    request.caller = process;
    return Wait<api::ReadResponse>(
        [&](auto done) { vault().MachineRead(direct.Caller(who.key), request, done); });
  }
  template <typename T>
  static std::string Said(const Result<T>& answer) {
    return answer ? "yes" : CodeName(answer.error().code);
  }
  std::vector<std::string> Frozen() {
    std::vector<std::string> names;
    for (const auto& freeze : Must(vault().ListFreezes(direct.Caller(world.owner), {})).freezes)
      names.push_back(!freeze.object.IsMachine() ? freeze.object.id
                      : freeze.object.kind == FrozenKind::kMachine
                          ? "machine"
                          : "machine in " + freeze.object.environment);
    return names;
  }
  void Lift(std::vector<FrozenObject> objects) {
    Must(Wait<api::FreezeResponse>([&](auto done) {
      vault().LiftFreezes(direct.Caller(world.owner), {std::move(objects), ""}, done);
    }));
  }
  void LiftProd() { Lift({{FrozenKind::kEnvironment, "shop/prod"}}); }
  /// The newest critical record of a touched tripwire.
  Json Touched(std::size_t count) {
    const auto records = direct.Audit("tripwire.touched");
    EXPECT_EQ(records.size(), count);
    if (records.empty()) return {};
    EXPECT_EQ(records[0].columns->severity, static_cast<int>(AuditSeverity::kCritical));
    EXPECT_EQ(records[0].columns->environment, "shop/prod");
    return Must(ParseJson(*records[0].body));
  }
  TripwirePolicy Alerting() {
    TripwirePolicy policy;
    policy.canary = policy.rate_action = TripAction::kAlert;
    return policy;
  }
  TripwirePolicy OfRate(std::uint32_t rate) {
    TripwirePolicy policy;
    policy.rate = rate;
    return policy;
  }
  Result<api::JournalResponse> Tell(const std::vector<std::string>& paths, std::int64_t time_ms,
                                    std::int64_t step_ms, const std::string& journal = std::string(32, 'a')) {
    api::JournalRequest request;
    request.journal = journal;
    std::string previous;
    JournalEntry entry;
    for (const std::string& path : paths) {
      ++entry.sequence;
      if (!previous.empty()) entry.previous = JournalHash(previous);
      entry.time_ms = time_ms;
      time_ms += step_ms;
      entry.open = "leased-" + std::to_string(++opens);
      entry.secret = NumberOf(path);
      entry.version = 1;
      entry.record = kRecordEach;
      entry.caller = {99, 33, 33, "/usr/bin/tar", "/system.slice"};
      previous = entry.Text();
      request.entries.push_back(previous);
    }
    request.signature = SignJournal(machine.key.signing_key(), vault().vault_id(), journal, entry.sequence,
                                    JournalHash(previous));
    return Wait<api::JournalResponse>(
        [&](auto done) { vault().MachineJournal(direct.Caller(machine.key), request, done); });
  }
  PrivateIdentity reader = NewIdentity("rea"), writer = NewIdentity("wri"), operating = NewIdentity("ope"),
                  auditor = NewIdentity("aud"), outsider = NewIdentity("out");
  VaultWorld::Machine machine, other;
  int opens = 0;
};

}  // namespace grantfs::testing
