// What the second of two owners signs: the statements, made of acts that the first has agreed to.

#include <algorithm>
#include <utility>

#include "grantfs/log/log.h"
#include "grantfs/trust/consent.h"
#include "grantfs/util/clock.h"
#include "owner_seconds_internal.h"
#include "request_words_internal.h"

namespace grantfs {
namespace {

Error Changed(const std::string& what) {
  return {Code::kDenied,
          "what was agreed to was used, or has changed since: refuse it (grantfs request refuse), and let it "
          "be asked for anew",
          0, what};
}

}  // namespace

Status OwnerSessionImpl::Seconding::Begin() {
  list_ = *s_.keeper_->FindEnvironment(environment_);
  return s_.CheckUnanswered(list_);
}

Status OwnerSessionImpl::Seconding::Add(const AskConsent::Item& item) {
  if (std::holds_alternative<GrantAdd>(item.act)) return AddGrant(item);
  if (std::holds_alternative<PrefixGrant>(item.act)) return AddPrefix(item);
  if (std::holds_alternative<GroupMachinesAdd>(item.act)) return AddMachines(item);
  if (std::holds_alternative<GroupInvitationAdd>(item.act)) return AddInvitation(item);
  if (std::holds_alternative<MemberAdd>(item.act)) return AddMember(item);
  if (std::holds_alternative<RulesSet>(item.act)) return AddRules(item);
  return Error{Code::kUnsupported, "the act is of a kind that this command does not sign", 0,
               ActName(item.act)};
}

OwnerBase::Batch OwnerSessionImpl::Seconding::TakeBatch() {
  Batch batch;
  for (auto& [id, appended] : appended_) batch.push_back({id, std::move(appended), {}});
  return batch;
}

Status OwnerSessionImpl::Seconding::SignSecond(SignedList& list, const UpperLists& upper, Statement statement,
                                               const AskConsent::Item& item, const std::string& what) {
  statement.consent = item.consent;
  auto made = std::make_shared<const SignedStatement>(
      GRANTFS_TRY(SignedStatement::Sign(statement, s_.me_.signing_key(), &item.signature)));
  const Status appended = list.Append(made, upper);
  if (!appended) return appended.error().code == Code::kDenied ? Changed(what) : appended.error();
  appended_[list.id()].push_back(std::move(made));
  return {};
}

// Of several acts in one list each follows the one before.
Result<SecretList*> OwnerSessionImpl::Seconding::SecretOf(const AskConsent::Item& item) {
  if (item.list.kind != ListKind::kSecret) return Changed(ActSentence(environment_, item));
  if (const auto there = secrets_.find(item.list.number); there != secrets_.end()) return &there->second;
  if (!listed_) listed_ = GRANTFS_TRY(s_.ListNames(environment_, {}));
  const auto at = std::find_if(listed_->begin(), listed_->end(),
                               [&](const Listed& one) { return ListId::Secret(one.number) == item.list; });
  if (at == listed_->end()) return Changed(ActSentence(environment_, item));
  SecretList list = GRANTFS_TRY(s_.keeper_->RefreshSecret(at->number, at->name, at->head));
  GRANTFS_CHECK(s_.CheckUnanswered(list));
  return &secrets_.emplace(at->number, std::move(list)).first->second;
}

Result<GroupList*> OwnerSessionImpl::Seconding::GroupOf(const AskConsent::Item& item) {
  const std::uint64_t number = item.list.number;
  const bool here = item.list.kind == ListKind::kGroup && list_.groups().Find(number) != nullptr;
  if (!here) return Changed(ActSentence(environment_, item));
  if (const auto there = groups_.find(number); there != groups_.end()) return &there->second;
  GroupList list = GRANTFS_TRY(s_.keeper_->RefreshGroup(environment_, number));
  GRANTFS_CHECK(s_.CheckUnanswered(list));
  return &groups_.emplace(number, std::move(list)).first->second;
}

// A grant is for the machine that the lists know: what the first owner signed is looked at by the second.
Result<SecretList::Target> OwnerSessionImpl::Seconding::TargetOf(const AskConsent::Item& item,
                                                                 std::string* shown) {
  const Grantee& grantee = std::get<GrantAdd>(item.act).grant.grantee;
  const std::string what = ActSentence(environment_, item);
  if (grantee.kind == GranteeKind::kGroup) {
    const auto* group = list_.groups().Find(grantee);
    if (group == nullptr) return Changed(what);
    GRANTFS_CHECK(CheckGroupKey(list_, *group));
    *shown = "@" + group->name;
    return SecretList::Target{group->recipient(), group->seal(), *shown};
  }
  const auto* machine = s_.keeper_->machines().FindById(grantee.id);
  if (machine == nullptr || machine->removed || machine->number != grantee.number ||
      machine->identity.seal != grantee.seal || machine->identity.name != grantee.name ||
      s_.keeper_->vault().IsRemoved(grantee.id))
    return Error{Code::kIntegrity, "the machine is none of this vault, or was removed", 0, what};
  machine_ = grantee.name;
  *shown = grantee.name + " (" + machine->identity.Fingerprint() + ")";
  return SecretList::Target{{RecipientKind::kMachine, grantee.number, 0}, grantee.seal, grantee.name};
}

Status OwnerSessionImpl::Seconding::AddGrant(const AskConsent::Item& item) {
  const Grant& grant = std::get<GrantAdd>(item.act).grant;
  std::string shown;
  const SecretList::Target target = GRANTFS_TRY(TargetOf(item, &shown));
  SecretList& list = *GRANTFS_TRY(SecretOf(item));
  const UpperLists upper = s_.keeper_->UpperOf(environment_);
  const std::string name = environment_ + "/" + list.state().path;
  Statement statement = s_.Draft(list, upper, item.act, s_.approval_reason_);
  statement.state = GRANTFS_TRY(list.StateAfter(statement.act, upper));
  const bool replaces = list.grants().contains({grant.grantee.kind, grant.grantee.number});
  GRANTFS_CHECK(SignSecond(list, upper, std::move(statement), item, name));
  const std::size_t versions = GRANTFS_TRY(s_.SealVersionsTo(list, *upper.environment, target, dry_run_));
  const std::string what = ActSentence(environment_, item);
  const std::string terms =
      grant.conditions.empty() ? "" : what.substr(std::min(what.size(), what.find(", only for ")));
  const bool machine = grant.grantee.kind == GranteeKind::kMachine;
  const std::string count = std::to_string(versions) + " version" + (versions == 1 ? "" : "s");
  lines_.push_back("grant " + name + " to " +
                   (machine ? shown.substr(0, shown.size() - 1) + ", " + count : shown + " (" + count) +
                   (replaces ? ", replaces its grant" : "") + ")" + terms);
  return {};
}

// What is there now is sealed to the group; what comes later is by whoever sets it.
Status OwnerSessionImpl::Seconding::AddPrefix(const AskConsent::Item& item) {
  const PrefixGrant& act = std::get<PrefixGrant>(item.act);
  const auto* group = list_.groups().Find(act.grant.grantee);
  if (group == nullptr) return Changed(ActSentence(environment_, item));
  GRANTFS_CHECK(CheckGroupKey(list_, *group));
  const SecretList::Target target{group->recipient(), group->seal(), "@" + group->name};
  GRANTFS_CHECK(SignInEnvironment(act, item, environment_));
  for (const Listed& listed : GRANTFS_TRY(s_.ListNames(environment_, act.prefix))) {
    const SecretList secret = GRANTFS_TRY(s_.keeper_->RefreshSecret(listed.number, listed.name, listed.head));
    GRANTFS_TRY(s_.SealVersionsTo(secret, *s_.keeper_->FindEnvironment(environment_), target, dry_run_));
  }
  lines_.push_back("grant " + environment_ + "/" + act.prefix + " and what will be below it to " +
                   target.name);
  return {};
}

Status OwnerSessionImpl::Seconding::SignInEnvironment(Act act, const AskConsent::Item& item,
                                                      const std::string& what) {
  const UpperLists upper{&s_.keeper_->vault(), nullptr};
  return SignSecond(list_, upper, s_.Draft(list_, upper, std::move(act), s_.approval_reason_), item, what);
}

// The machines are those that the lists know. Those that one owner put there alone are signed for again.
Status OwnerSessionImpl::Seconding::AddMachines(const AskConsent::Item& item) {
  GroupMachinesAdd add = std::get<GroupMachinesAdd>(item.act);
  GroupList& group = *GRANTFS_TRY(GroupOf(item));
  const EnvironmentGroups::Group standing = *list_.groups().Find(item.list.number);
  std::vector<GroupCopyTarget> targets;
  for (const Grantee& named : add.machines) {
    const std::vector<Grantee> known = GRANTFS_TRY(s_.MachinesNamed({named.name}));
    if (known.front() != named)
      return Error{Code::kIntegrity, "the machine is none that the vault's lists know so", 0, named.name};
    targets.push_back({{RecipientKind::kMachine, named.number, 0}, named.seal});
    const auto& machine = s_.keeper_->machines().machines().at(named.number);
    lines_.push_back((group.Includes(machine) ? "keep " : "put ") + named.name + " (" +
                     machine.identity.Fingerprint() + (group.Includes(machine) ? ") in @" : ") into @") +
                     standing.name + " of " + environment_);
  }
  const UnsealKey key = GRANTFS_TRY(s_.GroupKeyOf(list_, standing));
  const auto copies = GRANTFS_TRY(SealGroupKey(key, targets));
  add.epoch = standing.newest().epoch.number;
  add.copies_root = GroupCopiesRoot(copies);
  return SignInGroup(group, std::move(add), item, copies);
}

Status OwnerSessionImpl::Seconding::SignInGroup(GroupList& group, Act act, const AskConsent::Item& item,
                                                const std::vector<GroupCopy>& copies) {
  const std::uint32_t epoch = list_.groups().Find(item.list.number)->newest().epoch.number;
  const UpperLists upper = s_.keeper_->UpperOf(environment_);
  GRANTFS_CHECK(SignSecond(group, upper, s_.Draft(group, upper, std::move(act), s_.approval_reason_), item,
                           ActSentence(environment_, item)));
  return dry_run_ ? Status() : s_.StageGroup(environment_, item.list.number, epoch, copies);
}

// Whom it lets in, and how many, stands in the list of machines: what the first owner named is looked up
// there.
Status OwnerSessionImpl::Seconding::AddInvitation(const AskConsent::Item& item) {
  GroupInvitationAdd lead = std::get<GroupInvitationAdd>(item.act);
  GroupList& group = *GRANTFS_TRY(GroupOf(item));
  const EnvironmentGroups::Group standing = *list_.groups().Find(item.list.number);
  const auto at = s_.keeper_->machines().standing().find(lead.id);
  const bool known = at != s_.keeper_->machines().standing().end() && at->second.number == lead.number &&
                     at->second.invitation.seal == lead.seal && at->second.invitation.expires == lead.expires;
  if (!known)
    return Error{Code::kIntegrity, "the standing invitation is none that the vault's lists know so", 0,
                 lead.id};
  const StandingInvitation& invitation = at->second.invitation;
  if (!at->second.IsOpen(s_.keeper_->vault()) || invitation.expires <= s_.Now())
    return Error{Code::kExpired, "the standing invitation lets nobody in any more: refuse the request", 0,
                 lead.id};
  const auto leads = group.invitations().find(lead.number);
  const bool again = leads != group.invitations().end();
  const auto came = s_.LetInBy(s_.keeper_->machines(), lead.id).size();
  lines_.push_back((again ? "let the standing invitation " : "lead the standing invitation ") +
                   invitation.pattern + " (" + std::to_string(invitation.uses) + " times until " +
                   FormatTime(invitation.expires) + ", " + std::to_string(came) + " came by it so far)" +
                   (again ? " lead on into @" : " into @") + standing.name + " of " + environment_);
  if (!again) led_.emplace(item.list.number, lead.id);
  const UnsealKey key = GRANTFS_TRY(s_.GroupKeyOf(list_, standing));
  const auto copies =
      GRANTFS_TRY(SealGroupKey(key, {{{RecipientKind::kInvitation, lead.number, 0}, lead.seal}}));
  lead.epoch = standing.newest().epoch.number;
  lead.copy = GroupCopiesRoot(copies);
  return SignInGroup(group, std::move(lead), item, copies);
}

Status OwnerSessionImpl::Seconding::AddMember(const AskConsent::Item& item) {
  MemberAdd add = std::get<MemberAdd>(item.act);
  const Identity known = GRANTFS_TRY(s_.FindPerson(add.member.Id().Hex()));
  if (known != add.member)
    return Error{Code::kIntegrity, "is none whom the vault's list knows with these keys", 0, add.member.name};
  const NewEpoch copy = GRANTFS_TRY(s_.CopyFor(list_, add.member));
  add.copy = Blake2b256({copy.copies.front().sealed});
  GRANTFS_CHECK(SignInEnvironment(add, item, add.member.name));
  lines_.push_back("make " + add.member.name + " (" + add.member.Fingerprint() + ") " + RoleName(add.role) +
                   " of " + environment_);
  return dry_run_ ? Status() : s_.StageEpoch(environment_, copy);
}

// With the rule its groups get new keys: who was put in by one owner alone has the old ones.
Status OwnerSessionImpl::Seconding::AddRules(const AskConsent::Item& item) {
  const RulesSet& rules = std::get<RulesSet>(item.act);
  if (rules.two_owners) {
    const auto lacking = GRANTFS_TRY(s_.StandingGrants(environment_));
    if (!lacking.empty())
      return s_.Settled(
          {Code::kConflict,
           "standing grants, or machines in groups, lack a second signature: approve the requests for "
           "them first (grantfs request list), or where there is none turn the rule on anew",
           0, environment_ + ", " + std::to_string(lacking.size()) + " of them"});
  }
  const EnvironmentList before = list_;
  GRANTFS_CHECK(SignInEnvironment(rules, item, environment_));
  lines_.push_back(rules.two_owners ? "two owners sign in " + environment_ + " from now on"
                                    : "one owner's signature is enough in " + environment_ + " from now on");
  if (!rules.two_owners || dry_run_) return {};
  const auto answers =
      std::exchange(s_.answers_, std::nullopt);  // they follow from the rule, and answer nothing
  auto started = s_.NextGroupEpochs(before, list_, s_.keeper_->vault(), s_.approval_reason_);
  s_.answers_ = answers;
  if (!started) return started.error();
  for (StatementPtr& one : *started) appended_[list_.id()].push_back(std::move(one));
  return {};
}

// Who came by an invitation before it led there is in the group with it, and has no key of it: its next one
// is for them.
void OwnerSessionImpl::StartFor(const std::string& environment, const Leads& led) {
  const auto answers = std::exchange(answers_, std::nullopt);
  for (const auto& lead : led) {
    const Status started = Retry([&]() -> Status {
      GRANTFS_CHECK(EnterGroups(environment));
      if (LetInBy(keeper_->machines(), lead.second).empty()) return {};
      GRANTFS_TRY(TakeOut(environment, GRANTFS_TRY(keeper_->RefreshGroup(environment, lead.first)), {},
                          "for who came by an invitation before it led into the group"));
      return {};
    });
    if (!started)
      Log(LogLevel::kWarning,
          "who came by the invitation before it led into the group has no key of it before the group's next "
          "one",
          started.error());
  }
  answers_ = answers;
}

Status OwnerSessionImpl::Approve(const AskConsent& ask, const ApproveOptions& options,
                                 ApproveResult& result) {
  const std::string& environment = result.request.environment;
  Leads led;
  const Status done = Retry([&]() -> Status {
    GRANTFS_CHECK(RequireMachines());
    GRANTFS_CHECK(Enter(environment, Operation::kGrant));
    if (result.request.asker_id == me_.Id().Hex())
      return Error{Code::kDenied, "you have signed it yourself: another owner must", 0, result.request.id};
    Seconding seconding(*this, environment, options.dry_run);
    GRANTFS_CHECK(seconding.Begin());
    for (const AskConsent::Item& item : ask.items) {
      GRANTFS_CHECK(seconding.Add(item));
      Report("signing", seconding.lines().size(), ask.items.size());
    }
    result.lines = seconding.lines();
    result.machine = seconding.machine();
    if (options.dry_run) return {};
    const std::uint64_t change = GRANTFS_TRY(Submit(seconding.TakeBatch()));
    led = seconding.led();
    const auto* machine = keeper_->machines().FindByName(result.machine);
    if (machine != nullptr) result.delivery = WaitFor(machine->identity.Id(), change, options.wait);
    return {};
  });
  if (done) StartFor(environment, led);
  return done;
}

}  // namespace grantfs
