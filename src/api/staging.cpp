#include "fields_internal.h"
#include "grantfs/api/secrets.h"

namespace grantfs::api {

Json StageCiphertextRequest::ToJson() const {
  return Json::Object({{"secret", secret},
                       {"version", version},
                       {"commitment", commitment.Hex()},
                       {"ciphertext", Base64Encode(ciphertext)}});
}

Result<StageCiphertextRequest> StageCiphertextRequest::FromJson(const Json& json) {
  JsonReader in(json, "stage");
  StageCiphertextRequest request;
  request.secret = ReadSecret(in);
  request.version = ReadVersion(in, 1);
  request.commitment = ReadHex<Hash>(in, "commitment");
  request.ciphertext = ReadBlob(in, "ciphertext", kMaxCiphertextBytes, kAeadOverhead);
  GRANTFS_CHECK(in.Finish());
  return request;
}

namespace {

Json WriteSealedCopy(const SealedCopy& copy) {
  return Json::Object({{"kind", RecipientKindName(copy.recipient.kind)},
                       {"number", copy.recipient.number},
                       {"epoch", copy.recipient.epoch},
                       {"sealed", Base64Encode(copy.sealed)}});
}

SealedCopy ReadSealedCopy(JsonReader& in) {
  SealedCopy copy;
  copy.recipient.kind = Taken(in, "kind", ParseRecipientKind(in.String("kind", 16)));
  copy.recipient.number = ReadCount(in, "number");
  copy.recipient.epoch = ReadEpoch(in, 0);
  copy.sealed = ReadBlob(in, "sealed", kMaxSealedBytes);
  return copy;
}

}  // namespace

Json StageCopiesRequest::ToJson() const {
  return Json::Object({{"secret", secret},
                       {"version", version},
                       {"commitment", commitment.Hex()},
                       {"copies", WriteAll(copies, WriteSealedCopy)}});
}

Result<StageCopiesRequest> StageCopiesRequest::FromJson(const Json& json) {
  JsonReader in(json, "stage");
  StageCopiesRequest request;
  request.secret = ReadSecret(in);
  request.version = ReadVersion(in, 1);
  request.commitment = ReadHex<Hash>(in, "commitment");
  request.copies = ReadObjects<SealedCopy>(in, "copies", kMaxCopies, ReadSealedCopy, 1);
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json StageEpochRequest::ToJson() const {
  return Json::Object(
      {{"environment", environment},
       {"epoch", epoch},
       {"copies", WriteAll(copies, [](const EpochCopy& copy) {
          return Json::Object({{"recipient", copy.recipient.Hex()}, {"sealed", Base64Encode(copy.sealed)}});
        })}});
}

Result<StageEpochRequest> StageEpochRequest::FromJson(const Json& json) {
  JsonReader in(json, "stage");
  StageEpochRequest request;
  request.environment = ReadEnvironment(in);
  request.epoch = ReadEpoch(in, 1);
  request.copies = ReadObjects<EpochCopy>(
      in, "copies", kMaxCopies,
      [](JsonReader& one) {
        EpochCopy copy;
        copy.recipient = ReadHex<Hash>(one, "recipient");
        copy.sealed = ReadBlob(one, "sealed", kMaxSealedBytes);
        return copy;
      },
      1);
  GRANTFS_CHECK(in.Finish());
  return request;
}

}  // namespace grantfs::api
