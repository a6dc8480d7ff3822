#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "core_internal.h"

namespace grantfs {

/// One atomic append over several lists, made ready in memory: verified on copies, so that a failure changes
/// nothing. Its rows are then written in one job of the store. Threads: one at a time; const ones from any.
class AppendPlan {
 public:
  struct Appended {
    SignedList::StatementPtr statement;
    std::string environment;       ///< of the list, "" for vault and machines
    std::string path;              ///< of a secret
    std::string ended;             ///< the name of whom it takes something from, where it gives none itself
    std::vector<Hash> recipients;  ///< of an environment's key as the list stands after this one, ordered
  };
  struct TouchedSecret {
    SecretCache::ListPtr before;  ///< nullptr: it is new
    std::shared_ptr<SecretList> after;
    std::string environment;
  };

  /// Error::where of an append that would leave somebody's acts without a successor: this very pointer.
  static const char* const kUnvouched;

  /// @param held  secrets' lists that were verified before; nullptr: none.
  AppendPlan(Vault::Core& core, StatePtr before, const HeldLists* held = nullptr)
      : core_(core), before_(std::move(before)), held_(held) {}

  /// Reads, and verifies with trust, every statement in its order; then what the whole must fulfil.
  /// @param signer  who must have signed all; nullptr: any (the claim).
  /// Errors: as SignedList::Append; kConflict (somebody's acts would be left without a successor).
  Status Prepare(StoreReader& reader, const api::AppendRequest& request, const VaultCaller* signer);

  const std::vector<Appended>& appended() const { return appended_; }
  const std::map<std::uint64_t, TouchedSecret>& secrets() const { return secrets_; }
  const StatePtr& before() const { return before_; }
  const StatePtr& after() const { return after_; }
  std::vector<WatchEvent> Events() const;
  std::vector<api::ListHead> Heads() const;

 private:
  Status AppendOne(StoreReader& reader, const ListId& id, const std::string& envelope,
                   const VaultCaller* signer);
  Result<SignedList*> Working(StoreReader& reader, const ListId& id, const Statement& statement);
  Result<SignedList*> WorkingEnvironment(const std::string& name, const Statement& statement);
  Result<SignedList*> WorkingSecret(StoreReader& reader, std::uint64_t number, const Statement& statement);
  Result<SignedList*> WorkingGroup(const ListId& id, const Statement& statement);
  UpperLists Upper(const std::string& environment) const;
  std::string EnvironmentOf(const ListId& id) const;
  /// As the lists stand before the act.
  std::string WhoIsEnded(const ListId& id, const Act& act) const;
  std::vector<Hash> RecipientsOf(const ListId& id) const;

  Status CheckAct(const Statement& statement) const;
  Status CheckMachine(const Grantee& grantee) const;
  Status CheckGroupAct(const ListId& id, const Act& act) const;
  Status CheckGroups() const;
  /// "@web", or the machines that leave it.
  std::string WhoOfGroup(const ListId& id, const Act& act) const;
  Status CheckWhole(StoreReader& reader);
  Status CheckStandings() const;
  Status CheckEnvironments() const;
  Status CheckPeople() const;
  Status CheckLeavers(StoreReader& reader);
  Status CheckRecoverys(StoreReader& reader);
  /// Where the rule is turned on that a grant needs two owners, that none stands which has one.
  Status CheckRules(StoreReader& reader);
  Status CheckGroupsByTwo(const std::string& environment) const;
  Status CheckSecretsOf(StoreReader& reader, const std::string& environment, const Hash* leaver);
  Status CheckOneSecret(StoreReader& reader, std::uint64_t number);
  static Error Unvouched(const SignedList& list, std::uint64_t sequence);

  Vault::Core& core_;
  const StatePtr before_;
  const HeldLists* const held_;
  StatePtr after_;
  std::shared_ptr<VaultList> vault_;  // these are set once they are touched
  std::shared_ptr<MachinesList> machines_;
  std::map<std::string, std::shared_ptr<EnvironmentList>> environments_;
  std::map<GroupKey, std::shared_ptr<GroupList>> groups_;
  std::map<std::uint64_t, TouchedSecret> secrets_;
  std::vector<Appended> appended_;
};

/// Of a member's act: whose role ends by it, wholly or for another; nullptr: nobody's.
const Hash* WhoseRoleEnds(const Act& act);

/// What is sealed to a group, of the secrets below a prefix that it may not read (any more).
struct GroupSweep {
  std::string environment;
  std::string prefix;
  std::uint64_t group = 0;
  std::string after;  ///< the last path that was looked at
};
/// Copies that were sent for some secrets, in the place of those that are in use.
struct CopyRenewal {
  Hash signer;
  Recipient to;
  std::vector<std::uint64_t> secrets;
};
/// What is done after an append, as it may be much.
struct LaterWork {
  std::vector<GroupSweep> sweeps;
  std::vector<CopyRenewal> renewals;
};

class PrefixWalk;

/// Writes all rows of a plan; a job of the store. @param walk  that the plan's grants by prefix have needed;
/// nullptr: none.  @param later  is set.  @return the change's number.
Result<std::uint64_t> WritePlan(StoreWriter& writer, const AppendPlan& plan, const VaultCaller& caller,
                                const Clock& clock, const PrefixWalk* walk, LaterWork* later);

/// Settles the requests that the plan's statements name, and those for a new value that it sets.
Status WriteRequests(StoreWriter& writer, const AppendPlan& plan, const VaultCaller& caller,
                     const Clock& clock);

/// What of that a statement does to the environments' keys: new epochs, a new member's copy.
Status WriteEpochs(StoreWriter& writer, const AppendPlan& plan, const AppendPlan::Appended& one,
                   std::int64_t now);
/// What of that a statement does to groups, their keys' copies and grants by prefix.
/// @param walk, later  as WritePlan.
Status WriteGroups(StoreWriter& writer, const AppendPlan& plan, const AppendPlan::Appended& one,
                   std::int64_t now, const PrefixWalk* walk, LaterWork* later);
/// Whether a prefix of the path is granted to the group.
bool IsCovered(const EnvironmentList& environment, const std::string& path, std::uint64_t group);
/// Takes away what is sealed to the group of secrets below the sweep's prefix, but for those that it may read
/// by another grant: of `most` secrets at most behind those that were looked at. @param touched  which it
/// was.
/// @return whether all are looked at.
Result<bool> SweepCopies(StoreWriter& writer, const VaultState& state, std::size_t most, GroupSweep* sweep,
                         std::vector<std::uint64_t>* touched);
/// What of that an approval or a withdrawal does to the enrolment that waits.
Status WriteEnrolments(StoreWriter& writer, const Act& act, std::int64_t now);

}  // namespace grantfs
