#include "describe_internal.h"
#include "grantfs/api/freezes.h"
#include "grantfs/api/log.h"
#include "grantfs/api/tripwires.h"
#include "grantfs/trust/identity.h"
#include "grantfs/trust/tripwire.h"

namespace grantfs::api::describe {
namespace {

constexpr std::size_t kMaxLeafBytes = 1024;
constexpr std::size_t kMaxSaltBytes = 64;

/// What names what is frozen, and what stands beside.
Json Frozen(const std::vector<Field>& beside) {
  std::vector<Field> machine = {{"kind", Words({FrozenKindName(FrozenKind::kMachine)})}, {"id", Digits(64)}};
  std::vector<Field> environment = {{"kind", Words({FrozenKindName(FrozenKind::kEnvironment)})},
                                    {"id", Named("Environment")}};
  std::vector<Field> both = {{"kind", Words({FrozenKindName(FrozenKind::kMachineIn)})},
                             {"id", Digits(64)},
                             {"environment", Named("Environment")}};
  for (auto* fields : {&machine, &environment, &both})
    fields->insert(fields->end(), beside.begin(), beside.end());
  return OneOf({Object(machine), Object(environment), Object(both)});
}

Json IdentitySchema() {
  return About(Object({{"suite", Number(1, 1)},
                       {"kind", Words({"user", "machine", "agent"})},
                       {"name", Named("IdentityName")},
                       {"sign", About(Digits(64), "Ed25519")},
                       {"seal", About(Digits(64), "X25519")},
                       {"binding", About(Digits(128), "that both keys belong together, by the first")},
                       {"not_after", Time()}}),
               "The public half of an identity. A keyid is BLAKE2b-256 of suite and signing key.");
}

Json PolicySchema() {
  const Json action = Words({"freeze", "alert"});
  return Object({{"canary", action},
                 {"scope", Words({"environment", "project"})},
                 {"rate", About(Number(0, kMaxRate), "distinct secrets a minute; 0 = none is too many")},
                 {"rate_action", action},
                 Optional("pass", Array(Matching("^(exe=/|uid=|unit=).*$", kMaxPassBytes), kMaxPasses))});
}

Json EvidenceSchema() {
  std::vector<Field> single = {
      {"secret", SecretNumber()},
      {"environment", Named("Environment")},
      {"path", Named("SecretPath")},
      {"first", About(Count(), "the sequence of the first of the statements")},
      {"statements", Array(Named("Envelope"), kMaxStatements)},
      {"version", About(Text(kMaxEnvelopeBytes), "the envelope; empty: there is none yet")},
      Optional("more", Flag())};
  std::vector<Field> by_prefix = single;
  single.push_back({"grant", Named("Envelope")});
  single.push_back(
      {"proof",
       Object({{"index", Count()}, {"leaves", Count(1)}, {"path", Array(Digits(64), kMaxProofHashes)}})});
  by_prefix.push_back({"prefix", Object({{"prefix", Text(kMaxNameBytes)}, {"group", Count(1)}})});
  return About(OneOf({Object(single), Object(by_prefix)}), "of a grant of its own, or of one by prefix");
}

Json ProvenRecordSchema() {
  return OneOf({Object({{"record", Count()}}), Object({{"record", Count()},
                                                       {"leaf", Blob(kMaxLogLeafBytes)},
                                                       Optional("salt", Blob(kMaxLogSaltBytes)),
                                                       Optional("body", Text(kMaxAuditBodyBytes)),
                                                       {"proof", Array(Digits(64), kMaxProofHashes)}})});
}

Json ProblemSchema() {
  std::vector<std::string> codes;
  for (const ProblemCode code : kAllProblemCodes) codes.push_back(ProblemCodeName(code));
  return About(Object({{"type", Words({"about:blank"})},
                       {"title", Text(64)},
                       {"status", Number(400, 599)},
                       {"code", Words(codes)},
                       Optional("detail", Text(4096))}),
               "RFC 9457, with a stable code. The detail is for people and may change.");
}

}  // namespace

Json SharedSchemas() {
  const auto vault_head = Object({{"vault", Named("Head")}});
  return Json::Object(
      {{"Problem", ProblemSchema()},
       {"Environment",
        About(Matching(R"(^[^/\x00-\x1f\x7f]+/[^/\x00-\x1f\x7f]+$)", kMaxNameBytes), "project/environment")},
       {"SecretPath", About(Matching(R"(^[^/\x00-\x1f\x7f]+(/[^/\x00-\x1f\x7f]+)*$)", kMaxNameBytes),
                            "its name within its environment")},
       {"IdentityName", Matching("^[a-z0-9][a-z0-9._-]{0,62}$", 63)},
       {"ListName",
        About(
            Matching(
                R"(^(vault|machines|environment/[^/\x00-\x1f\x7f]+/[^/\x00-\x1f\x7f]+|group/[^/\x00-\x1f\x7f]+/[^/\x00-\x1f\x7f]+/[1-9][0-9]*|secret/[1-9][0-9]*)$)",
                kMaxNameBytes),
            "a signed list")},
       {"Head", About(Object({{"sequence", Count()}, {"hash", Digits(64)}}),
                      "a point in a list: a statement's sequence, from 0, and hash")},
       {"VaultHead", vault_head},
       {"Envelope",
        About(Text(kMaxEnvelopeBytes, 1), "a statement: the text of a DSSE envelope (contrib/FORMATS.md)")},
       {"OpenId", About(Matching("^[0-9a-z-]{1,64}$", kMaxOpenIdBytes), "recorded once")},
       {"Identity", IdentitySchema()},
       {"Enrolment", Object({{"vault", Digits(64)},
                             {"invitation", Digits(32)},
                             {"identity", Named("Identity")},
                             {"by_invitation", Digits(128)},
                             {"by_identity", Digits(128)}})},
       {"Caller", About(Object({{"pid", UnsignedInt()},
                                {"uid", UnsignedInt()},
                                {"gid", UnsignedInt()},
                                {"executable", Text(kMaxPathBytes)},
                                {"cgroup", Text(kMaxPathBytes)}}),
                        "the process that reads, as the machine saw it")},
       {"FrozenObject", Frozen({})},
       {"Freeze", Frozen({{"by", Text(kMaxNameBytes)},
                          {"time", Time()},
                          Optional("reason", Text(kMaxFreezeReasonBytes))})},
       {"TripwirePolicy", PolicySchema()},
       {"GrantEvidence", EvidenceSchema()},
       {"OwnGroupKey", Object({{"environment", Named("Environment")},
                               {"group", Count(1)},
                               {"epoch", Epoch()},
                               {"sealed", Blob(kMaxSealedBytes)}})},
       {"ProvenRecord", ProvenRecordSchema()},
       {"AuditEntry", Object({{"sequence", Count()},
                              {"leaf", Blob(kMaxLeafBytes)},
                              Optional("salt", Blob(kMaxSaltBytes)),
                              Optional("body", About(Text(kMaxAuditBodyBytes), "JSON"))})}});
}

}  // namespace grantfs::api::describe
