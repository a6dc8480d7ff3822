// What two owners sign: the first his agreement to the act, which waits as a request; the second the
// statement.

#include <algorithm>

#include "grantfs/trust/consent.h"
#include "owner_internal.h"
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

AskConsent::Item OwnerSessionImpl::ConsentTo(const SignedList& list, const UpperLists& upper, Act act) const {
  AskConsent::Item item;
  item.list = list.id();
  item.consent.signer = me_.Id();
  item.consent.after = *list.head();
  if (list.id().kind != ListKind::kEnvironment) item.consent.environment = upper.environment->head();
  item.act = std::move(act);
  return item;
}

// In as many requests as it takes; each is approved by itself.
Result<std::vector<std::string>> OwnerSessionImpl::Propose(const std::string& environment,
                                                           std::vector<AskConsent::Item> items,
                                                           const std::string& reason) {
  std::vector<std::string> ids;
  for (std::size_t begun = 0; begun < items.size(); begun += kMaxConsents) {
    const std::size_t end = std::min(begun + kMaxConsents, items.size());
    const auto sent = GRANTFS_TRY(SendNewRequest([&](std::int64_t time) {
      const std::int64_t expires = time + kUsualRequestSeconds;
      AskConsent ask;
      ask.request = answers_;
      for (std::size_t i = begun; i < end; ++i) {
        AskConsent::Item item = items[i];
        item.consent.time = time;
        item.consent.expires = expires;
        item.signature =
            me_.signing_key().Sign(ConsentBytes(home_.profile().vault, item.list, item.consent, item.act));
        ask.items.push_back(std::move(item));
      }
      return SignRequest(environment, std::move(ask), reason, time, expires);
    }));
    ids.push_back(sent.id().Hex());
    Report("signing", end, items.size());
  }
  return ids;
}

Result<std::vector<std::string>> OwnerSessionImpl::SetTwoOwners(const std::string& environment, bool on,
                                                                const std::string& reason) {
  GRANTFS_CHECK(Enter(environment, Operation::kManageMembers));
  const UpperLists upper = keeper_->UpperOf(environment);
  if (upper.environment->two_owners() == on)
    return Error{Code::kConflict, on ? "two owners sign there already" : "one owner signs there already", 0,
                 environment};
  const auto& members = upper.environment->members();
  const auto owners = std::count_if(members.begin(), members.end(), [](const auto& one) {
    return one.second.present && one.second.role == Role::kOwner;
  });
  if (owners < 2)
    return Error{Code::kInvalid,
                 "it has one owner: make a second one first (grantfs member add --role owner)", 0,
                 environment};
  std::vector<AskConsent::Item> items;
  if (on) items = GRANTFS_TRY(StandingGrants(environment));
  std::vector<std::string> ids;
  if (!items.empty()) ids = GRANTFS_TRY(Propose(environment, std::move(items), reason));
  // By itself, so that it is signed when all the others are.
  items = {ConsentTo(*upper.environment, upper, RulesSet{on})};
  for (std::string& id : GRANTFS_TRY(Propose(environment, std::move(items), reason)))
    ids.push_back(std::move(id));
  return ids;
}

Result<bool> OwnerSessionImpl::HasTwoOwners(const std::string& environment) {
  GRANTFS_CHECK(Enter(environment, Operation::kList));
  return keeper_->FindEnvironment(environment)->two_owners();
}

// Those with one signature, as they are.
Result<std::vector<AskConsent::Item>> OwnerSessionImpl::StandingGrants(const std::string& environment) {
  std::vector<AskConsent::Item> items;
  const UpperLists upper = keeper_->UpperOf(environment);
  for (const auto& [key, standing] : upper.environment->groups().prefixes()) {
    if (!standing.by_two) items.push_back(ConsentTo(*upper.environment, upper, standing.act));
  }
  const auto names = GRANTFS_TRY(ListNames(environment, {}));
  std::size_t done = 0;
  for (const Listed& listed : names) {
    const SecretList list = GRANTFS_TRY(keeper_->RefreshSecret(listed.number, listed.name, listed.head));
    Report("verifying", ++done, names.size());
    if (list.state().deleted)
      continue;  // when it is back, its grants read nothing until two have signed them
    for (const auto& [key, standing] : list.grants()) {
      if (standing.statement->statement().consent) continue;
      if (upper.vault->IsRemoved(standing.grant.grantee.id))
        return Error{Code::kConflict,
                     "is still granted to a machine that was removed: grantfs status names the command that "
                     "ends it",
                     0, listed.name.Full()};
      items.push_back(ConsentTo(list, upper, GrantAdd{standing.grant}));
    }
  }
  return items;
}

