#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "grantfs/crypto/random.h"
#include "grantfs/trust/lists.h"

// A vault with its lists, made of real keys and statements, for the tests of trust and of what stands on it.

namespace grantfs::testing {

template <typename T>
T Must(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << Describe(result.error());
    std::abort();
  }
  return std::move(*result);
}

inline PrivateIdentity MakeIdentity(const std::string& name, IdentityKind kind = IdentityKind::kUser) {
  return Must(PrivateIdentity::FromSeed(Must(RandomKey()), kind, name));
}

/// A machine's, good for an hour from 1'700'000'000.
inline Invitation InvitationOf(const InviteSecret& invite, const std::string& name = "web-1") {
  return {invite.id(),
          IdentityKind::kMachine,
          name,
          invite.signing_key().verify_key(),
          invite.unseal_key().seal_key(),
          1'700'003'600};
}

/// For machines web-*, good for a day from 1'700'000'000.
inline StandingInvitation StandingOf(const InviteSecret& invite, std::uint32_t uses = 2) {
  return {invite.id(),   "web-*", uses, invite.signing_key().verify_key(), invite.unseal_key().seal_key(),
          1'700'086'400, 0};
}

struct World {
  World();

  UpperLists Upper() const { return {&vault, &environment}; }
  /// A statement that would be the next of `list`, naming the newest heads.
  Statement Next(const SignedList& list, const PrivateIdentity& signer, Act act) const;
  SignedList::StatementPtr Sign(const Statement& statement, const PrivateIdentity& signer) const;
  SignedList::StatementPtr Made(const SignedList& list, const PrivateIdentity& signer, Act act) const {
    return Sign(Next(list, signer, std::move(act)), signer);
  }
  /// For a secret's list: with the state that the act leads to.
  Statement NextOf(const SecretList& list, const PrivateIdentity& signer, Act act) const;
  SignedList::StatementPtr MadeOf(const SecretList& list, const PrivateIdentity& signer, Act act) const {
    return Sign(NextOf(list, signer, std::move(act)), signer);
  }
  Status Add(SignedList& list, const PrivateIdentity& signer, Act act) {
    return list.Append(Made(list, signer, std::move(act)), Upper());
  }
  Status AddTo(SecretList& list, const PrivateIdentity& signer, Act act) {
    return list.Append(MadeOf(list, signer, std::move(act)), Upper());
  }
  /// One act of each kind, in the order of Act, whole enough to be written and read.
  std::vector<Act> EveryAct() const;
  VersionPublish VersionOf(const SecretList& list, const std::string& path = "db-password") const;
  Grant GrantTo(const PrivateIdentity& machine, std::uint64_t number) const;
  NewEpoch EpochAfterRemoving(const Hash& leaver) const;
  /// owner removes `leaver` from the environment.
  Status Remove(const PrivateIdentity& leaver);

  PrivateIdentity owner = MakeIdentity("ann");
  PrivateIdentity second = MakeIdentity("bob");
  PrivateIdentity recovery = MakeIdentity("recovery");
  PrivateIdentity web1 = MakeIdentity("web-1", IdentityKind::kMachine);
  PrivateIdentity web2 = MakeIdentity("web-2", IdentityKind::kMachine);
  VaultList vault;
  MachinesList machines;
  EnvironmentList environment{"shop/prod"};
  UnsealKey environment_key;
  SecretList secret{7};
};

}  // namespace grantfs::testing
