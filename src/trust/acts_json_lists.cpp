// The acts of the vault's and an environment's list, and those of every list.

#include "acts_json_internal.h"
#include "grantfs/trust/names.h"
#include "json_fields_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMaxSealedBytes = 256;

Json PinsToJson(const std::vector<Hash>& pins) {
  Json array = Json::Array();
  for (const Hash& pin : pins) array.Append(pin.Hex());
  return array;
}

std::vector<Hash> ReadPins(JsonReader& in) {
  std::vector<Hash> pins;
  for (const Json& item : in.Array("pins", 2)) {
    auto pin = item.is(Json::Kind::kString) ? Hash::FromHex(item.AsString()) : Result<Hash>(Error{});
    if (!pin) {
      in.Fail("a pin is 64 hexadecimal digits", "pins");
      return {};
    }
    pins.push_back(*pin);
  }
  if (pins.empty()) in.Fail("there must be a pin", "pins");
  return pins;
}

}  // namespace

Json EpochToJson(const Epoch& epoch) {
  return Json::Object({{"number", epoch.number},
                       {"key", epoch.key.Hex()},
                       {"copies_root", epoch.copies_root.Hex()},
                       {"copies", epoch.copies},
                       {"previous", HexEncode(epoch.previous)}});
}

Result<Epoch> EpochFromJson(const Json& json) {
  JsonReader in(json, "epoch");
  Epoch epoch;
  epoch.number = static_cast<std::uint32_t>(in.Number("number", 1, 0xFFFF'FFFF));
  epoch.key = ReadHex<SealKey>(in, "key");
  epoch.copies_root = ReadHex<Hash>(in, "copies_root");
  epoch.copies = static_cast<std::uint32_t>(in.Number("copies", 1, 1'000'000));
  const std::string previous = in.String("previous", 2 * kMaxSealedBytes);
  GRANTFS_CHECK(in.Finish());
  epoch.previous = GRANTFS_TRY(HexDecode(previous, kMaxSealedBytes));
  return epoch;
}

void WriteAct(const VaultCreate& act, Json& json) {
  json.Set("owner", act.owner.ToJson());
  json.Set("recovery", act.recovery.ToJson());
  json.Set("pins", PinsToJson(act.pins));
  json.Set("log_origin", act.log_origin);
  json.Set("log_key", act.log_key.Hex());
  json.Set("level", act.level);
}

template <>
Result<VaultCreate> ReadAct<VaultCreate>(JsonReader& in) {
  VaultCreate act;
  const Json& owner = in.Object("owner");
  const Json& recovery = in.Object("recovery");
  act.pins = ReadPins(in);
  act.log_origin = ReadText(in, "log_origin", 255, 1);
  act.log_key = ReadHex<VerifyKey>(in, "log_key");
  act.level = in.Number("level", 1, 1'000'000);
  GRANTFS_CHECK(in.Finish());
  if (act.level > kFormatLevel)
    return Error{Code::kUnsupported, "the vault's format level is newer than this build; upgrade grantfs"};
  act.owner = GRANTFS_TRY(Identity::FromJson(owner));
  act.recovery = GRANTFS_TRY(Identity::FromJson(recovery));
  return act;
}

void WriteAct(const VaultOwnerAdd& act, Json& json) { json.Set("owner", act.owner.ToJson()); }

template <>
Result<VaultOwnerAdd> ReadAct<VaultOwnerAdd>(JsonReader& in) {
  const Json& owner = in.Object("owner");
  GRANTFS_CHECK(in.Finish());
  return VaultOwnerAdd{GRANTFS_TRY(Identity::FromJson(owner))};
}

void WriteAct(const VaultOwnerRemove& act, Json& json) { json.Set("id", act.id.Hex()); }

template <>
Result<VaultOwnerRemove> ReadAct<VaultOwnerRemove>(JsonReader& in) {
  VaultOwnerRemove act{ReadHex<Hash>(in, "id")};
  GRANTFS_CHECK(in.Finish());
  return act;
}

void WriteAct(const IdentityAdd& act, Json& json) { json.Set("identity", act.identity.ToJson()); }

template <>
Result<IdentityAdd> ReadAct<IdentityAdd>(JsonReader& in) {
  const Json& identity = in.Object("identity");
  GRANTFS_CHECK(in.Finish());
  return IdentityAdd{GRANTFS_TRY(Identity::FromJson(identity))};
}

void WriteAct(const IdentityRemove& act, Json& json) {
  json.Set("id", act.id.Hex());
  json.Set("name", act.name);
}

template <>
Result<IdentityRemove> ReadAct<IdentityRemove>(JsonReader& in) {
  IdentityRemove act;
  act.id = ReadHex<Hash>(in, "id");
  act.name = ReadChecked(in, "name", 63, CheckIdentityName);
  GRANTFS_CHECK(in.Finish());
  return act;
}

void WriteAct(const IdentityReplace& act, Json& json) {
  json.Set("id", act.id.Hex());
  json.Set("identity", act.identity.ToJson());
}

template <>
Result<IdentityReplace> ReadAct<IdentityReplace>(JsonReader& in) {
  IdentityReplace act;
  act.id = ReadHex<Hash>(in, "id");
  const Json& identity = in.Object("identity");
  GRANTFS_CHECK(in.Finish());
  act.identity = GRANTFS_TRY(Identity::FromJson(identity));
  return act;
}

void WriteAct(const EnvironmentAdd& act, Json& json) {
  json.Set("environment", act.environment);
  json.Set("genesis", act.genesis.Hex());
}

template <>
Result<EnvironmentAdd> ReadAct<EnvironmentAdd>(JsonReader& in) {
  EnvironmentAdd act;
  act.environment = ReadChecked(in, "environment", kMaxNameBytes, CheckEnvironmentName);
  act.genesis = ReadHex<Hash>(in, "genesis");
  GRANTFS_CHECK(in.Finish());
  return act;
}

void WriteAct(const PinsSet& act, Json& json) { json.Set("pins", PinsToJson(act.pins)); }

template <>
Result<PinsSet> ReadAct<PinsSet>(JsonReader& in) {
  PinsSet act{ReadPins(in)};
  GRANTFS_CHECK(in.Finish());
  return act;
}

void WriteAct(const RecoveryReplace& act, Json& json) { json.Set("recovery", act.recovery.ToJson()); }

template <>
Result<RecoveryReplace> ReadAct<RecoveryReplace>(JsonReader& in) {
  const Json& recovery = in.Object("recovery");
  GRANTFS_CHECK(in.Finish());
  return RecoveryReplace{GRANTFS_TRY(Identity::FromJson(recovery))};
}

void WriteAct(const LevelRaise& act, Json& json) { json.Set("level", act.level); }

template <>
Result<LevelRaise> ReadAct<LevelRaise>(JsonReader& in) {
  LevelRaise act{in.Number("level", 2, 1'000'000)};
  GRANTFS_CHECK(in.Finish());
  if (act.level > kFormatLevel)
    return Error{Code::kUnsupported, "the vault's format level is newer than this build; upgrade grantfs"};
  return act;
}

void WriteAct(const EnvironmentCreate& act, Json& json) {
  json.Set("environment", act.environment);
  json.Set("owner", act.owner.ToJson());
  json.Set("epoch", EpochToJson(act.epoch));
}

template <>
Result<EnvironmentCreate> ReadAct<EnvironmentCreate>(JsonReader& in) {
  EnvironmentCreate act;
  act.environment = ReadChecked(in, "environment", kMaxNameBytes, CheckEnvironmentName);
  const Json& owner = in.Object("owner");
  const Json& epoch = in.Object("epoch");
  GRANTFS_CHECK(in.Finish());
  act.owner = GRANTFS_TRY(Identity::FromJson(owner));
  act.epoch = GRANTFS_TRY(EpochFromJson(epoch));
  return act;
}

void WriteAct(const MemberAdd& act, Json& json) {
  json.Set("member", act.member.ToJson());
  json.Set("role", RoleName(act.role));
  json.Set("prefix", act.prefix);
  json.Set("copy", act.copy.Hex());
}

template <>
Result<MemberAdd> ReadAct<MemberAdd>(JsonReader& in) {
  MemberAdd act;
  const Json& member = in.Object("member");
  const std::string role = in.String("role", 16);
  act.prefix = in.String("prefix", kMaxNameBytes);
  act.copy = ReadHex<Hash>(in, "copy");
  GRANTFS_CHECK(in.Finish());
  act.member = GRANTFS_TRY(Identity::FromJson(member));
  act.role = GRANTFS_TRY(ParseRole(role));
  return act;
}

void WriteAct(const MemberRemove& act, Json& json) {
  json.Set("id", act.id.Hex());
  if (act.epoch) json.Set("epoch", EpochToJson(*act.epoch));
}

template <>
Result<MemberRemove> ReadAct<MemberRemove>(JsonReader& in) {
  MemberRemove act;
  act.id = ReadHex<Hash>(in, "id");
  const Json* epoch = in.OptionalObject("epoch");
  GRANTFS_CHECK(in.Finish());
  if (epoch != nullptr) act.epoch = GRANTFS_TRY(EpochFromJson(*epoch));
  return act;
}

void WriteAct(const EpochStart& act, Json& json) { json.Set("epoch", EpochToJson(act.epoch)); }

template <>
Result<EpochStart> ReadAct<EpochStart>(JsonReader& in) {
  const Json& epoch = in.Object("epoch");
  GRANTFS_CHECK(in.Finish());
  return EpochStart{GRANTFS_TRY(EpochFromJson(epoch))};
}

void WriteAct(const MemberChange& act, Json& json) {
  json.Set("id", act.id.Hex());
  json.Set("role", RoleName(act.role));
  json.Set("prefix", act.prefix);
  json.Set("copy", act.copy.Hex());
  if (act.epoch) json.Set("epoch", EpochToJson(*act.epoch));
}

template <>
Result<MemberChange> ReadAct<MemberChange>(JsonReader& in) {
  MemberChange act;
  act.id = ReadHex<Hash>(in, "id");
  const std::string role = in.String("role", 16);
  act.prefix = in.String("prefix", kMaxNameBytes);
  act.copy = ReadHex<Hash>(in, "copy");
  const Json* epoch = in.OptionalObject("epoch");
  GRANTFS_CHECK(in.Finish());
  act.role = GRANTFS_TRY(ParseRole(role));
  if (epoch != nullptr) act.epoch = GRANTFS_TRY(EpochFromJson(*epoch));
  return act;
}

void WriteAct(const RulesSet& act, Json& json) { json.Set("two_owners", act.two_owners); }

template <>
Result<RulesSet> ReadAct<RulesSet>(JsonReader& in) {
  const RulesSet act{in.Bool("two_owners")};
  GRANTFS_CHECK(in.Finish());
  return act;
}

void WriteAct(const Vouch&, Json&) {}

template <>
Result<Vouch> ReadAct<Vouch>(JsonReader& in) {
  GRANTFS_CHECK(in.Finish());
  return Vouch{};
}

void WriteAct(const Void& act, Json& json) {
  json.Set("from", act.from);
  json.Set("hash", act.hash.Hex());
}

template <>
Result<Void> ReadAct<Void>(JsonReader& in) {
  Void act;
  act.from = ReadCount(in, "from", 1, kMaxSequence);
  act.hash = ReadHex<Hash>(in, "hash");
  GRANTFS_CHECK(in.Finish());
  return act;
}

// What does not belong to the list's kind does not stand there: lists refuse it (CheckRestoreShape).
void WriteAct(const Restore& act, Json& json) {
  json.Set("accepted", act.accepted.ToJson());
  if (act.lost) json.Set("lost", act.lost->ToJson());
  if (!act.log_origin.empty()) json.Set("log_origin", act.log_origin);
  if (act.numbers != 0) json.Set("numbers", act.numbers);
  if (act.epoch) json.Set("epoch", EpochToJson(*act.epoch));
  if (act.version != 0) json.Set("version", act.version);
  if (act.two_owners) json.Set("two_owners", true);
}

template <>
Result<Restore> ReadAct<Restore>(JsonReader& in) {
  Restore act;
  const Json& accepted = in.Object("accepted");
  const Json* lost = in.OptionalObject("lost");
  if (in.Has("log_origin")) act.log_origin = ReadText(in, "log_origin", 255, 1);
  if (in.Has("numbers")) act.numbers = ReadCount(in, "numbers", 1, kMaxSecretNumber);
  const Json* epoch = in.OptionalObject("epoch");
  if (in.Has("version")) act.version = static_cast<std::uint32_t>(in.Number("version", 1, kMaxVersion));
  if (in.Has("two_owners") && !(act.two_owners = in.Bool("two_owners")))
    in.Fail("a restore by which the rule does not hold does not say so", "two_owners");
  GRANTFS_CHECK(in.Finish());
  act.accepted = GRANTFS_TRY(Head::FromJson(accepted));
  if (lost != nullptr) act.lost = GRANTFS_TRY(Head::FromJson(*lost));
  if (epoch != nullptr) act.epoch = GRANTFS_TRY(EpochFromJson(*epoch));
  return act;
}

}  // namespace grantfs
