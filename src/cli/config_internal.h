#pragma once

#include <map>
#include <string>
#include <vector>

#include "command_internal.h"

namespace grantfs {

/// What a grantfs.conf sets: command -> option -> values; "" -> what stands before the first section.
using Config = std::map<std::string, Arguments::Values>;

/// Reads an ini file: a section a command ("[secret set]"), "option = value" in it; before the first section
/// what several commands share (json, data). "#" begins a comment; an option that may come several times has
/// a line each time.
///
/// Errors: kInvalid: an unknown command or option, a repeated one, a line that is neither; the subject says
/// which, and `path`.
Result<Config> ParseConfig(const std::string& text, const std::string& path,
                           const std::vector<const Command*>& commands);

/// An absent file is an empty one. Errors: as ParseConfig; kDenied (others may write to it), kIo.
Result<Config> LoadConfig(const std::string& path, const std::vector<const Command*>& commands);

/// Adds to `given` what the file sets for this command and `given` does not have.
Arguments WithConfig(const Arguments& given, const Config& config, const Command& command);

}  // namespace grantfs
