#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "grantfs/util/result.h"

// What an environment says of its tripwires: the vault's own state, which nobody signs.

namespace grantfs {

/// What a tripwire does: stop reads and tell, or tell alone.
enum class TripAction { kFreeze, kAlert };
/// What a canary's reading freezes.
enum class TripScope { kEnvironment, kProject };

inline constexpr std::uint32_t kUsualRate = 100;

/// What the tripwires of an environment do.
struct TripwirePolicy {
  TripAction canary = TripAction::kFreeze;
  TripScope scope = TripScope::kEnvironment;
  std::uint32_t rate = kUsualRate;  ///< distinct secrets that one machine may read within a minute; 0 = any
  TripAction rate_action = TripAction::kFreeze;
  std::vector<std::string> passes;  ///< who freezes nothing: "exe=PATH", "uid=NUMBER", "unit=NAME"
  bool operator==(const TripwirePolicy&) const = default;
};

inline constexpr std::uint32_t kMaxRate = 100'000;
inline constexpr std::size_t kMaxPasses = 32;
inline constexpr std::size_t kMaxPassBytes = 1024;

const char* TripActionName(TripAction action);  ///< "freeze", "alert"
const char* TripScopeName(TripScope scope);     ///< "environment", "project"
/// Errors: kInvalid.
Result<TripAction> ParseTripAction(std::string_view text);
Result<TripScope> ParseTripScope(std::string_view text);

/// Who freezes nothing: "exe=/usr/bin/rsync", "uid=0", "unit=backup.service". Errors: kInvalid.
Status CheckPass(const std::string& text);
/// Whether one of them is a process, by what its machine says of it.
bool MayPass(const std::vector<std::string>& passes, std::uint32_t uid, std::string_view executable,
             std::string_view cgroup);

}  // namespace grantfs
