// Who has the whole database, and so the server's own keys, opens no value with them.

#include <algorithm>
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

// One who manages and does not read: given the whole database too, its keys open no copy in it.
class ReadBlindTest : public ServedTest {
 protected:
  PrivateIdentity Member(const std::string& name, IdentityKind kind, Role role) {
    InviteOptions invite;
    invite.name = name;
    invite.kind = kind;
    const auto line = Must(Owner().Invite(invite)).line;
    Must(Enrol(Path(name), &line, std::chrono::milliseconds(0), {}));
    Must(Owner().Approve(name, ""));
    Must(Enrol(Path(name), nullptr, std::chrono::milliseconds(0), {}));
    Must(Owner().AddMember("shop/prod", Must(Owner().FindPerson(name)), role, "", ""));
    return Must(Must(Home::Open(Path(name))).LoadIdentity());
  }
  /// Every sealed thing in the database: data keys of all secrets, epochs' keys of all whom `known` names,
  /// and what the epochs' statements carry.
  std::vector<Bytes> AllSealed(StoreReader& reader, const std::vector<Hash>& known) {
    std::vector<Bytes> sealed;
    for (const auto& secret : Must(reader.ListSecrets("shop/prod", "", 100))) {
      for (const auto kind : {RecipientKind::kEnvironment, RecipientKind::kMachine, RecipientKind::kGroup}) {
        for (std::uint64_t number = 0; number < 40; ++number) {
          for (const auto& copy : Must(reader.CopiesFor(secret.number, kind, number, 0, 100)))
            sealed.push_back(copy.sealed);
        }
      }
    }
    for (const Hash& id : known) {
      for (const auto& copy : Must(reader.EpochCopies("shop/prod", id))) sealed.push_back(copy.sealed);
    }
    for (const auto& stored : Must(reader.ReadStatements("environment/shop/prod", 0, 100, 1 << 20))) {
      const Act act = Must(SignedStatement::Parse(stored.envelope)).statement().act;
      const auto* remove = std::get_if<MemberRemove>(&act);
      if (remove != nullptr && remove->epoch) sealed.push_back(remove->epoch->previous);
    }
    return sealed;
  }
};

TEST_F(ReadBlindTest, OperatorsAgentsWritersAndAuditorsOpenNothingOfTheWholeDatabase) {
  struct Blind {
    const char* name;
    IdentityKind kind;
    Role role;
  };
  std::vector<PrivateIdentity> blind;
  for (const Blind& one :
       {Blind{"otto", IdentityKind::kUser, Role::kOperator},
        Blind{"ops", IdentityKind::kAgent, Role::kOperator}, Blind{"ci", IdentityKind::kAgent, Role::kWriter},
        Blind{"wim", IdentityKind::kUser, Role::kWriter}, Blind{"aud", IdentityKind::kUser, Role::kAuditor},
        Blind{"watch", IdentityKind::kAgent, Role::kAuditor}})
    blind.push_back(Member(one.name, one.kind, one.role));
  const auto rita = Member("rita", IdentityKind::kUser, Role::kReader);
  Set("db-password", kNeedle);
  Machine("web-1");
  Grant("web-1", "db-password");
  // The agent's own value too: it sealed that and forgot the key.
  Must(Must(OwnerSession::Open(Path("ci")))->SetSecret({"shop/prod", "by-ci"}, Value(kNeedle), {}));
  for (const char* name : {"otto", "ops", "ci", "wim", "aud", "watch"}) {
    const auto session = Must(OwnerSession::Open(Path(name)));
    EXPECT_FALSE(session->GetSecret({"shop/prod", "db-password"}, {})) << name;
    EXPECT_FALSE(session->GetSecret({"shop/prod", "by-ci"}, {})) << name;
  }
  Must(Owner().RemoveMember("shop/prod", "rita", "so that there is a second epoch"));
  Set("db-password", "another");
  const auto ann = Must(Must(Home::Open(Path("ann"))).LoadIdentity());
  server_.Stop();
  StoreOptions options;
  options.directory = server_.directory();
  const auto store = Must(OpenEmbeddedStore(options));
  const auto reader = Must(store->Read());
  std::vector<Hash> known{ann.Id(), rita.Id()};
  for (const auto& one : blind) known.push_back(one.Id());
  const auto sealed = AllSealed(*reader, known);
  ASSERT_GE(sealed.size(), 8u);
  const auto opened = [&](const UnsealKey& key) {
    return std::count_if(sealed.begin(), sealed.end(),
                         [&](const Bytes& copy) { return key.Open(copy).has_value(); });
  };
  EXPECT_GT(opened(ann.unseal_key()), 0) << "the owner's key opens her copies: the test looks at real ones";
  EXPECT_GT(opened(rita.unseal_key()), 0);
  for (const PrivateIdentity& one : blind) {
    EXPECT_EQ(opened(one.unseal_key()), 0) << one.identity().name;
    EXPECT_TRUE(Must(reader->EpochCopies("shop/prod", one.Id())).empty()) << one.identity().name;
  }
  const auto state = Must(reader->Server());
  EXPECT_EQ(opened(Must(UnsealKey::FromSeed(state->log_seed))), 0);
  EXPECT_EQ(opened(Must(UnsealKey::FromPrivate(Must(state->log_seed.Clone())))), 0);
  for (std::size_t from = 0; from + 32 <= state->tls_key.size(); ++from) {
    auto piece = Must(SecretMemory::Allocate(32));
    std::copy_n(state->tls_key.Expose().data() + from, 32, piece.Expose().data());
    EXPECT_EQ(opened(Must(UnsealKey::FromPrivate(std::move(piece)))), 0);
  }
}

}  // namespace
}  // namespace grantfs::testing
