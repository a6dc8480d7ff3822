#pragma once

#include <string>

#include "grantfs/net/address.h"
#include "grantfs/server/server.h"
#include "grantfs/vault/vault.h"

namespace grantfs {

/// Makes a claim and shows it to whoever started the server: on the terminal, or in a file that only he
/// reads. Errors: as Vault::MakeClaim, kIo.
Status ShowNewClaim(Vault& vault, const ServeOptions& options, const Address& name, const Hash& pin);

/// Removes the file of a claim, if it is there.
void RemoveClaimFile(const std::string& data_directory);

/// Says a sentence to whoever started the server.
void Say(const ServeOptions& options, const std::string& sentence);

}  // namespace grantfs
