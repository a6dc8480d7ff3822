#include <algorithm>

#include "audit_line_internal.h"
#include "grantfs/json/json.h"
#include "grantfs/tlog/leaf.h"

namespace grantfs {
namespace {

std::string TextOf(const Json& object, const char* name) {
  const Json* member = object.Find(name);
  return member != nullptr && member->is(Json::Kind::kString) ? member->AsString() : std::string();
}

std::int64_t NumberOf(const Json& object, const char* name) {
  const Json* member = object.Find(name);
  return member != nullptr && member->is(Json::Kind::kNumber) ? member->AsNumber() : 0;
}

std::string CallerOf(const Json& body) {
  const Json* caller = body.Find("caller");
  if (caller == nullptr || !caller->is(Json::Kind::kObject)) return {};
  std::string text = "uid " + std::to_string(NumberOf(*caller, "uid"));
  if (const auto pid = NumberOf(*caller, "pid"); pid != 0) text += " pid " + std::to_string(pid);
  const std::string executable = TextOf(*caller, "executable");
  return executable.empty() ? text : text + " " + executable;
}

}  // namespace

AuditLine LineOf(const AuditEntry& entry) {
  AuditLine line;
  line.sequence = entry.sequence;
  if (const auto header = ParseLeaf(entry.leaf)) {
    line.time = header->time_ms / 1000;
    line.severity = AuditSeverityName(header->severity);
    line.type = header->type;
  }
  line.has_body = entry.body.has_value();
  if (!entry.body) return line;
  line.body = *entry.body;
  const auto body = ParseJson(*entry.body);
  if (!body || !body->is(Json::Kind::kObject)) return line;
  line.actor_id = TextOf(*body, kAuditActor);
  line.actor = line.actor_id;
  line.action = TextOf(*body, "action");
  line.object = TextOf(*body, kAuditObject);
  line.about = TextOf(*body, "about");
  line.version = static_cast<std::uint32_t>(NumberOf(*body, "version"));
  line.outcome = TextOf(*body, "outcome");
  line.reason = TextOf(*body, "reason");
  line.source = TextOf(*body, "source");
  line.caller = CallerOf(*body);
  line.count = std::max<std::uint64_t>(static_cast<std::uint64_t>(NumberOf(*body, "count")), 1);
  line.first = NumberOf(*body, "first");
  line.last = NumberOf(*body, "last");
  if (const Json* lease = body->Find("lease"); lease != nullptr && lease->is(Json::Kind::kObject)) {
    line.lease = true;
    line.read_ms = NumberOf(*lease, "time");
  }
  return line;
}

}  // namespace grantfs
