// What the server itself holds to of its TLS keys, whoever asks.

#include "grantfs/api/audit.h"
#include "grantfs/api/tls.h"
#include "served.h"

namespace grantfs::testing {
namespace {

struct TlsKeysTest : ::testing::Test, ServedVault {
  template <typename Request>
  Result<api::TlsResponse> Ask(const api::Route& route, const Request& request) {
    return door.client.Call<api::TlsResponse>(RequestSigner::Of(world.owner), route, request);
  }
  Hash MakeNext() { return *Must(Ask(api::kTlsNext, api::TlsNextRequest{false})).next; }
  Result<api::AppendResponse> SetPins(const std::vector<Hash>& pins) {
    return world.Send(world.owner,
                      VaultWorld::One(world.Next(world.vault, world.owner, PinsSet{pins}), world.owner));
  }
  std::size_t Records(const std::string& type) {
    api::AuditSearchRequest search;
    search.type = type;
    return Must(door.client.Call<api::AuditSearchResponse>(RequestSigner::Of(world.owner), api::kAuditSearch,
                                                           search))
        .records.size();
  }
};

TEST_F(TlsKeysTest, AKeyThatNoListNamesIsNotShown) {
  const Hash next = MakeNext();
  const Hash before = server.pin();
  EXPECT_EQ(MakeNext(), next) << "it is made once";
  EXPECT_EQ(Ask(api::kTlsSwitch, api::TlsSwitchRequest{next}).error().code, Code::kConflict);
  EXPECT_EQ(Ask(api::kTlsSwitch, api::TlsSwitchRequest{Hash{}}).error().code, Code::kConflict);
  EXPECT_EQ(server.pin(), before);
  EXPECT_EQ(Records("tls.switched"), 0U);
}

TEST_F(TlsKeysTest, ANewConnectionIsShownTheNextAndAnOpenOneGoesOn) {
  const Hash before = server.pin();
  const Hash next = MakeNext();
  Must(SetPins({before, next}));
  const auto switched = Must(Ask(api::kTlsSwitch, api::TlsSwitchRequest{next}));
  EXPECT_EQ(switched.current, next);
  EXPECT_FALSE(switched.next);
  EXPECT_EQ(Must(Ask(api::kTlsSwitch, api::TlsSwitchRequest{next})).current, next)
      << "as after a lost answer";
  EXPECT_EQ(Must(Ask(api::kTlsShow, api::Nothing{})).current, next) << "on the connection that was open";
  RawClient fresh(server);
  fresh.vault = door.client.vault;
  EXPECT_EQ(Must(fresh.Exchange(RequestSigner::Of(world.owner), api::kStatus, "")).status, 200);
  HttpClientOptions old;
  old.server = server.address();
  old.pins = {before};
  const auto refused = Must(HttpClient::Create(old))
                           ->SendAndWait(fresh.Signed(RequestSigner::Of(world.owner), api::kStatus, ""), {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kIntegrity);
  EXPECT_EQ(Records("tls.made"), 1U);
  EXPECT_EQ(Records("tls.switched"), 1U);
}

TEST_F(TlsKeysTest, AKeyThatClientsAreLearningIsNotReplaced) {
  const Hash next = MakeNext();
  EXPECT_NE(*Must(Ask(api::kTlsNext, api::TlsNextRequest{true})).next, next);
  const Hash other = MakeNext();
  Must(SetPins({server.pin(), other}));
  EXPECT_EQ(Ask(api::kTlsNext, api::TlsNextRequest{true}).error().code, Code::kConflict);
  EXPECT_EQ(MakeNext(), other);
}

TEST_F(TlsKeysTest, TheNextKeyOutlivesARestart) {
  const Hash next = MakeNext();
  server.Restart();
  EXPECT_EQ(MakeNext(), next);
}

}  // namespace
}  // namespace grantfs::testing