Result<SignedList::StatementPtr> OwnerSessionImpl::SignSecond(SignedList& list, const UpperLists& upper,
                                                              Statement statement,
                                                              const AskConsent::Item& item) {
  GRANTFS_CHECK(CheckUnanswered(list));
  statement.consent = item.consent;
  auto made = std::make_shared<const SignedStatement>(
      GRANTFS_TRY(SignedStatement::Sign(statement, me_.signing_key(), &item.signature)));
  GRANTFS_CHECK(list.Append(made, upper));
  return StatementPtr(std::move(made));
}

// A grant is for the machine that the lists know: what the first owner signed is looked at by the second.
Status OwnerSessionImpl::PrepareSecondGrant(const std::string& environment, const AskConsent::Item& item,
                                            bool dry_run, Batch& batch, std::vector<std::string>& lines) {
  const Grant& grant = std::get<GrantAdd>(item.act).grant;
  const std::string what = ActSentence(environment, item);
  if (grant.grantee.kind == GranteeKind::kGroup)
    return PrepareSecondGroupGrant(environment, item, dry_run, batch, lines);
  const auto* machine = keeper_->machines().FindById(grant.grantee.id);
  if (machine == nullptr || machine->removed || machine->number != grant.grantee.number ||
      machine->identity.seal != grant.grantee.seal || machine->identity.name != grant.grantee.name ||
      keeper_->vault().IsRemoved(grant.grantee.id)) {
    return Error{Code::kIntegrity, "the machine is none of this vault, or was removed", 0, what};
  }
  const auto listed = GRANTFS_TRY(FindListed(environment, item.list));
  if (!listed) return Changed(what);
  SecretList list = GRANTFS_TRY(keeper_->RefreshSecret(listed->number, listed->name, listed->head));
  const UpperLists upper = keeper_->UpperOf(environment);
  const std::string terms =
      grant.conditions.empty() ? "" : what.substr(std::min(what.size(), what.find(", only for ")));
  Statement statement = Draft(list, upper, item.act, approval_reason_);
  statement.state = GRANTFS_TRY(list.StateAfter(statement.act, upper));
  const bool replaces = list.grants().contains({grant.grantee.kind, grant.grantee.number});
  auto made = SignSecond(list, upper, std::move(statement), item);
  if (!made) return made.error().code == Code::kDenied ? Changed(listed->name.Full()) : made.error();
  const SecretList::Target target{
      {RecipientKind::kMachine, grant.grantee.number, 0}, grant.grantee.seal, grant.grantee.name};
  const std::size_t versions = GRANTFS_TRY(SealVersionsTo(list, *upper.environment, target, dry_run));
  lines.push_back("grant " + listed->name.Full() + " to " + grant.grantee.name + " (" +
                  machine->identity.Fingerprint() + ", " + std::to_string(versions) + " version" +
                  (versions == 1 ? "" : "s") + (replaces ? ", replaces its grant" : "") + ")" + terms);
  batch.push_back({list.id(), {*made}, {}});
  return {};
}

Result<std::optional<OwnerSessionImpl::Listed>> OwnerSessionImpl::FindListed(const std::string& environment,
                                                                             const ListId& list) {
  for (const Listed& one : GRANTFS_TRY(ListNames(environment, {}))) {
    if (ListId::Secret(one.number) == list) return std::optional(one);
  }
  return std::optional<Listed>();
}

Status OwnerSessionImpl::PrepareSecondGroupGrant(const std::string& environment, const AskConsent::Item& item,
                                                 bool dry_run, Batch& batch,
                                                 std::vector<std::string>& lines) {
  const Grant& grant = std::get<GrantAdd>(item.act).grant;
  const UpperLists upper = keeper_->UpperOf(environment);
  const auto* group = upper.environment->groups().Find(grant.grantee);
  const auto listed = GRANTFS_TRY(FindListed(environment, item.list));
  if (group == nullptr || !listed) return Changed(ActSentence(environment, item));
  SecretList list = GRANTFS_TRY(keeper_->RefreshSecret(listed->number, listed->name, listed->head));
  Statement statement = Draft(list, upper, item.act, approval_reason_);
  statement.state = GRANTFS_TRY(list.StateAfter(statement.act, upper));
  auto made = SignSecond(list, upper, std::move(statement), item);
  if (!made) return made.error().code == Code::kDenied ? Changed(listed->name.Full()) : made.error();
  GRANTFS_TRY(SealVersionsTo(list, *upper.environment, {group->recipient(), group->seal(), "@" + group->name},
                             dry_run));
  lines.push_back("grant " + listed->name.Full() + " to @" + group->name);
  batch.push_back({list.id(), {*made}, {}});
  return {};
}

