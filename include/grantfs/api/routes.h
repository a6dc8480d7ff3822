#pragma once

#include <string_view>

namespace grantfs::api {

/// Who may call a route. What the rest depends on (the environment that the body names, the acts of a
/// statement) is judged by the vault.
enum class Who {
  kClaim,       ///< the claim's key
  kInvite,      ///< an invitation's key
  kIdentity,    ///< any identity
  kReader,      ///< any identity, or an invitation's key
  kMachine,     ///< machines
  kPerson,      ///< users and agents; the recovery identity
  kMember,      ///< members of the environment concerned, as far as their role goes (the vault module looks)
  kVaultOwner,  ///< owners of the vault
};

struct Route {
  const char* method;
  const char* path;
  Who who;
};

// clang-format off
inline constexpr Route kClaimShow       {"GET",  "/v1/claim",             Who::kClaim};      ///< What the genesis of a new vault must name
inline constexpr Route kClaimUse        {"POST", "/v1/claim",             Who::kClaim};      ///< Make the vault, once
inline constexpr Route kStatus          {"GET",  "/v1/status",            Who::kIdentity};   ///< The vault, its head, the audit log's checkpoint
inline constexpr Route kDescription    {"GET",  "/v1/openapi.json",      Who::kIdentity};   ///< These routes, as OpenAPI 3.1 describes them
inline constexpr Route kListsRead       {"POST", "/v1/lists/read",        Who::kReader};     ///< Statements of a signed list
inline constexpr Route kListsTails      {"POST", "/v1/lists/tails",       Who::kMember};     ///< Statements of several secrets' lists
inline constexpr Route kListsAppend     {"POST", "/v1/lists/append",      Who::kPerson};     ///< Append statements to several lists at once
inline constexpr Route kSecretsReserve  {"POST", "/v1/secrets/reserve",   Who::kMember};     ///< Numbers for new secrets
inline constexpr Route kSecretsList     {"POST", "/v1/secrets/list",      Who::kMember};     ///< An environment's secrets
inline constexpr Route kSecretsFind     {"POST", "/v1/secrets/find",      Who::kMember};     ///< The number of a secret
inline constexpr Route kStageCiphertext {"POST", "/v1/stage/ciphertext",  Who::kMember};     ///< Send a version's ciphertext ahead
inline constexpr Route kStageCopies     {"POST", "/v1/stage/copies",      Who::kMember};     ///< Send sealed data keys ahead
inline constexpr Route kStageEpoch      {"POST", "/v1/stage/epoch",       Who::kPerson};     ///< Send an epoch's sealed keys ahead
inline constexpr Route kStageGroup      {"POST", "/v1/stage/group",       Who::kMember};     ///< Send a group's sealed keys ahead
inline constexpr Route kGroupKeys       {"POST", "/v1/groups/keys",       Who::kMember};     ///< Groups' keys sealed to the environment
inline constexpr Route kEpochCopies     {"POST", "/v1/epochs/copies",     Who::kPerson};     ///< One's own sealed keys of an environment
inline constexpr Route kSecretCopies    {"POST", "/v1/secrets/copies",    Who::kMember};     ///< Data keys sealed to the environment
inline constexpr Route kSecretValue     {"POST", "/v1/secrets/value",     Who::kMember};     ///< One version's ciphertext and sealed key
inline constexpr Route kEnrol           {"POST", "/v1/enrolments",        Who::kInvite};     ///< Ask to be let in
inline constexpr Route kEnrolmentState  {"POST", "/v1/enrolments/state",  Who::kInvite};     ///< Whether one was let in
inline constexpr Route kEnrolmentsJoin  {"POST", "/v1/enrolments/join",   Who::kInvite};     ///< Let oneself in by a standing invitation
inline constexpr Route kEnrolmentsList  {"POST", "/v1/enrolments/list",   Who::kVaultOwner}; ///< Who waits to be let in
inline constexpr Route kFreezesSet      {"POST", "/v1/freezes/set",       Who::kPerson};     ///< Freeze machines and environments
inline constexpr Route kFreezesLift     {"POST", "/v1/freezes/lift",      Who::kPerson};     ///< End that
inline constexpr Route kFreezesList     {"POST", "/v1/freezes/list",      Who::kPerson};     ///< What is frozen
inline constexpr Route kFreezesFollowed {"POST", "/v1/freezes/followed",  Who::kMember};     ///< Which machines have followed a freeze of an environment
inline constexpr Route kCanariesSet     {"POST", "/v1/canaries/set",      Who::kMember};     ///< Make a secret a canary, or end that
inline constexpr Route kCanariesList    {"POST", "/v1/canaries/list",     Who::kMember};     ///< An environment's canaries
inline constexpr Route kTripwiresSet    {"POST", "/v1/tripwires/set",     Who::kMember};     ///< Say what an environment's tripwires do
inline constexpr Route kTripwiresShow   {"POST", "/v1/tripwires/show",    Who::kMember};     ///< What they do
inline constexpr Route kRequestsAsk     {"POST", "/v1/requests/ask",      Who::kMember};     ///< Ask an environment's owners for something
inline constexpr Route kRequestsList    {"POST", "/v1/requests/list",     Who::kMember};     ///< What was asked for, and what became of it
inline constexpr Route kRequestsSettle  {"POST", "/v1/requests/settle",   Who::kMember};     ///< Refuse a request, or withdraw one's own
inline constexpr Route kAlertsState     {"POST", "/v1/alerts/state",      Who::kVaultOwner}; ///< How far alerts were delivered
inline constexpr Route kAlertsTest      {"POST", "/v1/alerts/test",       Who::kVaultOwner}; ///< Make one
inline constexpr Route kTlsShow         {"POST", "/v1/tls/show",          Who::kVaultOwner}; ///< The pins of the server's TLS keys
inline constexpr Route kTlsNext         {"POST", "/v1/tls/next",          Who::kVaultOwner}; ///< Make the next one
inline constexpr Route kTlsSwitch       {"POST", "/v1/tls/switch",        Who::kVaultOwner}; ///< Show it from now on
inline constexpr Route kMachineGrants   {"POST", "/v1/machine/grants",    Who::kMachine};    ///< A machine's grants with their evidence
inline constexpr Route kMachineRead     {"POST", "/v1/machine/read",      Who::kMachine};    ///< One version's ciphertext and sealed key
inline constexpr Route kMachineCheck    {"POST", "/v1/machine/check",     Who::kMachine};    ///< Whether a grant still stands
inline constexpr Route kMachineRefusals {"POST", "/v1/machine/refusals",  Who::kMachine};    ///< Reads that a mount refused because of who read
inline constexpr Route kMachineJournal  {"POST", "/v1/machine/journal",   Who::kMachine};    ///< What a machine has served under leases
inline constexpr Route kMachineRecords  {"POST", "/v1/machine/records",   Who::kMachine};    ///< Proofs that a machine's reads are in the log
inline constexpr Route kWatch           {"GET",  "/v1/watch",             Who::kIdentity};   ///< Changes and heartbeats
inline constexpr Route kWatchAck        {"POST", "/v1/watch/ack",         Who::kMachine};    ///< Up to which change a machine has followed
inline constexpr Route kPresence        {"POST", "/v1/machines/presence", Who::kPerson};     ///< Whether a machine listens and has followed
inline constexpr Route kAuditRecords    {"POST", "/v1/audit/records",     Who::kIdentity};   ///< Records of the audit log in order
inline constexpr Route kAuditSearch     {"POST", "/v1/audit/search",      Who::kPerson};     ///< Records of the audit log by what they say
inline constexpr Route kAuditReaders    {"POST", "/v1/audit/readers",     Who::kMember};     ///< Who has read which version of a secret last
inline constexpr Route kLogCheckpoint   {"GET",  "/v1/log/checkpoint",    Who::kIdentity};   ///< The audit log's newest signed checkpoint
inline constexpr Route kLogComplaints   {"POST", "/v1/log/complaints",    Who::kIdentity};   ///< Say that the log contradicts what was seen of it
inline constexpr Route kLogTile         {"GET",  "/v1/log/tile/",         Who::kIdentity};   ///< Its tiles; the rest of the path names one

inline constexpr const Route* kRoutes[] = {
    &kClaimShow, &kClaimUse, &kStatus, &kDescription, &kListsRead, &kListsTails, &kListsAppend,
    &kSecretsReserve, &kSecretsList, &kSecretsFind,
    &kStageCiphertext, &kStageCopies, &kStageEpoch, &kStageGroup, &kGroupKeys, &kEpochCopies, &kSecretCopies, &kSecretValue, &kEnrol,
    &kEnrolmentState, &kEnrolmentsJoin, &kEnrolmentsList, &kFreezesSet, &kFreezesLift, &kFreezesList,
    &kCanariesSet, &kCanariesList, &kTripwiresSet, &kTripwiresShow, &kRequestsAsk, &kRequestsList,
    &kRequestsSettle, &kAlertsState, &kAlertsTest, &kFreezesFollowed, &kMachineGrants, &kMachineRead,
    &kMachineCheck, &kMachineRefusals, &kMachineJournal, &kWatch, &kWatchAck, &kPresence, &kAuditRecords,
    &kAuditSearch, &kAuditReaders, &kTlsShow, &kTlsNext, &kTlsSwitch, &kLogCheckpoint, &kLogTile, &kMachineRecords, &kLogComplaints};
// clang-format on

/// The keyids of requests beside an identity's 64 digits.
inline constexpr std::string_view kClaimKeyPrefix = "claim:";
inline constexpr std::string_view kInviteKeyPrefix = "invite:";

}  // namespace grantfs::api
