#include <future>

#include "grantfs/client/machine_session.h"
#include "grantfs/crypto/encoding.h"
#include "grantfs/crypto/random.h"
#include "grantfs/trust/names.h"

namespace grantfs {
namespace {

const GrantedSecret* FindNamed(const Listing& listing, const SecretName& name) {
  for (const GrantedSecret& secret : listing.secrets) {
    if (secret.environment == name.environment && secret.path == name.path) return &secret;
  }
  return nullptr;
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
  auto listing = source.CurrentListing();
  if (FindNamed(*listing, name) == nullptr || !FindNamed(*listing, name)->missing.empty()) {
    GRANTFS_CHECK(source.WaitUntilCurrent(deadline));
    listing = source.CurrentListing();
  }
  const GrantedSecret* secret = FindNamed(*listing, name);
  if (secret == nullptr) {
    return Error{Code::kNotFound,
                 "it is not granted to this machine: an owner can grant it with grantfs grant; grantfs "
                 "grants shows what is",
                 0, name.Full()};
  }
  if (!secret->missing.empty())
    return Error{Code::kNotFound, "there is no such file now", 0, name.Full() + ": " + secret->missing};
  return OpenAndWait(source, secret->number, caller, deadline);
}

}  // namespace grantfs