// What is there now is sealed to the group; what comes later is by whoever sets it.
Status OwnerSessionImpl::PrepareSecondPrefix(EnvironmentList& list, const AskConsent::Item& item,
                                             bool dry_run, std::vector<StatementPtr>& made,
                                             std::vector<std::string>& lines) {
  const PrefixGrant& act = std::get<PrefixGrant>(item.act);
  const auto* group = list.groups().Find(act.grant.grantee);
  if (group == nullptr) return Changed(ActSentence(list.name(), item));
  const SecretList::Target target{group->recipient(), group->seal(), "@" + group->name};
  const UpperLists upper{&keeper_->vault(), nullptr};
  const auto signed_by_two = SignSecond(list, upper, Draft(list, upper, act, approval_reason_), item);
  if (!signed_by_two)
    return signed_by_two.error().code == Code::kDenied ? Changed(list.name()) : signed_by_two.error();
  made.push_back(*signed_by_two);
  for (const Listed& listed : GRANTFS_TRY(ListNames(list.name(), act.prefix))) {
    const SecretList secret = GRANTFS_TRY(keeper_->RefreshSecret(listed.number, listed.name, listed.head));
    GRANTFS_TRY(SealVersionsTo(secret, *keeper_->FindEnvironment(list.name()), target, dry_run));
  }
  lines.push_back("grant " + list.name() + "/" + act.prefix + " and what will be below it to @" +
                  group->name);
  return {};
}

// The machines are those that the lists know: what the first owner signed is looked at by the second.
Status OwnerSessionImpl::PrepareSecondMachines(const std::string& environment, const AskConsent::Item& item,
                                               bool dry_run, Batch& batch, std::vector<std::string>& lines) {
  GroupMachinesAdd add = std::get<GroupMachinesAdd>(item.act);
  const std::string what = ActSentence(environment, item);
  const EnvironmentList& list = *keeper_->FindEnvironment(environment);
  const auto* standing =
      item.list.kind == ListKind::kGroup ? list.groups().Find(item.list.number) : nullptr;
  if (standing == nullptr) return Changed(what);
  std::vector<GroupCopyTarget> targets;
  for (const Grantee& named : add.machines) {
    const std::vector<Grantee> known = GRANTFS_TRY(MachinesNamed({named.name}));
    if (known.front() != named)
      return Error{Code::kIntegrity, "the machine is none that the vault's lists know so", 0, named.name};
    targets.push_back({{RecipientKind::kMachine, named.number, 0}, named.seal});
    lines.push_back("put " + named.name + " (" +
                    keeper_->machines().FindById(named.id)->identity.Fingerprint() + ") into @" +
                    standing->name + " of " + environment);
  }
  GroupList group = GRANTFS_TRY(keeper_->RefreshGroup(environment, item.list.number));
  const UnsealKey key = GRANTFS_TRY(GroupKeyOf(list, *standing));
  const auto copies = GRANTFS_TRY(SealGroupKey(key, targets));
  add.epoch = standing->newest().epoch.number;
  add.copies_root = GroupCopiesRoot(copies);
  const UpperLists upper = keeper_->UpperOf(environment);
  auto made = SignSecond(group, upper, Draft(group, upper, add, approval_reason_), item);
  if (!made) return made.error().code == Code::kDenied ? Changed(what) : made.error();
  if (!dry_run) GRANTFS_CHECK(StageGroup(environment, item.list.number, add.epoch, copies));
  batch.push_back({group.id(), {*made}, {}});
  return {};
}

