#include <algorithm>

#include "grantfs/json/json.h"
#include "grantfs/util/text.h"

namespace grantfs {
namespace {

constexpr std::size_t kMostNameShown = 64;

const Json kEmptyObject = Json::Object();
const std::vector<Json> kNoItems;

const char* WrongKind(Json::Kind wanted) {
  switch (wanted) {
    case Json::Kind::kNull:
      return "a member must be null";
    case Json::Kind::kBool:
      return "a member must be true or false";
    case Json::Kind::kNumber:
      return "a member must be a whole number";
    case Json::Kind::kString:
      return "a member must be a string";
    case Json::Kind::kArray:
      return "a member must be an array";
    case Json::Kind::kObject:
      return "a member must be an object";
  }
  std::abort();
}

}  // namespace

JsonReader::JsonReader(const Json& object, const char* what) : object_(object), what_(what) {
  if (!object.is(Json::Kind::kObject)) Fail("an object is expected here", "");
}

void JsonReader::Fail(const char* where, const char* name) {
  if (failed_) return;
  failed_ = true;
  error_ = {Code::kInvalid, where, 0, what_};
  if (*name != '\0') error_.subject.append(".").append(name);
}

const Json* JsonReader::Take(const char* name, bool required, Json::Kind kind) {
  Ignore(name);
  if (failed_) return nullptr;
  const Json* const member = object_.Find(name);
  if (member == nullptr) {
    if (required) Fail("a member is missing", name);
    return nullptr;
  }
  if (member->is(kind)) return member;
  Fail(WrongKind(kind), name);
  return nullptr;
}

std::string JsonReader::TakeString(const char* name, bool required, std::size_t max_bytes,
                                   std::size_t min_bytes) {
  const Json* const member = Take(name, required, Json::Kind::kString);
  if (member == nullptr) return {};
  const std::string& text = member->AsString();
  if (text.size() > max_bytes) {
    Fail("a member is too long", name);
    return {};
  }
  if (text.size() < min_bytes) {
    Fail(text.empty() ? "a member is empty" : "a member is too short", name);
    return {};
  }
  return text;
}

std::int64_t JsonReader::TakeNumber(const char* name, bool required, std::int64_t min, std::int64_t max,
                                    std::int64_t absent) {
  const Json* const member = Take(name, required, Json::Kind::kNumber);
  if (member == nullptr) return failed_ ? 0 : absent;
  const std::int64_t number = member->AsNumber();
  if (number >= min && number <= max) return number;
  Fail("a member is out of its range", name);
  return 0;
}

const std::vector<Json>& JsonReader::TakeArray(const char* name, bool required, std::size_t max_items) {
  const Json* const member = Take(name, required, Json::Kind::kArray);
  if (member == nullptr) return kNoItems;
  if (member->Items().size() <= max_items) return member->Items();
  Fail("a member has too many items", name);
  return kNoItems;
}

std::string JsonReader::String(const char* name, std::size_t max_bytes, std::size_t min_bytes) {
  return TakeString(name, true, max_bytes, min_bytes);
}

std::string JsonReader::OptionalString(const char* name, std::size_t max_bytes) {
  return TakeString(name, false, max_bytes, 0);
}

std::int64_t JsonReader::Number(const char* name, std::int64_t min, std::int64_t max) {
  return TakeNumber(name, true, min, max, 0);
}

std::int64_t JsonReader::OptionalNumber(const char* name, std::int64_t min, std::int64_t max,
                                        std::int64_t absent) {
  return TakeNumber(name, false, min, max, absent);
}

bool JsonReader::Bool(const char* name) {
  const Json* const member = Take(name, true, Json::Kind::kBool);
  return member != nullptr && member->AsBool();
}

bool JsonReader::OptionalBool(const char* name, bool absent) {
  const Json* const member = Take(name, false, Json::Kind::kBool);
  if (member == nullptr) return !failed_ && absent;
  return member->AsBool();
}

const Json& JsonReader::Object(const char* name) {
  const Json* const member = Take(name, true, Json::Kind::kObject);
  return member == nullptr ? kEmptyObject : *member;
}

const Json* JsonReader::OptionalObject(const char* name) { return Take(name, false, Json::Kind::kObject); }

const std::vector<Json>& JsonReader::Array(const char* name, std::size_t max_items) {
  return TakeArray(name, true, max_items);
}

const std::vector<Json>& JsonReader::OptionalArray(const char* name, std::size_t max_items) {
  return TakeArray(name, false, max_items);
}

bool JsonReader::Has(const char* name) const { return object_.Find(name) != nullptr; }

void JsonReader::Ignore(const char* name) { taken_.emplace_back(name); }

Status JsonReader::Finish() {
  if (failed_) return error_;
  for (const auto& [name, value] : object_.Members()) {
    if (std::find(taken_.begin(), taken_.end(), name) != taken_.end()) continue;
    // The name is a stranger's: shortened and made fit to be shown.
    Fail("a member is not known", Printable(std::string_view(name).substr(0, kMostNameShown)).c_str());
    return error_;
  }
  return {};
}

}  // namespace grantfs
