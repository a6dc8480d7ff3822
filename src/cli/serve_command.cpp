#include "commands_internal.h"
#include "grantfs/server/server.h"
#include "grantfs/util/file.h"
#include "listen_addresses_internal.h"
#include "notify_internal.h"

namespace grantfs {
namespace {

std::string ClaimFile(const Context& context) { return context.data + "/" + kClaimFile; }

void OutReady(Context& context, const std::vector<Address>& addresses) {
  const bool claim_waits = PathExists(ClaimFile(context));
  Json listening = Json::Array();
  for (const Address& address : addresses) listening.Append(address.Text());
  context.terminal.OutJson(Json::Object({{"listening", std::move(listening)},
                                         {"data", context.data},
                                         {"claim_file", claim_waits ? Json(ClaimFile(context)) : Json()}}));
}

Result<AuditKeep> KeepAudit(const std::string& text) {
  auto keep = ParseAuditKeep(text);
  if (keep) return keep;
  return Error{Code::kInvalid, keep.error().where, 0, "--keep-audit " + keep.error().subject};
}

Status RunServeCommand(Context& context) {
  const Arguments& arguments = context.arguments;
  ServeOptions options;
  options.data_directory = context.data;
  options.names = arguments.Many("name");
  options.listen = GRANTFS_TRY(ChooseListenAddresses(options.names, arguments.Many("listen"), HasIpv6()));
  if (arguments.Has("metrics")) options.metrics = GRANTFS_TRY(ParseListenAddress(arguments.Text("metrics")));
  if (arguments.Has("keep-audit")) options.keep_audit = GRANTFS_TRY(KeepAudit(arguments.Text("keep-audit")));
  options.version = GRANTFS_VERSION;
  options.alerts = {arguments.Text("alert-webhook"), arguments.Text("alert-webhook-key-file"),
                    arguments.Text("alert-webhook-ca"), arguments.Text("alert-command"),
                    arguments.Text("alert-syslog")};
  options.claim_on_terminal = !context.json();
  // To a person as sentences; to a service's log as lines of it, with their times.
  if (context.terminal.ErrIsTerminal())
    options.say = [&context](std::string_view sentence) { context.terminal.Note(sentence); };
  options.ready = [&context](const std::vector<Address>& addresses) {
    if (context.json()) OutReady(context, addresses);
    NotifyManager("READY=1");
  };
  const Status status = RunServer(std::move(options));
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
        R"(Serves a vault until it is told to stop (SIGTERM, Ctrl-C). On an empty data directory it makes a new
vault and a one-use claim, with which grantfs init on your own computer makes the vault yours; the claim
is shown on a terminal, else it goes to the file claim in the data directory (0600). There is nothing to
unseal: a restart needs nobody.)",
    .options =
        {{"name", "HOST[:PORT]",
          R"(what clients call this vault; requests for other names are refused (default: the address that it listens
at; the port: that of the first --listen, else 7843))",
          true},
         {"listen", "ADDRESS[:PORT]",
          R"(where to listen (default: the first name's port, on all addresses of this host; on loopback alone where
no name is given or every one is localhost))",
          true},
         {"alert-webhook", "URL",
          "where critical records are posted: https://HOST[:PORT]/PATH, or http:// on loopback"},
         {"alert-webhook-key-file", "FILE",
          R"(the key that the posts are signed with, 16 to 1024 bytes, readable by the vault's user alone (HMAC-SHA-256;
header Grantfs-Signature))"},
         {"alert-webhook-ca", "FILE", "the authorities that vouch for it, in PEM (default: the system's)"},
         {"alert-command", "PATH",
          "a program that is run for them, without a shell, with JSON on its standard input"},
         {"alert-syslog", "SOCKET", "the system's log that they are sent to: /dev/log"},
         {"keep-audit", "SEVERITY=TIME,...",
          R"(for how long the bodies of audit records are kept, by severity (info, notice, warning): 1d or longer. Each purge
is a critical record; headers and hashes stay, so that the log is proved as before. Critical records, and what is not
named, are kept for ever (default: everything))"},
         {"metrics", "ADDRESS:PORT",
          "where Prometheus may ask for GET /metrics: numbers alone, without TLS, so on loopback only "
          "(default: nowhere)"}},
    .examples = {{"sudo grantfs serve --name vault.lan",
                  R"(The vault is new. On the owner's computer run 'grantfs init' and paste:
grantfs-claim-1.AAAD...
listening on 0.0.0.0:7843)"},
                 {"grantfs serve --data /tmp/trial",
                  "(a vault for a trial, on this host alone: localhost:7843)"},
                 {"cat /etc/grantfs/grantfs.conf",
                  R"([serve]
name = vault.lan
name = 10.0.0.5
listen = 10.0.0.5
keep-audit = info=90d,notice=1y)"},
                 {"sudo systemctl enable --now grantfs-vault", "(reads that file)"}},
    .next = "grantfs init on your own computer.",
    .failure = "the vault does not run",
    .run = RunServeCommand,
    .uses_data = true,
    .system_config = true,
    .log = LogLevel::kInfo,
};

}  // namespace grantfs
