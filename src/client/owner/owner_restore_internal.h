#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "grantfs/trust/restore.h"
#include "owner_internal.h"

namespace grantfs {

/// One run of `grantfs restore`. It works on the lists as the vault serves them, which the session's keeper
/// refuses until they are accepted; what is accepted is then read by the keeper as any client reads it.
class OwnerSessionImpl::Restorer {
 public:
  Restorer(OwnerSessionImpl& session, const RestoreOptions& options) : s_(session), options_(options) {}
  Result<RestoreResult> Run();

 private:
  /// A list as it is served, and what this home has seen of it.
  struct Compared {
    std::vector<StatementPtr> seen;
    std::optional<std::uint64_t> common;  ///< the last sequence that both have
    bool lower = false;                   ///< not all that was seen is served
    bool needs_restore = false;  ///< and no restore says that this is right, or not of the newest backup
    bool fresh = false;          ///< what is not served was made since the last backup was accepted
    bool other = false;          ///< a secret that has the number of one that is lost
    std::uint64_t from = 0;      ///< what is said at this sequence or later is anew
    Undone undone;               ///< what came back, to be done again
    bool nothing() const { return !needs_restore && !other && undone.empty(); }
  };
  Result<Compared> Compare(const SignedList& list);
  /// Tells in the result what was lost.
  void Tell(const std::string& where, const Compared& compared);
  /// And what was signed in it since, by those who came back with the backup.
  /// @param above  where the list above it ends in the backup, for a list of which this home has seen nothing
  void TellSince(const std::string& where, const SignedList& list, const Compared& compared,
                 const std::set<Hash>& returned, std::optional<std::uint64_t> above);
  /// Errors: kIntegrity (something was, and the options do not say that it is to stay).
  Status CheckSince() const;
  /// The restore of a list; its act's parts for the list's kind are set already.
  Result<StatementPtr> SignRestore(SignedList& list, const UpperLists& upper, const Compared& compared,
                                   Restore act);
  Result<StatementPtr> SignRestore(SecretList& list, const UpperLists& upper, const Compared& compared,
                                   Restore act);
  Statement DraftRestore(const SignedList& list, const UpperLists& upper, const Compared& compared,
                         Restore act) const;
  bool IsStale(const SignedList& list) const;

  // ---- the vault and its machines
  Status ReadUpper();
  Result<bool> LogIsShorter();
  Status AcceptVault();
  Result<std::uint64_t> NumbersFrom();
  Status AddToVault(Compared& vault, KnownStore::Verified& append);
  Status AddToMachines(Compared& machines, KnownStore::Verified& append);

  // ---- an environment and its secrets
  /// A group of it, with what is signed of its list.
  struct ComparedGroup {
    GroupList list;
    Compared compared;
  };
  using Groups = std::map<std::uint64_t, ComparedGroup>;
  /// Compares it and what it has, for `needed` and `fresh_`.
  Status LookAt(const std::string& environment, const EnvironmentList& list);
  void Note(const Compared& compared);
  Status AcceptEnvironment(const std::string& environment, EnvironmentList list);
  Result<NewEpoch> EpochFor(const EnvironmentList& list, const std::set<Hash>& without);
  /// The list as it will be without those whose return is undone: nothing is sent.
  Result<EnvironmentList> Without(const EnvironmentList& list, const Compared& compared);
  Status RemoveMembers(EnvironmentList& list, const Compared& compared, const Groups& groups);
  /// A member's removal, or a change back to the role that he had last, with the keys that go with it.
  struct Ending {
    Act act;
    NewEpoch keys;
    bool starts_epoch = false;
  };
  static std::vector<Act> EndingsOf(const EnvironmentList& list, const Undone& undone);
  Result<Ending> WithKeys(const EnvironmentList& list, Act act);
  // Its groups (owner_restore_groups.cpp)
  Result<Groups> CompareGroups(const EnvironmentList& list);
  /// The restore of the environment, and what ended in it and in its groups, in one append.
  Status AcceptGroups(EnvironmentList& list, const Compared& compared, Groups& groups);
  Status AddToOwnList(EnvironmentList& list, const Undone& undone, KnownStore::Verified& append);
  void SayGrantAnew(const std::string& what, const std::string& who);
  Status AddToGroup(ComparedGroup& group, const UpperLists& upper, KnownStore::Verified& append);
  Status StartGroupEpoch(EnvironmentList& list, const EnvironmentList& before, const GroupList& group,
                         KnownStore::Verified& append);
  Status VouchInGroups(const EnvironmentList& list, const EnvironmentList& after, Groups& groups);
  Status AcceptSecrets(const EnvironmentList& list, const EnvironmentList& after);
  /// Ends a secret whose number was another's: nobody who has seen that one takes it.
  Status EndOther(SecretList& list, const UpperLists& upper, const SecretName& name, Batch& batch);
  Status AddToSecret(const Listed& listed, const UpperLists& upper, const EnvironmentList& after,
                     Batch& batch);
  Status RepeatEnds(SecretList& list, const UpperLists& upper, const SecretName& name, const Undone& undone,
                    KnownStore::Verified& append);
  Status TellLostSecrets(const std::string& environment, const std::vector<Listed>& served);
  Status SendSome(Batch& batch);

  OwnerSessionImpl& s_;
  const RestoreOptions& options_;
  RestoreResult result_;
  Batch to_note_;  ///< the lists that the next append changes, as they are then
  VaultList vault_;
  MachinesList machines_;
  std::map<std::string, EnvironmentList> environments_;  ///< those that are mine
  bool vault_owner_ = false;
  std::set<Hash> returned_;  ///< owners of the vault, recovery, and who was removed from it
  std::uint64_t last_machine_ =
      UINT64_MAX;       ///< the highest number that this home knows to have been given rightly
  bool fresh_ = false;  ///< the vault goes on from a backup that nobody has accepted yet
};

}  // namespace grantfs
