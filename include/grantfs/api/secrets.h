#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "grantfs/api/bounds.h"
#include "grantfs/json/json.h"
#include "grantfs/trust/sealing.h"
#include "grantfs/trust/statement.h"

// Secrets, their values and sealed keys, as members send and fetch them.

namespace grantfs::api {

/// POST /v1/secrets/reserve.
struct ReserveRequest {
  std::string environment;
  std::uint32_t count = 1;  ///< 1..kMaxNumbers
  Json ToJson() const;
  static Result<ReserveRequest> FromJson(const Json& json);
};
struct ReserveResponse {
  std::uint64_t first = 0;
  Json ToJson() const;
  static Result<ReserveResponse> FromJson(const Json& json);
};

/// POST /v1/secrets/list: ordered by path, those above `after`.
struct SecretsListRequest {
  std::string environment;
  std::string after;
  std::size_t limit = kMaxNumbers;
  Json ToJson() const;
  static Result<SecretsListRequest> FromJson(const Json& json);
};
struct ListedSecret {
  std::uint64_t number = 0;
  std::string path;
  Head head;
};
struct SecretsListResponse {
  std::vector<ListedSecret> secrets;
  bool more = false;
  Json ToJson() const;
  static Result<SecretsListResponse> FromJson(const Json& json);
};

/// POST /v1/secrets/find.
struct SecretFindRequest {
  std::string environment;
  std::string path;
  Json ToJson() const;
  static Result<SecretFindRequest> FromJson(const Json& json);
};
struct SecretFindResponse {
  std::uint64_t number = 0;
  Head head;
  Json ToJson() const;
  static Result<SecretFindResponse> FromJson(const Json& json);
};

/// POST /v1/stage/ciphertext.
struct StageCiphertextRequest {
  std::uint64_t secret = 0;
  std::uint32_t version = 0;
  Hash commitment;
  Bytes ciphertext;
  Json ToJson() const;
  static Result<StageCiphertextRequest> FromJson(const Json& json);
};

/// POST /v1/stage/copies: of one version's data key.
struct SealedCopy {
  Recipient recipient;
  Bytes sealed;
};
struct StageCopiesRequest {
  std::uint64_t secret = 0;
  std::uint32_t version = 0;
  Hash commitment;
  std::vector<SealedCopy> copies;  ///< 1..kMaxCopies
  Json ToJson() const;
  static Result<StageCopiesRequest> FromJson(const Json& json);
};

/// POST /v1/stage/epoch: copies of an epoch's private key.
struct StageEpochRequest {
  std::string environment;
  std::uint32_t epoch = 0;
  std::vector<EpochCopy> copies;  ///< 1..kMaxCopies
  Json ToJson() const;
  static Result<StageEpochRequest> FromJson(const Json& json);
};

/// POST /v1/stage/group: copies of the private key of a group's epoch.
struct StageGroupRequest {
  std::string environment;
  std::uint64_t group = 0;  ///< for one that is to be created: the sequence that its creation will have
  std::uint32_t epoch = 0;
  std::vector<GroupCopy> copies;  ///< 1..kMaxCopies
  Json ToJson() const;
  static Result<StageGroupRequest> FromJson(const Json& json);
};

/// POST /v1/groups/keys: those of an environment's groups, sealed to the environment's key.
struct GroupKeysRequest {
  std::string environment;
  Json ToJson() const;
  static Result<GroupKeysRequest> FromJson(const Json& json);
};
struct GroupKey {
  std::uint64_t group = 0;
  std::uint32_t epoch = 0;              ///< of the group: its newest
  std::uint32_t environment_epoch = 0;  ///< that it is sealed to
  Bytes sealed;
};
struct GroupKeysResponse {
  std::vector<GroupKey> keys;  ///< by group
  Json ToJson() const;
  static Result<GroupKeysResponse> FromJson(const Json& json);
};

/// POST /v1/epochs/copies: one's own.
struct EpochCopiesRequest {
  std::string environment;
  Json ToJson() const;
  static Result<EpochCopiesRequest> FromJson(const Json& json);
};
struct OwnEpochCopy {
  std::uint32_t epoch = 0;
  Bytes sealed;
};
struct EpochCopiesResponse {
  std::vector<OwnEpochCopy> copies;
  Json ToJson() const;
  static Result<EpochCopiesResponse> FromJson(const Json& json);
};

/// POST /v1/secrets/copies: data keys sealed to the environment's key.
struct SecretCopiesRequest {
  std::uint64_t secret = 0;
  std::vector<std::uint32_t> versions;  ///< at most kMaxNumbers; none = all
  Json ToJson() const;
  static Result<SecretCopiesRequest> FromJson(const Json& json);
};
struct VersionCopy {
  std::uint32_t version = 0;
  std::uint32_t epoch = 0;
  Bytes sealed;
};
struct SecretCopiesResponse {
  std::vector<VersionCopy> copies;
  Json ToJson() const;
  static Result<SecretCopiesResponse> FromJson(const Json& json);
};

/// POST /v1/secrets/value: a member's read, recorded like a machine's.
struct ValueRequest {
  std::uint64_t secret = 0;
  std::uint32_t version = 0;  ///< 0: the one labelled `current`
  std::string open;           ///< the read's id, recorded once: 1..64 of [0-9a-z-]
  Json ToJson() const;
  static Result<ValueRequest> FromJson(const Json& json);
};
struct ValueResponse {
  std::uint32_t version = 0;
  Bytes ciphertext;
  std::uint32_t epoch = 0;
  Bytes sealed;              ///< the data key, to the environment's key of that epoch
  std::uint64_t record = 0;  ///< place in the audit log
  Json ToJson() const;
  static Result<ValueResponse> FromJson(const Json& json);
};

}  // namespace grantfs::api
