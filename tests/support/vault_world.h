#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "grantfs/api/enrolments.h"
#include "grantfs/api/lists.h"
#include "grantfs/api/secrets.h"
#include "grantfs/trust/group_list.h"
#include "grantfs/trust/lists.h"
#include "must.h"

namespace grantfs::testing {

PrivateIdentity NewIdentity(const std::string& name, IdentityKind kind = IdentityKind::kUser);

/// How a world reaches its vault: over the wire, or by calling it.
class VaultDoor {
 public:
  virtual ~VaultDoor() = default;
  virtual Result<api::ClaimInfo> ShowClaim() = 0;
  virtual Result<api::ClaimResponse> Claim(const api::ClaimRequest& request) = 0;
  virtual Result<api::AppendResponse> Append(const PrivateIdentity& who,
                                             const api::AppendRequest& request) = 0;
  virtual Result<api::ReserveResponse> Reserve(const PrivateIdentity& who,
                                               const api::ReserveRequest& request) = 0;
  virtual Status Stage(const PrivateIdentity& who, const api::StageCiphertextRequest& request) = 0;
  virtual Status Stage(const PrivateIdentity& who, const api::StageCopiesRequest& request) = 0;
  virtual Status Stage(const PrivateIdentity& who, const api::StageEpochRequest& request) = 0;
  virtual Result<api::EnrolmentStateResponse> Enrol(const InviteSecret& invite,
                                                    const api::EnrolRequest& request) = 0;
};

/// A vault as its people see it: real keys, real statements, sealed copies; what was appended is kept here as
/// a client would keep it. For tests of whatever stands on a vault.
class VaultWorld {
 public:
  explicit VaultWorld(VaultDoor& door) : door_(door) {}

  struct Machine {
    PrivateIdentity key;
    std::uint64_t number = 0;
    Identity identity() const { return key.identity(); }
  };
  struct Environment {
    EnvironmentList list;
    std::vector<UnsealKey> keys;  ///< [0] is epoch 1
  };
  struct Secret {
    std::string environment;
    SecretList list;
    std::map<std::uint32_t, SecretMemory> data_keys;  ///< by version
  };

  /// Makes the vault of a claim, with `owner` and `recovery`.
  Status Claim();
  Status AddEnvironment(const std::string& name);
  Status AddMember(const std::string& environment, const PrivateIdentity& member, Role role,
                   const std::string& prefix = {});
  InviteSecret Invite(const std::string& name, std::int64_t expires);
  Result<api::AppendResponse> Approve(const Enrolment& enrolment);
  /// Invites, enrols and approves.
  Machine EnrolMachine(const std::string& name);
  Status RemoveMachine(const Machine& machine);
  /// Makes the secret if there is none, and publishes a version by `who` (the owner).
  Result<api::AppendResponse> Publish(const std::string& environment, const std::string& path,
                                      const std::string& value, const PrivateIdentity* who = nullptr);
  Result<api::AppendResponse> GrantTo(const Machine& machine, const std::string& environment,
                                      const std::string& path,
                                      const std::function<void(Grant&)>& change = {});
  Result<api::AppendResponse> Revoke(const Machine& machine, const std::string& environment,
                                     const std::string& path);
  /// The append that removes a member, with its new epoch staged; not sent.
  api::AppendRequest Removal(const std::string& environment, const Hash& leaver);

  // ---- the pieces, for what the above does not do
  UpperLists Upper(const std::string& environment = {}) const;
  /// The next statement of a list.
  Statement Next(const SignedList& list, const PrivateIdentity& signer, Act act) const;
  Statement NextOf(const Secret& secret, const PrivateIdentity& signer, Act act) const;
  static std::string Envelope(const Statement& statement, const PrivateIdentity& signer);
  static api::AppendRequest One(const Statement& statement, const PrivateIdentity& signer);
  /// Appends, and takes into the lists here what was accepted.
  Result<api::AppendResponse> Send(const PrivateIdentity& who, const api::AppendRequest& request);
  void Take(const api::AppendRequest& request);
  /// Ends with what the next version needs staged. Not published.
  VersionPublish StageVersion(Secret& secret, const std::string& value, const PrivateIdentity& who);
  void StageEpoch(const std::string& environment, const NewEpoch& epoch);
  Status StageGrantCopies(const Secret& secret, const Identity& machine, std::uint64_t number);
  Grant GrantFor(const Machine& machine) const;
  Secret& secret(const std::string& environment, const std::string& path);
  Environment& environment(const std::string& name) { return *environments_.at(name); }
  /// What a sealed copy and a ciphertext open to.
  Result<std::string> Open(const Machine& machine, const std::string& environment, const std::string& path,
                           std::uint32_t version, ByteView sealed, ByteView ciphertext) const;

  PrivateIdentity owner = NewIdentity("ann");
  PrivateIdentity recovery = NewIdentity("recovery");
  VaultList vault;
  MachinesList machines;
  std::map<ListId, std::shared_ptr<GroupList>> groups;  ///< as they were appended

 private:
  SignedList* ListOf(const Statement& statement);
  VaultDoor& door_;
  std::map<std::string, std::unique_ptr<Environment>> environments_;
  std::map<std::uint64_t, std::unique_ptr<Secret>> secrets_;
  std::map<std::string, std::uint64_t> numbers_;
};

}  // namespace grantfs::testing
