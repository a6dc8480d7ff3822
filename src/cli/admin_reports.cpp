#include <algorithm>

#include "admin_tree_internal.h"
#include "freeze_words_internal.h"
#include "grantfs/trust/conditions.h"
#include "grantfs/util/clock.h"
#include "listing_internal.h"
#include "rotation_internal.h"

namespace grantfs {
namespace {

std::string SpanText(std::int64_t seconds, const char* none) {
  return seconds == 0 ? none : FormatDuration(seconds);
}

std::string OrText(const std::string& text, const char* absent) { return text.empty() ? absent : text; }

std::string ExpiryText(std::int64_t expires, std::int64_t now) {
  if (expires == 0) return "never";
  return (expires <= now ? "expired " : "") + FormatTime(expires);
}

std::string RotationText(const SecretInfo& info, std::int64_t now) {
  if (info.rotate_due == 0) return "never due";
  return (info.IsOverdue(now) ? "" : "due ") + RotationCell(info, now) + ", " +
         FormatDuration(info.rotate_after) + " after it was set";
}

// Of a template, the names of what it is made of.
std::string PartsText(const SecretInfo& info) {
  std::string text;
  for (const std::string& part : info.parts)
    text += (text.empty() ? "" : ", ") + SecretName{info.name.environment, part}.Full();
  return OrText(text, "nothing yet");
}

const VersionInfo* Labelled(const SecretSurvey& secret, const std::string& label) {
  const auto found =
      std::find_if(secret.versions.begin(), secret.versions.end(), [&](const VersionInfo& version) {
        return std::find(version.labels.begin(), version.labels.end(), label) != version.labels.end();
      });
  return found == secret.versions.end() ? nullptr : &*found;
}

bool IsRemovedMachine(const AdminSnapshot& snapshot, const std::string& id) {
  return std::any_of(snapshot.machines.begin(), snapshot.machines.end(),
                     [&](const IdentityInfo& one) { return one.id == id && one.removed; });
}

std::string ReaderCell(const AdminFacts& facts, const GrantInfo& info) {
  if (!IsGroupName(info.machine))
    return info.machine + (IsRemovedMachine(*facts.snapshot, info.machine_id) ? " (removed)" : "");
  const GroupSurvey* group = facts.readership.FindGroup(info.machine_id);
  if (group == nullptr) return info.machine + " (a group that is no more)";
  return info.machine +
         (group->members_known ? " (no machine is in it)" : " (its machines, which owners see)");
}

// "3 machines", "2 machines, and those of @web"
std::string ReadersText(const AdminFacts& facts, const std::vector<GrantInfo>& readers,
                        std::uint64_t* machines) {
  std::string groups;
  for (const GrantInfo& one : readers) {
    const GroupSurvey* group =
        IsGroupName(one.machine) ? facts.readership.FindGroup(one.machine_id) : nullptr;
    if (group != nullptr && !group->members_known) groups += (groups.empty() ? "" : ", ") + one.machine;
    *machines += IsGroupName(one.machine) ? 0 : 1;
  }
  return Count(*machines, "machine") + (groups.empty() ? "" : ", and those of " + groups);
}

}  // namespace

AdminReport ReportVault(const AdminSnapshot& snapshot) {
  const auto machines =
      static_cast<std::uint64_t>(std::count_if(snapshot.machines.begin(), snapshot.machines.end(),
                                               [](const IdentityInfo& one) { return !one.removed; }));
  Table table;
  table.Add({"vault", snapshot.who.vault});
  table.Add({"address", snapshot.who.address});
  table.Add({"seen by", snapshot.who.name + ", fingerprint " + snapshot.who.fingerprint});
  table.Add({"machines", snapshot.machines_known
                             ? std::to_string(machines)
                             : "only a vault owner sees those that are granted nothing here"});
  table.Add({"secrets", std::to_string(snapshot.secrets.size())});
  for (const FreezeInfo& freeze : snapshot.frozen) table.Add({"frozen", FreezeSentence(freeze)});
  return {table.Text(), Json::Object({{"vault", snapshot.who.vault},
                                      {"address", snapshot.who.address},
                                      {"name", snapshot.who.name},
                                      {"fingerprint", snapshot.who.fingerprint},
                                      {"machines_known", snapshot.machines_known},
                                      {"machines", machines},
                                      {"frozen", FreezesJson(snapshot.frozen)},
                                      {"secrets", std::uint64_t{snapshot.secrets.size()}}})};
}

namespace {

/// What stops reads of a machine, or of a secret of this environment.
std::vector<FreezeInfo> FreezesOf(const AdminSnapshot& snapshot, FreezeTarget::Kind kind,
                                  const std::string& id_or_name) {
  std::vector<FreezeInfo> found;
  for (const FreezeInfo& one : snapshot.frozen) {
    const bool machine = kind == FreezeTarget::Kind::kMachine;
    if (one.IsMachine() == machine && (machine ? one.id : one.name) == id_or_name) found.push_back(one);
  }
  return found;
}

}  // namespace

AdminReport ReportMachine(const AdminFacts& facts, const IdentityInfo& machine) {
  const AdminSnapshot& snapshot = *facts.snapshot;
  const auto grants = facts.readership.OfMachine(machine.id, SystemClock().WallSeconds());
  const std::uint64_t granted = grants.size();
  Table table;
  table.Add({"machine", machine.name});
  table.Add({"id", machine.id});
  if (snapshot.machines_known) {
    table.Add({"fingerprint", machine.fingerprint});
    table.Add({"number", std::to_string(machine.number)});
    table.Add({"approved", TimeCell(machine.approved)});
    table.Add({"its key ends", machine.not_after == 0 ? "never" : FormatTime(machine.not_after)});
  }
  table.Add({"granted", Count(granted, "secret") + ", as grants/ here lists them"});
  const auto frozen = FreezesOf(snapshot, FreezeTarget::Kind::kMachine, machine.id);
  for (const FreezeInfo& freeze : frozen) table.Add({"frozen", FreezeSentence(freeze)});
  return {table.Text(), Json::Object({{"name", machine.name},
                                      {"id", machine.id},
                                      {"fingerprint", machine.fingerprint},
                                      {"number", machine.number},
                                      {"approved", machine.approved},
                                      {"not_after", machine.not_after},
                                      {"frozen", FreezesJson(frozen)},
                                      {"granted", granted}})};
}

AdminReport ReportGrant(const SecretSurvey& secret, const GrantInfo& info, std::int64_t now) {
  const Grant& grant = info.grant;
  const VersionInfo* shown = secret.info.deleted ? nullptr : Labelled(secret, grant.label);
  if (shown == nullptr && grant.label == kNextLabel && !secret.info.deleted)
    shown = Labelled(secret, kCurrentLabel);
  Table table;
  table.Add({"machine", info.machine});
  table.Add({"may read", info.secret.Full()});
  table.Add({"through", info.by.empty() ? "a grant of its own" : info.by + ", a group that it is in"});
  table.Add({"label", grant.label + (shown != nullptr ? ", now version " + std::to_string(shown->version)
                                                      : ", which points at no version now")});
  table.Add({"mode", ModeText(grant.mode)});
  table.Add({"owner", OrText(grant.owner, "whoever mounts")});
  table.Add({"group", OrText(grant.group, "whoever mounts")});
  table.Add({"conditions", grant.conditions.empty() ? "none" : JoinConditions(grant.conditions)});
  table.Add({"page cache", grant.strict ? "never (strict)" : "while it is open"});
  table.Add({"lease", SpanText(grant.lease, "none: every open asks the vault")});
  table.Add({"offline", SpanText(grant.offline, "never: not without the vault")});
  table.Add({"recorded", grant.record});
  table.Add({"expires", ExpiryText(grant.expires, now)});
  table.Add({"granted by", info.signer});
  table.Add({"granted at", FormatTime(info.time)});
  return {table.Text(), ToJson(info).Set("by", info.by)};
}

AdminReport ReportSecret(const AdminFacts& facts, const SecretSurvey& secret, std::int64_t now) {
  const AdminSnapshot& snapshot = *facts.snapshot;
  std::uint64_t machines = 0;
  const std::string readers = ReadersText(facts, facts.readership.OfSecret(secret, now), &machines);
  const SecretInfo& info = secret.info;
  Table table;
  table.Add({"secret", info.name.Full()});
  table.Add({"number", std::to_string(info.number)});
  const bool made = info.type == SecretType::kTemplate;
  if (!info.problem.empty()) {
    table.Add({"problem", info.problem});
  } else {
    table.Add({"type", TypeName(info.type)});
    if (made) table.Add({"made of", PartsText(info)});
    table.Add({"version", info.version == 0 ? "none yet" : std::to_string(info.version)});
    table.Add({"bytes", std::to_string(info.size)});
    table.Add({"set", TimeCell(info.time)});
    table.Add({"rotation", RotationText(info, now)});
    table.Add({"owner", info.owner});
    table.Add({"description", info.description});
    table.Add({"readers", readers});
  }
  const auto frozen = FreezesOf(snapshot, FreezeTarget::Kind::kEnvironment, info.name.environment);
  for (const FreezeInfo& freeze : frozen) table.Add({"frozen", FreezeSentence(freeze)});
  Json json = Json::Object({{"name", info.name.Full()},
                            {"type", TypeName(info.type)},
                            {"parts", Json::Array({info.parts.begin(), info.parts.end()})},
                            {"frozen", FreezesJson(frozen)},
                            {"number", info.number},
                            {"version", info.version},
                            {"size", info.size},
                            {"time", info.time},
                            {"owner", info.owner},
                            {"description", info.description},
                            {"grants", std::uint64_t{info.grants}},
                            {"readers", machines},
                            {"problem", info.problem}});
  AddRotation(info, now, &json);
  return {table.Text(), std::move(json)};
}

AdminReport ReportVersions(const SecretSurvey& secret) {
  Json list = Json::Array();
  for (const VersionInfo& version : secret.versions) list.Append(ToJson(version));
  const Table table = HistoryTable(secret.versions);
  return {table.empty() ? "no version yet\n" : table.Text(),
          Json::Object({{"name", secret.info.name.Full()}, {"versions", std::move(list)}})};
}

AdminReport ReportReaders(const AdminFacts& facts, const SecretSurvey& secret, std::int64_t now) {
  Table table({"MACHINE", "THROUGH", "LABEL", "OWNER", "GROUP", "MODE", "STRICT", "ONLY", "LEASE", "EXPIRES",
               "SINCE", "BY"});
  Json list = Json::Array();
  for (const GrantInfo& info : facts.readership.OfSecret(secret, now)) {
    const Grant& grant = info.grant;
    const bool removed = IsRemovedMachine(*facts.snapshot, info.machine_id);
    table.Add({ReaderCell(facts, info), info.by, grant.label, grant.owner, grant.group, ModeText(grant.mode),
               grant.strict ? "yes" : "", JoinConditions(grant.conditions),
               LeaseCell(grant.lease, grant.offline, grant.record),
               grant.expires == 0 ? "" : ExpiryText(grant.expires, now), TimeCell(info.time), info.signer});
    list.Append(ToJson(info).Set("by", info.by).Set("removed", removed));
  }
  return {table.empty() ? "no machine may read it\n" : table.Text(),
          Json::Object({{"name", secret.info.name.Full()}, {"readers", std::move(list)}})};
}

AdminReport ReportAudit(const AdminSnapshot& snapshot, const std::vector<AuditLine>& lines) {
  Json list = Json::Array();
  for (const AuditLine& line : lines) list.Append(ToJson(line));
  std::string text = "you may audit no environment\n";
  if (snapshot.audit_known) text = lines.empty() ? "no record\n" : AuditTable(lines).Text();
  return {std::move(text), Json::Object({{"known", snapshot.audit_known}, {"records", std::move(list)}})};
}

}  // namespace grantfs
