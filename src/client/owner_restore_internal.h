#pragma once

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
    bool needs_restore = false;           ///< and no restore says that this is right, or not of the newest backup
    bool fresh = false;                   ///< what is not served was made since the last backup was accepted
    Undone undone;                        ///< what came back, to be done again
    bool nothing() const { return !needs_restore && undone.empty(); }
  };
  Result<Compared> Compare(const SignedList& list);
  /// Tells in the result what was lost.
  void Tell(const std::string& where, const Compared& compared);
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
  struct Removal {
    StatementPtr statement;
    NewEpoch epoch;
    bool has_epoch = false;
  };
  /// Compares it and what it has, for `needed` and `fresh_`.
  Status LookAt(const std::string& environment, const EnvironmentList& list);
  void Note(const Compared& compared);
  Status AcceptEnvironment(const std::string& environment, EnvironmentList list);
  Result<NewEpoch> EpochFor(const EnvironmentList& list, const std::set<Hash>& without);
  Result<std::vector<Removal>> Removals(EnvironmentList& after, const Compared& compared);
  /// The role that a member had last, for one who has a wider one again.
  Result<Removal> ChangeBack(EnvironmentList& after, MemberChange change);
  /// Of an environment that has a new key: its groups' lists, accepted, and what starts the groups' next epochs.
  Status AcceptGroups(const EnvironmentList& before, EnvironmentList& after, std::vector<StatementPtr>& started,
                      Batch& batch);
  Status AcceptSecrets(const EnvironmentList& list, const EnvironmentList& after);
  Status AddToSecret(const Listed& listed, const UpperLists& upper, const EnvironmentList& after, Batch& batch);
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
  bool fresh_ = false;  ///< the vault goes on from a backup that nobody has accepted yet
};

}  // namespace grantfs
