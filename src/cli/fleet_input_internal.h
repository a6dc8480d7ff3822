#pragma once

#include <string>
#include <vector>

#include "grantfs/util/result.h"
#include "terminal_internal.h"

namespace grantfs {

/// Lines that hold no secret, from a file or, where `file` is "", standard input: white space around each and
/// empty ones are let go. Errors: kInvalid (more than `max_bytes` in all), kNotFound, kIo.
Result<std::vector<std::string>> ReadPlainLines(Terminal& terminal, const std::string& file,
                                                std::size_t max_bytes);

/// What this machine is called: its host name up to the first dot, in lower case. "" where that is no name
/// of a machine.
std::string NameOfHost();

/// Asks "QUESTION [y/N] " on the terminal that this process belongs to, though standard input be a pipe.
/// Errors: kInvalid (there is none: `otherwise` says what to do).
Result<bool> ConfirmOnTerminal(Terminal& terminal, const std::string& question, const char* otherwise);

}  // namespace grantfs
