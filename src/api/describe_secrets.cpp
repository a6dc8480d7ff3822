#include "describe_internal.h"

namespace grantfs::api::describe {
namespace {

Json StagedCopy() {
  return Object({{"kind", Words({"environment", "machine", "group", "invitation"})},
                 {"number", Count()},
                 {"epoch", Epoch(0)},
                 {"sealed", Sealed()}});
}

std::vector<Entry> Staging() {
  const Problems problems = {ProblemCode::kDenied, ProblemCode::kFrozen, ProblemCode::kConflict};
  return {
      {&kStageCiphertext, "secrets", "Send a version's ciphertext ahead",
       "Of the version that the secret's next statement publishes.",
       Object({{"secret", SecretNumber()},
               {"version", VersionNumber(1)},
               {"commitment", Digits(64)},
               {"ciphertext", Blob(kMaxCiphertextBytes, kAeadOverhead)}}),
       Nothing(), problems},
      {&kStageCopies, "secrets", "Send sealed data keys ahead",
       "Of a version that is to be published, or of those that a grant opens.",
       Object({{"secret", SecretNumber()},
               {"version", VersionNumber(1)},
               {"commitment", Digits(64)},
               {"copies", Array(StagedCopy(), kMaxCopies, 1)}}),
       Nothing(), problems},
      {&kStageEpoch, "secrets", "Send an epoch's sealed keys ahead", "",
       Object({{"environment", Named("Environment")},
               {"epoch", Epoch()},
               {"copies", Array(Object({{"recipient", Digits(64)}, {"sealed", Sealed()}}), kMaxCopies, 1)}}),
       Nothing(), problems},
      {&kStageGroup, "secrets", "Send a group's sealed keys ahead",
       "Of a group that is to be created, its number is the sequence that its creation will have.",
       Object({{"environment", Named("Environment")},
               {"group", Count(1)},
               {"epoch", Epoch()},
               {"copies", Array(StagedCopy(), kMaxCopies, 1)}}),
       Nothing(), problems},
  };
}

std::vector<Entry> Reading() {
  const Problems denied = {ProblemCode::kDenied};
  return {
      {&kGroupKeys, "secrets", "Groups' keys sealed to the environment", "Of each group the newest.",
       Object({{"environment", Named("Environment")}}),
       Object({{"keys", Array(Object({{"group", Count(1)},
                                      {"epoch", Epoch()},
                                      {"environment_epoch", Epoch()},
                                      {"sealed", Sealed()}}),
                              kMaxGroups)}}),
       denied},
      {&kEpochCopies, "secrets", "One's own sealed keys of an environment", "",
       Object({{"environment", Named("Environment")}}),
       Object({{"copies", Array(Object({{"epoch", Epoch()}, {"sealed", Sealed()}}), kMaxCopiesSent)}}),
       denied},
      {&kSecretCopies, "secrets", "Data keys sealed to the environment", "No versions named: all of them.",
       Object({{"secret", SecretNumber()}, {"versions", Array(VersionNumber(1), kMaxNumbers)}}),
       Object({{"copies",
                Array(Object({{"version", VersionNumber(1)}, {"epoch", Epoch()}, {"sealed", Sealed()}}),
                      kMaxCopiesSent)}}),
       denied},
      {&kSecretValue,
       "secrets",
       "One version's ciphertext and sealed key, for a reader",
       "Recorded before it is answered. Version 0: the one labelled current.",
       Object({{"secret", SecretNumber()}, {"version", VersionNumber(0)}, {"open", Named("OpenId")}}),
       Object({{"version", VersionNumber(1)},
               {"ciphertext", Blob(kMaxCiphertextBytes)},
               {"epoch", Epoch()},
               {"sealed", Sealed()},
               {"record", About(Count(), "its place in the audit log")}}),
       {ProblemCode::kDenied, ProblemCode::kFrozen, ProblemCode::kUnrecorded}},
  };
}

}  // namespace

std::vector<Entry> DescribeSecrets() {
  std::vector<Entry> entries = {
      {&kSecretsReserve,
       "secrets",
       "Numbers for new secrets",
       "They are never given out again.",
       Object({{"environment", Named("Environment")}, {"count", Limit(kMaxNumbers)}}),
       Object({{"first", SecretNumber()}}),
       {ProblemCode::kDenied, ProblemCode::kFrozen, ProblemCode::kConflict}},
      {&kSecretsList,
       "secrets",
       "An environment's secrets",
       "Those above `after`, ordered by path.",
       Object({{"environment", Named("Environment")},
               {"after", Text(kMaxNameBytes)},
               {"limit", Limit(kMaxNumbers)}}),
       Object({{"secrets", Array(Object({{"number", SecretNumber()},
                                         {"path", Named("SecretPath")},
                                         {"head", Named("Head")}}),
                                 kMaxNumbers)},
               {"more", Flag()}}),
       {ProblemCode::kDenied}},
      {&kSecretsFind,
       "secrets",
       "The number of a secret",
       "",
       Object({{"environment", Named("Environment")}, {"path", Named("SecretPath")}}),
       Object({{"number", SecretNumber()}, {"head", Named("Head")}}),
       {ProblemCode::kDenied}},
  };
  for (auto& part : {Staging(), Reading()}) entries.insert(entries.end(), part.begin(), part.end());
  return entries;
}

}  // namespace grantfs::api::describe
