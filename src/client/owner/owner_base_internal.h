#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "grantfs/client/home.h"
#include "grantfs/client/list_keeper.h"
#include "grantfs/client/owner_session.h"
#include "grantfs/trust/group_list.h"
#include "grantfs/trust/sealing.h"

namespace grantfs {

/// How often an append is tried while others change the same lists.
inline constexpr int kAppendAttempts = 5;
/// Statements of one append: a vault takes no more.
inline constexpr std::size_t kStatementsAtOnce = 400, kTidiedAtOnce = 90;
/// Lists of one append: what is named together is done together, up to so many.
inline constexpr std::size_t kListsAtOnce = 100;
/// Copies of keys that are sent ahead of one append: a vault keeps so many waiting for a signer, and no more.
inline constexpr std::size_t kCopiesAtOnce = 20'000;
/// A vault that looks at two hundred records a page is at its end by then, whatever there is in its log.
inline constexpr std::size_t kMaxLogPages = 1'000'000;

/// The same error; where something was appended before it, a warning says how much.
Error Halfway(const Error& error, std::size_t done, std::size_t all);

Error NoGroup(const std::string& environment, const std::string& name);
/// That nothing that is sealed to the group now is sealed to one who left the environment: he has had its
/// keys of before. Errors: kConflict.
Status CheckGroupKey(const EnvironmentList& environment, const EnvironmentGroups::Group& group);
/// For the copy of a group's key that is the environment's.
GroupCopyTarget EnvironmentTarget(const VaultList& vault, const EnvironmentList& environment);

/// What all acts of an owner's stand on: the home, the vault and the verified lists; entering an environment,
/// appending to lists, finding secrets, the keys of environments and groups, and waiting for mounts.
class OwnerBase : public OwnerSession {
 public:
  OwnerBase(Home home, PrivateIdentity identity, ClientOptions options)
      : home_(std::move(home)), me_(std::move(identity)), options_(std::move(options)) {}
  ~OwnerBase() override;
  /// Errors: as KnownStore::Open, VaultConnection::Create.
  Status Start();

 protected:
  using StatementPtr = SignedList::StatementPtr;
  using Batch = std::vector<KnownStore::Verified>;

  // ---- appending (owner_append.cpp)
  std::int64_t Now() const { return options_.clock->WallSeconds(); }
  /// Signs the act as the next statement of a copy of a list, and appends it there: it may stand.
  Result<StatementPtr> Next(SignedList& list, const UpperLists& upper, Act act, const std::string& reason);
  Result<StatementPtr> Next(SecretList& list, const UpperLists& upper, Act act, const std::string& reason);
  Result<StatementPtr> SignNext(SignedList& list, const UpperLists& upper, Statement statement);
  /// That no statement of the list names the request that is being approved. Errors: kConflict.
  Status CheckUnanswered(const SignedList& list);
  Statement Draft(const SignedList& list, const UpperLists& upper, Act act, const std::string& reason) const;
  /// One atomic append; what was accepted is remembered. @return the vault's change number.
  Result<std::uint64_t> Submit(const Batch& batch);
  /// What becomes of a note about a change that the vault has taken: a warning, unless it shows a fork.
  static Status Noted(const Status& noted);
  /// The append alone.
  Result<std::uint64_t> Send(const Batch& batch);
  /// Runs `attempt` again while it ends in kConflict because others were quicker, a few times.
  template <typename Attempt>
  auto Retry(Attempt attempt) -> decltype(attempt());
  /// Marks an attempt's error as one that no other attempt mends.
  Error Settled(Error error);

  // ---- what commands begin with
  Status RefreshUpper(const std::string& environment);
  /// That I may see the machines, and have their newest list. Errors: kDenied.
  Status RequireMachines();
  /// The environment and that I may do this in it. Errors: kNotFound, kDenied.
  Status Enter(const std::string& environment, Operation operation);
  /// The same for the environments of these, each once.
  Status EnterAll(std::span<const SecretName> secrets, Operation operation);
  /// The environments in which my role allows this.
  Result<std::vector<std::string>> EnvironmentsWith(Operation operation);
  /// All others that the vault has, which a report of these does not tell of.
  std::vector<std::string> EnvironmentsBeside(const std::vector<std::string>& these) const;
  Status RequireVaultOwner();
  void Report(const char* what, std::uint64_t done, std::uint64_t total) const;
  std::string NameOf(const Hash& id) const;

