#include "describe_internal.h"
#include "grantfs/api/enrolments.h"

namespace grantfs::api::describe {
namespace {

Json Statements(std::size_t min) { return Array(Named("Envelope"), kMaxStatements, min); }

Json TlsKeys() {
  return Object({{"current", Digits(64)}, Optional("next", Digits(64)), Optional("made", Time())})
      .Set("dependentRequired",
           Json::Object({{"next", Json::Array({"made"})}, {"made", Json::Array({"next"})}}));
}

Json ListPart() {
  return Object({{"list", Named("ListName")},
                 {"head", OneOf({Named("Head"), Json::Object({{"type", "null"}})})},
                 {"statements", Statements(0)}});
}

Json Progress() { return Object({{"state", Words({"none", "pending", "approved"})}}); }

}  // namespace

std::vector<Entry> DescribeVault() {
  return {
      {&kClaimShow,
       "vault",
       "What the genesis of a new vault must name",
       "",
       {},
       Object({{"pin", About(Digits(64), "SHA-256 of the TLS key")},
               {"log_origin", Text(kMaxServerNameBytes, 1)},
               {"log_key", Digits(64)},
               {"name", Text(kMaxServerNameBytes, 1)}}),
       {ProblemCode::kGone, ProblemCode::kConflict}},
      {&kClaimUse,
       "vault",
       "Make the vault, once",
       "The first statements of the vault's and the machines' list.",
       Object({{"vault", Statements(1)}, {"machines", Statements(1)}}),
       Object({{"vault", Digits(64)}}),
       {ProblemCode::kGone, ProblemCode::kConflict, ProblemCode::kDenied}},
      {&kStatus,
       "vault",
       "The vault, its head, the audit log's checkpoint",
       "",
       {},
       Object(
           {{"vault", Digits(64)},
            {"name", Text(kMaxServerNameBytes)},
            {"version", Text(64)},
            {"time", Time()},
            {"heads", Named("VaultHead")},
            {"level", Number(1, 1'000'000)},
            {"checkpoint", About(Text(kMaxSentCheckpointBytes), "a C2SP signed note; empty: no record yet")},
            Optional("not_after", Time())}),
       {}},
      {&kDescription,
       "vault",
       "This description",
       "",
       {},
       About(Json::Object({{"type", "object"}}), "an OpenAPI 3.1 document"),
       {}},
      {&kListsRead,
       "lists",
       "Statements of a signed list",
       "A response holds about 1 MiB of statements at most, so it may hold fewer than were asked for; one "
       "statement "
       "is always sent. A head of null: there is no such list.",
       Object({{"list", Named("ListName")}, {"from", Count()}, {"limit", Limit(kMaxStatements)}}),
       ListPart(),
       {ProblemCode::kDenied, ProblemCode::kGone}},
      {&kListsTails,
       "lists",
       "Statements of several secrets' lists",
       "Of each from the sequence that is named on; about 2 MiB together, so that the last lists may be "
       "missing.",
       Object({{"environment", Named("Environment")},
               {"secrets", Array(Object({{"secret", SecretNumber()}, {"from", Count()}}), kMaxTails, 1)}}),
       Object({{"lists", Array(ListPart(), kMaxTails, 1)}}),
       {ProblemCode::kDenied}},
      {&kListsAppend,
       "lists",
       "Append statements to several lists at once",
       "All of them or none. Idempotent by the statements' hashes. 409: a list has moved on, or a statement "
       "needs "
       "something that is missing; read again, sign again, repeat.",
       Object({{"appends", Array(Object({{"list", Named("ListName")}, {"statements", Statements(1)}}),
                                 kMaxAppends, 1)}}),
       Object(
           {{"change", Count()},
            {"heads", Array(Object({{"list", Named("ListName")}, {"head", Named("Head")}}), kMaxAppends)}}),
       {ProblemCode::kDenied, ProblemCode::kFrozen, ProblemCode::kConflict, ProblemCode::kExpired}},
      {&kEnrol,
       "enrolments",
       "Ask to be let in",
       "Signed with the invitation's key.",
       Object({{"enrolment", Named("Enrolment")}}),
       Progress(),
       {ProblemCode::kGone, ProblemCode::kConflict}},
      {&kEnrolmentState,
       "enrolments",
       "Whether one was let in",
       "",
       Nothing(),
       Progress(),
       {ProblemCode::kGone}},
      {&kEnrolmentsJoin,
       "enrolments",
       "Let oneself in by a standing invitation",
       "The statement is signed with the invitation's key. The keys are of the groups that the invitation leads "
       "into: in the response sealed to the invitation, in the request to the machine itself.",
       Object({{"statement", Text(kMaxEnvelopeBytes)}, {"groups", Array(Named("OwnGroupKey"), kMaxOwnGroups)}}),
       Object({{"state", Words({"none", "pending", "approved"})},
               {"head", Named("Head")},
               {"lives", About(Number(0, kMaxLifeSeconds), "seconds; 0: for ever")},
               {"groups", Array(Named("OwnGroupKey"), kMaxOwnGroups)}}),
       {ProblemCode::kGone, ProblemCode::kDenied, ProblemCode::kConflict, ProblemCode::kExpired}},
      {&kEnrolmentsList,
       "enrolments",
       "Who waits to be let in",
       "Oldest first.",
       Nothing(),
       Object({{"enrolments", Array(Named("Enrolment"), kMaxNumbers)}}),
       {ProblemCode::kDenied}},
      {&kTlsShow,
       "tls",
       "The pins of the server's TLS keys",
       "Which of them clients accept is said by the vault's list (pins.set), not here.",
       Nothing(),
       TlsKeys(),
       {ProblemCode::kDenied}},
      {&kTlsNext,
       "tls",
       "Make the next one",
       "Unless there is one. `fresh`: another in its place; 409 if the vault's list names that one.",
       Object({{"fresh", Flag()}}),
       TlsKeys(),
       {ProblemCode::kDenied, ProblemCode::kConflict, ProblemCode::kUnrecorded}},
      {&kTlsSwitch,
       "tls",
       "Show it from now on",
       "On new connections; the key before is destroyed. 409: it is not the next key, or the vault's list "
       "does not "
       "name it.",
       Object({{"next", Digits(64)}}),
       TlsKeys(),
       {ProblemCode::kDenied, ProblemCode::kConflict, ProblemCode::kUnrecorded}},
  };
}

}  // namespace grantfs::api::describe
