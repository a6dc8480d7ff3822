#include "commands_internal.h"
#include "grantfs/client/tls.h"
#include "tls_words_internal.h"

namespace grantfs {
namespace {

Status RunTlsTrustCommand(Context& context) {
  const Hash pin = GRANTFS_TRY(ParsePin(context.arguments.At(0)));
  const auto pins = GRANTFS_TRY(TrustKey(context.home, pin, context.Client()));
  if (context.json()) {
    Json json = Json::Array();
    for (const Hash& one : pins) json.Append(one.Hex());
    context.terminal.OutJson(Json::Object({{"pins", std::move(json)}}));
    return {};
  }
  context.terminal.OutLine(
      "the vault's list, which goes on from what this home has seen, names this key: it is used from now on");
  context.terminal.Note("a mount of this home learns it when it is started again");
  return {};
}

}  // namespace

const Command kTlsTrustCommand = {
    .name = "tls trust",
    .arguments = "PIN",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "find the server again after its TLS key changed",
    .about =
        R"(For a machine or person that was away while the server's key was replaced, and now refuses the new one.
Asks who shows the key PIN for the vault's list and takes it only if that is signed, goes on from what this home has
verified, and names PIN. So a wrong PIN does no harm but to be refused. An owner of the vault reads PIN with grantfs
tls show.)",
    .options = {},
    .examples = {{"grantfs tls trust 4b07c6b3a1d2e4f50617283940a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3",
                  "the vault's list, which goes on from what this home has seen, names this key: it is used "
                  "from now on"},
                 {"grantfs tls trust --json 4b07c6b3a1d2e4f50617283940a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3",
                  R"({"pins": ["4b07..."]})"}},
    .next = "start the mount again: systemctl restart grantfs-mount.",
    .failure = "the key is not trusted",
    .run = RunTlsTrustCommand,
};

}  // namespace grantfs
