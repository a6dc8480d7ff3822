#include "grantfs/json/json.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "json_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kFewMembers = 16;

std::int64_t Checked(std::uint64_t value) {
  if (value > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) std::abort();
  return static_cast<std::int64_t>(value);
}

bool HasDuplicateAmongFew(const std::vector<Json::Member>& members) {
  for (std::size_t i = 1; i < members.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (members[i].first == members[j].first) return true;
    }
  }
  return false;
}

}  // namespace

bool HasDuplicateName(const std::vector<Json::Member>& members) {
  if (members.size() <= kFewMembers) return HasDuplicateAmongFew(members);
  std::vector<std::string_view> names;
  names.reserve(members.size());
  for (const Json::Member& member : members) names.push_back(member.first);
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) != names.end();
}

Json::Json(std::uint64_t value) : Json(Checked(value)) {}

Json Json::Array(std::vector<Json> items) {
  Json array;
  array.kind_ = Kind::kArray;
  array.items_ = std::move(items);
  return array;
}

Json Json::Object(std::vector<Member> members) {
  if (HasDuplicateName(members)) std::abort();
  Json object;
  object.kind_ = Kind::kObject;
  object.members_ = std::move(members);
  return object;
}

bool Json::AsBool() const {
  if (kind_ != Kind::kBool) std::abort();
  return number_ != 0;
}

std::int64_t Json::AsNumber() const {
  if (kind_ != Kind::kNumber) std::abort();
  return number_;
}

const std::string& Json::AsString() const {
  if (kind_ != Kind::kString) std::abort();
  return text_;
}

const std::vector<Json>& Json::Items() const {
  if (kind_ != Kind::kArray) std::abort();
  return items_;
}

const std::vector<Json::Member>& Json::Members() const {
  if (kind_ != Kind::kObject) std::abort();
  return members_;
}

const Json* Json::Find(std::string_view name) const {
  for (const Member& member : members_) {
    if (member.first == name) return &member.second;
  }
  return nullptr;
}

Json& Json::Append(Json item) {
  if (kind_ != Kind::kArray) std::abort();
  items_.push_back(std::move(item));
  return *this;
}

Json& Json::Set(std::string name, Json value) {
  if (kind_ != Kind::kObject) std::abort();
  for (Member& member : members_) {
    if (member.first != name) continue;
    member.second = std::move(value);
    return *this;
  }
  members_.emplace_back(std::move(name), std::move(value));
  return *this;
}

}  // namespace grantfs
