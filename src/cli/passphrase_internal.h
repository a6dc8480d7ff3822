#pragma once

#include <optional>

#include "command_internal.h"
#include "grantfs/crypto/secret.h"
#include "grantfs/util/unique_fd.h"

namespace grantfs {

/// For as long as it lives, homes whose key is under a passphrase take it from --passphrase-file, else from
/// the terminal, where it is asked for once. What was typed is kept in locked memory that processes which
/// this one makes have too.
class PassphraseOfHome {
 public:
  explicit PassphraseOfHome(Context& context);
  ~PassphraseOfHome();
  PassphraseOfHome(const PassphraseOfHome&) = delete;
  PassphraseOfHome& operator=(const PassphraseOfHome&) = delete;

 private:
  Result<SecretMemory> Ask();

  Context& context_;
  std::string file_;
  std::optional<UniqueFd> typed_;
};

/// Has it typed now, while there is a terminal, for who goes to the background. Nothing where the home's key
/// is bare, or the home is not there.
Status AskPassphraseNow(const std::string& home);

/// A new one: from a file, else typed twice. Errors: kInvalid (too short, too long, two that differ), kDenied
/// (no terminal).
Result<SecretMemory> NewPassphrase(Context& context, const std::string& file);

}  // namespace grantfs
