#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "grantfs/trust/groups.h"
#include "grantfs/trust/lists.h"

namespace grantfs {

/// The machines of one group and the invitations that lead into it. Only owners' clients and the vault verify
/// it: a machine knows that it is in a group by the group's private key.
class GroupList : public SignedList {
 public:
  GroupList(std::string environment, std::uint64_t number)
      : SignedList(ListId::Group(std::move(environment), number)) {}
  /// A standing invitation that leads, or led, into the group.
  struct Invitation {
    GroupInvitationAdd act;
    bool open = true;
    std::uint64_t last = 0;  ///< of one that ended: who came later did not come into the group
    bool by_two = false;     ///< two owners signed that it leads there
    bool InForce(std::int64_t time) const { return open && (act.expires == 0 || time < act.expires); }
  };
  /// Whom an epoch's key is sealed to.
  struct Target {
    Recipient recipient;
    SealKey key;
    std::string name;
    Hash id;  ///< of a machine
  };

  const std::string& name() const { return name_; }
  const std::map<std::uint64_t, Grantee>& machines() const {
    return machines_;
  }  ///< added by name, by number
  const std::map<std::uint64_t, Invitation>& invitations() const {
    return invitations_;
  }  ///< also ended ones

  /// The machines that are in it: those that were added, and those that came by an invitation that led into
  /// it; without those that were taken out or that the machines list has as removed. By number.
  std::map<std::uint64_t, Grantee> Members(const MachinesList& all) const;
  /// The same for one, removed from the vault or not.
  bool Includes(const MachinesList::Machine& machine) const;
  /// Their numbers alone, ordered.
  std::vector<std::uint64_t> MemberNumbers(const MachinesList& all) const;
  /// Whether two owners signed that it is in it: itself, or the invitation that it came by.
  bool IsByTwo(const MachinesList::Machine& machine) const;
  /// Members that have not expired at `time` and are not removed, and invitations that lead somebody in then:
  /// in force here, and open in the machines list, by somebody who owns the vault still. Where the
  /// environment asks for two owners, those alone whom two have signed for. Ordered by recipient. The
  /// environment's own copy is the caller's to add.
  std::vector<Target> EpochTargets(const MachinesList& all, const UpperLists& upper, std::int64_t time) const;
  /// What stands in the group by one owner's signature: invitations that lead somebody in at `time`, and
  /// members that have not expired then and did not come by one of those.
  struct SignedByOne {
    std::vector<GroupInvitationAdd> invitations;
    std::vector<Grantee> machines;
    bool empty() const { return invitations.empty() && machines.empty(); }
  };
  SignedByOne FindSignedByOne(const MachinesList& all, const VaultList& vault, std::int64_t time) const;
  /// That this list begins with the statement that the environment's list names. Errors: kIntegrity,
  /// kNotFound.
  Status CheckGenesis(const EnvironmentList& environment) const;
  /// Whether the newest epoch was made with all in mind who left. Errors: kIntegrity, where it names another
  /// history of this list.
  Result<bool> EpochIsDue(const EnvironmentGroups::Group& group) const;

 protected:
  Result<Permission> Needed(const Statement& statement) const override;
  const Identity* SignerOf(const Statement& statement, const UpperLists& upper) const override;
  bool Holds(const Hash& signer, Permission permission, const Act& act, const SeenHeads* at,
             const UpperLists& upper) const override;
  bool HeldSince(const Statement& statement, const SeenHeads* at, const UpperLists& upper) const override;
  bool TwoOwnersAt(const Statement& statement, const UpperLists& upper) const override;
  bool OwnsThrough(const Consent& consent, const Statement& statement,
                   const UpperLists& upper) const override;
  Status CheckNew(const Statement& statement, const UpperLists& upper) const override;
  Status Apply(const StatementPtr& statement, const UpperLists& upper) override;
  void Reset() override;

 private:
  Status ApplyCreate(const GroupListCreate& act);
  Status ApplyAdd(const GroupMachinesAdd& act, bool by_two);
  Status ApplyRemove(const GroupMachinesRemove& act, std::uint64_t sequence);
  Status ApplyInvite(const GroupInvitationAdd& act, bool by_two);
  Status ApplyWithdraw(const GroupInvitationRemove& act, std::uint64_t sequence);
  std::string name_;
  std::map<std::uint64_t, Grantee> machines_;
  std::set<std::uint64_t> by_two_;     ///< of those: for whom two owners signed
  std::set<std::uint64_t> taken_out_;  ///< also of those that came by an invitation
  std::map<std::uint64_t, Invitation> invitations_;
  std::uint64_t last_departure_ =
      0;  ///< sequence of the last statement after which a new epoch is due; 0: none
};

}  // namespace grantfs
