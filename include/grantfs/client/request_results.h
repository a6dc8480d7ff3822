#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "grantfs/client/owner_results.h"
#include "grantfs/store/requests.h"
#include "grantfs/trust/request.h"

namespace grantfs {

// What OwnerSession's functions about requests take and give. Times are unix seconds.

inline constexpr std::int64_t kUsualRequestSeconds = 7LL * 86400;

struct RequestInfo {
  std::string id;  ///< hex
  std::string environment;
  std::string asker;     ///< name
  std::string asker_id;  ///< hex
  std::int64_t time = 0;
  std::int64_t expires = 0;
  std::string reason;
  AnyAsk ask;
  std::string what;     ///< what is asked for, in one line
  std::string problem;  ///< why it cannot be acted on, "" = it can
  // What became of it, as the vault tells.
  RequestState state = RequestState::kOpen;
  std::int64_t settled = 0;
  std::string settled_by;
  std::string settled_reason;
  /// Of one that an owner has approved where two must: the request by which he waits for the second.
  std::string waits_as;
};

struct RequestQueryOptions {
  std::string environment;  ///< "": of all that one may see them of
  bool mine = false;        ///< what one has asked for oneself
  bool all = false;         ///< also what is settled or past its end
};

struct ApproveOptions {
  std::string reason;
  bool dry_run = false;  ///< says what would happen, changes nothing
  std::chrono::milliseconds wait{5000};
};
struct ApproveResult {
  RequestInfo request;
  std::vector<std::string> lines;    ///< what was done, or would be: a sentence each
  std::vector<std::string> waiting;  ///< ids of the requests by which it waits for a second owner
  std::string machine;               ///< that has it then, "" = it is about none
  Delivery delivery;
};

}  // namespace grantfs
