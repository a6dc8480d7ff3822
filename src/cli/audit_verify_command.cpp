#include "commands_internal.h"
#include "grantfs/client/home.h"
#include "owner_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Result<AuditVerdict> Verify(Context& context) {
  const std::string database = context.arguments.Text("database");
  if (!database.empty()) return VerifyAuditCopy(database, Home::Exists(context.home) ? context.home : "");
  const auto session = GRANTFS_TRY(OpenOwner(context));
  return session->VerifyAudit();
}

Json ToJson(const AuditVerdict& verdict) {
  return Json::Object({{"good", verdict.good},
                       {"authenticated", verdict.authenticated},
                       {"records", verdict.size},
                       {"root", verdict.root.Hex()},
                       {"bodies", verdict.bodies},
                       {"purged", verdict.purged},
                       {"bad_record", verdict.bad ? Json(*verdict.bad) : Json()},
                       {"what", verdict.what}});
}

void OutVerdict(Terminal& terminal, const AuditVerdict& verdict) {
  terminal.OutLine(
      "good: " + Count(verdict.size, "record") + ", " + std::to_string(verdict.bodies) +
      (verdict.bodies == 1 ? " body" : " bodies") +
      (verdict.purged == 0 ? "" : ", " + std::to_string(verdict.purged) + " purged by retention") +
      ", root " + verdict.root.Hex());
  if (verdict.authenticated)
    terminal.OutLine("authenticated: signed with the log's key that this home's verified lists name");
  else
    terminal.OutLine("consistent, not authenticated: no home says which key the log must be signed with");
}

Status RunAuditVerifyCommand(Context& context) {
  const AuditVerdict verdict = GRANTFS_TRY(Verify(context));
  if (context.json())
    context.terminal.OutJson(ToJson(verdict));
  else if (verdict.good)
    OutVerdict(context.terminal, verdict);
  if (verdict.good) return {};
  const std::string where = verdict.bad ? "record " + std::to_string(*verdict.bad) : "the checkpoint";
  return Error{Code::kIntegrity,
               "the log is not what was written; keep a copy of the vault's database as evidence", 0,
               where + ": " + verdict.what};
}

}  // namespace

const Command kAuditVerifyCommand = {
    .name = "audit verify",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "prove that the audit log is whole",
    .about =
        R"(Reads the whole audit log, recomputes its Merkle tree, and compares it with the signed checkpoint and
with the one that this home remembers from the last time. A record that was changed, taken away or put
in is named (exit code 7). A body may be missing where a purge that the log itself tells of, by a rule of
serve --keep-audit, took it; any other that is missing in a database is found, and one that was taken
away before a purge would have taken it as well.)",
    .options = {{"database", "FILE", "verify this copy of a vault's database, without asking the vault"}},
    .examples = {{"grantfs audit verify",
                  R"(good: 41 records, 41 bodies, root 9c2f...
authenticated: signed with the log's key that this home's verified lists name)"},
                 {"grantfs audit verify --database /srv/backup/vault.db",
                  "good: 40 records, 40 bodies, root 77aa..."},
                 {"grantfs audit verify --json",
                  "{\"good\": true, \"authenticated\": true, \"records\": 41, ...}"}},
    .next = "run it from time to time, so that the home remembers a late checkpoint.",
    .failure = "the audit log was not verified",
    .run = RunAuditVerifyCommand,
};

}  // namespace grantfs
