#include "grantfs/api/freezes.h"

#include "fields_internal.h"
#include "grantfs/util/clock.h"
#include "grantfs/util/text.h"

namespace grantfs::api {
namespace {

FrozenKind ReadKind(JsonReader& in) {
  const std::string text = in.String("kind", 32);
  for (const FrozenKind kind : {FrozenKind::kMachine, FrozenKind::kEnvironment, FrozenKind::kMachineIn}) {
    if (text == FrozenKindName(kind)) return kind;
  }
  in.Fail("what is frozen is a machine, an environment, or a machine in an environment", "kind");
  return FrozenKind::kEnvironment;
}

FrozenObject ReadObject(JsonReader& in) {
  FrozenObject object;
  object.kind = ReadKind(in);
  object.id = object.IsMachine() ? ReadHex<Hash>(in, "id").Hex() : ReadEnvironment(in, "id");
  if (object.kind == FrozenKind::kMachineIn) object.environment = ReadEnvironment(in);
  return object;
}

std::string ReadReason(JsonReader& in) {
  std::string reason = in.OptionalString("reason", kMaxFreezeReasonBytes);
  if (reason != Printable(reason)) in.Fail("has a character that cannot be printed", "reason");
  return reason;
}

std::vector<Freeze> ReadFreezes(JsonReader& in, std::size_t max) {
  return ReadAll<Freeze>(in, "freezes", max);
}

/// Where a page of the list begins.
std::optional<FrozenObject> ReadPlace(JsonReader& in, const char* field) {
  const Json* place = in.OptionalObject(field);
  if (place == nullptr) return std::nullopt;
  return Taken(in, field, FrozenObjectFromJson(*place));
}

Json WriteFreezes(const std::vector<Freeze>& freezes) {
  return WriteAll(freezes, [](const Freeze& freeze) { return freeze.ToJson(); });
}

}  // namespace

const char* FrozenKindName(FrozenKind kind) {
  switch (kind) {
    case FrozenKind::kMachine:
      return "machine";
    case FrozenKind::kEnvironment:
      return "environment";
    case FrozenKind::kMachineIn:
      return "machine-in-environment";
  }
  std::abort();
}

Json FrozenObjectToJson(const FrozenObject& object) {
  Json json = Json::Object({{"kind", FrozenKindName(object.kind)}, {"id", object.id}});
  if (object.kind == FrozenKind::kMachineIn) json.Set("environment", object.environment);
  return json;
}

Result<FrozenObject> FrozenObjectFromJson(const Json& json) {
  JsonReader in(json, "object");
  FrozenObject object = ReadObject(in);
  GRANTFS_CHECK(in.Finish());
  return object;
}

Json Freeze::ToJson() const {
  Json json = FrozenObjectToJson(object);
  json.Set("by", by).Set("time", time);
  if (!reason.empty()) json.Set("reason", reason);
  return json;
}

Result<Freeze> Freeze::FromJson(const Json& json) {
  JsonReader in(json, "freeze");
  Freeze freeze;
  freeze.object = ReadObject(in);
  freeze.by = in.String("by", kMaxNameBytes);
  freeze.time = ReadTime(in, "time");
  freeze.reason = ReadReason(in);
  GRANTFS_CHECK(in.Finish());
  return freeze;
}

std::string Freeze::Sentence(const std::string& what) const {
  return FreezeSentence(what, by, time, reason, object.environment);
}

std::string Freeze::SentenceForMachine() const {
  return Sentence(object.IsMachine() ? "this machine" : object.id);
}

std::string FreezeSentence(const std::string& what, const std::string& by, std::int64_t time,
                           const std::string& reason, const std::string& in) {
  return what + " was frozen" + (in.empty() ? "" : " in " + in) + " by " + Printable(by) + " at " +
         FormatTime(time) + (reason.empty() ? "" : ": " + Printable(reason));
}

Json FreezeRequest::ToJson() const {
  Json json = Json::Object({{"objects", WriteAll(objects, FrozenObjectToJson)}});
  if (!reason.empty()) json.Set("reason", reason);
  return json;
}

Result<FreezeRequest> FreezeRequest::FromJson(const Json& json) {
  JsonReader in(json, "freeze");
  FreezeRequest request;
  request.objects = ReadObjects<FrozenObject>(in, "objects", kMaxFrozenAtOnce, ReadObject, 1);
  request.reason = ReadReason(in);
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json FreezeResponse::ToJson() const {
  Json json = Json::Object({{"change", change}, {"freezes", WriteFreezes(freezes)}});
  if (!before.empty()) json.Set("before", WriteFreezes(before));
  return json;
}

Result<FreezeResponse> FreezeResponse::FromJson(const Json& json) {
  JsonReader in(json, "freeze");
  FreezeResponse response;
  response.change = ReadCount(in, "change");
  response.freezes = ReadFreezes(in, kMaxFrozenAtOnce);
  if (in.Has("before")) response.before = ReadAll<Freeze>(in, "before", kMaxFrozenAtOnce);
  GRANTFS_CHECK(in.Finish());
  return response;
}

Json FollowedRequest::ToJson() const {
  return Json::Object({{"environment", environment}, {"change", change}});
}

Result<FollowedRequest> FollowedRequest::FromJson(const Json& json) {
  JsonReader in(json, "followed");
  FollowedRequest request;
  request.environment = ReadEnvironment(in);
  request.change = ReadCount(in, "change");
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json FollowedResponse::ToJson() const {
  const auto write = [](const Behind& one) {
    return Json::Object({{"machine", one.machine}, {"online", one.online}, {"last_seen", one.last_seen}});
  };
  return Json::Object({{"machines", machines},
                       {"followed", followed},
                       {"pending", pending},
                       {"behind", WriteAll(behind, write)}});
}

Result<FollowedResponse> FollowedResponse::FromJson(const Json& json) {
  JsonReader in(json, "followed");
  FollowedResponse response;
  response.machines = ReadCount(in, "machines");
  response.followed = ReadCount(in, "followed");
  response.pending = ReadCount(in, "pending");
  response.behind = ReadObjects<Behind>(in, "behind", kMaxBehind, [](JsonReader& one) {
    Behind behind;
    behind.machine = one.String("machine", kMaxNameBytes);
    if (const Status good = CheckIdentityName(behind.machine); !good) one.Fail(good.error().where, "machine");
    behind.online = one.Bool("online");
    behind.last_seen = ReadTime(one, "last_seen");
    return behind;
  });
  GRANTFS_CHECK(in.Finish());
  return response;
}

Json FreezesListRequest::ToJson() const {
  Json json = Json::Object({{"limit", std::uint64_t{limit}}});
  if (after) json.Set("after", FrozenObjectToJson(*after));
  return json;
}

Result<FreezesListRequest> FreezesListRequest::FromJson(const Json& json) {
  JsonReader in(json, "freezes");
  FreezesListRequest request;
  request.limit = ReadLimit(in, kMaxFreezesListed);
  request.after = ReadPlace(in, "after");
  GRANTFS_CHECK(in.Finish());
  return request;
}

Json FreezesListResponse::ToJson() const {
  Json json = Json::Object({{"freezes", WriteFreezes(freezes)}});
  if (next) json.Set("next", FrozenObjectToJson(*next));
  return json;
}

Result<FreezesListResponse> FreezesListResponse::FromJson(const Json& json) {
  JsonReader in(json, "freezes");
  FreezesListResponse response;
  response.freezes = ReadFreezes(in, kMaxFreezesListed);
  response.next = ReadPlace(in, "next");
  GRANTFS_CHECK(in.Finish());
  return response;
}

}  // namespace grantfs::api
