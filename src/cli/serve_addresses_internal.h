#pragma once

#include <string>
#include <vector>

#include "grantfs/net/address.h"

namespace grantfs {

struct ServeAddresses {
  std::vector<Address> names;  ///< port 0: the first port that is bound
  std::vector<Address> listen;
};

/// What `serve` is called and where it listens.
///
/// No name: localhost. A name without a port has that of the first place to listen at, else kDefaultPort. No
/// place to listen at: the first name's port, on loopback alone where every name is of this host itself, else
/// on all addresses.
///
/// @param ipv6  whether this host has it. Errors: kInvalid.
Result<ServeAddresses> ChooseServeAddresses(const std::vector<std::string>& names,
                                            const std::vector<std::string>& listen, bool ipv6);

/// Whether a socket can be bound to an IPv6 address here.
bool HasIpv6();

}  // namespace grantfs
