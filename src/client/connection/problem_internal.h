#pragma once

#include <string>

#include "grantfs/net/http.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// What a response that is not a success means to a person. @param keyid  who asked.  @param subject
/// "host:port".
Error ErrorOfResponse(const HttpResponse& response, const std::string& keyid, const std::string& subject);

/// Whether the vault itself will not take what it was sent. Somebody in between who has another key is no
/// vault that could refuse anything.
bool IsRefusedByVault(const Error& error);

/// The same failure of another thing.
Error About(Error error, std::string subject);

}  // namespace grantfs
