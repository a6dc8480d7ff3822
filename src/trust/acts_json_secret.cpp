// The acts of a secret's list.

#include "acts_json_internal.h"
#include "grantfs/crypto/template.h"
#include "grantfs/trust/names.h"
#include "grantfs/util/text.h"
#include "json_fields_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMaxUserNameBytes = 64;

const char* SecretTypeName(SecretType type) { return type == SecretType::kValue ? "value" : "template"; }

std::string ReadUserName(JsonReader& in, const char* name) {
  std::string text = in.String(name, kMaxUserNameBytes);
  if (Printable(text) != text || text.find('/') != std::string::npos)
    in.Fail("not a user's or group's name", name);
  return text;
}

GranteeKind ReadGranteeKind(JsonReader& in) {
  const std::string kind = in.String("kind", 16);
  if (kind != "machine" && kind != "group") in.Fail("a grantee is a machine or a group", "kind");
  return kind == "group" ? GranteeKind::kGroup : GranteeKind::kMachine;
}

std::vector<std::string> ReadConditions(JsonReader& in) {
  std::vector<std::string> conditions;
  for (const Json& item : in.Array("conditions", 32)) {
    if (!item.is(Json::Kind::kString) || item.AsString().empty() || item.AsString().size() > 1024) {
      in.Fail("a condition is a text of 1 to 1024 bytes", "conditions");
      return {};
    }
    conditions.push_back(CheckPrintable(in, item.AsString(), "conditions"));
  }
  return conditions;
}

// The one label that is set or taken away by itself.
std::string ReadNextLabel(JsonReader& in) {
  std::string label = in.String("label", 32);
  if (label != kNextLabel) in.Fail("the label is next, and no other", "label");
  return label;
}

// None for a value; where the member stands it names one at least, so that one act has one JSON.
std::vector<std::string> ReadTemplateParts(JsonReader& in, const std::string& own) {
  std::vector<std::string> parts;
  if (!in.Has("parts")) return parts;
  std::size_t bytes = 0;
  for (const Json& item : in.Array("parts", Template::kMaxNames)) {
    const std::string path = item.is(Json::Kind::kString) ? item.AsString() : "";
    bytes += path.size();
    const bool good = CheckSecretPath(path) && path != own && (parts.empty() || parts.back() < path);
    if (!good || bytes > kMaxTemplatePartBytes) {
      in.Fail("a template's parts are other secrets' paths, in order, each once, of 24 KiB together",
              "parts");
      return {};
    }
    parts.push_back(path);
  }
  if (parts.empty()) in.Fail("a template has at least one part", "parts");
  return parts;
}

}  // namespace

const char* GranteeKindName(GranteeKind kind) { return kind == GranteeKind::kMachine ? "machine" : "group"; }

Json GranteeToJson(const Grantee& grantee) {
  return Json::Object({{"kind", GranteeKindName(grantee.kind)},
                       {"number", grantee.number},
                       {"id", grantee.id.Hex()},
                       {"name", grantee.name},
                       {"seal", grantee.seal.Hex()},
                       {"not_after", grantee.not_after}});
}

Result<Grantee> GranteeFromJson(const Json& json) {
  JsonReader in(json, "grantee");
  Grantee grantee;
  grantee.kind = ReadGranteeKind(in);
  grantee.number = ReadCount(in, "number", 0, kMaxSequence);
  grantee.id = ReadHex<Hash>(in, "id");
  grantee.name = ReadChecked(in, "name", 63, CheckIdentityName);
  grantee.seal = ReadHex<SealKey>(in, "seal");
  grantee.not_after = ReadTime(in, "not_after");
  if (grantee.kind == GranteeKind::kGroup && (grantee.seal != SealKey{} || grantee.not_after != 0))
    in.Fail("a group has neither a sealing key of its own nor an end", "seal");
  GRANTFS_CHECK(in.Finish());
  return grantee;
}

void WriteAct(const SecretCreate& act, Json& json) {
  json.Set("number", act.number);
  json.Set("environment", act.environment);
  json.Set("path", act.path);
  json.Set("secret_type", SecretTypeName(act.type));
  json.Set("owner", act.owner);
  json.Set("description", act.description);
}

template <>
Result<SecretCreate> ReadAct<SecretCreate>(JsonReader& in) {
  SecretCreate act;
  act.number = ReadCount(in, "number", 1, static_cast<std::int64_t>(kMaxSecretNumber));
  act.environment = ReadChecked(in, "environment", kMaxNameBytes, CheckEnvironmentName);
  act.path = ReadChecked(in, "path", kMaxNameBytes, CheckSecretPath);
  const std::string type = in.String("secret_type", 16);
  act.owner = ReadText(in, "owner", 255);
  act.description = ReadText(in, "description", 1024);
  GRANTFS_CHECK(in.Finish());
  if (type != "value" && type != "template")
    return Error{Code::kInvalid, "a secret's type is value or template"};
  act.type = type == "value" ? SecretType::kValue : SecretType::kTemplate;
  return act;
}

