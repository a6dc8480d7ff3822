#include <cerrno>
#include <cstdlib>

#include "grantfs/util/text.h"
#include "mount/callers/decide_internal.h"

namespace grantfs {

int ErrnoOf(Code code) {
  switch (code) {
    case Code::kNotFound:
      return ENOENT;
    case Code::kDenied:
    case Code::kUnauthentic:  // the vault refuses this machine: no wait and no retry mends it
    case Code::kUnsupported:
      return EACCES;
    case Code::kExpired:
      return EKEYEXPIRED;
    case Code::kIntegrity:
      return EBADMSG;
    case Code::kConflict:
      return ESTALE;
    case Code::kCancelled:
      return EINTR;
    case Code::kUnreachable:
    case Code::kThrottled:
    case Code::kUnrecorded:
    case Code::kInvalid:
    case Code::kNoSpace:
    case Code::kIo:
      return EIO;
  }
  std::abort();
}

namespace {
constexpr std::size_t kMostFreezeText = 700;  // a refusal's reason is bounded, and a freeze's is in it
}

std::optional<Refusal> RefuseOpen(const GrantedSecret& grant, std::int64_t now) {
  if (!grant.frozen.empty())
    return Refusal{EACCES, "it is frozen: " + Printable(grant.frozen.substr(0, kMostFreezeText)), true};
  if (!grant.unenforceable.empty()) return Refusal{EACCES, "this mount cannot enforce the grant"};
  if (grant.expires != 0 && now >= grant.expires)
    return Refusal{EKEYEXPIRED, grant.value_ends ? "the secret has expired" : "the grant has expired"};
  return std::nullopt;
}

std::optional<Refusal> RefuseRead(const GrantedSecret* grant, std::int64_t now, bool page_fill, bool bound) {
  if (grant == nullptr)
    return Refusal{EACCES, "the grant was revoked, or the secret deleted, while the file was open"};
  if (auto refusal = RefuseOpen(*grant, now)) return refusal;
  if (page_fill && !grant->conditions.empty()) {
    return Refusal{EACCES,
                   "the grant says who may read, and whom the page cache hands on to is not known: no mmap, "
                   "sendfile or splice",
                   true};
  }
  if (page_fill && grant->strict) return Refusal{EACCES, "the grant is strict: no copy in the page cache"};
  if (page_fill && bound) return Refusal{EACCES, "a single-file bind mount cannot be mapped"};
  return std::nullopt;
}

}  // namespace grantfs
