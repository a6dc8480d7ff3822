// The acts of groups: those in an environment's list, and those of a group's own.

#include "acts_json_internal.h"
#include "grantfs/trust/names.h"
#include "json_fields_internal.h"

namespace grantfs {
namespace {

Json GroupEpochToJson(const GroupEpoch& epoch) {
  return Json::Object({{"epoch", EpochToJson(epoch.epoch)},
                       {"environment_epoch", epoch.environment_epoch},
                       {"list_sequence", epoch.list_sequence},
                       {"list_hash", epoch.list_hash.Hex()}});
}

Result<GroupEpoch> GroupEpochFromJson(const Json& json) {
  JsonReader in(json, "group epoch");
  GroupEpoch epoch;
  const Json& keys = in.Object("epoch");
  epoch.environment_epoch = static_cast<std::uint32_t>(in.Number("environment_epoch", 1, 0xFFFF'FFFF));
  epoch.list_sequence = ReadCount(in, "list_sequence", 0, kMaxSequence);
  epoch.list_hash = ReadHex<Hash>(in, "list_hash");
  GRANTFS_CHECK(in.Finish());
  epoch.epoch = GRANTFS_TRY(EpochFromJson(keys));
  return epoch;
}

// A group is created by a statement that is not its list's first.
std::uint64_t ReadGroup(JsonReader& in, const char* name) { return ReadCount(in, name, 1, kMaxSequence); }

std::string ReadPrefix(JsonReader& in) { return ReadChecked(in, "prefix", kMaxNameBytes, CheckPrefix); }

std::string ReadInvitationId(JsonReader& in) {
  std::string id = in.String("id", 32);
  const auto bytes = HexDecode(id, 16);
  if (!bytes || bytes->size() != 16 || HexEncode(*bytes) != id)
    in.Fail("an invitation's id is 32 hexadecimal digits", "id");
  return id;
}

}  // namespace

void WriteAct(const GroupCreate& act, Json& json) {
  json.Set("name", act.name);
  json.Set("genesis", act.genesis.Hex());
  json.Set("epoch", GroupEpochToJson(act.epoch));
}

template <>
Result<GroupCreate> ReadAct<GroupCreate>(JsonReader& in) {
  GroupCreate act;
  act.name = ReadChecked(in, "name", 63, CheckIdentityName);
  act.genesis = ReadHex<Hash>(in, "genesis");
  const Json& epoch = in.Object("epoch");
  GRANTFS_CHECK(in.Finish());
  act.epoch = GRANTFS_TRY(GroupEpochFromJson(epoch));
  return act;
}

void WriteAct(const GroupEpochStart& act, Json& json) {
  json.Set("group", act.group);
  json.Set("epoch", GroupEpochToJson(act.epoch));
}

template <>
Result<GroupEpochStart> ReadAct<GroupEpochStart>(JsonReader& in) {
  GroupEpochStart act;
  act.group = ReadGroup(in, "group");
  const Json& epoch = in.Object("epoch");
  GRANTFS_CHECK(in.Finish());
  act.epoch = GRANTFS_TRY(GroupEpochFromJson(epoch));
  return act;
}

void WriteAct(const GroupDelete& act, Json& json) { json.Set("group", act.group); }

template <>
Result<GroupDelete> ReadAct<GroupDelete>(JsonReader& in) {
  GroupDelete act{ReadGroup(in, "group")};
  GRANTFS_CHECK(in.Finish());
  return act;
}

void WriteAct(const PrefixGrant& act, Json& json) {
  json.Set("prefix", act.prefix);
  json.Set("grant", GrantToJson(act.grant));
}

template <>
Result<PrefixGrant> ReadAct<PrefixGrant>(JsonReader& in) {
  PrefixGrant act;
  act.prefix = ReadPrefix(in);
  const Json& grant = in.Object("grant");
  GRANTFS_CHECK(in.Finish());
  act.grant = GRANTFS_TRY(GrantFromJson(grant));
  if (act.grant.grantee.kind != GranteeKind::kGroup)
    return Error{Code::kInvalid, "a prefix is granted to a group, and to nobody else"};
  return act;
}

void WriteAct(const PrefixRevoke& act, Json& json) {
  json.Set("prefix", act.prefix);
  json.Set("group", act.group);
}

template <>
Result<PrefixRevoke> ReadAct<PrefixRevoke>(JsonReader& in) {
  PrefixRevoke act;
  act.prefix = ReadPrefix(in);
  act.group = ReadGroup(in, "group");
  GRANTFS_CHECK(in.Finish());
  return act;
}

void WriteAct(const GroupListCreate& act, Json& json) {
  json.Set("environment", act.environment);
  json.Set("number", act.number);
  json.Set("name", act.name);
}

template <>
Result<GroupListCreate> ReadAct<GroupListCreate>(JsonReader& in) {
  GroupListCreate act;
  act.environment = ReadChecked(in, "environment", kMaxNameBytes, CheckEnvironmentName);
  act.number = ReadGroup(in, "number");
  act.name = ReadChecked(in, "name", 63, CheckIdentityName);
  GRANTFS_CHECK(in.Finish());
  return act;
}

void WriteAct(const GroupMachinesAdd& act, Json& json) {
  Json machines = Json::Array();
  for (const Grantee& machine : act.machines) machines.Append(GranteeToJson(machine));
  json.Set("epoch", act.epoch);
  json.Set("machines", std::move(machines));
  json.Set("copies_root", act.copies_root.Hex());
}

template <>
Result<GroupMachinesAdd> ReadAct<GroupMachinesAdd>(JsonReader& in) {
  GroupMachinesAdd act;
  act.epoch = static_cast<std::uint32_t>(in.Number("epoch", 1, 0xFFFF'FFFF));
  const auto& machines = in.Array("machines", kMaxGroupMachines);
  act.copies_root = ReadHex<Hash>(in, "copies_root");
  GRANTFS_CHECK(in.Finish());
  if (machines.empty()) return Error{Code::kInvalid, "there must be a machine that is added"};
  for (const Json& item : machines) {
    Grantee machine = GRANTFS_TRY(GranteeFromJson(item));
    const bool ordered = act.machines.empty() || act.machines.back().number < machine.number;
    if (machine.kind != GranteeKind::kMachine || !ordered)
      return Error{Code::kInvalid, "a group has machines, each once, in the order of their numbers"};
    act.machines.push_back(std::move(machine));
  }
  return act;
}

void WriteAct(const GroupMachinesRemove& act, Json& json) {
  Json machines = Json::Array();
  for (const std::uint64_t machine : act.machines) machines.Append(machine);
  json.Set("machines", std::move(machines));
}

template <>
Result<GroupMachinesRemove> ReadAct<GroupMachinesRemove>(JsonReader& in) {
  GroupMachinesRemove act;
  const auto& machines = in.Array("machines", kMaxGroupMachinesRemoved);
  GRANTFS_CHECK(in.Finish());
  if (machines.empty()) return Error{Code::kInvalid, "there must be a machine that is removed"};
  for (const Json& item : machines) {
    const bool number =
        item.is(Json::Kind::kNumber) && item.AsNumber() >= 0 && item.AsNumber() <= kMaxSequence;
    const auto machine = number ? static_cast<std::uint64_t>(item.AsNumber()) : 0;
    if (!number || (!act.machines.empty() && act.machines.back() >= machine))
      return Error{Code::kInvalid, "the machines that leave a group are numbers, each once, in order"};
    act.machines.push_back(machine);
  }
  return act;
}

void WriteAct(const GroupInvitationAdd& act, Json& json) {
  json.Set("number", act.number);
  json.Set("id", act.id);
  json.Set("seal", act.seal.Hex());
  json.Set("expires", act.expires);
  json.Set("epoch", act.epoch);
  json.Set("copy", act.copy.Hex());
}

template <>
Result<GroupInvitationAdd> ReadAct<GroupInvitationAdd>(JsonReader& in) {
  GroupInvitationAdd act;
  act.number = ReadGroup(in, "number");
  act.id = ReadInvitationId(in);
  act.seal = ReadHex<SealKey>(in, "seal");
  act.expires = ReadTime(in, "expires");
  act.epoch = static_cast<std::uint32_t>(in.Number("epoch", 1, 0xFFFF'FFFF));
  act.copy = ReadHex<Hash>(in, "copy");
  GRANTFS_CHECK(in.Finish());
  return act;
}

void WriteAct(const GroupInvitationRemove& act, Json& json) {
  json.Set("number", act.number);
  json.Set("last", act.last);
}

template <>
Result<GroupInvitationRemove> ReadAct<GroupInvitationRemove>(JsonReader& in) {
  GroupInvitationRemove act;
  act.number = ReadGroup(in, "number");
  act.last = ReadCount(in, "last", 0, kMaxSequence);
  GRANTFS_CHECK(in.Finish());
  return act;
}

}  // namespace grantfs
