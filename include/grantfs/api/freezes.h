#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "grantfs/api/bounds.h"
#include "grantfs/json/json.h"
#include "grantfs/store/rows.h"

// What is frozen: the server's own state, which can only deny.

namespace grantfs::api {

const char* FrozenKindName(FrozenKind kind);  ///< "machine", "environment", "machine-in-environment"
Json FrozenObjectToJson(const FrozenObject& object);
Result<FrozenObject> FrozenObjectFromJson(const Json& json);

struct Freeze {
  FrozenObject object;
  std::string by;         ///< who froze it, as the vault knew his name
  std::int64_t time = 0;  ///< unix seconds
  std::string reason;     ///< ""
  bool operator==(const Freeze&) const = default;
  Json ToJson() const;
  static Result<Freeze> FromJson(const Json& json);
  /// FreezeSentence of it. @param what  "env shop/prod"
  std::string Sentence(const std::string& what) const;
  /// As the machine that it stops is told: "this machine was frozen by ...", "this machine was frozen in
  /// shop/prod by ...", "shop/prod was frozen by ...".
  std::string SentenceForMachine() const;
};
/// "env shop/prod was frozen by ann at 2026-01-31T12:00:00Z: a leak is suspected".
/// @param in  "": all of it; "shop/prod": "machine web-1 was frozen in shop/prod by ann at ...".
std::string FreezeSentence(const std::string& what, const std::string& by, std::int64_t time,
                           const std::string& reason, const std::string& in = {});

/// POST /v1/freezes/set and /v1/freezes/lift: all of them or none.
struct FreezeRequest {
  std::vector<FrozenObject> objects;  ///< 1..kMaxFrozenAtOnce
  std::string reason;                 ///< "" = none
  Json ToJson() const;
  static Result<FreezeRequest> FromJson(const Json& json);
};
/// What was frozen / that were lifted.
struct FreezeResponse {
  std::uint64_t change = 0;  ///< what watches will speak of; 0: nothing has changed
  std::vector<Freeze> freezes;
  std::vector<Freeze> before;  ///< what was asked for and frozen already: each is as it was
  Json ToJson() const;
  static Result<FreezeResponse> FromJson(const Json& json);
};

/// POST /v1/freezes/followed: how far the machines that are granted something in an environment have followed
/// a change.
struct FollowedRequest {
  std::string environment;
  std::uint64_t change = 0;
  Json ToJson() const;
  static Result<FollowedRequest> FromJson(const Json& json);
};
struct FollowedResponse {
  struct Behind {
    std::string machine;  ///< its name
    bool online = false;
    std::int64_t last_seen = 0;  ///< 0: not since the server started
  };
  std::uint64_t machines = 0;  ///< that are granted something there
  std::uint64_t followed = 0;  ///< how many of them have
  std::uint64_t pending = 0;   ///< how many have not and are online
  std::vector<Behind> behind;  ///< of those that have not: the online ones first, then by name
  Json ToJson() const;
  static Result<FollowedResponse> FromJson(const Json& json);
};

/// POST /v1/freezes/list: those that the caller may know of, in the order of their objects.
struct FreezesListRequest {
  std::optional<FrozenObject> after;
  std::size_t limit = kMaxFreezesListed;  ///< 1..kMaxFreezesListed
  Json ToJson() const;
  static Result<FreezesListRequest> FromJson(const Json& json);
};
struct FreezesListResponse {
  std::vector<Freeze> freezes;       ///< may be fewer than asked for, even none, and yet not the last
  std::optional<FrozenObject> next;  ///< go on with `after` = this; none: there is no more
  Json ToJson() const;
  static Result<FreezesListResponse> FromJson(const Json& json);
};

}  // namespace grantfs::api
