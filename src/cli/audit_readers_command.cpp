#include "audit_purged_internal.h"
#include "commands_internal.h"
#include "grantfs/trust/names.h"
#include "owner_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Json ToJson(const SecretReader& reader, const ReadersReport& report) {
  Json json = Json::Object({{"who", reader.who}, {"id", reader.id}});
  json.Set("uid", reader.process ? Json(reader.uid) : Json()).Set("executable", reader.executable);
  json.Set("version", reader.version).Set("current", reader.current);
  const bool known = reader.granted || !reader.by.empty() || report.unseen.empty();
  json.Set("granted", known ? Json(reader.granted) : Json()).Set("by", reader.by);
  json.Set("last", reader.time).Set("record", reader.version == 0 ? Json() : Json(reader.record));
  return json.Set("reads", reader.count);
}

std::string CurrentCell(const SecretReader& reader, const ReadersReport& report) {
  if (reader.current) return "yes";
  if (!reader.granted && !reader.by.empty()) return "no";  // a person: nothing that picks a version up
  if (!reader.granted && !report.unseen.empty()) return "no, and may not read it any more, or by a group";
  return reader.granted ? "not yet" : "no, and may not read it any more";
}

void OutReaders(Terminal& terminal, const ReadersReport& report) {
  Table table({"WHO", "BY", "PROGRAM", "UID", "VERSION", "CURRENT", "LAST READ", "READS", "RECORD"});
  std::size_t behind = 0;
  for (const SecretReader& reader : report.readers) {
    const bool read = reader.version != 0;
    if (reader.granted && !reader.current) ++behind;
    table.Add({reader.who, reader.by, reader.executable, reader.process ? std::to_string(reader.uid) : "",
               read ? std::to_string(reader.version) : "", CurrentCell(reader, report), TimeCell(reader.time),
               read ? std::to_string(reader.count) : "never", read ? std::to_string(reader.record) : ""});
  }
  if (!table.empty()) terminal.Out(table.Text());
  if (!report.unseen.empty())
    terminal.Note(
        "the machines of " + JoinWords(report.unseen) +
        " may read it too; owners of the environment alone see which, so those that have not read it are "
        "missing here");
  if (report.readers.empty() && report.unseen.empty())
    terminal.Note("nobody has read it, and no machine may");
  else if (report.version == 0)
    terminal.Note("it has no version yet");
  else if (behind == 0 && report.unseen.empty())
    terminal.Note("all that may read it read version " + std::to_string(report.version) + " last");
  else if (behind > 0)
    terminal.Note(std::to_string(behind) + (behind == 1 ? " has" : " have") + " not read version " +
                  std::to_string(report.version) + " yet");
}

Status RunAuditReadersCommand(Context& context) {
  const SecretName name = GRANTFS_TRY(ParseSecretName(context.arguments.At(0)));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const ReadersReport report = GRANTFS_TRY(session->ReadersOf(name));
  const auto purges = PurgesWithin(GRANTFS_TRY(session->AuditPurges()), AuditFilter());
  if (!context.json()) {
    OutReaders(context.terminal, report);
    NotePurges(context.terminal, purges, "reads among them are not counted");
    return {};
  }
  Json readers = Json::Array();
  for (const SecretReader& reader : report.readers) readers.Append(ToJson(reader, report));
  context.terminal.OutJson(
      Json::Object({{"secret", name.Full()},
                    {"version", report.version},
                    {"readers", std::move(readers)},
                    {"groups_unseen", Json::Array({report.unseen.begin(), report.unseen.end()})},
                    {"purged", PurgesJson(purges)}}));
  return {};
}

}  // namespace

const Command kAuditReadersCommand = {
    .name = "audit readers",
    .arguments = "NAME",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "show who has read which version of a secret last",
    .about =
        R"(Shows by the audit log which programs on which machines (and which persons) have read the secret, which
version each read last, when, and how often; reads under leases count from when they were told. A machine that may
read it and has not stands there too, whether by a grant of its own or by that of a group or prefix, which BY names.
So one sees whether a rotation has been picked up everywhere. Which machines are in a group its environment's owners
alone see: others are told of which groups that is.)",
    .options = {},
    .examples =
        {{"grantfs audit readers shop/prod/db-password",
          R"(WHO    BY    PROGRAM          UID  VERSION  CURRENT  LAST READ             READS  RECORD
web-1  -     /usr/sbin/nginx  33   3        yes      2026-01-31T12:00:00Z  12     41
web-2  @web  /usr/sbin/nginx  33   2        not yet  2026-01-30T09:00:00Z  7      17
web-3  @web  -                -    -        not yet  -                     never  -
2 have not read version 3 yet)"},
         {"grantfs audit readers shop/prod/db-password --json",
          R"({"secret": "shop/prod/db-password", "version": 3, "readers": [{"who": "web-1", "current": true, ...}]})"}},
    .next = "grantfs audit list --object NAME shows the records.",
    .failure = "who has read it is not known",
    .run = RunAuditReadersCommand,
};

}  // namespace grantfs
