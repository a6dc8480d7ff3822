#include "commands_internal.h"
#include "listing_internal.h"
#include "owner_internal.h"
#include "table_internal.h"

namespace grantfs {

Json ToJson(const VersionInfo& info) {
  Json labels = Json::Array();
  for (const std::string& label : info.labels) labels.Append(label);
  return Json::Object({{"version", info.version},
                       {"labels", std::move(labels)},
                       {"size", info.size},
                       {"time", info.time},
                       {"signer", info.signer},
                       {"reason", info.reason},
                       {"statement", info.statement},
                       {"expires", info.expires},
                       {"destroyed", info.destroyed}});
}

Table HistoryTable(const std::vector<VersionInfo>& versions) {
  Table table({"VERSION", "LABELS", "BYTES", "SET", "BY", "REASON"});
  for (const VersionInfo& info : versions)
    table.Add({std::to_string(info.version), info.destroyed ? "(destroyed)" : JoinWords(info.labels),
               std::to_string(info.size), TimeCell(info.time), info.signer, info.reason});
  return table;
}

namespace {

Status OutEvents(Context& context, const SecretName& name, const std::vector<SecretEvent>& events) {
  if (context.json()) {
    Json list = Json::Array();
    for (const SecretEvent& event : events)
      list.Append(Json::Object({{"sequence", event.sequence},
                                {"time", event.time},
                                {"signer", event.signer},
                                {"action", event.action},
                                {"about", event.about},
                                {"reason", event.reason},
                                {"voided", event.voided}}));
    context.terminal.OutJson(Json::Object({{"name", name.Full()}, {"events", std::move(list)}}));
    return {};
  }
  Table table({"STATEMENT", "SIGNED", "BY", "DID", "WHAT", "REASON"});
  for (const SecretEvent& event : events)
    table.Add({std::to_string(event.sequence), TimeCell(event.time), event.signer,
               event.action + (event.voided ? " (voided)" : ""), event.about, event.reason});
  context.terminal.Out(table.Text());
  return {};
}

Status RunSecretHistoryCommand(Context& context) {
  const SecretName name = GRANTFS_TRY(ParseSecretName(context.arguments.At(0)));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  if (context.arguments.Flag("all"))
    return OutEvents(context, name, GRANTFS_TRY(session->SecretEvents(name)));
  const auto versions = GRANTFS_TRY(session->SecretHistory(name));
  if (context.json()) {
    Json list = Json::Array();
    for (const VersionInfo& info : versions) list.Append(ToJson(info));
    context.terminal.OutJson(Json::Object({{"name", name.Full()}, {"versions", std::move(list)}}));
    return {};
  }
  const Table table = HistoryTable(versions);
  if (table.empty())
    context.terminal.Note(name.Full() + " has no version yet; grantfs secret set " + name.Full());
  else
    context.terminal.Out(table.Text());
  return {};
}

}  // namespace

const Command kSecretHistoryCommand = {
    .name = "secret history",
    .arguments = "PROJECT/ENVIRONMENT/NAME",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "list a secret's versions",
    .about =
        R"(Lists all versions of a secret, the newest first: when each was set, by whom and why, and which labels
point at it. Versions are immutable; none is ever replaced, and of one that was destroyed this line is left.)",
    .options = {{"all", "", "every signed statement: also grants, labels that moved, deletions"}},
    .examples = {{"grantfs secret history shop/prod/db-password",
                  R"(VERSION  LABELS    BYTES  SET                   BY   REASON
2        current   28     2026-01-31T12:00:00Z  ada  web-1 was removed
1        previous  12     2026-01-02T09:30:00Z  ada  -)"},
                 {"grantfs secret history --all shop/prod/db-password",
                  R"(STATEMENT  SIGNED                BY   DID              WHAT                  REASON
3          2026-02-01T08:00:00Z  ada  label.move       version 1 is current  the new one was refused
...)"},
                 {"grantfs secret history --json shop/prod/db-password",
                  "{\"name\": \"shop/prod/db-password\", \"versions\": [{\"version\": 2, ...}]}"}},
    .next = "grantfs secret get --version 1 shop/prod/db-password",
    .failure = "the history is not known",
    .run = RunSecretHistoryCommand,
};

}  // namespace grantfs
