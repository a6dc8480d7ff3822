// A machine that was taken out of a group, given the whole database, opens nothing that was published since.

#include <algorithm>

#include "grantfs/api/machine.h"
#include "grantfs/client/home.h"
#include "grantfs/client/known_store.h"
#include "grantfs/json/json.h"
#include "grantfs/store/store.h"
#include "grantfs/trust/sealing.h"
#include "served_vault.h"

namespace grantfs::testing {
namespace {

class StolenGroupTest : public ServedTest {
 protected:
  /// Every key that `own` leads to through whatever is sealed in the database, and what opens with them.
  static std::vector<UnsealKey> Reach(std::vector<UnsealKey> known, const std::vector<Bytes>& sealed) {
    std::vector<bool> opened(sealed.size(), false);
    for (std::size_t at = 0; at < known.size(); ++at) {
      for (std::size_t i = 0; i < sealed.size(); ++i) {
        if (opened[i]) continue;
        auto inside = known[at].Open(sealed[i]);
        if (!inside) continue;
        opened[i] = true;
        if (inside->size() != 32) continue;
        if (auto key = UnsealKey::FromPrivate(std::move(*inside))) known.push_back(std::move(*key));
      }
    }
    return known;
  }
  static bool AnyOpens(const std::vector<UnsealKey>& keys, const Bytes& sealed) {
    return std::any_of(keys.begin(), keys.end(),
                       [&](const UnsealKey& key) { return key.Open(sealed).has_value(); });
  }
  std::vector<UnsealKey> KeysOf(const std::string& name) {
    const auto home = Must(Home::Open(Path(name)));
    const auto me = Must(home.LoadIdentity());
    std::vector<UnsealKey> keys;
    keys.push_back(Must(UnsealKey::FromPrivate(Must(me.unseal_key().private_bytes().Clone()))));
    auto known = Must(KnownStore::Open(home.KnownPath(), KnownStore::Missing::kRefuse));
    const Json groups = Must(ParseJson(Must(known->Groups())));
    for (const Json& one : groups.Items()) {
      const auto own = Must(api::OwnGroupKey::FromJson(one));
      keys.push_back(Must(UnsealKey::FromPrivate(Must(me.unseal_key().Open(own.sealed)))));
    }
    return keys;
  }
  GroupOptions quick_{"", std::chrono::milliseconds(0)};
};

TEST_F(StolenGroupTest, ARemovedMachineOpensNothingNew) {
  Set("db-password", "one");
  Machine("web-1");
  Machine("web-2");
  Must(Owner().CreateGroup("shop/prod", "web", {"web-1", "web-2"}, quick_));
  Grant("@web", "db-password");
  EXPECT_EQ(ReadText(*Mount("web-1"), "db-password"), "one");
  EXPECT_EQ(ReadText(*Mount("web-2"), "db-password"), "one");
  auto gone = KeysOf("web-1");
  ASSERT_EQ(gone.size(), 2U) << "its own, and the group's";
  Must(Owner().RemoveFromGroup("shop/prod", "web", {"web-1"}, quick_));
  EXPECT_FALSE(Read(*Mount("web-1"), "db-password")) << "refused at once";
  Set("db-password", "two");
  EXPECT_EQ(ReadText(*Mount("web-2"), "db-password"), "two");
  Set("later", "three");
  GrantOptions options;
  options.wait = std::chrono::milliseconds(0);
  Must(Owner().GrantPrefix("@web", "shop/prod", "", options));
  Set("latest", "four");
  auto stays = KeysOf("web-2");
  server_.Stop();
  const auto store = Must(OpenEmbeddedStore({.directory = server_.directory()}));
  const auto reader = Must(store->Read());
  std::vector<Bytes> keys_there;
  for (const auto kind : {RecipientKind::kEnvironment, RecipientKind::kMachine, RecipientKind::kInvitation}) {
    for (std::uint64_t number = 0; number < 60; ++number) {
      for (const auto& one : Must(reader->GroupsOf(kind, number))) keys_there.push_back(one.copy.sealed);
    }
  }
  for (const auto& stored : Must(reader->ReadStatements("environment/shop/prod", 0, 100, 1 << 20))) {
    const Act act = Must(SignedStatement::Parse(stored.envelope)).statement().act;
    if (const auto* start = std::get_if<GroupEpochStart>(&act))
      keys_there.push_back(start->epoch.epoch.previous);
  }
  ASSERT_GE(keys_there.size(), 3U);
  gone = Reach(std::move(gone), keys_there);
  stays = Reach(std::move(stays), keys_there);
  std::size_t old = 0, fresh = 0;
  for (const auto& secret : Must(reader->ListSecrets("shop/prod", "", 100))) {
    for (const auto kind : {RecipientKind::kEnvironment, RecipientKind::kMachine, RecipientKind::kGroup}) {
      for (std::uint64_t number = 0; number < 60; ++number) {
        for (const auto& copy : Must(reader->CopiesFor(secret.number, kind, number, 0, 100))) {
          if (kind != RecipientKind::kGroup) {
            EXPECT_FALSE(AnyOpens(gone, copy.sealed)) << secret.path;
            continue;
          }
          const bool before = secret.path == "db-password" && copy.version == 1 && copy.recipient.epoch == 1;
          EXPECT_EQ(AnyOpens(gone, copy.sealed), before) << secret.path << " version " << copy.version;
          EXPECT_TRUE(AnyOpens(stays, copy.sealed)) << "the test looks at real copies";
          ++(before ? old : fresh);
        }
      }
    }
  }
  EXPECT_EQ(old, 1U);
  EXPECT_EQ(fresh, 4U) << "db-password 2, later and latest, and version 1 sealed anew with the prefix";
}

}  // namespace
}  // namespace grantfs::testing
