#include "commands_internal.h"
#include "owner_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Json ToJson(const OffboardResult& result, bool dry_run) {
  Json memberships = Json::Array();
  for (const LeaverMembership& one : result.memberships)
    memberships.Append(Json::Object({{"environment", one.environment},
                                     {"role", RoleName(one.role)},
                                     {"prefix", one.prefix},
                                     {"mine", one.mine},
                                     {"present", one.present}}));
  Json due = Json::Array();
  for (const DueSecret& one : result.due)
    due.Append(Json::Object({{"secret", one.name.Full()},
                             {"version", one.version},
                             {"set_by_leaver", one.set_by_leaver},
                             {"last_read", one.last_read}}));
  return Json::Object({{"name", result.name},
                       {"kind", IdentityKindName(result.kind)},
                       {"id", result.id},
                       {"dry_run", dry_run},
                       {"vault_owner", result.vault_owner},
                       {"removed_from_vault", result.removed_from_vault},
                       {"memberships", std::move(memberships)},
                       {"unseen", Json::Array({result.unseen.begin(), result.unseen.end()})},
                       {"due", std::move(due)},
                       {"reads_known", result.reads_known},
                       {"problems", Json::Array({result.problems.begin(), result.problems.end()})}});
}

const char* StandingOf(const LeaverMembership& one, bool dry_run) {
  if (!one.present) return "ended";
  if (!one.mine) return "one of its owners has to end it";
  return dry_run ? "would be ended" : "not ended";
}

void OutDue(Terminal& terminal, const OffboardResult& result) {
  if (result.due.empty()) return terminal.Note(result.name + " knows no current value of your environments");
  Table table({"SET ANEW", "VERSION", "WHY", "READ LAST"});
  for (const DueSecret& one : result.due)
    table.Add({one.name.Full(), std::to_string(one.version),
               one.set_by_leaver ? "has set it" : "could read it", TimeCell(one.last_read)});
  terminal.Out(table.Text());
  if (!result.reads_known)
    terminal.Note("the audit log could not be asked: that nothing stands under READ LAST means nothing");
}

void OutResult(Terminal& terminal, const OffboardResult& result, bool dry_run) {
  const bool vault = result.removed_from_vault;
  terminal.OutLine(result.name + ", " + IdentityKindName(result.kind) + " " + result.fingerprint +
                   (result.vault_owner ? ", owner of the vault: " : ": ") +
                   (vault     ? "removed from the vault"
                    : dry_run ? "nothing is changed"
                              : "still in the vault"));
  Table table({"ENVIRONMENT", "ROLE", "ONLY BELOW", "STANDING"});
  for (const LeaverMembership& one : result.memberships)
    table.Add({one.environment, RoleName(one.role), one.prefix, StandingOf(one, dry_run)});
  if (!table.empty()) terminal.Out(table.Text());
  OutDue(terminal, result);
  std::vector<std::string> others;  // whose secrets it does not tell of
  for (const LeaverMembership& one : result.memberships)
    if (!one.mine) others.push_back(one.environment);
  if (!others.empty())
    terminal.Note("what is to be set anew in " + JoinFirstWords(others) +
                  " owners there see: grantfs offboard " + result.name + " --dry-run");
  if (!vault && !dry_run)
    terminal.Note("an owner of the vault has yet to run: grantfs offboard " + result.name);
  if (!result.unseen.empty())
    terminal.Note("whether " + result.name + " is a member of " + JoinFirstWords(result.unseen) +
                  " is not yours to see: ask the owners there");
  for (const std::string& problem : result.problems) terminal.Note("not done: " + problem);
}

Status RunOffboardCommand(Context& context) {
  const bool dry_run = context.arguments.Flag("dry-run");
  const auto session = GRANTFS_TRY(dry_run ? OpenOwner(context) : OpenOwnerToRevoke(context));
  const OffboardResult result =
      GRANTFS_TRY(session->Offboard(context.arguments.At(0), context.arguments.Text("reason"), dry_run));
  if (context.json())
    context.terminal.OutJson(ToJson(result, dry_run));
  else
    OutResult(context.terminal, result, dry_run);
  if (result.problems.empty()) return {};
  return Error{Code::kIo, "not everything was done; run the same again", 0, result.name};
}

}  // namespace

const Command kOffboardCommand = {
    .name = "offboard",
    .arguments = "NAME",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "end all that a person or agent is, say what to rotate",
    .about =
        R"(For one who leaves. By an owner of the vault it ends the key at once everywhere; then it ends every
membership in the environments that you own, with vouches for what the leaver signed, so that it stays good,
and a new key where he could read. It shows every role that he has, also where it takes another owner, and
the secrets that are to be set anew: those whose current value he could read or has set. Called again it
finishes what was left, and shows what is due still.)",
    .options = {{"dry-run", "", "change nothing, show what would be done"},
                {"reason", "TEXT", "why; it stands in the signed statements"}},
    .examples = {{"grantfs offboard bea --dry-run",
                  R"(bea, user k3vq-7m2a-x4pd-ce6w-hn5t: nothing is changed
ENVIRONMENT  ROLE    ONLY BELOW  STANDING
shop/prod    reader  -           would be ended
SET ANEW               VERSION  WHY            READ LAST
shop/prod/db-password  3        could read it  2026-01-31T12:00:00Z)"},
                 {"grantfs offboard bea --reason 'left in May'",
                  R"(bea, user k3vq-7m2a-x4pd-ce6w-hn5t: removed from the vault
...)"},
                 {"grantfs offboard bea --json",
                  R"({"name": "bea", "memberships": [...], "due": [...], ...})"}},
    .next = "grantfs secret set, for each secret that is to be set anew.",
    .failure = "the offboarding is not complete",
    .run = RunOffboardCommand,
};

}  // namespace grantfs
