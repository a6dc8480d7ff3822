#include "commands_internal.h"
#include "owner_internal.h"
#include "table_internal.h"
#include "tls_words_internal.h"

namespace grantfs {
namespace {

Json ToJson(const RestoreResult& result, bool dry_run) {
  Json lost = Json::Array();
  for (const LostStatement& one : result.lost)
    lost.Append(Json::Object({{"where", one.where},
                              {"what", one.what},
                              {"by", one.by},
                              {"time", one.time},
                              {"again", one.again}}));
  Json since = Json::Array();
  for (const LostStatement& one : result.since)
    since.Append(
        Json::Object({{"where", one.where}, {"what", one.what}, {"by", one.by}, {"time", one.time}}));
  const auto texts = [](const std::vector<std::string>& all) {
    return Json::Array({all.begin(), all.end()});
  };
  return Json::Object({{"needed", result.needed},
                       {"dry_run", dry_run},
                       {"accepted", result.accepted},
                       {"repeated", result.repeated},
                       {"lost", std::move(lost)},
                       {"since", std::move(since)},
                       {"new_epochs", texts(result.new_epochs)},
                       {"others", texts(result.others)},
                       {"problems", texts(result.problems)}});
}

void OutLost(Terminal& terminal, const RestoreResult& result, bool dry_run) {
  Table table({"LOST IN", "WHAT", "BY", "WHEN", ""});
  for (const LostStatement& one : result.lost)
    table.Add({one.where, one.what, one.by, TimeCell(one.time),
               !one.again ? ""
               : dry_run  ? "would be done again"
                          : "done again"});
  if (!table.empty()) return terminal.Out(table.Text());
  terminal.Note("of what this home has seen nothing is lost");
}

void OutSince(Terminal& terminal, const RestoreResult& result) {
  if (result.since.empty()) return;
  Table table({"SIGNED IN", "WHAT", "BY ONE WHO HAD LEFT", "WHEN"});
  for (const LostStatement& one : result.since) table.Add({one.where, one.what, one.by, TimeCell(one.time)});
  terminal.Out(table.Text());
}

void OutResult(Terminal& terminal, const RestoreResult& result, bool dry_run) {
  if (!result.needed) {
    return terminal.Note(
        "the vault has all that this home has seen: there is no backup to accept (--anyway accepts it for "
        "others "
        "who have seen more)");
  }
  OutLost(terminal, result, dry_run);
  OutSince(terminal, result);
  const std::string lists = Count(result.accepted, "list");
  terminal.Note(dry_run ? "nothing is changed; " + lists + " would go on from the backup"
                        : lists + " " + (result.accepted == 1 ? "goes" : "go") + " on from the backup");
  if (!dry_run && !result.new_epochs.empty()) terminal.Note("new keys: " + JoinWords(result.new_epochs));
  for (const std::string& other : result.others) terminal.Note(other);
  for (const std::string& problem : result.problems) terminal.Note("not done: " + problem);
}

Status RunRestoreCommand(Context& context) {
  const auto session = GRANTFS_TRY(OpenOwner(context));
  RestoreOptions options;
  options.dry_run = context.arguments.Flag("dry-run");
  options.anyway = context.arguments.Flag("anyway");
  options.raise_level = context.arguments.Flag("raise-level");
  options.vouch = context.arguments.Flag("vouch");
  if (context.arguments.Has("pin")) options.pin = GRANTFS_TRY(ParsePin(context.arguments.Text("pin")));
  options.reason = context.arguments.Text("reason");
  const RestoreResult result = GRANTFS_TRY(session->AcceptBackup(options));
  if (context.json())
    context.terminal.OutJson(ToJson(result, options.dry_run));
  else
    OutResult(context.terminal, result, options.dry_run);
  if (result.problems.empty()) return {};
  return Error{Code::kIo, "not everything could be done again: see above", 0,
               Count(result.problems.size(), "secret")};
}

}  // namespace

const Command kRestoreCommand = {
    .name = "restore",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "accept that the vault goes on from a backup",
    .about =
        R"(After a backup was brought up in the vault's place: every client that has seen more refuses it, for it
cannot tell a backup from an attacker who takes something back. If you know that it is the backup, this signs,
list by list, that all go on from there, as far as the lists are yours to sign: an owner of the vault runs it
first, then the owners of environments. It says what this home has seen that the backup does not have, and
does again whatever ended something for somebody (revocations, removals, also from groups, destroyed versions),
so that nothing comes back by it; it starts new keys. Who had left is back until then: if he has signed anything
since, that is refused, unless you say --vouch. Mounts and other clients then go on by themselves. Interrupted, it is run
again.)",
    .options = {{"dry-run", "", "change nothing, show what was lost and what would be done"},
                {"anyway", "",
                 "also where this home has seen nothing that the vault does not have: others may have"},
                {"vouch", "", "also for what those have signed since who had left, as --dry-run shows it"},
                {"pin", "PIN",
                 "the server's TLS key, where the backup is from before it was replaced (grantfs tls pin)"},
                {"raise-level", "",
                 "raise the format level (grantfs level show) with it, where it is too low"},
                {"reason", "TEXT", "why; it stands in the signed statements"}},
    .examples = {{"grantfs restore --dry-run",
                  R"(LOST IN                WHAT                BY   WHEN
shop/prod/db-password  version 4           ann  2026-01-31T12:00:00Z  -
shop/prod/db-password  revoked from web-2  ann  2026-01-31T12:10:00Z  would be done again
nothing is changed; 12 lists would go on from the backup)"},
                 {"grantfs restore --reason 'disk of vault.lan lost'",
                  R"(...
12 lists go on from the backup
new keys: shop/prod)"},
                 {"grantfs restore --json", R"({"needed": true, "accepted": 12, "lost": [...], ...})"}},
    .next = "do anew what was lost: grantfs secret set, grantfs grant, grantfs invite.",
    .failure = "the backup was not accepted",
    .run = RunRestoreCommand,
};

}  // namespace grantfs
