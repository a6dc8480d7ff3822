#include "grantfs/trust/sealing.h"

#include <algorithm>

#include "grantfs/crypto/merkle.h"

namespace grantfs {
namespace {

std::array<std::uint8_t, 8> LittleEndian(std::uint64_t value) {
  std::array<std::uint8_t, 8> bytes{};
  for (unsigned i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(value >> (8 * i));
  return bytes;
}

}  // namespace

const char* RecipientKindName(RecipientKind kind) {
  switch (kind) {
    case RecipientKind::kEnvironment:
      return "environment";
    case RecipientKind::kMachine:
      return "machine";
    case RecipientKind::kGroup:
      return "group";
    case RecipientKind::kInvitation:
      return "invitation";
  }
  std::abort();
}

Result<RecipientKind> ParseRecipientKind(std::string_view text) {
  for (const auto kind : {RecipientKind::kEnvironment, RecipientKind::kMachine, RecipientKind::kGroup,
                          RecipientKind::kInvitation}) {
    if (text == RecipientKindName(kind)) return kind;
  }
  return Error{Code::kInvalid, "a recipient is an environment, a machine, a group or an invitation"};
}

Bytes ValueContext::Encode() const {
  const std::uint8_t suite = kSuite;
  const auto numbers = {LittleEndian(secret), LittleEndian(version), LittleEndian(epoch)};
  return EncodeContext({AsBytes("grantfs-value"), ByteView(&suite, 1), vault.View(), AsBytes(environment),
                        numbers.begin()[0], numbers.begin()[1], numbers.begin()[2]});
}

Result<EncryptedVersion> EncryptVersion(const ValueContext& context, const SecretValue& value) {
  if (value.size() > kMaxSecretBytes) return Error{Code::kInvalid, "a value has at most 1 MiB"};
  EncryptedVersion made;
  const Bytes bound = context.Encode();
  made.data_key = GRANTFS_TRY(RandomKey());
  made.ciphertext = GRANTFS_TRY(EncryptValue(made.data_key, bound, value));
  made.ciphertext_hash = Blake2b256({made.ciphertext});
  made.commitment = GRANTFS_TRY(CommitToKey(made.data_key, bound));
  return made;
}

Result<Bytes> SealDataKey(const SealKey& to, const SecretMemory& data_key) { return Seal(to, data_key); }

Result<SecretMemory> OpenDataKey(const UnsealKey& key, ByteView sealed, const Hash& commitment,
                                 const ValueContext& context) {
  auto data_key = GRANTFS_TRY(key.Open(sealed));
  if (data_key.size() != 32 || GRANTFS_TRY(CommitToKey(data_key, context.Encode())) != commitment) {
    return Error{Code::kIntegrity, "the sealed key is not the one that the version's statement commits to"};
  }
  return data_key;
}

Result<SecretValue> DecryptVersion(const SecretMemory& data_key, const ValueContext& context,
                                   const VersionPublish& version, ByteView ciphertext) {
  if (ciphertext.size() != version.size + kAeadOverhead || Blake2b256({ciphertext}) != version.ciphertext) {
    return Error{Code::kIntegrity, "the ciphertext is not the one that the version's statement names"};
  }
  return DecryptValue(data_key, context.Encode(), ciphertext);
}

Hash EpochCopiesRoot(const std::vector<EpochCopy>& copies) {
  std::vector<Hash> leaves;
  leaves.reserve(copies.size());
  for (const auto& copy : copies) {
    leaves.push_back(
        MerkleLeafHash(EncodeContext({AsBytes("grantfs-epoch-copy"), copy.recipient.View(), copy.sealed})));
  }
  return MerkleRoot(leaves);
}

Result<NewEpoch> MakeEpoch(const std::vector<Identity>& recipients, const Epoch* previous,
                           const UnsealKey* previous_key) {
  NewEpoch made;
  made.key = GRANTFS_TRY(UnsealKey::Generate());
  made.epoch.number = previous == nullptr ? 1 : previous->number + 1;
  made.epoch.key = made.key.seal_key();
  for (const Identity& recipient : recipients) {
    made.copies.push_back({recipient.Id(), GRANTFS_TRY(Seal(recipient.seal, made.key.private_bytes()))});
  }
  std::sort(made.copies.begin(), made.copies.end(),
            [](const EpochCopy& a, const EpochCopy& b) { return a.recipient < b.recipient; });
  made.epoch.copies = static_cast<std::uint32_t>(made.copies.size());
  made.epoch.copies_root = EpochCopiesRoot(made.copies);
  if (previous_key != nullptr)
    made.epoch.previous = GRANTFS_TRY(Seal(made.epoch.key, previous_key->private_bytes()));
  return made;
}

Result<std::vector<GroupCopy>> SealGroupKey(const UnsealKey& key,
                                            const std::vector<GroupCopyTarget>& targets) {
  std::vector<GroupCopy> copies;
  copies.reserve(targets.size());
  for (const GroupCopyTarget& target : targets)
    copies.push_back({target.recipient, GRANTFS_TRY(Seal(target.key, key.private_bytes()))});
  std::sort(copies.begin(), copies.end(),
            [](const GroupCopy& a, const GroupCopy& b) { return a.recipient < b.recipient; });
  return copies;
}

Result<NewGroupEpoch> MakeGroupEpoch(const std::vector<GroupCopyTarget>& targets, std::uint32_t number,
                                     const UnsealKey* previous_key) {
  NewGroupEpoch made;
  made.key = GRANTFS_TRY(UnsealKey::Generate());
  made.copies = GRANTFS_TRY(SealGroupKey(made.key, targets));
  made.epoch.number = number;
  made.epoch.key = made.key.seal_key();
  made.epoch.copies = static_cast<std::uint32_t>(made.copies.size());
  made.epoch.copies_root = GroupCopiesRoot(made.copies);
  if (previous_key != nullptr)
    made.epoch.previous = GRANTFS_TRY(Seal(made.epoch.key, previous_key->private_bytes()));
  return made;
}

Hash GroupCopiesRoot(const std::vector<GroupCopy>& copies) {
  std::vector<Hash> leaves;
  leaves.reserve(copies.size());
  for (const GroupCopy& copy : copies) {
    const std::string number = std::to_string(copy.recipient.number);
    const std::string epoch = std::to_string(copy.recipient.epoch);
    leaves.push_back(MerkleLeafHash(
        EncodeContext({AsBytes("grantfs-group-copy"), AsBytes(RecipientKindName(copy.recipient.kind)),
                       AsBytes(number), AsBytes(epoch), copy.sealed})));
  }
  return MerkleRoot(leaves);
}

Result<UnsealKey> OpenEpochCopy(const UnsealKey& own, ByteView sealed, const Epoch& epoch) {
  auto key = GRANTFS_TRY(UnsealKey::FromPrivate(GRANTFS_TRY(own.Open(sealed))));
  if (key.seal_key() != epoch.key) {
    return Error{Code::kIntegrity, "the sealed key is not the one that the epoch's statement names"};
  }
  return key;
}

Result<UnsealKey> OpenPreviousEpoch(const UnsealKey& key, const Epoch& epoch, const Epoch& previous) {
  if (epoch.previous.empty()) return Error{Code::kNotFound, "the first epoch has none before it"};
  return OpenEpochCopy(key, epoch.previous, previous);
}

}  // namespace grantfs
