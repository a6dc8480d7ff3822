#include <set>

#include "append_plan_internal.h"
#include "grantfs/crypto/aead.h"

// The rows that follow from an append. They come from the difference between the lists before and after, so
// that a void undoes what it takes back.

namespace grantfs {
namespace {

struct Job {
  StoreWriter& writer;
  const AppendPlan& plan;
  const Clock& clock;
  std::int64_t now;
};

Error Unmet(const char* where, const std::string& subject) { return {Code::kConflict, where, 0, subject}; }

std::string VersionText(std::uint64_t secret, std::uint32_t version) {
  return "secret " + std::to_string(secret) + " version " + std::to_string(version);
}

Status CheckCopies(Job& job, std::uint64_t secret, std::uint32_t version, const std::vector<Recipient>& to) {
  const auto missing = GRANTFS_TRY(job.writer.MissingCopies(secret, version, to, 1));
  if (missing.empty()) return {};
  const Recipient& who = missing[0].recipient;
  return Unmet("a copy of its data key was not sent ahead", VersionText(secret, missing[0].version) +
                                                                " for " + RecipientKindName(who.kind) + " " +
                                                                std::to_string(who.number));
}

// Where the mount shows a directory, no file can be.
Status CheckPathFree(Job& job, const SecretCreate& create) {
  const auto taken = [&](const std::string& path) {
    return Unmet("a name cannot be both a secret and the beginning of others", path);
  };
  for (auto slash = create.path.find('/'); slash != std::string::npos;
       slash = create.path.find('/', slash + 1)) {
    const std::string parent = create.path.substr(0, slash);
    if (GRANTFS_TRY(job.writer.FindSecret(create.environment, parent))) return taken(parent);
  }
  const auto below = GRANTFS_TRY(job.writer.ListSecrets(create.environment, create.path + "/", 1));
  if (!below.empty() && below[0].path.starts_with(create.path + "/")) return taken(create.path);
  if (GRANTFS_TRY(job.writer.FindSecret(create.environment, create.path)))
    return Unmet("a secret of this name exists already", create.path);
  return {};
}

Status WriteNewSecret(Job& job, const AppendPlan::TouchedSecret& touched) {
  const SecretCreate& create = touched.after->create();
  if (create.number >= GRANTFS_TRY(job.writer.NextSecretNumber()))
    return Unmet("the secret's number was not reserved", std::to_string(create.number));
  GRANTFS_CHECK(CheckPathFree(job, create));
  return job.writer.AddSecret(create.number, create.environment, create.path);
}

std::vector<Recipient> TargetsOf(const Job& job, const AppendPlan::TouchedSecret& touched,
                                 std::int64_t time) {
  std::vector<Recipient> recipients;
  for (const auto& target : touched.after->SealTargets(time, job.plan.after()->Upper(touched.environment)))
    recipients.push_back(target.recipient);
  return recipients;
}

Status WriteVersion(Job& job, const AppendPlan::TouchedSecret& touched, const SecretList::Version& version) {
  const Statement& statement = version.statement->statement();
  const VersionPublish& publish = version.publish;
  const std::uint64_t secret = statement.list.number;
  const StageKey key{statement.signer, secret, publish.version, publish.commitment};
  const auto staged = GRANTFS_TRY(job.writer.FindStagedCiphertext(key, job.now));
  if (!staged || staged->hash != publish.ciphertext)
    return Unmet("the version's ciphertext was not sent ahead", VersionText(secret, publish.version));
  if (staged->size != publish.size + kAeadOverhead) {
    return Error{Code::kInvalid, "the ciphertext has another size than the statement says", 0,
                 VersionText(secret, publish.version)};
  }
  GRANTFS_CHECK(job.writer.PublishVersion(
      statement.signer,
      {secret, publish.version, version.statement->head(), publish.commitment, publish.ciphertext,
       publish.size, publish.epoch, statement.time, publish.ExpiresAt(statement.time)},
      job.now));
  GRANTFS_TRY(job.writer.AdoptCopies(statement.signer, secret, publish.version, false, job.now));
  return CheckCopies(job, secret, publish.version, TargetsOf(job, touched, statement.time));
}

Status WriteVersions(Job& job, const AppendPlan::TouchedSecret& touched) {
  static const std::map<std::uint32_t, SecretList::Version> kNone;
  const auto& before = touched.before != nullptr ? touched.before->versions() : kNone;
  const auto& after = touched.after->versions();
  const auto same = [](const SecretList::Version& a, const SecretList::Version& b) {
    return a.statement->hash() == b.statement->hash();
  };
  for (const auto& [number, version] : before) {
    const auto kept = after.find(number);
    if (kept == after.end() || !same(kept->second, version))
      GRANTFS_CHECK(job.writer.RemoveVersion(touched.after->id().number, number));
  }
  for (const auto& [number, version] : after) {
    const auto held = before.find(number);
    if (held == before.end() || !same(held->second, version))
      GRANTFS_CHECK(WriteVersion(job, touched, version));
  }
  return {};
}

Status WriteGrant(Job& job, const AppendPlan::TouchedSecret& touched,
                  const SecretList::StandingGrant& standing) {
  const std::uint64_t secret = touched.after->id().number;
  const Grant& grant = standing.grant;
  GRANTFS_CHECK(job.writer.PutGrant({secret, grant.grantee.kind, grant.grantee.number, grant.grantee.id,
                                     standing.sequence, grant.label, grant.expires, standing.leaf}));
  const Hash& signer = standing.statement->statement().signer;
  GRANTFS_TRY(job.writer.AdoptCopies(signer, secret, 0, true, job.now));
  Recipient to{RecipientKind::kMachine, grant.grantee.number, 0};
  if (grant.grantee.kind == GranteeKind::kGroup) {
    const auto* environment = job.plan.after()->FindEnvironment(touched.environment);
    const auto* group = environment != nullptr ? environment->groups().Find(grant.grantee) : nullptr;
    if (group == nullptr) return {};  // it counts for nothing
    to = group->recipient();
  }
  return CheckCopies(job, secret, 0, {to});
}

Status WriteGrants(Job& job, const AppendPlan::TouchedSecret& touched) {
  static const std::map<SecretList::GrantKey, SecretList::StandingGrant> kNone;
  const auto& before = touched.before != nullptr ? touched.before->grants() : kNone;
  const auto& after = touched.after->grants();
  const std::uint64_t secret = touched.after->id().number;
  for (const auto& [key, standing] : before) {
    if (after.contains(key)) continue;
    GRANTFS_CHECK(job.writer.RemoveGrant(secret, key.first, key.second));
    const bool of_group = key.first == GranteeKind::kGroup;
    const auto* environment = job.plan.after()->FindEnvironment(touched.environment);
    if (of_group && environment != nullptr &&
        IsCovered(*environment, touched.after->state().path, key.second))
      continue;  // it is granted by a prefix too
    GRANTFS_CHECK(job.writer.RemoveCopies(secret, of_group ? RecipientKind::kGroup : RecipientKind::kMachine,
                                          key.second));
  }
  for (const auto& [key, standing] : after) {
    const auto held = before.find(key);
    const bool stood = held != before.end() && held->second.statement->hash() == standing.statement->hash();
    if (!stood) GRANTFS_CHECK(WriteGrant(job, touched, standing));
  }
  return {};
}

Status WriteLabels(Job& job, const SecretList& list) {
  const std::uint64_t secret = list.id().number;
  const std::int64_t now_ms = job.clock.WallMilliseconds();
  std::set<std::string> standing;
  for (const auto& [label, hash] : list.state().labels) {
    const SecretList::Version* version = list.FindVersion(hash);
    if (version == nullptr) continue;
    standing.insert(label);
    GRANTFS_CHECK(job.writer.SetLabel(secret, label, version->publish.version, now_ms));
  }
  for (const StoredLabel& label : GRANTFS_TRY(job.writer.LabelsOf(secret))) {
    if (!standing.contains(label.label)) GRANTFS_CHECK(job.writer.RemoveLabel(secret, label.label, now_ms));
  }
  return {};
}

// Who may read what a label leads to can open it. The environment's copy is of an older epoch and stays so.
Status CheckMoves(Job& job, const AppendPlan::TouchedSecret& touched) {
  const std::uint64_t secret = touched.after->id().number;
  for (const AppendPlan::Appended& one : job.plan.appended()) {
    const Statement& statement = one.statement->statement();
    const auto* move = std::get_if<LabelMove>(&statement.act);
    if (move == nullptr || statement.list != touched.after->id()) continue;
    auto readers = TargetsOf(job, touched, job.now);
    std::erase_if(readers, [](const Recipient& to) { return to.kind == RecipientKind::kEnvironment; });
    for (Recipient& to : readers) to.epoch = 0;  // a group's older key is opened with its newest
    if (CheckCopies(job, secret, move->version, readers)) continue;
    return Unmet(
        "somebody who is granted it has no key of that version: an owner seals all of them with grantfs "
        "grant",
        VersionText(secret, move->version));
  }
  return {};
}

Status WriteSecret(Job& job, const AppendPlan::TouchedSecret& touched) {
  const SecretList& after = *touched.after;
  if (touched.before != nullptr && touched.before->IsDestroyed()) {
    if (after.IsDestroyed()) return {};  // somebody vouches for that
    return Error{Code::kInvalid, "the secret was erased, and a void brings nothing back: vouch for its end",
                 0, after.create().path};
  }
  if (touched.before == nullptr) GRANTFS_CHECK(WriteNewSecret(job, touched));
  if (after.IsDestroyed()) return job.writer.RemoveSecret(after.id().number);  // its statements stay
  GRANTFS_CHECK(WriteVersions(job, touched));
  GRANTFS_CHECK(WriteGrants(job, touched));
  GRANTFS_CHECK(CheckMoves(job, touched));
  GRANTFS_CHECK(WriteLabels(job, after));
  return job.writer.SetDeleted(after.id().number, after.state().deleted);
}

}  // namespace

Result<std::uint64_t> WritePlan(StoreWriter& writer, const AppendPlan& plan, const VaultCaller& caller,
                                const Clock& clock, const PrefixWalk* walk, LaterWork* later) {
  Job job{writer, plan, clock, clock.WallSeconds()};
  *later = {};  // the job may run more than once
  for (const auto& one : plan.appended()) {
    const Statement& statement = one.statement->statement();
    const auto* restore = std::get_if<Restore>(&statement.act);
    const StoredStatement row{statement.list.Text(), one.statement->head(), statement.signer,
                              one.statement->envelope()};
    GRANTFS_CHECK(restore != nullptr ? writer.AppendRestore(row, statement.previous)
                                     : writer.AppendStatement(row, statement.previous));
    GRANTFS_CHECK(WriteEpochs(writer, plan, one, job.now));
    GRANTFS_CHECK(WriteGroups(writer, plan, one, job.now, walk, later));
    GRANTFS_CHECK(WriteEnrolments(writer, statement.act, job.now));
    if (restore != nullptr && statement.list.kind == ListKind::kVault)
      GRANTFS_CHECK(writer.GoOnFromBackup(restore->log_origin, restore->numbers));
  }
  for (const auto& [number, touched] : plan.secrets()) GRANTFS_CHECK(WriteSecret(job, touched));
  for (const auto& one : plan.appended())
    GRANTFS_TRY(writer.Audit(
        MakeAppendRecord(clock, caller, *one.statement, {one.environment, one.path, one.ended})));
  GRANTFS_CHECK(WriteRequests(writer, plan, caller, clock));
  return writer.NextChange();
}

}  // namespace grantfs
