// Who has the whole database, and so the server's own keys, opens no value with them.

#include <fstream>
#include <iterator>

#include "grantfs/client/home.h"
#include "grantfs/crypto/encoding.h"
#include "grantfs/store/store.h"
#include "grantfs/trust/sealing.h"
#include "served_vault.h"

namespace grantfs::testing {
namespace {

constexpr char kNeedle[] = "the-needle-in-the-database";

class StolenDatabaseTest : public ServedTest {
 protected:
  StolenDatabaseTest() {
    Set("db-password", kNeedle);
    Machine("web-1");
    Grant("web-1", "db-password");
    EXPECT_EQ(ReadText(*Mount("web-1"), "db-password"), kNeedle);
    EXPECT_EQ(Shown(Must(Owner().GetSecret({"shop/prod", "db-password"}, {})).value), kNeedle);
    server_.Stop();
  }
  static std::string Content(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

TEST_F(StolenDatabaseTest, ItHoldsNoValueAndNoSeed) {
  const auto seed = Must(ReadSecretFile((Path("ann") + "/seed").c_str(), 32));
  const auto machine = Must(ReadSecretFile((Path("web-1") + "/seed").c_str(), 32));
  std::vector<std::string> needles{kNeedle};
  for (const auto* secret : {&seed, &machine}) {
    needles.push_back(ToText(secret->Expose()));
    needles.push_back(HexEncode(secret->Expose()));
  }
  needles.push_back(Base64Encode(AsBytes(kNeedle)));
  needles.push_back(HexEncode(AsBytes(kNeedle)));
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(server_.directory())) {
    if (!entry.is_regular_file()) continue;
    ++files;
    const std::string content = Content(entry.path());
    for (const std::string& needle : needles)
      EXPECT_EQ(content.find(needle), std::string::npos) << entry.path();
  }
  EXPECT_GT(files, 0u);
}

TEST_F(StolenDatabaseTest, ItsOwnKeysOpenNoCopy) {
  StoreOptions options;
  options.directory = server_.directory();
  const auto store = Must(OpenEmbeddedStore(options));
  const auto reader = Must(store->Read());
  const auto state = Must(reader->Server());
  ASSERT_TRUE(state);
  // All that the server has of its own that could be a key, as a seed and as a private key.
  std::vector<UnsealKey> keys;
  for (std::size_t from = 0; from + 32 <= state->tls_key.size(); ++from) {
    auto piece = Must(SecretMemory::Allocate(32));
    std::copy_n(state->tls_key.Expose().data() + from, 32, piece.Expose().data());
    keys.push_back(Must(UnsealKey::FromSeed(piece)));
  }
  keys.push_back(Must(UnsealKey::FromSeed(state->log_seed)));
  keys.push_back(Must(UnsealKey::FromPrivate(Must(state->log_seed.Clone()))));
  const auto secret = Must(reader->FindSecret("shop/prod", "db-password"));
  ASSERT_TRUE(secret);
  std::vector<Bytes> sealed;
  for (const auto kind : {RecipientKind::kEnvironment, RecipientKind::kMachine}) {
    for (std::uint64_t number = 0; number < 10; ++number) {
      for (const auto& copy : Must(reader->CopiesFor(secret->number, kind, number, 0, 100)))
        sealed.push_back(copy.sealed);
    }
  }
  EXPECT_EQ(sealed.size(), 2u) << "to the environment and to the machine";
  const auto ann = Must(Must(Home::Open(Path("ann"))).LoadIdentity()).Id();
  for (const auto& copy : Must(reader->EpochCopies("shop/prod", ann))) sealed.push_back(copy.sealed);
  EXPECT_EQ(sealed.size(), 3u) << "and the environment's key to its owner";
  for (const UnsealKey& key : keys) {
    for (const Bytes& copy : sealed) EXPECT_EQ(CodeOf(key.Open(copy)), Code::kIntegrity);
  }
}

}  // namespace
}  // namespace grantfs::testing
