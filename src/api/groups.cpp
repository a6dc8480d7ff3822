#include "fields_internal.h"
#include "grantfs/api/secrets.h"

namespace grantfs::api {
namespace {

GroupCopy ReadGroupCopy(JsonReader& in) {
  GroupCopy copy;
  copy.recipient.kind = Taken(in, "kind", ParseRecipientKind(in.String("kind", 16)));
  if (copy.recipient.kind == RecipientKind::kGroup) in.Fail("a group's key is sealed to no group", "kind");
  copy.recipient.number = ReadCount(in, "number");
  copy.recipient.epoch = ReadEpoch(in, 0);
  copy.sealed = ReadBlob(in, "sealed", kMaxSealedBytes);
  return copy;
}

}  // namespace

Json StageGroupRequest::ToJson() const {
  return Json::Object({{"environment", environment},
                       {"group", group},
                       {"epoch", epoch},
                       {"copies", WriteAll(copies, [](const GroupCopy& copy) {
                          return Json::Object({{"kind", RecipientKindName(copy.recipient.kind)},
                                               {"number", copy.recipient.number},
                                               {"epoch", copy.recipient.epoch},
                                               {"sealed", Base64Encode(copy.sealed)}});
                        })}});
}

Result<StageGroupRequest> StageGroupRequest::FromJson(const Json& json) {
  JsonReader in(json, "stage");
  StageGroupRequest request;
  request.environment = ReadEnvironment(in);
  request.group = ReadCount(in, "group", 1);
  request.epoch = ReadEpoch(in, 1);
  request.copies = ReadObjects<GroupCopy>(in, "copies", kMaxCopies, ReadGroupCopy, 1);
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json GroupKeysRequest::ToJson() const { return Json::Object({{"environment", environment}}); }

Result<GroupKeysRequest> GroupKeysRequest::FromJson(const Json& json) {
  JsonReader in(json, "keys");
  GroupKeysRequest request{ReadEnvironment(in)};
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json GroupKeysResponse::ToJson() const {
  return Json::Object({{"keys", WriteAll(keys, [](const GroupKey& key) {
                          return Json::Object({{"group", key.group},
                                               {"epoch", key.epoch},
                                               {"environment_epoch", key.environment_epoch},
                                               {"sealed", Base64Encode(key.sealed)}});
                        })}});
}

Result<GroupKeysResponse> GroupKeysResponse::FromJson(const Json& json) {
  JsonReader in(json, "keys");
  GroupKeysResponse response;
  response.keys = ReadObjects<GroupKey>(in, "keys", kMaxGroups, [](JsonReader& one) {
    GroupKey key;
    key.group = ReadCount(one, "group", 1);
    key.epoch = ReadEpoch(one, 1);
    key.environment_epoch = ReadSmall(one, "environment_epoch", 1, 0xffffffff);
    key.sealed = ReadBlob(one, "sealed", kMaxSealedBytes);
    return key;
  });
  GRANTFS_CHECK(in.Finish());
  return response;
}

}  // namespace grantfs::api
