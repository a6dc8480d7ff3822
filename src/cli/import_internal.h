#pragma once

#include <string>
#include <vector>

#include "grantfs/crypto/secret.h"
#include "grantfs/util/result.h"

namespace grantfs {

/// All that one import may hold: twice that, and what encrypts it, is memory that a user may lock.
inline constexpr std::size_t kMaxImportBytes = std::size_t{3} << 20;

/// A value and where it goes: "db-password", "tls/server.key".
struct Imported {
  std::string path;
  SecretValue value;
};

// What is read stays in locked memory; errors tell a line or a name, never a part of a value.

/// NAME=VALUE lines, as the programs that read .env files agree on them: comments, `export `, values in
/// 'single' quotes (as they are), in "double" quotes (\n \r \t \" \\ \$) or in none. What they read
/// differently is refused: a $ that some would expand, a quote or backslash in the middle of a plain value.
/// Errors: kInvalid, with "line N" as the subject.
Result<std::vector<Imported>> ParseEnvText(const SecretMemory& text);

/// RFC 8259: an object of strings; an object within it is a directory of names.
/// Errors: kInvalid, with "line N" as the subject.
Result<std::vector<Imported>> ParseJsonText(const SecretMemory& text);

/// A secret for each file below a directory, byte for byte, ordered by name. A link or another thing that is
/// no file is refused. Errors: kInvalid, kNotFound, kIo.
Result<std::vector<Imported>> ReadDirectoryOfValues(const std::string& directory);

}  // namespace grantfs
