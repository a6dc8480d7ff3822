#pragma once

#include <string>
#include <vector>

#include "grantfs/client/options.h"
#include "grantfs/crypto/hash.h"
#include "grantfs/util/result.h"

namespace grantfs {

class VaultList;

/// Since when the vault's list names this pin, by its owner's clock: unix seconds; 0: it does not.
std::int64_t PinSince(const VaultList& vault, const Hash& pin);

/// For a home that slept through the change of the server's key, and so knows no key that it shows: asks the
/// server that shows `pin` for the vault's list, which must go on from what the home has verified and must
/// name that pin, and remembers it. Whoever answers can give nothing else. @return the pins that the list
/// names.  Errors: as Home::Open; kIntegrity (another key, a list that does not go on, or that does not name
/// the pin), those of VaultConnection.
Result<std::vector<Hash>> TrustKey(const std::string& home_directory, const Hash& pin,
                                   const ClientOptions& options);

}  // namespace grantfs
