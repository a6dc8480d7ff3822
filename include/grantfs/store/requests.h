#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "grantfs/crypto/hash.h"
#include "grantfs/util/result.h"

namespace grantfs {

enum class RequestState { kOpen, kFulfilled, kRefused, kWithdrawn };

/// What somebody asks an environment's owners for (trust/request.h), and what became of it.
struct StoredRequest {
  std::uint64_t number = 0;  ///< in the order of their arrival
  Hash id;
  std::string environment;
  Hash signer;
  std::string type;     ///< AskName
  std::string subject;  ///< of a rotation: the secret's path; else ""
  std::string envelope;
  std::int64_t received = 0;  ///< unix seconds
  std::int64_t expires = 0;
  RequestState state = RequestState::kOpen;
  std::int64_t changed = 0;  ///< when `state` was set; 0 while it is open
  std::string by;            ///< the name of who did
  std::string reason;        ///< his
};

struct RequestQuery {
  std::string environment;
  std::optional<Hash> signer;           ///< none: anybody's
  bool all = false;                     ///< also those that are settled or past their end
  std::int64_t now = 0;                 ///< unix seconds
  std::optional<std::uint64_t> before;  ///< numbers below it; none: from the newest
  std::size_t limit = 0;
};

class StoredRequestReader {
 public:
  virtual ~StoredRequestReader() = default;
  virtual Result<std::optional<StoredRequest>> FindRequest(const Hash& id) = 0;
  /// Newest first.
  virtual Result<std::vector<StoredRequest>> ListRequests(const RequestQuery& query) = 0;
  virtual Result<std::uint64_t> CountOpenRequests(const Hash& signer, std::string_view environment,
                                                  std::int64_t now) = 0;
  /// Those that ask for a new value of some secret: its path, and their ids.
  virtual Result<std::vector<std::pair<std::string, Hash>>> OpenRotations(std::string_view environment,
                                                                          std::int64_t now) = 0;
};

/// Errors as StoreWriter's.
class StoredRequestWriter {
 public:
  virtual ~StoredRequestWriter() = default;
  /// An open one; its number is given here. kConflict: there is one of this id.
  virtual Status AddRequest(const StoredRequest& request) = 0;
  /// Of an open one: kConflict if it is settled, kNotFound.
  virtual Status SettleRequest(const Hash& id, RequestState state, std::string_view by,
                               std::string_view reason, std::int64_t now) = 0;
  /// Those that ended before, of every environment.
  virtual Status DropRequests(std::int64_t before) = 0;
  /// Of those of this signer and kind (consents or all others) that are settled or have ended, all but the
  /// newest `keep`.
  virtual Status DropRequestsOf(const Hash& signer, std::string_view environment, bool consents,
                                std::size_t keep, std::int64_t now) = 0;
};

}  // namespace grantfs
