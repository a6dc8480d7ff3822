#include "commands_internal.h"
#include "owner_internal.h"
#include "tls_words_internal.h"

namespace grantfs {
namespace {

Status MakeFresh(Context& context, OwnerSession& session) {
  if (context.arguments.Has("pin"))
    return Error{Code::kInvalid, "signs nothing: read the key that it makes with grantfs tls pin first", 0,
                 "--fresh"};
  const TlsKeys keys = GRANTFS_TRY(session.MakeTlsKey());
  OutTlsKeys(context, keys);
  context.terminal.Note(
      "nothing was signed; on the vault's host run grantfs tls pin, then here: grantfs tls next --pin PIN");
  return {};
}

Status RunTlsNextCommand(Context& context) {
  std::optional<Hash> expected;
  if (context.arguments.Has("pin")) expected = GRANTFS_TRY(ParsePin(context.arguments.Text("pin")));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  if (context.arguments.Flag("fresh")) return MakeFresh(context, *session);
  OutTlsKeys(context, GRANTFS_TRY(session->AnnounceTlsKey(expected, context.arguments.Text("reason"))));
  context.terminal.Note(
      "clients accept both from now on; when the machines have been heard: grantfs tls switch");
  return {};
}

}  // namespace

const Command kTlsNextCommand = {
    .name = "tls next",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "announce the server's next TLS key to all clients",
    .about =
        R"(Has the server make its next TLS key, unless it has one, and signs into the vault's list that clients
accept it beside the current one. The server goes on showing the current one until grantfs tls switch. Whoever has the
current key (a stolen backup) could answer in the server's place: then use --fresh, read the key on the vault's host
(grantfs tls pin), and give it with --pin. For owners of the vault.)",
    .options = {{"pin", "PIN", "sign only this key: what grantfs tls pin prints on the vault's host"},
                {"fresh", "",
                 "have another key made in place of one that was not announced, and sign nothing yet"},
                {"reason", "TEXT", "why; it stands in the signed statement"}},
    .examples = {{"grantfs tls next", R"(CLIENTS  PIN       SINCE                 SERVER
current  9c1e...   2026-11-21T13:13:04Z  shown
next     4b07...   2027-11-20T09:00:00Z  ready)"},
                 {"grantfs tls next --fresh", "(a backup was stolen: another key, which it does not hold)"},
                 {"grantfs tls next --pin 4b07c6b3a1d2e4f50617283940a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3",
                  "(and nothing but that key)"}},
    .next = "grantfs tls switch, once the machines have been heard.",
    .failure = "there is no next key",
    .run = RunTlsNextCommand,
};

}  // namespace grantfs
