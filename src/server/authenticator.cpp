#include <algorithm>

#include "authenticator_internal.h"
#include "grantfs/api/problem.h"
#include "grantfs/crypto/encoding.h"
#include "grantfs/crypto/random.h"

namespace grantfs {

Authenticator::Authenticator(Vault& vault, const Clock& clock, Options options)
    : vault_(vault),
      clock_(clock),
      authorities_(std::move(options.authorities)),
      instance_(HexEncode(RandomBytes(16))),
      nonces_(options.nonces_of_one, options.nonces_of_all, kCreatedPast),
      failures_(options.failures_of_one) {}

HttpResponse Authenticator::Unauthenticated() const {
  const Error error{Code::kUnauthentic, "not authenticated"};
  return {
      401,
      {{"content-type", api::kProblemType}, {kInstanceHeader, instance_}, {"date", HttpDate(clock_.Now())}},
      api::ToProblem(error).ToJson().Dump()};
}

Error Authenticator::Fail(const HttpRequest& request, const std::string& identity, bool* late) {
  vault_.NoteFailedAuthentication(request.remote);
  *late = failures_.Failed(request.remote, identity, clock_.Now());
  return {Code::kUnauthentic, "not authenticated"};
}

// What a good signature covers is only now believed, and only now remembered.
Authenticator::Failure Authenticator::Judge(const HttpRequest& request, const SignatureInfo& info,
                                            const Vault::Key& key) {
  if (!VerifySignature(info, key.verify)) return Failure::kStranger;
  const bool served =
      std::find(authorities_.begin(), authorities_.end(), request.authority) != authorities_.end();
  // The claim's owner cannot know the vault that he is about to make.
  const Hash vault = key.caller.kind == VaultCaller::Kind::kClaim ? Hash{} : vault_.vault_id();
  if (!served || info.vault != vault.Hex()) return Failure::kStranger;
  if (info.instance != instance_) return Failure::kOldInstance;
  const std::int64_t now = clock_.Now();
  if (info.created < now - kCreatedPast || info.created > now + kCreatedAhead) return Failure::kStranger;
  switch (nonces_.Remember(info.keyid, info.nonce, info.created, now)) {
    case NonceCache::Verdict::kNew:
      return Failure::kNone;
    case NonceCache::Verdict::kSeen:
      return Failure::kStranger;
    case NonceCache::Verdict::kFull:
      return Failure::kThrottled;
  }
  std::abort();
}

Result<VaultCaller> Authenticator::Check(const HttpRequest& request, bool* late) {
  *late = false;
  const SignedParts parts{request.method, request.authority, request.path, request.query, request.body};
  auto info = ParseSignature(parts, request.headers);
  if (!info) return Fail(request, "", late);
  auto key = vault_.FindKey(info->keyid);
  if (!key) return Fail(request, "", late);
  const Failure failure = Judge(request, *info, *key);
  if (failure == Failure::kThrottled)
    return Error{Code::kThrottled, "this identity has sent too many requests within a minute"};
  if (failure == Failure::kOldInstance) return Error{Code::kUnauthentic, "not authenticated"};
  if (failure != Failure::kNone) return Fail(request, info->keyid, late);
  if (key->gone) return Error{Code::kExpired, api::kWhereGone};
  VaultCaller caller = std::move(key->caller);
  caller.remote = request.remote;
  caller.signature = info->signature;
  caller.signature_base = std::move(info->base);
  return caller;
}

}  // namespace grantfs
