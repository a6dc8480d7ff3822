#include <algorithm>

#include "alert_words_internal.h"
#include "commands_internal.h"
#include "freeze_words_internal.h"
#include "grantfs/util/clock.h"
#include "owner_internal.h"
#include "request_output_internal.h"
#include "rotation_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMostOverdueNamed = 10, kMostOverdueListed = 1000;

Json OverdueJson(const std::vector<SecretInfo>& overdue) {
  Json list = Json::Array();
  for (std::size_t i = 0; i < std::min(overdue.size(), kMostOverdueListed); ++i)
    list.Append(Json::Object({{"name", overdue[i].name.Full()},
                              {"rotate_due", overdue[i].rotate_due},
                              {"expires", overdue[i].expires}}));
  return Json::Object({{"count", overdue.size()}, {"secrets", std::move(list)}});
}

void OutOverdue(Terminal& terminal, const std::vector<SecretInfo>& overdue) {
  for (std::size_t i = 0; i < std::min(overdue.size(), kMostOverdueNamed); ++i) {
    const std::string name = overdue[i].name.Full();
    const bool made = overdue[i].type == SecretType::kTemplate;
    const bool over = overdue[i].HasExpired(SystemClock().WallSeconds());
    terminal.Note((over
                       ? "expired: " + name + " is read by no machine since " + FormatTime(overdue[i].expires)
                       : "overdue: " + name + " was to be rotated by " + FormatTime(overdue[i].rotate_due)) +
                  ": grantfs secret set " + (made ? "--template " : "") + name);
  }
  if (overdue.size() > kMostOverdueNamed)
    terminal.Note("overdue: " + std::to_string(overdue.size() - kMostOverdueNamed) +
                  " more: grantfs secret list, or grantfs status --json");
}

Json RequestsJson(const VaultStatusInfo& status) {
  Json list = Json::Array();
  for (const auto& one : status.requests)
    list.Append(Json::Object(
        {{"id", one.id}, {"environment", one.environment}, {"by", one.asker}, {"asks", one.what}}));
  return list;
}

Json OwnerJson(const VaultStatusInfo& status, const std::vector<PendingEnrolment>& pending,
               const std::vector<SecretInfo>& overdue) {
  Json waiting = Json::Array();
  for (const PendingEnrolment& each : pending) waiting.Append(each.name);
  return Json::Object({{"vault", status.vault},
                       {"name", status.name},
                       {"version", status.version},
                       {"time", status.time},
                       {"level", status.level},
                       {"vault_statements", status.vault_sequence + 1},
                       {"audit_records", status.log_size},
                       {"audit_problem", status.log_problem},
                       {"vault_owner", status.vault_owner},
                       {"waiting_for_approval", std::move(waiting)},
                       {"overdue", OverdueJson(overdue)},
                       {"requests", RequestsJson(status)},
                       {"frozen", FreezesJson(status.frozen)},
                       {"owed", Json::Array({status.owed.begin(), status.owed.end()})}});
}

void OutOwner(Terminal& terminal, const WhoAmIInfo& who, const VaultStatusInfo& status,
              const std::vector<PendingEnrolment>& pending, const std::vector<SecretInfo>& overdue) {
  Table table;
  table.Add({"vault", status.vault});
  table.Add({"address", who.address + " (" + status.name + ")"});
  table.Add({"program", "grantfs " + status.version});
  table.Add({"time there", FormatTime(status.time)});
  table.Add({"format level", std::to_string(status.level)});
  table.Add({"audit log", Count(status.log_size, "record")});
  if (!status.log_problem.empty()) table.Add({"audit log", "CRITICAL: " + status.log_problem});
  table.Add({"you are", who.name + (status.vault_owner ? ", an owner of the vault" : "")});
  terminal.Out(table.Text());
  for (const PendingEnrolment& each : pending)
    terminal.Note(each.name + " waits for approval: grantfs approve " + each.name);
  OutOverdue(terminal, overdue);
  for (const auto& one : status.requests)
    terminal.Note(one.asker + " asks: " + one.what + "; grantfs request show " + ShortId(one.id));
  for (const FreezeInfo& freeze : status.frozen)
    terminal.Note(FreezeSentence(freeze) + "; it ends with grantfs unfreeze " + FreezeWords(freeze));
  for (const std::string& owed : status.owed) terminal.Note("to do: " + owed);
}

