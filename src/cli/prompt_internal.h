#pragma once

#include "grantfs/crypto/secret.h"
#include "grantfs/util/result.h"
#include "terminal_internal.h"

namespace grantfs {

inline constexpr std::size_t kMaxPromptBytes = 64 * 1024;

/// Says "PROMPT (not shown): " and reads a line from the terminal without echo. Errors: kCancelled (Ctrl-C),
/// kInvalid (longer than kMaxPromptBytes), kIo.
Result<SecretMemory> PromptForSecret(Terminal& terminal, const std::string& prompt);

/// Asks "QUESTION [y/N] ". Only where standard input is a terminal. False for anything but yes.
bool Confirm(Terminal& terminal, const std::string& question);

/// The beginning of `from` in memory of its own. Errors: kIo.
Result<SecretMemory> FirstBytes(const SecretMemory& from, std::size_t size);

}  // namespace grantfs
