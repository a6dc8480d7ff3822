#include "commands_internal.h"
#include "grantfs/client/home.h"
#include "passphrase_internal.h"

namespace grantfs {
namespace {

Status RunKeyProtectCommand(Context& context) {
  const Home home = GRANTFS_TRY(Home::OpenAny(context.home));
  const bool changes = GRANTFS_TRY(home.IsKeyProtected());
  if (!changes && context.arguments.IsTyped("passphrase-file"))
    return Error{
        Code::kInvalid,
        "names the passphrase that a key is under, and this one is under none: the new one comes with "
        "--new-passphrase-file",
        0, "--passphrase-file"};
  // The old one first: nobody thinks of a new one and is then refused.
  GRANTFS_TRY(home.LoadSeed());
  const SecretMemory passphrase =
      GRANTFS_TRY(NewPassphrase(context, context.arguments.Text("new-passphrase-file")));
  GRANTFS_CHECK(home.Protect(passphrase));
  if (context.json()) {
    context.terminal.OutJson(
        Json::Object({{"home", context.home}, {"protected", true}, {"changed", changes}}));
    return {};
  }
  context.terminal.OutLine(changes ? "the key of " + context.home + " is under the new passphrase"
                                   : "the key of " + context.home + " is under the passphrase");
  context.terminal.Note(
      "nobody can recover it without: keep the passphrase apart. Copies of the home that were made before "
      "are as they were");
  return {};
}

}  // namespace

const Command kKeyProtectCommand = {
    .name = "key protect",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "put this home's key under a passphrase",
    .about =
        R"(Encrypts the seed of this home under a passphrase (Argon2id, 128 MiB). From then on every command of this
home that needs the key asks for it, or takes it from --passphrase-file. Where nobody can type, as for a machine's
mount, a file of root's or a systemd credential holds it: then it protects copies and backups of the home, not the
machine that is running. The file is replaced in one step; a wrong passphrase changes nothing.)",
    .options = {{"new-passphrase-file", "FILE",
                 "the new passphrase, in a file of yours (0600) instead of typed twice"}},
    .examples = {{"grantfs key protect", R"(new passphrase (not shown):
the same again (not shown):
the key of /etc/grantfs is under the passphrase)"},
                 {"sudo grantfs key protect --new-passphrase-file /root/passphrase",
                  "the key of /etc/grantfs is under the passphrase"},
                 {"cat /etc/systemd/system/grantfs-mount.service.d/passphrase.conf",
                  R"([Service]
LoadCredential=passphrase:/root/passphrase
ExecStart=
ExecStart=/usr/local/bin/grantfs mount --foreground --passphrase-file %d/passphrase)"}},
    .next = "grantfs doctor, which says whether the key is under one.",
    .failure = "the key is as it was",
    .run = RunKeyProtectCommand,
};

}  // namespace grantfs
