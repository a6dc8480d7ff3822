#include "describe_internal.h"
#include "grantfs/api/audit.h"

namespace grantfs::api::describe {
namespace {

Json SearchSchema() {
  return Object({Optional("environment", Text(kMaxNameBytes)),
                 Optional("object", Text(2 * kMaxNameBytes)),
                 Optional("below", About(Text(2 * kMaxNameBytes), "what the object's name begins with")),
                 Optional("actor", Text(64)),
                 Optional("type", Text(64)),
                 Optional("outcome", Text(16)),
                 Optional("at_least", Words({"info", "notice", "warning", "critical"})),
                 Optional("since_ms", TimeMs()),
                 Optional("until_ms", TimeMs()),
                 {"limit", Limit(kMaxAuditRecords)},
                 Optional("before", Count()),
                 Optional("from", Count())})
      .Set("allOf", Json::Array({NotBoth("object", "below"), NotBoth("before", "from")}));
}

Json ReaderSchema() {
  return Object({{"actor", Text(80)},
                 Optional("name", Text(kMaxNameBytes)),
                 Optional("uid", UnsignedInt()),
                 Optional("executable", Text(kMaxPathBytes)),
                 {"version", VersionNumber(0)},
                 {"time_ms", TimeMs()},
                 {"record", Count()},
                 {"count", Count(1)}})
      .Set("dependentRequired",
           Json::Object({{"uid", Json::Array({"executable"})}, {"executable", Json::Array({"uid"})}}));
}

Json ComplaintSchema() {
  const Json shown = Text(kMaxComplaintCheckpointBytes, 1);
  return OneOf({Object({{"kind", Words({"lower", "forked"})},
                        {"remembered", Text(kMaxComplaintCheckpointBytes, 1)},
                        {"shown", shown},
                        {"time", Time()}}),
                Object({{"kind", Words({"record"})},
                        {"remembered", Text(kMaxComplaintCheckpointBytes)},
                        {"shown", shown},
                        {"time", Time()},
                        {"record", Count()},
                        {"secret", SecretNumber()},
                        {"version", VersionNumber(1)},
                        {"open", Named("OpenId")},
                        {"what", Text(kMaxReasonBytes)}})});
}

}  // namespace

std::vector<Entry> DescribeAudit() {
  const Json entries = Array(Named("AuditEntry"), kMaxAuditRecords);
  return {
      {&kAuditRecords,
       "audit",
       "Records of the audit log in order",
       "Headers for every identity; with `bodies`, those that the caller may see. The checkpoint covers what "
       "is sent.",
       Object({{"from", Count()}, {"limit", Limit(kMaxAuditRecords)}, {"bodies", Flag()}}),
       Object({{"checkpoint", Text(kMaxSentCheckpointBytes)}, {"records", entries}}),
       {}},
      {&kAuditSearch,
       "audit",
       "Records of the audit log by what they say",
       "Newest first, or with `from` oldest first; go on with `next`. A response may hold fewer than were "
       "asked for, even "
       "none, and yet not be the last. `object` and `below` exclude each other, as do `before` and `from`.",
       SearchSchema(),
       Object({{"records", entries}, Optional("next", Count())}),
       {ProblemCode::kDenied}},
      {&kAuditReaders,
       "audit",
       "Who has read which version of a secret last",
       "Of the records that were looked at; go on with `next`.",
       Object({{"environment", Named("Environment")},
               {"path", Named("SecretPath")},
               Optional("before", Count())}),
       Object({{"readers", Array(ReaderSchema(), kMaxAuditReaders)}, Optional("next", Count())}),
       {ProblemCode::kDenied}},
      {&kLogCheckpoint,
       "audit",
       "The audit log's newest signed checkpoint",
       "C2SP tlog-checkpoint.",
       {},
       Json::Object({{"type", "string"}}),
       {},
       "text/plain; charset=utf-8"},
      {&kLogComplaints,
       "audit",
       "Say that the log contradicts what was seen of it",
       "Becomes a critical record, once. Checkpoints must be signed by the log's key, and contradict each "
       "other "
       "as the kind says.",
       ComplaintSchema(),
       Object({{"record", Count()}}),
       {ProblemCode::kUnrecorded}},
      {&kLogTile,
       "audit",
       "The audit log's tiles",
       "C2SP tlog-tiles: hash tiles, `L/N` or `L/N.p/W`. The parameter holds slashes, which are not escaped.",
       {},
       Json::Object({{"contentMediaType", "application/octet-stream"}}),
       {},
       "application/octet-stream"},
  };
}

}  // namespace grantfs::api::describe
