#include "commands_internal.h"
#include "grantfs/server/server.h"
#include "notify_internal.h"
#include "secret_io_internal.h"
#include "serve_addresses_internal.h"

namespace grantfs {
namespace {

Json ToJson(const Server& server, const std::string& claim_file) {
  Json ports = Json::Array();
  for (const std::uint16_t port : server.Ports()) ports.Append(std::uint32_t{port});
  return Json::Object({{"address", server.address().Text()},
                       {"ports", std::move(ports)},
                       {"pin", server.Pin().Hex()},
                       {"claimed", server.Claimed()},
                       {"claim_file", server.Claimed() ? Json() : Json(claim_file)}});
}

void OutReady(Context& context, const Server& server, bool claim_is_shown) {
  const std::string claim_file = context.data + "/" + kClaimFile;
  if (context.json()) {
    context.terminal.OutJson(ToJson(server, claim_file));
    return;
  }
  const std::string address = server.address().Text();
  context.terminal.Note("serving the vault in " + context.data + " at " + address);
  if (server.Claimed()) return;
  context.terminal.Note(
      claim_is_shown ? "next: run grantfs init on your own computer and paste the claim above"
                     : "next: run grantfs init on your own computer with the claim that is in " + claim_file);
}

void ShowClaim(Terminal& terminal, const SecretMemory& line) {
  terminal.Note("this vault belongs to nobody yet; whoever has the claim below makes it theirs, once:");
  OutSecretLine(terminal, line);
}

Status Run(Context& context) {
  const Arguments& arguments = context.arguments;
  ServeOptions options;
  const auto chosen =
      GRANTFS_TRY(ChooseServeAddresses(arguments.Many("name"), arguments.Many("listen"), HasIpv6()));
  options.data = context.data;
  options.names = chosen.names;
  options.listen = chosen.listen;
  options.version = GRANTFS_VERSION;
  const bool show_claim = context.terminal.OutIsTerminal() && !context.json();
  if (show_claim)
    options.show_claim = [&context](const SecretMemory& line) { ShowClaim(context.terminal, line); };
  const Status status = RunServer(options, [&context, show_claim](const Server& server) {
    OutReady(context, server, show_claim);
    NotifyManager("READY=1");
  });
  NotifyManager("STOPPING=1");
  return status;
}

}  // namespace

const Command kServeCommand = {
    .name = "serve",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "run a vault",
    .about =
        "Serves a vault until it is told to stop (SIGTERM, Ctrl-C). On an empty data directory it makes a "
        "new vault and a"
        " one-use claim, with which grantfs init on your own computer makes the vault yours; the claim is "
        "shown on a"
        " terminal, else it goes to the file claim in the data directory (0600). There is nothing to unseal: "
        "a restart"
        " needs nobody.",
    .options = {{"name", "HOST[:PORT]",
                 "what clients call this vault; requests for other names are refused (default: localhost; "
                 "the port: that of"
                 " the first --listen, else 7843)",
                 true},
                {"listen", "ADDRESS[:PORT]",
                 "where to listen (default: the first name's port, on all addresses of this host; on "
                 "loopback alone where"
                 " every name is localhost)",
                 true}},
    .examples = {{"sudo grantfs serve --name vault.lan",
                  "this vault belongs to nobody yet; whoever has the claim below makes it theirs, "
                  "once:\ngrantfs-claim-1."
                  "AAAD...\nserving the vault in /var/lib/grantfs at vault.lan:7843"},
                 {"grantfs serve --data /tmp/trial",
                  "(a vault for a trial, on this host alone: localhost:7843)"},
                 {"cat /etc/grantfs/grantfs.conf",
                  "[serve]\nname = vault.lan\nname = 10.0.0.5\nlisten = 10.0.0.5"},
                 {"sudo systemctl enable --now grantfs-vault", "(reads that file)"}},
    .next = "grantfs init on your own computer.",
    .failure = "the vault does not run",
    .run = Run,
    .uses_data = true,
    .system_config = true,
    .log = LogLevel::kInfo,
};

}  // namespace grantfs
