#pragma once

#include <string>

#include "grantfs/crypto/secret.h"
#include "grantfs/json/json.h"
#include "grantfs/util/result.h"
#include "terminal_internal.h"

namespace grantfs {

/// A claim or an invitation is a line far shorter than this.
inline constexpr std::size_t kMaxLineBytes = 4096;

/// Where a value, a claim or an invitation comes from.
struct SecretInput {
  std::string file;    ///< --file, "" = not given: standard input, or a prompt where that is a terminal
  std::string prompt;  ///< "value of shop/prod/db-password"
  bool twice = false;  ///< the prompt asks a second time, against mistyping
  std::size_t max_bytes = 0;
  const char* too_large = "it is larger than what belongs here";
};

/// Reads it into locked memory. From a file or a pipe every byte counts, a newline at the end too; from a
/// prompt it is the line without its newline, not shown. Errors: kNotFound, kInvalid (too long; two that
/// differ), kCancelled, kIo.
Result<SecretMemory> ReadSecretInput(Terminal& terminal, const SecretInput& input);

/// True if the last byte is a newline.
bool EndsInNewline(const SecretMemory& secret);
/// A copy without the newlines (and carriage returns) at its end.
Result<SecretMemory> WithoutNewlines(const SecretMemory& secret);

/// Writes the bytes to standard output. Where that is a terminal and they do not end in a newline, a note
/// says so.
void OutSecret(Terminal& terminal, const SecretMemory& secret);
void OutSecret(Terminal& terminal, const SecretValue& value);

/// A line and a newline.
void OutSecretLine(Terminal& terminal, const SecretMemory& line);

/// `document` with one more member, that no string outside locked memory ever holds: a line of
/// [A-Za-z0-9._-], or bytes in base64 (RFC 4648 section 4). Errors: kInvalid (a line of other characters),
/// kIo.
Status OutJsonWithLine(Terminal& terminal, const Json& document, const std::string& name,
                       const SecretMemory& line);
Status OutJsonWithValue(Terminal& terminal, const Json& document, const std::string& name,
                        const SecretValue& value);

}  // namespace grantfs
