#pragma once

#include <string>
#include <vector>

#include "command_internal.h"
#include "grantfs/client/home.h"

namespace grantfs {

/// --name, else the login name. Errors: kInvalid.
Result<std::string> OwnerName(const Arguments& arguments);

Json TextsJson(const std::vector<std::string>& all);

/// The command that uses a recovery code, as it is to be kept beside it.
std::string RecoverLine(const HomeProfile& profile);

/// Shows a recovery code this once, or writes it to the file that --recovery-file names; with --json as a member
/// of `document`.
Status OutRecoveryCode(Context& context, const SecretMemory& code, Json document, const std::string& note);

/// That the file of --recovery-file, if it is given, can be made.
Status CheckRecoveryFile(const std::string& path);

}  // namespace grantfs
