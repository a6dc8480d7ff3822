// What the first of two owners signs: his agreement to acts, which waits as a request.

#include <algorithm>

#include "grantfs/trust/consent.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

/// What a request may have of acts, which its envelope holds in base64.
constexpr std::size_t kActsBytes = kMaxAskBytes / 2;

std::size_t BytesOf(const AskConsent::Item& item) {
  constexpr std::size_t kBeside = 1024;  // the consent and the signature
  return ActToJson(item.act).Dump().size() + kBeside;
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
  for (std::size_t begun = 0, end = 0; begun < items.size(); begun = end) {
    for (std::size_t bytes = 0; end < items.size() && end - begun < kMaxConsents; ++end) {
      bytes += BytesOf(items[end]);
      if (bytes > kActsBytes && end > begun) break;
    }
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

std::vector<AskConsent::Item> OwnerSessionImpl::ConsentToMachines(
    const GroupList& group, const UpperLists& upper, const std::vector<Grantee>& machines) const {
  std::vector<AskConsent::Item> items;
  for (std::size_t from = 0; from < machines.size(); from += kMaxGroupMachines) {
    const std::size_t end = std::min(from + kMaxGroupMachines, machines.size());
    GroupMachinesAdd add;
    add.machines.assign(machines.begin() + static_cast<std::ptrdiff_t>(from),
                        machines.begin() + static_cast<std::ptrdiff_t>(end));
    items.push_back(ConsentTo(group, upper, std::move(add)));
  }
  return items;
}

// A group's list may bring a newer one of its environment: the copy is looked through.
Result<std::vector<AskConsent::Item>> OwnerSessionImpl::StandingInGroups(const std::string& environment) {
  std::vector<AskConsent::Item> items;
  const EnvironmentGroups groups = keeper_->FindEnvironment(environment)->groups();
  if (groups.all().empty()) return items;
  GRANTFS_CHECK(RequireMachines());
  for (const auto& [number, group] : groups.all()) {
    const GroupList list = GRANTFS_TRY(keeper_->RefreshGroup(environment, number));
    const UpperLists upper = keeper_->UpperOf(environment);
    const auto lacking = list.FindSignedByOne(keeper_->machines(), keeper_->vault(), Now());
    for (const GroupInvitationAdd& one : lacking.invitations)
      items.push_back(ConsentTo(list, upper, ConsentedAct(one)));
    for (AskConsent::Item& item : ConsentToMachines(list, upper, lacking.machines))
      items.push_back(std::move(item));
  }
  return items;
}

// Those with one signature, as they are.
Result<std::vector<AskConsent::Item>> OwnerSessionImpl::StandingGrants(const std::string& environment) {
  std::vector<AskConsent::Item> items = GRANTFS_TRY(StandingInGroups(environment));
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

}  // namespace grantfs
