#include "grantfs/crypto/encoding.h"
#include "grantfs/util/text.h"
#include "records_internal.h"

namespace grantfs {
namespace {

constexpr std::size_t kMostProcessText = 1024;

// Text that a machine reports must not burst the bound of a body, escapes included.
std::string Bounded(const std::string& text) { return Printable(text.substr(0, kMostProcessText)); }

AuditSeverity SeverityOf(const Act& act) {
  if (IsAnyOf<VaultCreate, VaultOwnerAdd, VaultOwnerRemove, PinsSet, RulesSet, SecretDestroy, Void,
              RecoveryReplace, LevelRaise, IdentityReplace>(act))
    return AuditSeverity::kCritical;
  // A vault's and an environment's; those of their many secrets follow from these.
  if (const auto* restore = std::get_if<Restore>(&act);
      restore != nullptr && (restore->epoch || !restore->log_origin.empty()))
    return AuditSeverity::kCritical;
  return IsAnyOf<SecretCreate, VersionPublish, SecretDescribe>(act) ? AuditSeverity::kInfo
                                                                    : AuditSeverity::kNotice;
}

/// Whom or what an act is about, beside the list that it stands in.
std::string NameOf(const Grantee& grantee) {
  return (grantee.kind == GranteeKind::kGroup ? "@" : "") + grantee.name;
}

// A statement has at most a hundred, and an object of the log a thousand bytes.
std::string NamesOf(const std::vector<Grantee>& machines) {
  std::string names = machines.front().name;
  for (std::size_t i = 1; i < machines.size() && names.size() < 1000; ++i) names += " " + machines[i].name;
  return names.size() < 1000 ? names : names.substr(0, 1000) + "...";
}

struct AboutAct {
  std::string operator()(const VaultCreate& act) const { return act.owner.name; }
  std::string operator()(const VaultOwnerAdd& act) const { return act.owner.name; }
  std::string operator()(const VaultOwnerRemove& act) const { return act.id.Hex(); }
  std::string operator()(const IdentityAdd& act) const { return act.identity.name; }
  std::string operator()(const IdentityRemove& act) const { return act.name; }
  std::string operator()(const IdentityReplace& act) const { return act.identity.name; }
  std::string operator()(const EnvironmentAdd& act) const { return act.environment; }
  std::string operator()(const PinsSet&) const { return {}; }
  std::string operator()(const MachinesCreate&) const { return {}; }
  std::string operator()(const InvitationCreate& act) const { return act.invitation.name; }
  std::string operator()(const InvitationStand& act) const { return act.invitation.pattern; }
  std::string operator()(const InvitationWithdraw& act) const { return act.id; }
  std::string operator()(const MachineApprove& act) const { return act.enrolment.identity.name; }
  std::string operator()(const MachineAdmit& act) const { return act.request.identity.name; }
  std::string operator()(const MachineJoin& act) const { return act.enrolment.identity.name; }
  std::string operator()(const MachineRemove& act) const { return act.id.Hex(); }
  std::string operator()(const EnvironmentCreate& act) const { return act.owner.name; }
  std::string operator()(const MemberAdd& act) const { return act.member.name; }
  std::string operator()(const MemberRemove& act) const { return act.id.Hex(); }
  std::string operator()(const MemberChange& act) const { return act.id.Hex(); }
  std::string operator()(const EpochStart& act) const { return std::to_string(act.epoch.number); }
  std::string operator()(const RulesSet& act) const { return act.two_owners ? "two owners" : "one owner"; }
  std::string operator()(const SecretCreate&) const { return {}; }
  std::string operator()(const VersionPublish&) const { return {}; }
  std::string operator()(const GrantAdd& act) const { return NameOf(act.grant.grantee); }
  std::string operator()(const GrantRevoke& act) const { return std::to_string(act.number); }
  std::string operator()(const LabelMove&) const { return "current"; }
  std::string operator()(const LabelRemove& act) const { return act.label; }
  std::string operator()(const VersionDestroy&) const { return {}; }
  std::string operator()(const SecretDescribe&) const { return {}; }
  std::string operator()(const SecretDelete&) const { return {}; }
  std::string operator()(const SecretUndelete&) const { return {}; }
  std::string operator()(const SecretDestroy&) const { return {}; }
  std::string operator()(const GroupCreate& act) const { return "@" + act.name; }
  std::string operator()(const GroupEpochStart& act) const { return std::to_string(act.group); }
  std::string operator()(const GroupDelete& act) const { return std::to_string(act.group); }
  std::string operator()(const PrefixGrant& act) const {
    return NameOf(act.grant.grantee) + " " + act.prefix;
  }
  std::string operator()(const PrefixRevoke& act) const {
    return std::to_string(act.group) + " " + act.prefix;
  }
  std::string operator()(const GroupListCreate& act) const { return "@" + act.name; }
  std::string operator()(const GroupMachinesAdd& act) const { return NamesOf(act.machines); }
  std::string operator()(const GroupMachinesRemove& act) const {
    return std::to_string(act.machines.front());
  }
  std::string operator()(const GroupInvitationAdd& act) const { return act.id; }
  std::string operator()(const GroupInvitationRemove& act) const { return std::to_string(act.number); }
  std::string operator()(const Vouch&) const { return {}; }
  std::string operator()(const Void& act) const { return std::to_string(act.from); }
  std::string operator()(const RecoveryReplace& act) const { return act.recovery.name; }
  std::string operator()(const LevelRaise& act) const { return std::to_string(act.level); }
  std::string operator()(const Restore& act) const { return std::to_string(act.accepted.sequence); }
};

}  // namespace

Json ProcessJson(const api::CallerInfo& process) {
  return Json::Object({{"pid", process.pid},
                       {"uid", process.uid},
                       {"gid", process.gid},
                       {"executable", Bounded(process.executable)},
                       {"cgroup", Bounded(process.cgroup)}});
}

AuditRecord MakeRecord(const Clock& clock, const VaultCaller& caller, const char* type,
                       const std::string& environment, const std::string& object, const char* outcome) {
  AuditRecord record;
  record.time_ms = clock.WallMilliseconds();
  record.type = type;
  record.environment = environment;
  record.body = Json::Object({{kAuditActor, caller.Actor()}});
  if (!caller.name.empty()) record.body.Set("name", caller.name);
  record.body.Set("action", type);
  if (!object.empty()) record.body.Set(kAuditObject, object);
  record.body.Set("outcome", outcome);
  if (!caller.remote.empty()) record.body.Set("source", caller.remote);
  if (!environment.empty()) record.body.Set("environment", environment);
  return record;
}

AuditRecord MakeReadRecord(const Clock& clock, const VaultCaller& caller, const ReadRecord& read) {
  const bool refused = read.refusal != nullptr;
  AuditRecord record =
      MakeRecord(clock, caller, "secret.read", read.environment,
                 read.path.empty() ? "" : read.environment + "/" + read.path, refused ? kRefused : kDone);
  if (refused) {
    record.severity = AuditSeverity::kWarning;
    record.body.Set("reason", read.refusal);
  }
  record.body.Set("secret", read.secret).Set("version", read.version).Set("open", read.open);
  if (read.process != nullptr) record.body.Set("caller", ProcessJson(*read.process));
  if (read.asked) {
    record.body.Set("signature", HexEncode(caller.signature.bytes));
    record.body.Set("base", caller.signature_base);
  }
  record.open_id = read.open;
  return record;
}

AuditRecord MakeRefusedRecord(const Clock& clock, const VaultCaller& caller, const std::string& environment,
                              const std::string& path, const api::RefusalsRequest::Refusal& refusal) {
  AuditRecord record =
      MakeRecord(clock, caller, kReadRefused, environment, environment + "/" + path, kRefused);
  record.severity = AuditSeverity::kWarning;
  record.body.Set("reason", Bounded(refusal.reason));
  record.body.Set("secret", refusal.secret).Set("version", refusal.version).Set("open", refusal.id);
  record.body.Set("caller", ProcessJson(refusal.caller)).Set("count", refusal.count);
  record.body.Set("first", refusal.first).Set("last", refusal.last);
  record.body.Set("signature", HexEncode(caller.signature.bytes));
  record.body.Set("base", caller.signature_base);
  record.open_id = refusal.id;
  return record;
}

AuditRecord MakeAppendRecord(const Clock& clock, const VaultCaller& caller,
                             const SignedStatement& signed_statement, const AppendPlace& place) {
  const Statement& statement = signed_statement.statement();
  const std::string about = place.ended.empty() ? std::visit(AboutAct{}, statement.act) : place.ended;
  std::string object = place.path.empty() ? place.environment : place.environment + "/" + place.path;
  if (object.empty()) object = about;
  AuditRecord record = MakeRecord(clock, caller, ActName(statement.act), place.environment, object, kDone);
  record.severity = SeverityOf(statement.act);
  if (!about.empty() && about != object) record.body.Set("about", about);
  if (const auto* version = std::get_if<VersionPublish>(&statement.act))
    record.body.Set("version", version->version);
  if (const auto* move = std::get_if<LabelMove>(&statement.act)) record.body.Set("version", move->version);
  if (const auto* destroy = std::get_if<VersionDestroy>(&statement.act))
    record.body.Set("versions", Json::Array({destroy->versions.begin(), destroy->versions.end()}));
  if (!statement.reason.empty()) record.body.Set("reason", statement.reason);
  record.body.Set("list", statement.list.Text()).Set("sequence", statement.sequence);
  record.body.Set("statement", signed_statement.hash().Hex());
  if (statement.consent) record.body.Set("consent", statement.consent->signer.Hex());
  if (statement.request) record.body.Set("request", statement.request->Hex());
  return record;
}

AuditRecord MakeCountedRecord(const Clock& clock, const CountedEvent& event) {
  AuditRecord record;
  record.time_ms = clock.WallMilliseconds();
  record.severity = AuditSeverity::kWarning;
  record.type = event.type;
  record.environment = event.environment;
  record.body = Json::Object({{"action", event.type}, {"outcome", kRefused}});
  if (!event.actor.empty()) record.body.Set(kAuditActor, event.actor);
  record.body.Set("source", event.source).Set("count", event.count);
  record.body.Set("first", event.first).Set("last", event.last);
  return record;
}

}  // namespace grantfs
