#include "commands_internal.h"
#include "owner_internal.h"
#include "tls_words_internal.h"

namespace grantfs {
namespace {

Status RunTlsShowCommand(Context& context) {
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const TlsKeys keys = GRANTFS_TRY(session->ShowTlsKeys());
  OutTlsKeys(context, keys);
  if (keys.shown != keys.listed.front().pin)
    context.terminal.Note(
        "the server does not show the current key of the list: finish with grantfs tls switch; after a "
        "restored "
        "backup, grantfs tls next and switch make both one again");
  return {};
}

}  // namespace

const Command kTlsShowCommand = {
    .name = "tls show",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "show the TLS keys of the lists and of the server",
    .about =
        R"(Shows the pins (SHA-256 of the public key) that the vault's signed list names, since when, and which of
them the server shows or has ready. For owners of the vault; the server's own word about its keys is also printed by
grantfs tls pin on its host.)",
    .options = {},
    .examples = {{"grantfs tls show", R"(CLIENTS  PIN       SINCE                 SERVER
current  9c1e...   2026-11-21T13:13:04Z  shown
next     4b07...   2027-11-20T09:00:00Z  ready)"},
                 {"grantfs tls show --json",
                  R"({"listed": [{"pin": "9c1e...", "since": 1795267984}], "shown": "9c1e..."})"}},
    .next = "grantfs tls next, to replace the key.",
    .failure = "the keys are not shown",
    .run = RunTlsShowCommand,
};

}  // namespace grantfs
