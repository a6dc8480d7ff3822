#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "grantfs/crypto/aead.h"
#include "grantfs/crypto/keys.h"
#include "grantfs/trust/acts.h"

namespace grantfs {

/// Whom a copy of a data key, or of a group's key, is for: the address under which the vault keeps it. A
/// standing invitation (the sequence of its InvitationStand) is sealed groups' keys alone.
enum class RecipientKind { kEnvironment, kMachine, kGroup, kInvitation };
const char* RecipientKindName(RecipientKind kind);
Result<RecipientKind> ParseRecipientKind(std::string_view text);
struct Recipient {
  RecipientKind kind = RecipientKind::kEnvironment;
  std::uint64_t number = 0;
  std::uint32_t epoch = 0;  ///< of the environment's or group's key; 0 for machines and invitations
  auto operator<=>(const Recipient&) const = default;
};

/// What a value is bound to: format, purpose, vault, environment, secret number, version, epoch. Associated
/// data of the value's encryption and context of the commitment.
struct ValueContext {
  Hash vault;
  std::string environment;
  std::uint64_t secret = 0;
  std::uint32_t version = 0;
  std::uint32_t epoch = 0;
  Bytes Encode() const;
};

/// A value made ready for the vault.
struct EncryptedVersion {
  Bytes ciphertext;
  Hash ciphertext_hash;
  Hash commitment;
  SecretMemory data_key;  ///< to be sealed to each recipient, then dropped
};
Result<EncryptedVersion> EncryptVersion(const ValueContext& context, const SecretValue& value);

/// A data key sealed to a recipient.
Result<Bytes> SealDataKey(const SealKey& to, const SecretMemory& data_key);
/// Opens one and checks the commitment before anything else is done with it. Errors: kIntegrity,
/// kUnsupported.
Result<SecretMemory> OpenDataKey(const UnsealKey& key, ByteView sealed, const Hash& commitment,
                                 const ValueContext& context);
/// Checks hash and size that the version's statement names, then decrypts. Errors: kIntegrity.
Result<SecretValue> DecryptVersion(const SecretMemory& data_key, const ValueContext& context,
                                   const VersionPublish& version, ByteView ciphertext);

/// One sealed copy of an epoch's private key.
struct EpochCopy {
  Hash recipient;  ///< Identity::Id
  Bytes sealed;
};
struct NewEpoch {
  Epoch epoch;
  UnsealKey key;
  std::vector<EpochCopy> copies;  ///< ordered by recipient
};
/// A new key pair for an environment, sealed to `recipients` (owners, readers, recovery); each once.
/// @param previous the key before, nullptr for the first.
Result<NewEpoch> MakeEpoch(const std::vector<Identity>& recipients, const Epoch* previous,
                           const UnsealKey* previous_key);
/// The root that Epoch::copies_root commits to.
Hash EpochCopiesRoot(const std::vector<EpochCopy>& copies);

/// One sealed copy of a group's private key.
struct GroupCopy {
  Recipient recipient;
  Bytes sealed;
};
/// Whom to seal it to.
struct GroupCopyTarget {
  Recipient recipient;
  SealKey key;
};
struct NewGroupEpoch {
  Epoch epoch;
  UnsealKey key;
  std::vector<GroupCopy> copies;  ///< ordered by recipient
};
/// A new key pair for a group, sealed to `targets`: the environment's newest epoch, each machine and each
/// invitation in force; each once.
/// @param number        of the epoch
/// @param previous_key  the key of the newest epoch that stands, nullptr for the first.
Result<NewGroupEpoch> MakeGroupEpoch(const std::vector<GroupCopyTarget>& targets, std::uint32_t number,
                                     const UnsealKey* previous_key);
/// An epoch's private key for others than those it was made for. @return ordered by recipient
Result<std::vector<GroupCopy>> SealGroupKey(const UnsealKey& key,
                                            const std::vector<GroupCopyTarget>& targets);
/// The root that a group's Epoch::copies_root, GroupMachinesAdd::copies_root and GroupInvitationAdd::copy
/// commit to. @param copies  ordered by recipient
Hash GroupCopiesRoot(const std::vector<GroupCopy>& copies);

/// Opens one's own copy of an environment's or group's key and checks that it is the private half of
/// `epoch.key`. Errors: kIntegrity.
Result<UnsealKey> OpenEpochCopy(const UnsealKey& own, ByteView sealed, const Epoch& epoch);
/// From an epoch's key to that of the one before it. Errors: kIntegrity, kNotFound for epoch 1.
Result<UnsealKey> OpenPreviousEpoch(const UnsealKey& key, const Epoch& epoch, const Epoch& previous);

}  // namespace grantfs
