#include "grantfs/api/secrets.h"

#include "fields_internal.h"

namespace grantfs::api {

Json ReserveRequest::ToJson() const { return Json::Object({{"environment", environment}, {"count", count}}); }

Result<ReserveRequest> ReserveRequest::FromJson(const Json& json) {
  JsonReader in(json, "reserve");
  ReserveRequest request;
  request.environment = ReadEnvironment(in);
  request.count = ReadSmall(in, "count", 1, kMaxNumbers);
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json ReserveResponse::ToJson() const { return Json::Object({{"first", first}}); }

Result<ReserveResponse> ReserveResponse::FromJson(const Json& json) {
  JsonReader in(json, "reserve");
  ReserveResponse response{ReadSecret(in, "first")};
  GRANTFS_CHECK(in.Finish());
  return response;
}

Json SecretsListRequest::ToJson() const {
  return Json::Object({{"environment", environment}, {"after", after}, {"limit", std::uint64_t{limit}}});
}

Result<SecretsListRequest> SecretsListRequest::FromJson(const Json& json) {
  JsonReader in(json, "list");
  SecretsListRequest request;
  request.environment = ReadEnvironment(in);
  request.after = in.String("after", kMaxNameBytes);
  request.limit = ReadLimit(in, kMaxNumbers);
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json SecretsListResponse::ToJson() const {
  return Json::Object({{"secrets", WriteAll(secrets,
                                            [](const ListedSecret& secret) {
                                              return Json::Object({{"number", secret.number},
                                                                   {"path", secret.path},
                                                                   {"head", secret.head.ToJson()}});
                                            })},
                       {"more", more}});
}

Result<SecretsListResponse> SecretsListResponse::FromJson(const Json& json) {
  JsonReader in(json, "list");
  SecretsListResponse response;
  response.secrets = ReadObjects<ListedSecret>(in, "secrets", kMaxNumbers, [](JsonReader& one) {
    ListedSecret secret;
    secret.number = ReadSecret(one, "number");
    secret.path = ReadPath(one);
    secret.head = ReadHead(one, "head");
    return secret;
  });
  response.more = in.Bool("more");
  GRANTFS_CHECK(in.Finish());
  return response;
}

Json SecretFindRequest::ToJson() const {
  return Json::Object({{"environment", environment}, {"path", path}});
}

Result<SecretFindRequest> SecretFindRequest::FromJson(const Json& json) {
  JsonReader in(json, "find");
  SecretFindRequest request;
  request.environment = ReadEnvironment(in);
  request.path = ReadPath(in);
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json SecretFindResponse::ToJson() const {
  return Json::Object({{"number", number}, {"head", head.ToJson()}});
}

Result<SecretFindResponse> SecretFindResponse::FromJson(const Json& json) {
  JsonReader in(json, "find");
  SecretFindResponse response;
  response.number = ReadSecret(in, "number");
  response.head = ReadHead(in, "head");
  GRANTFS_CHECK(in.Finish());
  return response;
}

Json EpochCopiesRequest::ToJson() const { return Json::Object({{"environment", environment}}); }

Result<EpochCopiesRequest> EpochCopiesRequest::FromJson(const Json& json) {
  JsonReader in(json, "copies");
  EpochCopiesRequest request{ReadEnvironment(in)};
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json EpochCopiesResponse::ToJson() const {
  return Json::Object({{"copies", WriteAll(copies, [](const OwnEpochCopy& copy) {
                          return Json::Object({{"epoch", copy.epoch}, {"sealed", Base64Encode(copy.sealed)}});
                        })}});
}

Result<EpochCopiesResponse> EpochCopiesResponse::FromJson(const Json& json) {
  JsonReader in(json, "copies");
  EpochCopiesResponse response;
  response.copies = ReadObjects<OwnEpochCopy>(in, "copies", kMaxCopiesSent, [](JsonReader& one) {
    OwnEpochCopy copy;
    copy.epoch = ReadEpoch(one, 1);
    copy.sealed = ReadBlob(one, "sealed", kMaxSealedBytes);
    return copy;
  });
  GRANTFS_CHECK(in.Finish());
  return response;
}

Json SecretCopiesRequest::ToJson() const {
  return Json::Object({{"secret", secret}, {"versions", WriteAll(versions, [](std::uint32_t version) {
                                              return Json(version);
                                            })}});
}

Result<SecretCopiesRequest> SecretCopiesRequest::FromJson(const Json& json) {
  JsonReader in(json, "copies");
  SecretCopiesRequest request;
  request.secret = ReadSecret(in);
  for (const Json& item : in.Array("versions", kMaxNumbers)) {
    const bool good = item.is(Json::Kind::kNumber) && item.AsNumber() >= 1 && item.AsNumber() <= kMaxVersion;
    if (!good) in.Fail("a version's number is out of bounds", "versions");
    if (good) request.versions.push_back(static_cast<std::uint32_t>(item.AsNumber()));
  }
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json SecretCopiesResponse::ToJson() const {
  return Json::Object({{"copies", WriteAll(copies, [](const VersionCopy& copy) {
                          return Json::Object({{"version", copy.version},
                                               {"epoch", copy.epoch},
                                               {"sealed", Base64Encode(copy.sealed)}});
                        })}});
}

Result<SecretCopiesResponse> SecretCopiesResponse::FromJson(const Json& json) {
  JsonReader in(json, "copies");
  SecretCopiesResponse response;
  response.copies = ReadObjects<VersionCopy>(in, "copies", kMaxCopiesSent, [](JsonReader& one) {
    VersionCopy copy;
    copy.version = ReadVersion(one, 1);
    copy.epoch = ReadEpoch(one, 1);
    copy.sealed = ReadBlob(one, "sealed", kMaxSealedBytes);
    return copy;
  });
  GRANTFS_CHECK(in.Finish());
  return response;
}

Json ValueRequest::ToJson() const {
  return Json::Object({{"secret", secret}, {"version", version}, {"open", open}});
}

Result<ValueRequest> ValueRequest::FromJson(const Json& json) {
  JsonReader in(json, "value");
  ValueRequest request;
  request.secret = ReadSecret(in);
  request.version = ReadVersion(in, 0);
  request.open = ReadOpenId(in);
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json ValueResponse::ToJson() const {
  return Json::Object({{"version", version},
                       {"ciphertext", Base64Encode(ciphertext)},
                       {"epoch", epoch},
                       {"sealed", Base64Encode(sealed)},
                       {"record", record}});
}

Result<ValueResponse> ValueResponse::FromJson(const Json& json) {
  JsonReader in(json, "value");
  ValueResponse response;
  response.version = ReadVersion(in, 1);
  response.ciphertext = ReadBlob(in, "ciphertext", kMaxCiphertextBytes);
  response.epoch = ReadEpoch(in, 1);
  response.sealed = ReadBlob(in, "sealed", kMaxSealedBytes);
  response.record = ReadCount(in, "record");
  GRANTFS_CHECK(in.Finish());
  return response;
}

}  // namespace grantfs::api
