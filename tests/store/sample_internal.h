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

inline Status FillSample(Store& store) {
  GRANTFS_CHECK(store.WriteAndWait(FillSampleTrust));
  GRANTFS_CHECK(store.WriteAndWait(FillSampleSecrets));
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
