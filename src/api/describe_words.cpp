#include "describe_internal.h"
#include "grantfs/tlog/leaf.h"

namespace grantfs::api::describe {
namespace {

Json Typed(const char* type) { return Json::Object({{"type", type}}); }

}  // namespace

Json Named(const char* name) { return Json::Object({{"$ref", std::string("#/components/schemas/") + name}}); }

Json Object(const std::vector<Field>& fields) {
  Json properties = Json::Object();
  Json required = Json::Array();
  for (const Field& field : fields) {
    properties.Set(field.name, field.schema);
    if (field.required) required.Append(field.name);
  }
  Json schema = Typed("object");
  schema.Set("properties", std::move(properties));
  if (!required.Items().empty()) schema.Set("required", std::move(required));
  return schema.Set("additionalProperties", false);
}

Json Array(Json items, std::size_t max, std::size_t min) {
  Json schema = Typed("array");
  schema.Set("items", std::move(items)).Set("maxItems", std::uint64_t{max});
  if (min != 0) schema.Set("minItems", std::uint64_t{min});
  return schema;
}

Json OneOf(std::vector<Json> schemas) { return Json::Object({{"oneOf", Json::Array(std::move(schemas))}}); }

Json NotBoth(const char* one, const char* other) {
  return Json::Object({{"not", Json::Object({{"required", Json::Array({one, other})}})}});
}

Json Words(const std::vector<std::string>& words) {
  return Typed("string").Set("enum", Json::Array({words.begin(), words.end()}));
}

Json About(Json schema, const char* description) { return schema.Set("description", description); }

Json Flag() { return Typed("boolean"); }

// A bound is in bytes of UTF-8; a text within it never has more characters.
Json Text(std::size_t max_bytes, std::size_t min_bytes) {
  Json schema = Typed("string");
  if (min_bytes != 0) schema.Set("minLength", std::uint64_t{min_bytes});
  return schema.Set("maxLength", std::uint64_t{max_bytes});
}

Json Matching(const char* pattern, std::size_t max_bytes) { return Text(max_bytes).Set("pattern", pattern); }

Json Digits(std::size_t digits) {
  return Typed("string").Set("pattern", "^[0-9a-f]{" + std::to_string(digits) + "}$");
}

Json Blob(std::size_t max_bytes, std::size_t min_bytes) {
  Json schema = Typed("string");
  schema.Set("contentEncoding", "base64").Set("maxLength", std::uint64_t{(max_bytes + 2) / 3 * 4});
  if (min_bytes != 0) schema.Set("minLength", std::uint64_t{(min_bytes + 2) / 3 * 4});
  return schema;
}

Json Number(std::int64_t min, std::int64_t max) {
  return Typed("integer").Set("minimum", min).Set("maximum", max);
}

Json Time() { return About(Number(0, kMaxTime), "unix seconds"); }
Json TimeMs() { return About(Number(0, kMaxLeafTimeMs), "unix milliseconds"); }
Json SecretNumber() { return Number(1, static_cast<std::int64_t>(kMaxSecretNumber)); }
Json VersionNumber(std::int64_t min) { return Number(min, kMaxVersion); }

Json Epoch(std::int64_t min) { return UnsignedInt(min); }

Json Sealed() { return Blob(kMaxSealedBytes); }

}  // namespace grantfs::api::describe