  // ---- finding secrets (owner_find.cpp)
  struct Found {
    std::uint64_t number = 0;
    Head head;
  };
  Result<std::optional<Found>> Find(const SecretName& name);
  /// Errors: kNotFound with the command that shows what there is.
  Result<SecretList> FetchSecret(const SecretName& name);
  using Listed = ListKeeper::Listed;
  Result<std::vector<Listed>> ListNames(const std::string& environment, const std::string& prefix);

  // ---- keys of environments (owner_keys.cpp)
  /// The private key of an epoch. Errors: kDenied (I hold no copy), kIntegrity.
  Result<const UnsealKey*> EpochKey(const EnvironmentList& environment, std::uint32_t epoch);
  Status FetchEpochKeys(const EnvironmentList& environment);
  /// Opens the data keys of all versions that the vault keeps and seals them to `target`. @return how many.
  Result<std::size_t> SealVersionsTo(const SecretList& list, const EnvironmentList& environment,
                                     const SecretList::Target& target, bool dry_run);
  /// The newest epoch's key for one who is to read; not sent ahead yet.
  Result<NewEpoch> CopyFor(const EnvironmentList& list, const Identity& reader);
  /// A new key for all who have it but one.
  Result<NewEpoch> EpochWithout(const EnvironmentList& list, const Hash& leaver);
  Status StageEpoch(const std::string& environment, const NewEpoch& epoch);
  Status StageVersion(const SecretList& list, const VersionPublish& version,
                      const EncryptedVersion& encrypted, const std::vector<SecretList::Target>& targets);
  Status StageCopies(std::uint64_t number, std::uint32_t version, const Hash& commitment,
                     const SecretMemory& data_key, const std::vector<SecretList::Target>& targets);
  ValueContext ContextOf(std::uint64_t number, const VersionPublish& version) const;

  // ---- keys of groups (owner_group_keys.cpp)
  Result<GroupList> FetchGroup(const std::string& environment, const std::string& name);
  /// The private key of its newest epoch. Errors: kConflict (it is not the newest), kIntegrity.
  Result<UnsealKey> GroupKeyOf(const EnvironmentList& environment, const EnvironmentGroups::Group& group);
  Status StageGroup(const std::string& environment, std::uint64_t group, std::uint32_t epoch,
                    const std::vector<GroupCopy>& copies);
  /// By which an epoch is made and named.
  struct Above {
    const VaultList* vault;
    const MachinesList* machines;
  };
  /// A new key for those who are in it by `list`, sent ahead, and the statement that starts it.
  Result<StatementPtr> NextGroupEpoch(EnvironmentList& environment, const Above& above, const GroupList& list,
                                      const UnsealKey& previous, const std::string& reason);
  /// One for each group, where the environment has a new key. @param before  without that. @param vault  as
  /// the statements are to name it
  Result<std::vector<StatementPtr>> NextGroupEpochs(const EnvironmentList& before, EnvironmentList& after,
                                                    const VaultList& vault, const std::string& reason);

  // ---- until mounts have followed a change (owner_wait.cpp)
  Delivery WaitFor(const Hash& machine, std::uint64_t change, std::chrono::milliseconds wait);
  EnvironmentDelivery WaitForGroup(const std::string& environment, std::uint64_t number, std::uint64_t change,
                                   std::chrono::milliseconds wait);
  EnvironmentDelivery WaitForMachines(const std::string& what, const std::vector<std::uint64_t>& machines,
                                      std::uint64_t change, std::chrono::milliseconds wait);

  Home home_;
  PrivateIdentity me_;
  ClientOptions options_;
  bool reserve_given_up_ = false;
  std::unique_ptr<KnownStore> known_;
  std::unique_ptr<VaultConnection> vault_;
  std::unique_ptr<ListKeeper> keeper_;
  std::map<std::string, std::map<std::uint32_t, UnsealKey>> epoch_keys_;
  bool settled_ = false;  ///< what Retry must not try again
  /// The request that is being approved: what is signed meanwhile names it.
  std::optional<Hash> answers_;
  std::string approval_reason_;
};

template <typename Attempt>
auto OwnerBase::Retry(Attempt attempt) -> decltype(attempt()) {
  for (int tries = 1;; ++tries) {
    settled_ = false;
    auto result = attempt();
    if (result || settled_ || result.error().code != Code::kConflict || tries == kAppendAttempts)
      return result;
  }
}

}  // namespace grantfs
