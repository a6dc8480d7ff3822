#include "describe_internal.h"
#include "grantfs/api/log.h"
#include "grantfs/api/machine.h"
#include "grantfs/journal/entry.h"

namespace grantfs::api::describe {
namespace {

Json GrantsRequestSchema() {
  const Json secret = Object({{"number", SecretNumber()}, {"from", Count()}});
  return OneOf({Object({{"after", Count()}, {"limit", Limit(kMaxGrants)}}),
                Object({{"secrets", Array(secret, kMaxGrants, 1)}})});
}

Json GrantsResponseSchema() {
  const Json environment = Object({{"name", Named("Environment")}, {"head", Named("Head")}});
  return Object({{"heads", Named("VaultHead")},
                 {"environments", Array(environment, kMaxCopiesSent)},
                 {"grants", Array(Named("GrantEvidence"), kMaxGrants)},
                 {"more", Flag()},
                 Optional("groups", Array(Named("OwnGroupKey"), kMaxOwnGroups)),
                 Optional("freezes", Array(Named("Freeze"), kMaxCopiesSent))});
}

Json ReadResponseSchema() {
  const Json heads =
      Object({{"vault", Named("Head")}, {"environment", Named("Head")}, {"secret", Named("Head")}});
  return Object(
             {{"secret", SecretNumber()},
              {"version", VersionNumber(1)},
              {"statement", Digits(64)},
              {"ciphertext", Blob(kMaxCiphertextBytes)},
              {"sealed", About(Blob(kMaxSealedBytes), "the data key, to the machine's key or its group's")},
              {"heads", heads},
              {"record", About(Count(), "its place in the audit log")},
              Optional("group", Count(1)),
              Optional("group_epoch", Epoch())})
      .Set("dependentRequired",
           Json::Object({{"group", Json::Array({"group_epoch"})}, {"group_epoch", Json::Array({"group"})}}));
}

Json RefusalSchema() {
  return Object({{"id", Named("OpenId")},
                 {"secret", SecretNumber()},
                 {"version", VersionNumber(0)},
                 {"reason", Text(kMaxReasonBytes, 1)},
                 {"count", Count(1)},
                 {"first", Time()},
                 {"last", Time()},
                 {"caller", Named("Caller")}});
}

Json WatchLineSchema() {
  return OneOf(
      {Object({{"type", Words({"hello"})}, {"change", Count()}, {"heads", Named("VaultHead")}}),
       Object({{"type", Words({"beat"})}, {"change", Count()}, {"time", Time()}}),
       Object({{"type", Words({"change"})},
               {"change", Count()},
               {"what", Words({"grant", "revoke", "version", "vault", "environment", "machine", "freeze"})},
               Optional("secret", SecretNumber()),
               Optional("environment", Named("Environment")),
               Optional("more", Flag())})});
}

std::vector<Entry> Watching() {
  return {
      {&kWatch,
       "machines",
       "Changes and heartbeats",
       "A response without an end: a line each (application/x-ndjson), the first a hello, a beat each "
       "second.",
       {},
       WatchLineSchema(),
       {ProblemCode::kConflict},
       "application/x-ndjson"},
      {&kWatchAck,
       "machines",
       "Up to which change a machine has followed",
       "",
       Object({{"change", Count()}}),
       Nothing(),
       {}},
      {&kPresence,
       "machines",
       "Whether a machine listens and has followed",
       "Waits for at most wait_ms until it has followed the change.",
       Object({{"machine", Digits(64)}, {"change", Count()}, {"wait_ms", Number(0, kMaxPresenceWaitMs)}}),
       Object({{"online", Flag()}, {"acknowledged", Count()}, {"last_seen", Time()}}),
       {ProblemCode::kDenied}},
  };
}

}  // namespace

std::vector<Entry> DescribeMachines() {
  const Problems reading = {ProblemCode::kDenied,     ProblemCode::kFrozen,   ProblemCode::kExpired,
                            ProblemCode::kSuperseded, ProblemCode::kConflict, ProblemCode::kUnrecorded};
  std::vector<Entry> entries = {
      {&kMachineGrants,
       "machines",
       "A machine's grants with their evidence",
       "A page of all above `after`, or single secrets from the heads that the machine remembers.",
       GrantsRequestSchema(),
       GrantsResponseSchema(),
       {}},
      {&kMachineRead, "machines", "One version's ciphertext and sealed key",
       "Recorded before it is answered. Version 0: the one that the grant's label points at. 409 superseded: "
       "it points "
       "at another version now.",
       Object({{"secret", SecretNumber()},
               {"version", VersionNumber(0)},
               {"grace", About(Flag(), "the version may have been superseded up to a minute ago")},
               {"open", Named("OpenId")},
               {"caller", Named("Caller")}}),
       ReadResponseSchema(), reading},
      {&kMachineCheck, "machines", "Whether a grant still stands", "",
       Object({{"secret", SecretNumber()}, {"version", VersionNumber(0)}}), Nothing(), reading},
      {&kMachineRefusals,
       "machines",
       "Reads that a mount refused because of who read",
       "Each counted within a minute.",
       Object({{"refusals", Array(RefusalSchema(), kMaxRefusals, 1)}}),
       Nothing(),
       {ProblemCode::kUnrecorded}},
      {&kMachineJournal,
       "machines",
       "What a machine has served under leases",
       "Entries of one journal in a row (contrib/FORMATS.md). Answered with the sequence up to which it is "
       "recorded.",
       Object({{"journal", Digits(32)},
               {"entries", Array(Text(kMaxJournalEntryBytes), kMaxJournalEntries, 1)},
               {"signature", Digits(128)},
               Optional("places", Flag())}),
       Object({{"sequence", Count()},
               Optional("places", About(Array(Count(), kMaxJournalEntries),
                                        "if asked for: in which records the last so many entries stand"))}),
       {ProblemCode::kConflict, ProblemCode::kUnrecorded}},
      {&kMachineRecords,
       "machines",
       "Proofs that a machine's reads are in the log",
       "RFC 6962 audit paths in the checkpoint's tree, with the bodies of the machine's own records; without "
       "`leaf`: the log has no such record. The records are asked for in order, and may be answered for in "
       "part.",
       Object({{"records", Array(Count(), kMaxProvenRecords, 1)}, {"before", Count()}}),
       Object({{"checkpoint", Text(kMaxSentCheckpointBytes)},
               {"consistency", Array(Digits(64), kMaxProofHashes)},
               {"records", Array(Named("ProvenRecord"), kMaxProvenRecords, 1)}}),
       {}},
  };
  for (const Entry& entry : Watching()) entries.push_back(entry);
  return entries;
}

}  // namespace grantfs::api::describe
