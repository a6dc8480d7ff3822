#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "owner_internal.h"

namespace grantfs {

/// What the second owner signs of one request, as one append: each act becomes a statement with both
/// signatures, and what it seals is sent ahead. Of several acts in one list each follows the one before. The
/// environment was entered, with the newest machines.
///
/// Errors: kDenied (an act was used, or overtaken by another), kIntegrity (it names what the lists do not
/// know so).
class OwnerSessionImpl::Seconding {
 public:
  Seconding(OwnerSessionImpl& session, std::string environment, bool dry_run)
      : s_(session), environment_(std::move(environment)), list_(environment_), dry_run_(dry_run) {}
  /// That no list has an answer to the request already is asked here and of each list that is added to.
  Status Begin();
  Status Add(const AskConsent::Item& item);

  const std::vector<std::string>& lines() const { return lines_; }  ///< what is done, for people
  const std::string& machine() const { return machine_; }  ///< the last one that was granted something
  const Leads& led() const { return led_; }  ///< into which groups invitations lead that did not
  Batch TakeBatch();

 private:
  Status AddGrant(const AskConsent::Item& item);
  Status AddPrefix(const AskConsent::Item& item);
  Status AddMachines(const AskConsent::Item& item);
  Status AddInvitation(const AskConsent::Item& item);
  Status AddMember(const AskConsent::Item& item);
  Status AddRules(const AskConsent::Item& item);
  Result<SecretList*> SecretOf(const AskConsent::Item& item);
  Result<GroupList*> GroupOf(const AskConsent::Item& item);
  Result<SecretList::Target> TargetOf(const AskConsent::Item& item, std::string* shown);
  Status SignSecond(SignedList& list, const UpperLists& upper, Statement statement,
                    const AskConsent::Item& item, const std::string& what);
  Status SignInEnvironment(Act act, const AskConsent::Item& item, const std::string& what);
  Status SignInGroup(GroupList& group, Act act, const AskConsent::Item& item,
                     const std::vector<GroupCopy>& copies);

  OwnerSessionImpl& s_;
  const std::string environment_;
  EnvironmentList list_;
  const bool dry_run_;
  std::optional<std::vector<Listed>> listed_;
  std::map<std::uint64_t, SecretList> secrets_;
  std::map<std::uint64_t, GroupList> groups_;
  std::map<ListId, std::vector<StatementPtr>> appended_;
  std::vector<std::string> lines_;
  std::string machine_;
  Leads led_;
};

}  // namespace grantfs
