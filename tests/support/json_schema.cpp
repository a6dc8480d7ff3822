#include "json_schema.h"

#include <algorithm>
#include <map>
#include <optional>
#include <regex>

namespace grantfs::testing {
namespace {

using Kind = Json::Kind;

// Annotations, and those that are looked at together with another.
constexpr const char* kSilent[] = {"description", "additionalProperties", "contentEncoding",
                                   "contentMediaType"};

bool HasType(const Json& value, const std::string& type) {
  static const std::map<std::string, Kind> kinds = {{"null", Kind::kNull},      {"boolean", Kind::kBool},
                                                    {"integer", Kind::kNumber}, {"string", Kind::kString},
                                                    {"array", Kind::kArray},    {"object", Kind::kObject}};
  return kinds.contains(type) && value.is(kinds.at(type));
}

std::int64_t Characters(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

/// The size of what a bound of that name is about; none: the bound does not concern such a value.
std::optional<std::int64_t> Measure(const std::string& keyword, const Json& value) {
  if (keyword.ends_with("Length") && value.is(Kind::kString)) return Characters(value.AsString());
  if (keyword.ends_with("Items") && value.is(Kind::kArray))
    return static_cast<std::int64_t>(value.Items().size());
  if (keyword.ends_with("imum") && value.is(Kind::kNumber)) return value.AsNumber();
  return std::nullopt;
}

// libstdc++'s matcher recurses: no pattern here needs more than the beginning of a long text.
bool Matches(const std::string& text, const std::string& pattern) {
  static std::map<std::string, std::regex> known;
  const auto found = known.try_emplace(pattern, pattern).first;
  return std::regex_search(text.size() > 2000 ? text.substr(0, 2000) : text, found->second);
}

}  // namespace

const Json* JsonSchema::Resolved(const Json& schema) const {
  const Json* at = &schema;
  while (const Json* ref = at->Find("$ref")) {
    at = &description_;
    std::string rest = ref->AsString().substr(2);  // "#/"
    while (at != nullptr && !rest.empty()) {
      const auto slash = rest.find('/');
      at = at->Find(rest.substr(0, slash));
      rest = slash == std::string::npos ? "" : rest.substr(slash + 1);
    }
    if (at == nullptr) return nullptr;
  }
  return at;
}

std::string JsonSchema::FaultOf(const Json& value, const Json& schema, const std::string& at) const {
  const Json* resolved = Resolved(schema);
  if (resolved == nullptr) return at + ": the schema refers to nothing: " + schema.Dump();
  for (const auto& [name, rule] : resolved->Members()) {
    if (std::find(std::begin(kSilent), std::end(kSilent), name) != std::end(kSilent)) continue;
    const std::string fault = Keyword(name, rule, value, at);
    if (!fault.empty()) return fault;
  }
  const Json* closed = resolved->Find("additionalProperties");
  if (closed == nullptr || !value.is(Kind::kObject)) return "";
  const Json* properties = resolved->Find("properties");
  for (const auto& [name, member] : value.Members()) {
    if (properties->Find(name) == nullptr) return at + "/" + name + ": is not described";
  }
  return "";
}

std::string JsonSchema::Members(const Json& rule, const Json& value, const std::string& at) const {
  if (!value.is(Kind::kObject)) return "";
  for (const auto& [name, schema] : rule.Members()) {
    const Json* member = value.Find(name);
    if (member == nullptr) continue;
    const std::string fault = FaultOf(*member, schema, at + "/" + name);
    if (!fault.empty()) return fault;
  }
  return "";
}

std::string JsonSchema::OneOf(const Json& rule, const Json& value, const std::string& at) const {
  std::string faults;
  int suits = 0;
  for (const Json& schema : rule.Items()) {
    const std::string fault = FaultOf(value, schema, at);
    if (fault.empty()) ++suits;
    faults += " [" + fault + "]";
  }
  return suits == 1 ? "" : at + ": suits " + std::to_string(suits) + " of what it may be:" + faults;
}

std::string JsonSchema::Keyword(const std::string& name, const Json& rule, const Json& value,
                                const std::string& at) const {
  const auto fault = [&](bool good, const std::string& why) {
    return good ? std::string() : at + ": " + value.Dump().substr(0, 80) + " " + why;
  };
  if (name == "type") return fault(HasType(value, rule.AsString()), "is no " + rule.AsString());
  if (name == "enum")
    return fault(std::find(rule.Items().begin(), rule.Items().end(), value) != rule.Items().end(),
                 "is none of " + rule.Dump());
  if (name == "pattern")
    return fault(!value.is(Kind::kString) || Matches(value.AsString(), rule.AsString()),
                 "does not match " + rule.AsString());
  if (name.starts_with("max"))
    return fault(Measure(name, value).value_or(0) <= rule.AsNumber(), "is above " + name);
  if (name.starts_with("min"))
    return fault(Measure(name, value).value_or(rule.AsNumber()) >= rule.AsNumber(), "is below " + name);
  if (name == "properties") return Members(rule, value, at);
  if (name == "oneOf") return OneOf(rule, value, at);
  if (name == "not") return fault(!FaultOf(value, rule, at).empty(), "is what it must not be");
  std::string found;
  if (name == "required") {
    for (const Json& member : rule.Items())
      if (found.empty() && value.is(Kind::kObject) && value.Find(member.AsString()) == nullptr)
        found = at + "/" + member.AsString() + ": is missing";
    return found;
  }
  if (name == "dependentRequired") {
    for (const auto& [member, others] : rule.Members())
      if (found.empty() && value.Find(member) != nullptr) found = Keyword("required", others, value, at);
    return found;
  }
  if (name == "items") {
    for (std::size_t i = 0; value.is(Kind::kArray) && i < value.Items().size() && found.empty(); ++i)
      found = FaultOf(value.Items()[i], rule, at + "/" + std::to_string(i));
    return found;
  }
  if (name == "allOf") {
    for (const Json& part : rule.Items())
      if (found.empty()) found = FaultOf(value, part, at);
    return found;
  }
  return at + ": the schema has a keyword that is not known here: " + name;
}

}  // namespace grantfs::testing
