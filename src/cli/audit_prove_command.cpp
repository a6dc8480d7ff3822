#include "commands_internal.h"
#include "grantfs/util/text.h"
#include "listing_internal.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

constexpr unsigned long long kMostProvable = 1ULL << 53;

Result<std::optional<std::uint64_t>> WantedRecord(const Arguments& arguments) {
  if (arguments.positional().empty()) return std::optional<std::uint64_t>();
  unsigned long long number = 0;
  if (ParseNumber(arguments.At(0), kMostProvable, &number)) return std::optional<std::uint64_t>(number);
  return Error{Code::kInvalid, "is the number of a record, as grantfs audit list shows it", 0, "RECORD"};
}

Status RunAuditProveCommand(Context& context) {
  const auto record = GRANTFS_TRY(WantedRecord(context.arguments));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const AuditProof proof = GRANTFS_TRY(session->ProveAudit(record));
  Terminal& terminal = context.terminal;
  if (context.json()) {
    Json json = Json::Object({{"size", proof.size}, {"root", proof.root.Hex()}, {"before", proof.before}});
    if (proof.record) json.Set("record", ToJson(*proof.record));
    terminal.OutJson(json);
    return {};
  }
  if (proof.record) terminal.Out(AuditTable({*proof.record}).Text());
  if (proof.record && !proof.record->has_body) {
    const AuditLine& line = *proof.record;
    for (const AuditPurge& purge : GRANTFS_TRY(session->AuditPurges())) {
      const auto severity = ParseAuditSeverity(line.severity);
      if (!severity || !purge.Takes(*severity, line.sequence, line.time * 1000)) continue;
      terminal.OutLine("its body was purged by the vault's retention (record " +
                       std::to_string(purge.record) + ")");
      break;
    }
  }
  if (proof.record) terminal.OutLine("it is in the log of " + Count(proof.size, "record"));
  terminal.OutLine("the log's signed checkpoint: " + Count(proof.size, "record") + ", root " +
                   proof.root.Hex());
  if (proof.before != 0)
    terminal.OutLine("it continues the log of " + Count(proof.before, "record") + " that this home has seen");
  else
    terminal.OutLine("this home had seen none before, and remembers this one");
  return {};
}

}  // namespace

const Command kAuditProveCommand = {
    .name = "audit prove",
    .arguments = "[RECORD]",
    .min_arguments = 0,
    .max_arguments = 1,
    .summary = "prove that a record is in the log, which only grew",
    .about =
        R"(Proves, by the log's tiles and in a few requests however long it is, that the vault's newest signed checkpoint
continues the one that this home remembers (nothing before it was changed, taken away or put in), and that a record is in
it. The home remembers the newest from then on. A log that has shrunk or is another ends with exit code 7.)",
    .options = {},
    .examples =
        {{"grantfs audit prove 41",
          R"(RECORD  TIME                  WHO    DID          TO                                 OUTCOME  FROM      CALLER
41      2026-01-31T12:00:00Z  web-1  secret.read  shop/prod/db-password (version 3)  done     10.0.0.7  uid 33 pid 4711 /usr/sbin/nginx
it is in the log of 57 records
the log's signed checkpoint: 57 records, root 9c2f...
it continues the log of 40 records that this home has seen)"},
         {"grantfs audit prove --json", R"({"size": 57, "root": "9c2f...", "before": 40})"}},
    .next = "grantfs audit verify reads the whole log, and names the record that is bad.",
    .failure = "it was not proved",
    .run = RunAuditProveCommand,
};

}  // namespace grantfs
