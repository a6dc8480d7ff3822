#include <future>

#include "grantfs/client/machine_session.h"
#include "grantfs/crypto/encoding.h"
#include "grantfs/crypto/random.h"
#include "grantfs/trust/names.h"

namespace grantfs {
namespace {

/// @return a copy without number if there is none.
GrantedSecret FindIn(const Listing& listing, const SecretName& name) {
  for (const GrantedSecret& secret : listing.secrets) {
    if (secret.environment == name.environment && secret.path == name.path) return secret;
  }
  return {};
}

Result<OpenedSecret> OpenAndWait(SecretSource& source, std::uint64_t number, const Caller& caller,
                                 std::chrono::milliseconds deadline) {
  SecretSource::OpenRequest request;
  request.number = number;
  request.open_id = "read-" + HexEncode(RandomBytes(16));
  request.caller = caller;
  std::promise<Result<OpenedSecret>> opened;
  const auto pending = source.Open(std::move(request), deadline,
                                   [&](Result<OpenedSecret> result) { opened.set_value(std::move(result)); });
  return opened.get_future().get();
}

}  // namespace

Result<OpenedSecret> ReadSecretOnce(MachineSession& source, std::string_view full_name, const Caller& caller,
                                    std::chrono::milliseconds deadline) {
  const SecretName name = GRANTFS_TRY(ParseSecretName(full_name));
  GrantedSecret secret = FindIn(*source.CurrentListing(), name);
  // Those may have been mended or lifted; and of a bundle no more must be read than its parts' grants allow
  // now.
  if (secret.number == 0 || !secret.conditions.empty() || !secret.missing.empty() || secret.parts > 0 ||
      !secret.frozen.empty()) {
    // What was frozen when the vault was last heard stays so without it.
    const Status current = source.WaitUntilCurrent(deadline);
    if (!current && secret.frozen.empty()) return current.error();
    secret = FindIn(*source.CurrentListing(), name);
  }
  if (secret.number == 0) {
    return Error{Code::kNotFound,
                 "it is not granted to this machine: an owner can grant it with grantfs grant; grantfs "
                 "grants shows what is",
                 0, name.Full()};
  }
  if (!secret.missing.empty())
    return Error{Code::kNotFound, "there is no such file now: see grantfs grants", 0,
                 name.Full() + " (" + secret.missing + ")"};
  // Of a bundle that is a part's too, which is asked for by itself.
  if (secret.parts > 0 && !secret.unenforceable.empty())
    return Error{Code::kDenied, "its grant cannot be enforced here: see grantfs grants", 0,
                 name.Full() + " (" + secret.unenforceable + ")"};
  if (!secret.conditions.empty() && secret.unenforceable.empty()) {
    return Error{
        Code::kDenied,
        "its grant says which processes may read it, and only a mount looks at who reads: use the file "
        "below grantfs mount; grantfs grants shows the conditions",
        0, name.Full()};
  }
  return OpenAndWait(source, secret.number, caller, deadline);
}

}  // namespace grantfs