void WriteAct(const VersionPublish& act, Json& json) {
  json.Set("environment", act.environment);
  json.Set("path", act.path);
  json.Set("version", act.version);
  json.Set("size", act.size);
  json.Set("ciphertext", act.ciphertext.Hex());
  json.Set("commitment", act.commitment.Hex());
  json.Set("epoch", act.epoch);
  json.Set("set", act.set);
  if (!act.parts.empty()) json.Set("parts", Json::Array({act.parts.begin(), act.parts.end()}));
  if (act.rotate_after != 0) json.Set("rotate_after", act.rotate_after);
  if (act.expires_after != 0) json.Set("expires_after", act.expires_after);
  if (!act.label.empty()) json.Set("label", act.label);
}

template <>
Result<VersionPublish> ReadAct<VersionPublish>(JsonReader& in) {
  VersionPublish act;
  act.environment = ReadChecked(in, "environment", kMaxNameBytes, CheckEnvironmentName);
  act.path = ReadChecked(in, "path", kMaxNameBytes, CheckSecretPath);
  act.version = static_cast<std::uint32_t>(in.Number("version", 1, kMaxVersion));
  act.size = ReadCount(in, "size", 0, static_cast<std::int64_t>(kMaxSecretBytes));
  act.ciphertext = ReadHex<Hash>(in, "ciphertext");
  act.commitment = ReadHex<Hash>(in, "commitment");
  act.epoch = static_cast<std::uint32_t>(in.Number("epoch", 1, 0xFFFF'FFFF));
  act.set = ReadText(in, "set", 64);
  act.parts = ReadTemplateParts(in, act.path);
  // Where these members stand they are no 0 and not empty, so that one act has one JSON.
  if (in.Has("rotate_after")) act.rotate_after = in.Number("rotate_after", 1, kMaxTermSeconds);
  if (in.Has("expires_after")) act.expires_after = in.Number("expires_after", 1, kMaxTermSeconds);
  if (in.Has("label")) act.label = ReadNextLabel(in);
  GRANTFS_CHECK(in.Finish());
  return act;
}

void WriteGrantTerms(const Grant& grant, Json& json) {
  Json conditions = Json::Array();
  for (const auto& condition : grant.conditions) conditions.Append(condition);
  json.Set("label", grant.label);
  json.Set("owner", grant.owner);
  json.Set("group", grant.group);
  json.Set("mode", grant.mode);
  json.Set("conditions", std::move(conditions));
  json.Set("lease", grant.lease);
  json.Set("offline", grant.offline);
  json.Set("record", grant.record);
  json.Set("expires", grant.expires);
  json.Set("strict", grant.strict);
}

Grant ReadGrantTerms(JsonReader& in) {
  Grant grant;
  grant.label = ReadChecked(in, "label", 32, CheckLabel);
  grant.owner = ReadUserName(in, "owner");
  grant.group = ReadUserName(in, "group");
  grant.mode = static_cast<std::uint32_t>(in.Number("mode", 0, 0777));
  grant.conditions = ReadConditions(in);
  grant.lease = in.Number("lease", 0, kMaxTermSeconds);
  grant.offline = in.Number("offline", 0, kMaxTermSeconds);
  grant.record = ReadText(in, "record", 32, 1);
  grant.expires = ReadTime(in, "expires");
  grant.strict = in.Bool("strict");
  return grant;
}

Json GrantToJson(const Grant& grant) {
  Json json = Json::Object({{"grantee", GranteeToJson(grant.grantee)}});
  WriteGrantTerms(grant, json);
  return json;
}

namespace {

// The members of a grant, in a reader that may hold others too.
Result<Grant> ReadGrant(JsonReader& in) {
  const Json& grantee = in.Object("grantee");
  Grant grant = ReadGrantTerms(in);
  GRANTFS_CHECK(in.Finish());
  grant.grantee = GRANTFS_TRY(GranteeFromJson(grantee));
  return grant;
}

}  // namespace

Result<Grant> GrantFromJson(const Json& json) {
  JsonReader in(json, "grant");
  return ReadGrant(in);
}

void WriteAct(const GrantAdd& act, Json& json) {
  json.Set("grantee", GranteeToJson(act.grant.grantee));
  WriteGrantTerms(act.grant, json);
}

template <>
Result<GrantAdd> ReadAct<GrantAdd>(JsonReader& in) {
  return GrantAdd{GRANTFS_TRY(ReadGrant(in))};
}

void WriteAct(const GrantRevoke& act, Json& json) {
  json.Set("kind", GranteeKindName(act.kind));
  json.Set("number", act.number);
}

template <>
Result<GrantRevoke> ReadAct<GrantRevoke>(JsonReader& in) {
  GrantRevoke act;
  act.kind = ReadGranteeKind(in);
  act.number = ReadCount(in, "number", 0, kMaxSequence);
  GRANTFS_CHECK(in.Finish());
  return act;
}

}  // namespace grantfs
