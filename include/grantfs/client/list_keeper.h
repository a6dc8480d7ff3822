#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "grantfs/api/lists.h"
#include "grantfs/client/known_store.h"
#include "grantfs/client/vault_connection.h"
#include "grantfs/trust/group_list.h"
#include "grantfs/trust/lists.h"

namespace grantfs {

class ListMarks;

/// Verified lists: fetches what is new, verifies it against all that the home remembers, and remembers it. A
/// list that is lower than what was seen, forks from it, or has a tail that does not count is refused with
/// kIntegrity, and what was verified before stays as it was. Blocks. Threads: one at a time.
///
/// Errors of refreshing: kIntegrity, kNotFound (no such list, or not visible), and those of the connection.
class ListKeeper {
 public:
  /// All outlive it.
  /// @param marks_with  whose key marks what it has verified, so that it is not verified again; nullptr:
  /// nobody's.
  ListKeeper(KnownStore* known, VaultConnection* vault, const Hash& vault_id,
             const SigningKey* marks_with = nullptr);
  ~ListKeeper();

  /// Reads the vault list as the home has it. Errors: kIntegrity, kIo.
  Status Load();

  /// The same for an environment's list; one that is not kept is known as an empty one.
  Status LoadEnvironment(const std::string& name);

  Status RefreshVault();
  Status RefreshMachines();
  Status RefreshEnvironment(const std::string& name);

  /// As last verified; empty before that.
  const VaultList& vault() const { return vault_; }
  const MachinesList& machines() const { return machines_; }
  /// nullptr if it is not known.
  const EnvironmentList* FindEnvironment(const std::string& name) const;
  /// Its environment must be known.
  UpperLists UpperOf(const std::string& environment) const;

  /// A secret's whole list; its environment must be known. Checks that it is the secret of that number and
  /// name.
  ///
  /// @param told  the head that the vault has named: nothing is asked for where the home has that one.
  Result<SecretList> RefreshSecret(std::uint64_t number, const SecretName& name,
                                   const std::optional<Head>& told);
  /// A group's whole list; its environment must be known. Errors: kNotFound (the environment has no such
  /// group).
  Result<GroupList> RefreshGroup(const std::string& environment, std::uint64_t number);
  /// A secret as the vault has listed it.
  struct Listed {
    SecretName name;
    std::uint64_t number = 0;
    Head head;
  };
  /// What becomes of one of them: its list, or why it is refused. An error ends all.
  using TakeSecret = std::function<Status(const Listed& secret, Result<SecretList> list)>;
  /// As RefreshSecret for each of one environment, in their order, many in one request and one transaction,
  /// verified on two threads. `take` runs on this one.
  Status RefreshSecrets(const std::string& environment, std::span<const Listed> secrets,
                        const TakeSecret& take);
  /// Where this home knows the name by another number than this (0: by any): the vault must show that that
  /// secret was destroyed, and the name is free. Errors: kIntegrity.
  /// @param list  that of `number`, if it is known: made after a backup was restored, it may have the name of
  /// one that was lost.
  Status CheckRenewed(const SecretName& name, std::uint64_t number, const SecretList* list = nullptr);

  // ---- what the vault serves, whatever the home remembers: for who accepts a restored backup. Linked,
  // signed and counting; of a list that is not served at all, an empty one.

  Result<VaultList> FetchServedVault();
  Result<MachinesList> FetchServedMachines(const VaultList& vault);
  Result<EnvironmentList> FetchServedEnvironment(const std::string& name, const VaultList& vault);
  Result<GroupList> FetchServedGroup(const std::string& environment, std::uint64_t number,
                                     const UpperLists& upper);
  Result<SecretList> FetchServedSecret(std::uint64_t number, const UpperLists& upper);
  /// Of an environment that is in `upper`.
  Result<GroupList> FetchServedGroup(std::uint64_t number, const UpperLists& upper);

  /// Statements of one's own that the vault has accepted, to be remembered; lists are refreshed from them.
  Status Take(const std::vector<KnownStore::Verified>& accepted);

  /// A list with a tail that does not count, fetched for mending it: linked and signed, but not to be used.
  struct Broken {
    std::unique_ptr<SignedList> list;
    std::uint64_t first_uncounted = 0;
    std::vector<SignedList::StatementPtr> fresh;  ///< what the home has not remembered
    std::optional<Head> replaces;                 ///< as of KnownStore::Verified
  };
  /// Errors: kNotFound (all of it counts).
  Result<Broken> FetchBroken(const ListId& id, const SecretName& secret);

  /// Runs when the vault list names other pins than before. May be empty.
  std::function<Status(const std::vector<Hash>&)> pins_changed;
  /// A person's own id: one who owns no vault may lose sight of an environment that was seen (kDenied).
  /// Without one that is a rollback (kIntegrity), as it is for the vault's owners.
  std::optional<Hash> member;

 private:
  struct Fetched {
    std::vector<SignedList::StatementPtr> fresh;
    Status standing;
    bool whole = false;            ///< fetched from its beginning: what the home had is of another history
    std::optional<Head> replaces;  ///< what the home had seen of that history, if it goes on from a backup
  };
  using Newer = std::function<Status()>;
  Result<Fetched> Fetch(SignedList& list, const std::function<UpperLists()>& upper,
                        const Newer& refresh_upper);
  Result<Fetched> FetchOn(SignedList& list, const std::function<UpperLists()>& upper,
                          const Newer& refresh_upper, bool* other_history);
  Result<api::ListReadResponse> ReadPage(const SignedList& list);
  bool MayBeShutOut(const ListId& list) const;
  Status CheckPage(const SignedList& list, const api::ListReadResponse& page) const;
  Status ReceivePage(SignedList& list, const api::ListReadResponse& page,
                     const std::function<UpperLists()>& upper, const Newer& refresh_upper,
                     std::vector<SignedList::StatementPtr>& fresh);
  Status FetchServed(SignedList& list, const UpperLists& upper);
  Status LoadInto(SignedList& list, const UpperLists& upper);
  Status CheckRemembered(const SignedList& list, Fetched& fetched);
  Status Remember(const SignedList& list, const Fetched& fetched, bool other_log = false);
  Status CheckIsAsked(const SignedList& list, const SecretName& secret) const;
  Result<bool> MayBeLost(std::uint64_t number, const std::string& environment);
  bool IsFreed(const SecretList& list, const std::string& environment) const;
  // list_batch.cpp
  struct Batched;
  std::vector<Batched> LoadBatch(std::span<const Listed> secrets, std::vector<KnownStore::SecretKnown> known);
  Status FetchBatch(const std::string& environment, std::vector<Batched>& batch);
  void ReceiveTails(std::span<Batched* const> asked, const std::vector<api::ListReadResponse>& lists,
                    const UpperLists& upper);
  void JudgeBatch(std::vector<Batched>& batch, const UpperLists& upper);
  void RememberBatch(std::vector<Batched>& batch);
  Newer RefreshesVault();
  Newer RefreshesBoth(const std::string& environment);

  KnownStore* const known_;
  VaultConnection* const connection_;
  const Hash vault_id_;
  const std::unique_ptr<ListMarks> marks_;  ///< nullptr: what was kept is verified again
  VaultList vault_;
  MachinesList machines_;
  std::map<std::string, EnvironmentList> environments_;
};

}  // namespace grantfs
