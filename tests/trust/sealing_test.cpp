#include "grantfs/trust/sealing.h"

#include <algorithm>
#include <cstring>

#include "world.h"

namespace grantfs::testing {
namespace {

SecretValue Value(const std::string& text) {
  auto memory = Must(SecretMemory::Allocate(text.size()));
  std::memcpy(memory.Expose().data(), text.data(), text.size());
  return SecretValue(std::move(memory));
}

class SealingTest : public ::testing::Test {
 protected:
  SealingTest() : made(Must(EncryptVersion(context, Value("hunter22")))) {
    publish.size = 8;
    publish.ciphertext = made.ciphertext_hash;
    publish.commitment = made.commitment;
  }
  World world;
  ValueContext context{world.vault.vault_id(), "shop/prod", 7, 1, 1};
  EncryptedVersion made;
  VersionPublish publish;
};

TEST_F(SealingTest, TheGranteeOpensIt) {
  const auto sealed = Must(SealDataKey(world.web1.identity().seal, made.data_key));
  const auto key = Must(OpenDataKey(world.web1.unseal_key(), sealed, publish.commitment, context));
  const auto value = Must(DecryptVersion(key, context, publish, made.ciphertext));
  EXPECT_TRUE(value.Equals(Value("hunter22")));
  EXPECT_EQ(OpenDataKey(world.web2.unseal_key(), sealed, publish.commitment, context).error().code,
            Code::kIntegrity);
}

TEST_F(SealingTest, EveryPartOfTheContextIsBound) {
  const auto sealed = Must(SealDataKey(world.web1.identity().seal, made.data_key));
  for (int part = 0; part < 5; ++part) {
    ValueContext other = context;
    if (part == 0) other.vault.bytes[0] ^= 1;
    if (part == 1) other.environment = "shop/test";
    if (part == 2) other.secret = 8;
    if (part == 3) other.version = 2;
    if (part == 4) other.epoch = 2;
    EXPECT_FALSE(OpenDataKey(world.web1.unseal_key(), sealed, publish.commitment, other)) << part;
    EXPECT_FALSE(DecryptVersion(made.data_key, other, publish, made.ciphertext)) << part;
  }
}

TEST_F(SealingTest, AnotherCiphertextOrKeyIsRefused) {
  auto altered = made.ciphertext;
  altered[40] ^= 1;
  EXPECT_EQ(DecryptVersion(made.data_key, context, publish, altered).error().code, Code::kIntegrity);
  const auto swapped = Must(EncryptVersion(context, Value("letmein2")));
  EXPECT_EQ(DecryptVersion(made.data_key, context, publish, swapped.ciphertext).error().code,
            Code::kIntegrity);
  const auto other_key = Must(SealDataKey(world.web1.identity().seal, swapped.data_key));
  EXPECT_EQ(OpenDataKey(world.web1.unseal_key(), other_key, publish.commitment, context).error().code,
            Code::kIntegrity);
}

TEST_F(SealingTest, AnotherValueUnderTheSameKeyIsRefused) {
  // Every grantee has the key: one of them and the vault might agree on another value.
  const auto other = Must(EncryptValue(made.data_key, context.Encode(), Value("letmein2")));
  EXPECT_TRUE(DecryptValue(made.data_key, context.Encode(), other));
  EXPECT_EQ(DecryptVersion(made.data_key, context, publish, other).error().code, Code::kIntegrity);
}

TEST_F(SealingTest, AValueHasTheSizeThatItsStatementNamesAndAtMostAMebibyte) {
  publish.size = 7;
  EXPECT_EQ(DecryptVersion(made.data_key, context, publish, made.ciphertext).error().code, Code::kIntegrity);
  publish.size = 9;
  EXPECT_EQ(DecryptVersion(made.data_key, context, publish, made.ciphertext).error().code, Code::kIntegrity);
  EXPECT_TRUE(EncryptVersion(context, Value(std::string(kMaxSecretBytes, 'a'))));
  EXPECT_EQ(EncryptVersion(context, Value(std::string(kMaxSecretBytes + 1, 'a'))).error().code,
            Code::kInvalid);
}

TEST_F(SealingTest, CopiesAreOrderedByRecipient) {
  std::vector<Identity> people;
  for (int i = 0; i < 8; ++i) people.push_back(MakeIdentity("p" + std::to_string(i)).identity());
  const auto epoch = Must(MakeEpoch(people, nullptr, nullptr));
  EXPECT_TRUE(
      std::is_sorted(epoch.copies.begin(), epoch.copies.end(),
                     [](const EpochCopy& a, const EpochCopy& b) { return a.recipient < b.recipient; }));
  EXPECT_EQ(epoch.epoch.copies, 8u);
  // The vault might give one's copy to another.
  auto exchanged = epoch.copies;
  std::swap(exchanged[0].recipient, exchanged[1].recipient);
  EXPECT_NE(EpochCopiesRoot(exchanged), epoch.epoch.copies_root);
}

TEST_F(SealingTest, EpochsLeadBackAndLeaversStayOut) {
  const auto first = Must(MakeEpoch({world.owner.identity(), world.second.identity()}, nullptr, nullptr));
  ASSERT_EQ(first.copies.size(), 2u);
  const auto next = Must(MakeEpoch({world.owner.identity()}, &first.epoch, &first.key));
  EXPECT_EQ(next.epoch.number, 2u);
  const auto opened = Must(OpenEpochCopy(world.owner.unseal_key(), next.copies[0].sealed, next.epoch));
  const auto back = Must(OpenPreviousEpoch(opened, next.epoch, first.epoch));
  EXPECT_EQ(back.seal_key(), first.epoch.key);
  EXPECT_FALSE(OpenEpochCopy(world.second.unseal_key(), next.copies[0].sealed, next.epoch));
  EXPECT_FALSE(OpenEpochCopy(world.owner.unseal_key(), next.copies[0].sealed, first.epoch))
      << "an environment's key swapped";
  EXPECT_EQ(EpochCopiesRoot(next.copies), next.epoch.copies_root);
  auto swapped = next.copies;
  swapped[0].sealed[5] ^= 1;
  EXPECT_NE(EpochCopiesRoot(swapped), next.epoch.copies_root);
}

}  // namespace
}  // namespace grantfs::testing
