#include "grantfs/trust/tripwire.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <initializer_list>
#include <optional>

#include "grantfs/trust/conditions.h"
#include "grantfs/trust/unit.h"

namespace grantfs {
namespace {

constexpr std::string_view kUid = "uid=", kExe = "exe=", kUnit = "unit=";

std::optional<std::uint32_t> UidOf(std::string_view text) {
  std::uint32_t uid = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), uid);
  const bool whole = bad == std::errc() && end == text.data() + text.size();
  // One way to write a number, so that a list that repeats itself is seen to.
  return whole && std::to_string(uid) == text ? std::optional(uid) : std::nullopt;
}

bool IsProcess(std::string_view pass, std::uint32_t uid, std::string_view executable,
               std::string_view cgroup) {
  if (pass.starts_with(kUid)) return UidOf(pass.substr(kUid.size())) == uid;
  if (pass.starts_with(kExe)) return pass.substr(kExe.size()) == executable;
  return pass.starts_with(kUnit) && RunsInUnit(cgroup, pass.substr(kUnit.size()));
}

template <typename Named>
Result<Named> ParseNamed(std::string_view text, std::initializer_list<Named> all, const char* (*name)(Named),
                         const char* what) {
  for (const Named one : all)
    if (text == name(one)) return one;
  return Error{Code::kInvalid, what, 0, std::string(text)};
}

}  // namespace

const char* TripActionName(TripAction action) {
  switch (action) {
    case TripAction::kFreeze:
      return "freeze";
    case TripAction::kAlert:
      return "alert";
  }
  std::abort();
}

const char* TripScopeName(TripScope scope) {
  switch (scope) {
    case TripScope::kEnvironment:
      return "environment";
    case TripScope::kProject:
      return "project";
  }
  std::abort();
}

Result<TripAction> ParseTripAction(std::string_view text) {
  return ParseNamed(text, {TripAction::kFreeze, TripAction::kAlert}, TripActionName,
                    "is not what a tripwire does: freeze or alert");
}

Result<TripScope> ParseTripScope(std::string_view text) {
  return ParseNamed(text, {TripScope::kEnvironment, TripScope::kProject}, TripScopeName,
                    "is not what a canary freezes: environment or project");
}

Status CheckPass(const std::string& text) {
  const Error bad{Code::kInvalid, "is not who may pass: exe=/usr/bin/rsync, uid=0 or unit=backup.service", 0,
                  text};
  if (text.size() > kMaxPassBytes) return bad;
  if (text.starts_with(kUid)) return UidOf(std::string_view(text).substr(kUid.size())) ? Status() : bad;
  if (!text.starts_with(kExe) && !text.starts_with(kUnit)) return bad;
  const auto condition = ParseCondition(text);
  return condition && !condition->content ? Status() : Status(bad);
}

bool MayPass(const std::vector<std::string>& passes, std::uint32_t uid, std::string_view executable,
             std::string_view cgroup) {
  return std::any_of(passes.begin(), passes.end(),
                     [&](const std::string& pass) { return IsProcess(pass, uid, executable, cgroup); });
}

}  // namespace grantfs