Status RunStatusOwner(Context& context) {
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const VaultStatusInfo status = GRANTFS_TRY(session->VaultStatus());
  std::vector<PendingEnrolment> pending;
  std::vector<AlertSinkInfo> alerts;
  if (status.vault_owner) {
    pending = GRANTFS_TRY(session->ListPending());
    alerts = GRANTFS_TRY(session->AlertSinks());
  }
  auto overdue = GRANTFS_TRY(session->ListOverdue());
  const auto end = std::stable_partition(overdue.begin(), overdue.end(),
                                         [](const SecretInfo& info) { return info.problem.empty(); });
  const std::vector<SecretInfo> refused(std::make_move_iterator(end), std::make_move_iterator(overdue.end()));
  overdue.erase(end, overdue.end());
  if (context.json())
    context.terminal.OutJson(OwnerJson(status, pending, overdue).Set("alerts", AlertSinksJson(alerts)));
  else
    OutOwner(context.terminal, session->WhoAmI(), status, pending, overdue);
  if (!context.json()) NoteFailedAlerts(context.terminal, alerts);
  return CheckNoneRefused(context.terminal, refused);
}

std::size_t CountOverdue(const Listing& listing) {
  const std::int64_t now = SystemClock().WallSeconds();
  return static_cast<std::size_t>(std::count_if(
      listing.secrets.begin(), listing.secrets.end(),
      [&](const GrantedSecret& secret) { return secret.rotate_due != 0 && secret.rotate_due <= now; }));
}

Status RunStatusMachine(Context& context) {
  const auto session = GRANTFS_TRY(OpenMachine(context));
  const SourceStatus status = session->CurrentStatus();
  const auto listing = session->CurrentListing();
  const std::size_t granted = listing->secrets.size();
  const std::size_t overdue = CountOverdue(*listing);
  if (context.json()) {
    context.terminal.OutJson(
        Json::Object({{"vault", status.vault_id},
                      {"address", status.vault_address},
                      {"machine", status.machine},
                      {"granted", granted},
                      {"overdue", overdue},
                      {"unsent_reads", status.unsent},
                      {"problem", status.problem},
                      {"notices", Json::Array({status.notices.begin(), status.notices.end()})}}));
    return {};
  }
  Table table;
  table.Add({"vault", status.vault_id});
  table.Add({"address", status.vault_address});
  table.Add({"machine", status.machine});
  table.Add({"granted", Count(granted, "secret")});
  if (overdue > 0)
    table.Add({"overdue", Count(overdue, "secret") + " to be rotated: no lease holds until then"});
  if (status.unsent > 0) table.Add({"to be told", Count(status.unsent, "read") + " under leases or offline"});
  context.terminal.Out(table.Text());
  if (!status.problem.empty()) context.terminal.Note("problem: " + status.problem);
  for (const std::string& notice : status.notices) context.terminal.Note("note: " + notice);
  return {};
}

Status RunStatusCommand(Context& context) {
  const bool machine = GRANTFS_TRY(HomeIsMachine(context));
  return machine ? RunStatusMachine(context) : RunStatusOwner(context);
}

}  // namespace

const Command kStatusCommand = {
    .name = "status",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "ask the vault how things stand",
    .about =
        R"(Asks the vault who it is, verifies the answer against what this home remembers, and says what waits to
be done: approvals, secrets that are overdue to be rotated (secret set --rotate-after), and what your environments
owe to those who left: machines that were removed, or whose life has ended, with the key of a group. On a machine
it says how many secrets that machine is granted; how its mount is doing stands in MOUNT/.grantfs/status.)",
    .options = {},
    .examples = {{"grantfs status",
                  R"(vault         6f1d...
address       vault.lan:7843 (vault.lan)
...
web-1 waits for approval: grantfs approve web-1
overdue: shop/prod/db-password was to be rotated by 2026-01-31T12:00:00Z: grantfs secret set shop/prod/db-password)"},
                 {"grantfs status --json", "{\"vault\": \"6f1d...\", \"audit_records\": 41, ...}"}},
    .next = "grantfs doctor, where this fails.",
    .failure = "the status is not known",
    .run = RunStatusCommand,
};

}  // namespace grantfs
