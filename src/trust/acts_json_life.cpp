// The acts of a secret's life: labels that move, and what is deleted and destroyed.

#include "acts_json_internal.h"
#include "grantfs/trust/names.h"
#include "json_fields_internal.h"

namespace grantfs {
namespace {

constexpr char kAscending[] = "versions are destroyed by number, ascending, each once, 1 to 1000 of them";

std::vector<std::uint32_t> ReadVersions(JsonReader& in) {
  std::vector<std::uint32_t> versions;
  for (const Json& item : in.Array("versions", kMaxDestroyed)) {
    const std::int64_t number = item.is(Json::Kind::kNumber) ? item.AsNumber() : 0;
    const bool good = number >= 1 && number <= static_cast<std::int64_t>(kMaxVersion) &&
                      (versions.empty() || versions.back() < number);
    if (!good) {
      in.Fail(kAscending, "versions");
      return {};
    }
    versions.push_back(static_cast<std::uint32_t>(number));
  }
  if (versions.empty()) in.Fail(kAscending, "versions");
  return versions;
}

std::vector<std::string> ReadLabels(JsonReader& in) {
  std::vector<std::string> labels;
  for (const Json& item : in.Array("labels", 64)) {
    const std::string label = item.is(Json::Kind::kString) ? item.AsString() : "";
    const bool good =
        CheckLabel(label) && label != kCurrentLabel && (labels.empty() || labels.back() < label);
    if (!good) {
      in.Fail("labels are named in order, each once, and current does not go", "labels");
      return {};
    }
    labels.push_back(label);
  }
  return labels;
}

template <typename T>
Result<T> ReadNothing(JsonReader& in) {
  GRANTFS_CHECK(in.Finish());
  return T{};
}

}  // namespace

void WriteAct(const LabelMove& act, Json& json) {
  json.Set("version", act.version);
  json.Set("statement", act.statement.Hex());
}

template <>
Result<LabelMove> ReadAct<LabelMove>(JsonReader& in) {
  LabelMove act;
  act.version = static_cast<std::uint32_t>(in.Number("version", 1, kMaxVersion));
  act.statement = ReadHex<Hash>(in, "statement");
  GRANTFS_CHECK(in.Finish());
  return act;
}

void WriteAct(const LabelRemove& act, Json& json) { json.Set("label", act.label); }

template <>
Result<LabelRemove> ReadAct<LabelRemove>(JsonReader& in) {
  LabelRemove act{in.String("label", 32)};
  if (act.label != kNextLabel) in.Fail("only the label next is taken away", "label");
  GRANTFS_CHECK(in.Finish());
  return act;
}

void WriteAct(const VersionDestroy& act, Json& json) {
  json.Set("versions", Json::Array({act.versions.begin(), act.versions.end()}));
  json.Set("labels", Json::Array({act.labels.begin(), act.labels.end()}));
}

template <>
Result<VersionDestroy> ReadAct<VersionDestroy>(JsonReader& in) {
  VersionDestroy act;
  act.versions = ReadVersions(in);
  act.labels = ReadLabels(in);
  GRANTFS_CHECK(in.Finish());
  return act;
}

void WriteAct(const SecretDescribe& act, Json& json) {
  json.Set("owner", act.owner);
  json.Set("description", act.description);
}

template <>
Result<SecretDescribe> ReadAct<SecretDescribe>(JsonReader& in) {
  SecretDescribe act;
  act.owner = ReadText(in, "owner", 255);
  act.description = ReadText(in, "description", 1024);
  GRANTFS_CHECK(in.Finish());
  return act;
}

void WriteAct(const SecretDelete&, Json&) {}
void WriteAct(const SecretUndelete&, Json&) {}
void WriteAct(const SecretDestroy&, Json&) {}

template <>
Result<SecretDelete> ReadAct<SecretDelete>(JsonReader& in) {
  return ReadNothing<SecretDelete>(in);
}

template <>
Result<SecretUndelete> ReadAct<SecretUndelete>(JsonReader& in) {
  return ReadNothing<SecretUndelete>(in);
}

template <>
Result<SecretDestroy> ReadAct<SecretDestroy>(JsonReader& in) {
  return ReadNothing<SecretDestroy>(in);
}

}  // namespace grantfs
