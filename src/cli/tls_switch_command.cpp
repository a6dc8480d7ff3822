#include "commands_internal.h"
#include "owner_internal.h"
#include "tls_words_internal.h"

namespace grantfs {
namespace {

Status RunTlsSwitchCommand(Context& context) {
  const auto session = GRANTFS_TRY(OpenOwner(context));
  OutTlsKeys(context, GRANTFS_TRY(session->SwitchTlsKey(context.arguments.Flag("force"),
                                                        context.arguments.Text("reason"))));
  context.terminal.Note(
      "invitations that were made before name the old key: make them anew (grantfs invitation list)");
  return {};
}

}  // namespace

const Command kTlsSwitchCommand = {
    .name = "tls switch",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "end the old TLS key: the server shows the next",
    .about =
        R"(The server shows the announced key on every new connection, and destroys the one before; the vault's list
then names the new one alone. Open connections and mounts go on. Refused while a machine has not been heard since the key
was announced: it would not know the server any more, until somebody runs grantfs tls trust there. Run again, it
finishes what was interrupted. For owners of the vault.)",
    .options = {{"force", "", "though machines have not been heard since"},
                {"reason", "TEXT", "why; it stands in the signed statement"}},
    .examples = {{"grantfs tls switch", R"(CLIENTS  PIN       SINCE                 SERVER
current  4b07...   2027-11-20T09:00:00Z  shown)"},
                 {"grantfs tls switch --force --reason 'a backup was stolen'",
                  "(at once; machines that were away need grantfs tls trust)"}},
    .next = "grantfs doctor on a machine that was away.",
    .failure = "the key is not replaced",
    .run = RunTlsSwitchCommand,
};

}  // namespace grantfs
