#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "grantfs/net/address.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// A name that clients may sign for; port 0 = that of the first listen address.
Result<Address> ParseServedName(std::string_view text);

/// What is served under: the names given (their ports filled in), or one that fits where one listens.
/// @param bound  the listen addresses with their real ports; at least one.
Result<std::vector<Address>> ServedNames(const std::vector<std::string>& given,
                                         const std::vector<Address>& bound);

/// The values of the Host header that are accepted: the names, and loopback where one listens there.
std::vector<std::string> ServedAuthorities(const std::vector<Address>& names,
                                           const std::vector<Address>& bound);

}  // namespace grantfs
