#pragma once

#include <string>
#include <vector>

#include "grantfs/net/address.h"

namespace grantfs {

/// Where `serve` listens: what was given; else the port of the first name (kDefaultPort without one), on
/// loopback alone where there is no name or all of them are this host's own, else on all addresses.
///
/// @param ipv6  whether this host has it. Errors: kInvalid.
Result<std::vector<Address>> ChooseListenAddresses(const std::vector<std::string>& names,
                                                   const std::vector<std::string>& listen, bool ipv6);

/// Whether a socket can be bound to an IPv6 address here.
bool HasIpv6();

}  // namespace grantfs
