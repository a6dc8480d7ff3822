#pragma once

#include <string>
#include <vector>

#include "grantfs/httpsig/signature.h"
#include "grantfs/net/http.h"
#include "grantfs/vault/vault.h"
#include "nonce_cache_internal.h"
#include "server_clock_internal.h"

namespace grantfs {

/// How long after, and before, its `created` a request is accepted.
inline constexpr std::int64_t kCreatedPast = 60;
inline constexpr std::int64_t kCreatedAhead = 30;

/// Who sent a request, proved by its signature. Threads: safe.
class Authenticator {
 public:
  struct Options {
    std::vector<std::string> authorities;
    std::size_t nonces_of_one = 0;
    std::size_t nonces_of_all = 0;
  };
  Authenticator(Vault& vault, const Clock& clock, Options options);

  /// Errors: kUnauthentic (every failure of authentication, without a difference), kThrottled (the identity's
  /// nonces are full), kExpired with kWhereGone (a good signature of a used or expired invitation or claim).
  Result<VaultCaller> Check(const HttpRequest& request);

  /// The one 401: with what a client needs to do better.
  HttpResponse Unauthenticated() const;
  const std::string& instance() const { return instance_; }

 private:
  enum class Failure { kNone, kStranger, kOldInstance, kThrottled };
  Failure Judge(const HttpRequest& request, const SignatureInfo& info, const Vault::Key& key);
  Error Fail(const HttpRequest& request, bool count);

  Vault& vault_;
  const ServerClock clock_;
  const std::vector<std::string> authorities_;
  const std::string instance_;
  NonceCache nonces_;
};

}  // namespace grantfs
