#pragma once

#include <string>
#include <vector>

#include "failure_limiter_internal.h"
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
    std::uint64_t failures_of_one = 20;
  };
  Authenticator(Vault& vault, const Clock& clock, Options options);

  /// Errors: kUnauthentic (every failure of authentication, without a difference), kThrottled (the identity's
  /// nonces are full), kExpired with kWhereGone (a good signature of a used or expired invitation or claim).
  ///
  /// @param late  set where too many have failed from there, or in the name of this identity: the answer of
  /// one more is to come late. Whoever signs well is never among them, wherever he comes from.
  Result<VaultCaller> Check(const HttpRequest& request, bool* late);

  /// The one 401: with what a client needs to do better.
  HttpResponse Unauthenticated() const;
  const std::string& instance() const { return instance_; }

 private:
  enum class Failure { kNone, kStranger, kOldInstance, kThrottled };
  Failure Judge(const HttpRequest& request, const SignatureInfo& info, const Vault::Key& key);
  Error Fail(const HttpRequest& request, const std::string& identity, bool* late);

  Vault& vault_;
  const ServerClock clock_;
  const std::vector<std::string> authorities_;
  const std::string instance_;
  NonceCache nonces_;
  FailureLimiter failures_;
};

}  // namespace grantfs
