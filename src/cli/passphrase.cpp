#include "grantfs/crypto/passphrase.h"

#include <filesystem>

#include "grantfs/client/home.h"
#include "passphrase_internal.h"
#include "prompt_internal.h"

namespace grantfs {
namespace {

Error NobodyToAsk() {
  return {Code::kDenied,
          "the key is under a passphrase, and there is no terminal to ask at: give --passphrase-file FILE "
          "(0600; of a "
          "service: LoadCredential=passphrase:FILE and --passphrase-file %d/passphrase)"};
}

}  // namespace

// The process may change its directory before it is asked.
PassphraseOfHome::PassphraseOfHome(Context& context)
    : context_(context), file_(context.arguments.Text("passphrase-file")) {
  std::error_code failed;
  if (!file_.empty()) file_ = std::filesystem::absolute(file_, failed).string();
  Home::AskPassphraseBy([this] { return Ask(); });
}

PassphraseOfHome::~PassphraseOfHome() { Home::AskPassphraseBy({}); }

Result<SecretMemory> PassphraseOfHome::Ask() {
  if (!file_.empty()) return ReadKeyFile(file_.c_str(), kMaxPassphraseBytes + 1);
  if (typed_) return ReadSealedMemory(typed_->get(), kMaxPassphraseBytes);
  if (!context_.terminal.InIsTerminal()) return NobodyToAsk();
  SecretMemory typed = GRANTFS_TRY(PromptForSecret(context_.terminal, "passphrase of this home's key"));
  if (typed.size() == 0 || typed.size() > kMaxPassphraseBytes)
    return Error{Code::kDenied, "this is not the passphrase of the key: nothing was changed; try again"};
  typed_ = GRANTFS_TRY(SealedMemory(typed));
  return typed;
}

Status AskPassphraseNow(const std::string& directory) {
  const auto home = Home::OpenAny(directory);
  if (!home) return {};  // said where it is used
  const auto is_protected = home->IsKeyProtected();
  if (!is_protected || !*is_protected) return {};
  GRANTFS_TRY(home->LoadSeed());
  return {};
}

Result<SecretMemory> NewPassphrase(Context& context, const std::string& file) {
  SecretMemory made;
  if (!file.empty()) {
    made = GRANTFS_TRY(ReadKeyFile(file.c_str(), kMaxPassphraseBytes + 1));
  } else {
    if (!context.terminal.InIsTerminal())
      return Error{Code::kDenied, "there is no terminal to ask at: give --new-passphrase-file FILE"};
    made = GRANTFS_TRY(PromptForSecret(context.terminal, "new passphrase"));
    const SecretMemory again = GRANTFS_TRY(PromptForSecret(context.terminal, "the same again"));
    if (!made.Equals(again)) return Error{Code::kInvalid, "the two lines differ; nothing was changed"};
  }
  if (made.size() >= kMinPassphraseBytes && made.size() <= kMaxPassphraseBytes) return made;
  return Error{Code::kInvalid, "a passphrase has 8 to 1024 bytes; nothing was changed"};
}

}  // namespace grantfs
