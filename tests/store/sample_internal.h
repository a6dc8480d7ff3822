#pragma once

#include "store_fixture_internal.h"

namespace grantfs {

// What stands in the sample databases: one of each thing that a vault keeps. tests/store/data/vault-vN.db was
// made by store_make_sample when schema N was the newest, and has to be readable for ever.

inline constexpr std::int64_t kSampleTime = 1'700'000'000;
inline constexpr std::int64_t kSampleRecords = 9;

inline StoredVersion SampleVersion(std::uint32_t number) {
  StoredVersion version;
  version.secret = 1;
  version.version = number;
  version.statement = {number, TestHash(std::uint8_t(20 + number))};
  version.commitment = TestHash(std::uint8_t(30 + number));
  version.ciphertext = Blake2b256({Bytes(60, std::uint8_t(number))});
  version.size = 19;
  version.epoch = 1;
  version.time = kSampleTime + number;
  return version;
}

inline Status FillSampleTrust(StoreWriter& out) {
  GRANTFS_CHECK(out.PutServer(TestServer()));
  GRANTFS_CHECK(out.SetVaultId(TestHash(1)));
  GRANTFS_CHECK(out.PutClaim({"0123456789abcdef0123456789abcdef", {TestHash(2).bytes}, {TestHash(3).bytes}}));
  GRANTFS_TRY(out.ReserveSecretNumbers(5));
  GRANTFS_TRY(out.NextChange());
  GRANTFS_CHECK(out.AppendStatement({"vault", {0, TestHash(1)}, TestHash(9), "{\"genesis\":1}"}, Hash{}));
  GRANTFS_CHECK(
      out.AppendStatement({"vault", {1, TestHash(10)}, TestHash(9), "{\"second\":2}"}, TestHash(1)));
  GRANTFS_CHECK(out.AppendStatement({"secret/1", {0, TestHash(11)}, TestHash(9), "{}"}, Hash{}));
  GRANTFS_CHECK(out.PutEnrolment("invite-1", "{\"name\":\"web-1\"}", kSampleTime));
  GRANTFS_CHECK(out.PutEnrolment("invite-2", "{\"name\":\"web-2\"}", kSampleTime));
  return out.SetEnrolmentState("invite-2", EnrolmentState::kApproved, kSampleTime + 5);
}

inline Status FillSampleSecrets(StoreWriter& out) {
  const Hash signer = TestHash(9);
  const Recipient machine{RecipientKind::kMachine, 4, 0};
  GRANTFS_CHECK(out.AddSecret(1, "shop/prod", "db-password"));
  GRANTFS_CHECK(out.AddSecret(2, "shop/prod", "tls/server.key"));
  GRANTFS_CHECK(out.PutGrant({1, GranteeKind::kMachine, 4, TestHash(12), 3, "current", 0, TestHash(13)}));
  for (std::uint32_t number = 1; number <= 2; ++number) {
    const StoredVersion version = SampleVersion(number);
    const StageKey key{signer, 1, number, version.commitment};
    GRANTFS_CHECK(out.StageCiphertext(key, Bytes(60, std::uint8_t(number)), kSampleTime));
    GRANTFS_CHECK(out.StageCopy(key, machine, Bytes(81, std::uint8_t(number)), kSampleTime));
    GRANTFS_CHECK(out.PublishVersion(signer, version, kSampleTime));
    GRANTFS_TRY(out.AdoptCopies(signer, 1, number, false, kSampleTime));
    GRANTFS_CHECK(out.SetLabel(1, "current", number, (kSampleTime + number) * 1000));
  }
  GRANTFS_CHECK(out.SetLabel(1, "previous", 1, kSampleTime * 1000));
  const StageKey next{signer, 1, 3, TestHash(33)};
  GRANTFS_CHECK(out.StageCiphertext(next, Bytes(60, 3), kSampleTime));
  GRANTFS_CHECK(out.StageCopy(next, machine, Bytes(81, 3), kSampleTime));
  GRANTFS_CHECK(out.StageEpochCopy(signer, "shop/prod", 1, {signer, Bytes(81, 4)}, kSampleTime));
  GRANTFS_TRY(out.AdoptEpochCopies(signer, "shop/prod", 1, {&signer, 1}, false, kSampleTime));
  return out.StageEpochCopy(signer, "shop/prod", 2, {signer, Bytes(81, 5)}, kSampleTime);
}

inline constexpr std::uint64_t kSampleGroup =
    6;  ///< machine 4 is in it, and standing invitation 9 leads there
inline const GroupPlace kSampleGroupPlace{"shop/prod", kSampleGroup, 2};

// Since schema 5.
inline Status FillSampleGroups(StoreWriter& out) {
  const Hash signer = TestHash(9);
  const std::vector<GroupCopy> copies = {{{RecipientKind::kEnvironment, 2, 1}, Bytes(81, 6)},
                                         {{RecipientKind::kMachine, 4, 0}, Bytes(81, 7)},
                                         {{RecipientKind::kInvitation, 9, 0}, Bytes(81, 8)}};
  for (const GroupCopy& copy : copies)
    GRANTFS_CHECK(out.StageGroupCopy(signer, kSampleGroupPlace, copy, kSampleTime));
  GRANTFS_CHECK(out.PutGroupCopies(signer, kSampleGroupPlace, copies, true));
  GroupPlace next = kSampleGroupPlace;
  next.epoch = 3;
  GRANTFS_CHECK(out.StageGroupCopy(signer, next, copies[1], kSampleTime));
  GRANTFS_CHECK(
      out.PutGrant({1, GranteeKind::kGroup, kSampleGroup, TestHash(14), 5, "previous", 0, TestHash(15)}));
  GRANTFS_CHECK(out.PutPrefix({"shop/prod", "tls/", kSampleGroup, "current", kSampleTime + 86400}));
  return out.PutPrefix({"shop/prod", "", kSampleGroup, "next", 0});
}

inline StoredRequest SampleRequest(std::uint8_t number, std::int64_t expires) {
  StoredRequest request;
  request.id = TestHash(std::uint8_t(60 + number));
  request.environment = "shop/prod";
  request.signer = TestHash(9);
  request.type = "rotation";
  request.subject = "db-password";
  request.envelope = "{\"request\":" + std::to_string(number) + "}";
  request.received = kSampleTime + number;
  request.expires = expires;
  return request;
}

// Since schema 5 too; canaries, tripwires and sinks since 4, freezes since 3, journals since 2.
inline Status FillSampleState(StoreWriter& out) {
  const Hash signer = TestHash(9);
  GRANTFS_CHECK(out.AddRequest(SampleRequest(1, kSampleTime + 86400)));
  GRANTFS_CHECK(out.AddRequest(SampleRequest(2, kSampleTime + 86400)));
  GRANTFS_CHECK(
      out.SettleRequest(TestHash(62), RequestState::kRefused, "ann", "not today", kSampleTime + 60));
  GRANTFS_CHECK(out.PutFreeze(
      {{FrozenKind::kMachineIn, TestHash(12).Hex(), "shop/prod"}, signer, "ann", kSampleTime, "odd reads"}));
  GRANTFS_CHECK(out.PutFreeze({{FrozenKind::kMachine, TestHash(16).Hex()}, signer, "ann", kSampleTime, ""}));
  GRANTFS_CHECK(out.PutFreeze({{FrozenKind::kEnvironment, "shop/test"}, signer, "ann", kSampleTime, ""}));
  GRANTFS_CHECK(out.PutCanary({2, "ann", kSampleTime}));
  TripwirePolicy policy;
  policy.scope = TripScope::kProject;
  policy.passes = {"uid=0"};
  GRANTFS_CHECK(
      out.PutTripwire({"shop/prod", signer, "ann", kSampleTime, policy, {"shop/prod", "shop/test"}}));
  GRANTFS_CHECK(out.SetAlertReached("webhook", 3));
  GRANTFS_CHECK(out.PutJournal(TestHash(12), std::string(32, 'a'), {7, TestHash(17)}, kSampleTime));
  return out.PutNextTls({"next certificate", TestSecret(100, 0x6C), kSampleTime});
}

inline Status FillSample(Store& store) {
  GRANTFS_CHECK(store.WriteAndWait(FillSampleTrust));
  GRANTFS_CHECK(store.WriteAndWait(FillSampleSecrets));
  GRANTFS_CHECK(store.WriteAndWait(FillSampleGroups));
  GRANTFS_CHECK(store.WriteAndWait(FillSampleState));
  for (std::int64_t i = 0; i < kSampleRecords; i += 3) {
    GRANTFS_CHECK(store.WriteAndWait([=](StoreWriter& out) -> Status {
      for (std::int64_t j = i; j < i + 3; ++j) {
        AuditRecord record = TestRecord(j);
        record.severity = static_cast<AuditSeverity>(j % 4);
        record.open_id = "open-" + std::to_string(j);
        GRANTFS_TRY(out.Audit(record));
      }
      return {};
    }));
  }
  return {};
}

}  // namespace grantfs