Status OwnerSessionImpl::PrepareSecondMember(EnvironmentList& list, const AskConsent::Item& item,
                                             bool dry_run, std::vector<StatementPtr>& made,
                                             std::vector<std::string>& lines) {
  MemberAdd add = std::get<MemberAdd>(item.act);
  const Identity known = GRANTFS_TRY(FindPerson(add.member.Id().Hex()));
  if (known != add.member)
    return Error{Code::kIntegrity, "is none whom the vault's list knows with these keys", 0, add.member.name};
  NewEpoch copy;
  copy.epoch = list.newest_epoch();
  const UnsealKey* key = GRANTFS_TRY(EpochKey(list, copy.epoch.number));
  copy.copies = {{add.member.Id(), GRANTFS_TRY(Seal(add.member.seal, key->private_bytes()))}};
  add.copy = Blake2b256({copy.copies.front().sealed});
  const UpperLists upper{&keeper_->vault(), nullptr};
  const auto signed_by_two = SignSecond(list, upper, Draft(list, upper, add, approval_reason_), item);
  if (!signed_by_two)
    return signed_by_two.error().code == Code::kDenied ? Changed(add.member.name) : signed_by_two.error();
  made.push_back(*signed_by_two);
  lines.push_back("make " + add.member.name + " (" + add.member.Fingerprint() + ") " + RoleName(add.role) +
                  " of " + list.name());
  return dry_run ? Status() : StageEpoch(list.name(), copy);
}

Status OwnerSessionImpl::PrepareSecondRules(EnvironmentList& list, const AskConsent::Item& item,
                                            std::vector<StatementPtr>& made,
                                            std::vector<std::string>& lines) {
  const RulesSet& rules = std::get<RulesSet>(item.act);
  if (rules.two_owners) {
    const auto lacking = GRANTFS_TRY(StandingGrants(list.name()));
    if (!lacking.empty())
      return Settled({Code::kConflict,
                      "standing grants lack a second signature: approve the requests for them first (grantfs "
                      "request list), or where there is none turn the rule on anew",
                      0, list.name() + ", " + std::to_string(lacking.size()) + " of them"});
  }
  const UpperLists upper{&keeper_->vault(), nullptr};
  const auto signed_by_two = SignSecond(list, upper, Draft(list, upper, rules, approval_reason_), item);
  if (!signed_by_two)
    return signed_by_two.error().code == Code::kDenied ? Changed(list.name()) : signed_by_two.error();
  made.push_back(*signed_by_two);
  lines.push_back(rules.two_owners ? "two owners sign in " + list.name() + " from now on"
                                   : "one owner's signature is enough in " + list.name() + " from now on");
  return {};
}

Status OwnerSessionImpl::ApproveConsent(const AskConsent& ask, const ApproveOptions& options,
                                        ApproveResult& result) {
  const std::string& environment = result.request.environment;
  return Retry([&]() -> Status {
    GRANTFS_CHECK(RequireMachines());
    GRANTFS_CHECK(Enter(environment, Operation::kGrant));
    result.lines.clear();
    if (result.request.asker_id == me_.Id().Hex())
      return Error{Code::kDenied, "you have signed it yourself: another owner must", 0, result.request.id};
    Batch batch;
    EnvironmentList list = *keeper_->FindEnvironment(environment);
    std::vector<StatementPtr> made;
    for (const AskConsent::Item& item : ask.items) {
      if (std::holds_alternative<GrantAdd>(item.act)) {
        const Grantee& grantee = std::get<GrantAdd>(item.act).grant.grantee;
        if (grantee.kind == GranteeKind::kMachine) result.machine = grantee.name;
        GRANTFS_CHECK(PrepareSecondGrant(environment, item, options.dry_run, batch, result.lines));
      } else if (std::holds_alternative<PrefixGrant>(item.act)) {
        GRANTFS_CHECK(PrepareSecondPrefix(list, item, options.dry_run, made, result.lines));
      } else if (std::holds_alternative<GroupMachinesAdd>(item.act)) {
        GRANTFS_CHECK(PrepareSecondMachines(environment, item, options.dry_run, batch, result.lines));
      } else if (std::holds_alternative<MemberAdd>(item.act)) {
        GRANTFS_CHECK(PrepareSecondMember(list, item, options.dry_run, made, result.lines));
      } else if (std::holds_alternative<RulesSet>(item.act)) {
        GRANTFS_CHECK(PrepareSecondRules(list, item, made, result.lines));
      } else {
        return Error{Code::kUnsupported, "the act is of a kind that this command does not sign", 0,
                     ActName(item.act)};
      }
      Report("signing", result.lines.size(), ask.items.size());
    }
    if (!made.empty()) batch.push_back({list.id(), std::move(made), {}});
    if (options.dry_run) return {};
    const std::uint64_t change = GRANTFS_TRY(Submit(batch));
    const auto* machine = keeper_->machines().FindByName(result.machine);
    if (machine != nullptr) result.delivery = WaitFor(machine->identity.Id(), change, options.wait);
    return {};
  });
}

}  // namespace grantfs
