#include "commands_internal.h"
#include "grantfs/net/tls_identity.h"
#include "grantfs/store/server_keys.h"

namespace grantfs {
namespace {

Status RunTlsPinCommand(Context& context) {
  const StoredCertificates found = GRANTFS_TRY(ReadCertificates(context.data));
  const Hash current = GRANTFS_TRY(PinOf(found.current));
  std::optional<Hash> next;
  if (!found.next.empty()) next = GRANTFS_TRY(PinOf(found.next));
  if (context.json()) {
    context.terminal.OutJson(
        Json::Object({{"current", current.Hex()}, {"next", next ? Json(next->Hex()) : Json()}}));
    return {};
  }
  context.terminal.OutLine("current " + current.Hex());
  if (next) context.terminal.OutLine("next    " + next->Hex());
  return {};
}

}  // namespace

const Command kTlsPinCommand = {
    .name = "tls pin",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "on the vault's host: print its TLS keys' pins",
    .about =
        R"(Reads the server's TLS keys in the vault's directory, while it is served or not, and prints their pins: what
clients compare, and what an owner gives to grantfs tls next --pin where the network cannot be believed.)",
    .options = {},
    .examples = {{"sudo -u grantfs-vault grantfs tls pin", R"(current 9c1e...
next    4b07...)"},
                 {"grantfs tls pin --data /srv/vault --json", R"({"current": "9c1e...", "next": null})"}},
    .next = "grantfs tls next --pin PIN, on an owner's computer.",
    .failure = "the pins are not known",
    .run = RunTlsPinCommand,
    .uses_data = true,
    .system_config = true,
};

}  // namespace grantfs
