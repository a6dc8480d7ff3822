// What is read is exactly what the format says: every member, no other, each within its bounds.

#include <algorithm>
#include <functional>

#include "grantfs/crypto/encoding.h"
#include "grantfs/crypto/template.h"
#include "grantfs/trust/names.h"
#include "world.h"

namespace grantfs::testing {
namespace {

const Json* At(const Json& json, const std::vector<std::string>& path) {
  const Json* at = &json;
  for (const auto& name : path) at = at == nullptr ? nullptr : at->Find(name);
  return at;
}

/// The same with the member at `path` set, or taken away.
Json With(const Json& json, const std::vector<std::string>& path, const std::optional<Json>& value,
          std::size_t depth = 0) {
  Json made = Json::Object();
  for (const auto& [name, member] : json.Members()) {
    if (name != path[depth]) {
      made.Set(name, member);
    } else if (depth + 1 < path.size()) {
      made.Set(name, With(member, path, value, depth + 1));
    } else if (value) {
      made.Set(name, *value);
    }
  }
  if (depth + 1 == path.size() && value) made.Set(path[depth], *value);
  return made;
}

/// Calls `each` with the path of every member of every object.
void ForEachMember(const Json& json, const std::function<void(const std::vector<std::string>&)>& each,
                   std::vector<std::string> path = {}) {
  for (const auto& [name, member] : json.Members()) {
    path.push_back(name);
    each(path);
    if (member.is(Json::Kind::kObject)) ForEachMember(member, each, path);
    path.pop_back();
  }
}

std::string Shown(const std::vector<std::string>& path) {
  std::string text;
  for (const auto& name : path) text += "/" + name;
  return text;
}

class StrictTest : public ::testing::Test {
 protected:
  Json PayloadOf(const SignedStatement& statement) {
    const Json envelope = Must(ParseJson(statement.envelope()));
    return Must(ParseJson(ToText(Must(Base64Decode(envelope.Find("payload")->AsString(), 1 << 20)))));
  }
  /// What is made of an envelope with this payload: its signature is not looked at here.
  static Result<SignedStatement> ParsePayload(const SignedStatement& like, const Json& payload) {
    Json envelope = Must(ParseJson(like.envelope()));
    envelope.Set("payload", Base64Encode(AsBytes(payload.Dump())));
    return SignedStatement::Parse(envelope.Dump());
  }
  void ExpectBounds(std::size_t act, const std::vector<std::string>& path, const std::vector<Json>& good,
                    const std::vector<Json>& bad) {
    const Json json = ActToJson(world.EveryAct().at(act));
    ASSERT_NE(At(json, path), nullptr) << Shown(path);
    for (const Json& value : good)
      EXPECT_TRUE(ActFromJson(With(json, path, value))) << Shown(path) << " " << value.Dump().substr(0, 80);
    for (const Json& value : bad)
      EXPECT_FALSE(ActFromJson(With(json, path, value))) << Shown(path) << " " << value.Dump().substr(0, 80);
  }
  static Json Texts(std::size_t count, const std::string& text) {
    return Json::Array(std::vector<Json>(count, Json(text)));
  }
  World world;
  const std::int64_t kMost = INT64_MAX;
};

// The places in world.EveryAct().
template <typename T, typename... Ts>
constexpr std::size_t PlaceIn(const std::variant<Ts...>*) {
  constexpr bool kSame[] = {std::is_same_v<T, Ts>...};
  return static_cast<std::size_t>(std::find(std::begin(kSame), std::end(kSame), true) - std::begin(kSame));
}
template <typename T>
constexpr std::size_t kPlaceOf = PlaceIn<T>(static_cast<const Act*>(nullptr));
constexpr std::size_t kCreate = kPlaceOf<VaultCreate>, kRemoveIdentity = kPlaceOf<IdentityRemove>,
                      kAddEnvironment = kPlaceOf<EnvironmentAdd>, kPins = kPlaceOf<PinsSet>,
                      kInvite = kPlaceOf<InvitationCreate>, kStand = kPlaceOf<InvitationStand>,
                      kWithdraw = kPlaceOf<InvitationWithdraw>, kApprove = kPlaceOf<MachineApprove>,
                      kAdmit = kPlaceOf<MachineAdmit>, kBegin = kPlaceOf<EnvironmentCreate>,
                      kAddMember = kPlaceOf<MemberAdd>, kRemoveMember = kPlaceOf<MemberRemove>,
                      kStart = kPlaceOf<EpochStart>, kSecret = kPlaceOf<SecretCreate>,
                      kVersion = kPlaceOf<VersionPublish>, kGrant = kPlaceOf<GrantAdd>,
                      kRevoke = kPlaceOf<GrantRevoke>, kMove = kPlaceOf<LabelMove>,
                      kUnlabel = kPlaceOf<LabelRemove>, kDestroy = kPlaceOf<VersionDestroy>,
                      kDescribe = kPlaceOf<SecretDescribe>, kVoid = kPlaceOf<Void>;

TEST_F(StrictTest, EveryMemberOfAnActIsNeededAndNoOtherTaken) {
  const std::vector<Act> acts = world.EveryAct();
  ASSERT_EQ(acts.size(), std::variant_size_v<Act>);
  for (const Act& act : acts) {
    const Json json = ActToJson(act);
    ASSERT_TRUE(ActFromJson(json)) << json.Dump();
    ForEachMember(json, [&](std::vector<std::string> path) {
      const std::string type = ActName(act);
      // Which of them a restore has follows from its list's kind.
      const bool optional =
          ((type == "member.remove" || type == "member.change") && path.back() == "epoch") ||
          (type == "machine.approve" && path == std::vector<std::string>{"not_after"}) ||
          (type == "restore" && path.size() == 1 && path.back() != "accepted" && path.back() != "type");
      EXPECT_EQ(ActFromJson(With(json, path, {})).has_value(), optional) << json.Dump() << Shown(path);
      path.back() = "surprise";
      EXPECT_FALSE(ActFromJson(With(json, path, 1))) << json.Dump() << Shown(path);
    });
  }
}

TEST_F(StrictTest, ATemplatesPartsAreOtherPathsInOrder) {
  const auto texts = [](const std::vector<std::string>& all) {
    return Json::Array(std::vector<Json>(all.begin(), all.end()));
  };
  const auto taken = [&](const Json& parts) {
    return ActFromJson(With(ActToJson(world.EveryAct().at(kVersion)), {"parts"}, parts)).has_value();
  };
  std::vector<std::string> many, large;
  for (std::size_t i = 0; i < Template::kMaxNames; ++i) many.push_back("n" + std::to_string(1000 + i));
  while (large.size() * 500 < kMaxTemplatePartBytes)
    large.push_back(std::string(250, 'a') + "/" + std::string(247, 'b') + std::to_string(10 + large.size()));
  for (const Json& good : {texts({"a"}), texts({"a", "a/b", "b"}), texts(many)}) EXPECT_TRUE(taken(good));
  for (const Json& bad :
       {texts({}), texts({"b", "a"}), texts({"a", "a"}), texts({"db-password"}), texts({"a/../b"}),
        texts({""}), texts(large), Json::Array(std::vector<Json>{1}), Json("a")})
    EXPECT_FALSE(taken(bad)) << bad.Dump().substr(0, 80);
  large.pop_back();
  EXPECT_TRUE(taken(texts(large)));
  many.push_back("z");
  EXPECT_FALSE(taken(texts(many)));
}

TEST_F(StrictTest, ASecretIsRotatedAfterSomeTimeOrItsVersionDoesNotSay) {
  auto version = std::get<VersionPublish>(world.EveryAct().at(kVersion));
  const Json never = ActToJson(version);
  EXPECT_EQ(never.Find("rotate_after"), nullptr) << "a version of before has the bytes that it had";
  EXPECT_EQ(version.RotationDue(1'700'000'000), 0);
  const auto read = [&](const Json& value) { return ActFromJson(With(never, {"rotate_after"}, value)); };
  for (const std::int64_t good : {std::int64_t{1}, std::int64_t{90 * 86400}, kMaxTermSeconds}) {
    const auto taken = Must(read(good));
    EXPECT_EQ(std::get<VersionPublish>(taken).rotate_after, good);
    EXPECT_EQ(std::get<VersionPublish>(taken).RotationDue(1'700'000'000), 1'700'000'000 + good);
    version.rotate_after = good;
    EXPECT_EQ(ActToJson(version).Dump(), ActToJson(taken).Dump());
  }
  for (const Json& bad :
       {Json(0), Json(-1), Json(kMaxTermSeconds + 1), Json(kMost), Json("90d"), Json(true), Json()})
    EXPECT_FALSE(read(bad)) << bad.Dump();
}

TEST_F(StrictTest, AVersionThatSaysNothingOfItsEndAndLabelHasTheBytesThatItHad) {
  auto version = std::get<VersionPublish>(world.EveryAct().at(kVersion));
  const Json plain = ActToJson(version);
  for (const char* name : {"expires_after", "label"}) EXPECT_EQ(plain.Find(name), nullptr);
  EXPECT_EQ(version.ExpiresAt(1'700'000'000), 0);
  version.expires_after = 60;
  version.label = "next";
  const auto taken = Must(ActFromJson(ActToJson(version)));
  EXPECT_EQ(std::get<VersionPublish>(taken).ExpiresAt(1'700'000'000), 1'700'000'060);
  EXPECT_EQ(std::get<VersionPublish>(taken).label, "next");
  ExpectBounds(kVersion, {"path"}, {"a"}, {""});
  for (const Json& good : {Json(1), Json(kMaxTermSeconds)})
    EXPECT_TRUE(ActFromJson(With(plain, {"expires_after"}, good))) << good.Dump();
  for (const Json& bad : {Json(0), Json(-1), Json(kMaxTermSeconds + 1), Json("30d"), Json(true), Json()})
    EXPECT_FALSE(ActFromJson(With(plain, {"expires_after"}, bad))) << bad.Dump();
  for (const Json& bad : {Json(""), Json("current"), Json("previous"), Json("Next"), Json(1), Json()})
    EXPECT_FALSE(ActFromJson(With(plain, {"label"}, bad))) << bad.Dump();
}

TEST_F(StrictTest, BoundsOfASecretsLife) {
  const auto numbers = [](std::vector<Json> all) { return Json::Array(std::move(all)); };
  std::vector<Json> most;
  for (std::size_t i = 1; i <= kMaxDestroyed; ++i) most.push_back(Json(static_cast<std::int64_t>(i)));
  ExpectBounds(kDestroy, {"versions"}, {numbers({1}), numbers({3, 7, kMaxVersion}), numbers(most)},
               {numbers({}), numbers({0}), numbers({-1}), numbers({kMaxVersion + 1}), numbers({2, 1}),
                numbers({1, 1}), numbers({"1"}), Json(1)});
  most.push_back(Json(static_cast<std::int64_t>(kMaxDestroyed + 1)));
  ExpectBounds(kDestroy, {"versions"}, {}, {numbers(most)});
  ExpectBounds(kDestroy, {"labels"}, {numbers({}), numbers({"next", "previous"})},
               {numbers({"current"}), numbers({"previous", "next"}), numbers({"next", "next"}), numbers({""}),
                numbers({"Next"}), numbers({1}), Json("next")});
  ExpectBounds(kMove, {"version"}, {1, kMaxVersion}, {0, kMaxVersion + 1, "1"});
  ExpectBounds(kMove, {"statement"}, {Hash{}.Hex()}, {"", "00", 1});
  ExpectBounds(kUnlabel, {"label"}, {"next"}, {"", "current", "previous", 1});
  ExpectBounds(kDescribe, {"owner"}, {"", std::string(255, 'a')}, {"a\n", std::string(256, 'a')});
  ExpectBounds(kDescribe, {"description"}, {"", std::string(1024, 'a')}, {"\x1B[2J", std::string(1025, 'a')});
}

TEST_F(StrictTest, AStateSaysThatItIsDeletedOrNothing) {
  SecretState state = world.secret.state();
  const Json stands = state.ToJson();
  EXPECT_EQ(stands.Find("deleted"), nullptr) << "a state of before has the bytes that it had";
  state.deleted = true;
  EXPECT_EQ(Must(SecretState::FromJson(state.ToJson())), state);
  for (const Json& bad : {Json(false), Json(1), Json("true"), Json()})
    EXPECT_FALSE(SecretState::FromJson(With(stands, {"deleted"}, bad))) << bad.Dump();
}

TEST_F(StrictTest, EveryMemberOfAStatementIsNeededAndNoOtherTaken) {
  for (const auto& statement : {world.secret.At(1), world.environment.At(1), world.vault.At(1)}) {
    const Json payload = PayloadOf(*statement);
    ASSERT_TRUE(ParsePayload(*statement, payload));
    ForEachMember(payload, [&](std::vector<std::string> path) {
      // Labels have names of their own.
      const bool label = path.size() == 3 && path[1] == "labels";
      EXPECT_EQ(ParsePayload(*statement, With(payload, path, {})).has_value(), label) << Shown(path);
      path.back() = "surprise";
      EXPECT_FALSE(ParsePayload(*statement, With(payload, path, 1))) << Shown(path);
    });
    EXPECT_TRUE(ParsePayload(*statement, With(payload, {"ext"}, Json::Object({{"a", 1}}))))
        << "what later builds may say";
    const Json head = payload.Find("previous") == nullptr ? Json() : world.vault.head()->ToJson();
    EXPECT_EQ(ParsePayload(*statement, With(payload, {"heads", "environment"}, head)).has_value(),
              statement == world.secret.At(1));
    EXPECT_EQ(ParsePayload(*statement, With(payload, {"heads", "vault"}, head)).has_value(),
              statement != world.vault.At(1));
    EXPECT_EQ(ParsePayload(*statement, With(payload, {"state"}, world.secret.state().ToJson())).has_value(),
              statement == world.secret.At(1));
  }
}

TEST_F(StrictTest, APackedStatementIsTheSameStatementInLessRoom) {
  for (std::uint64_t i = 0; i < world.secret.next_sequence(); ++i) {
    const auto statement = world.secret.At(i);
    const std::string packed = statement->Packed();
    EXPECT_LT(5 * packed.size(), 3 * statement->envelope().size());
    const auto again = Must(SignedStatement::Unpack(packed));
    EXPECT_EQ(again.hash(), statement->hash());
    EXPECT_EQ(again.envelope(), statement->envelope());
    EXPECT_EQ(again.Packed(), packed);
    for (std::size_t length = 0; length < packed.size(); length += 7)
      EXPECT_FALSE(SignedStatement::Unpack(packed.substr(0, length))) << length;
  }
}

TEST_F(StrictTest, AnEnvelopeHasOneSignatureByTheSigner) {
  const auto good = world.secret.At(1);
  const Json envelope = Must(ParseJson(good->envelope()));
  const Json signature = envelope.Find("signatures")->Items().at(0);
  const auto refused = [&](const std::string& name, const Json& value) {
    EXPECT_FALSE(SignedStatement::Parse(With(envelope, {name}, value).Dump()))
        << name << " " << value.Dump().substr(0, 200);
  };
  EXPECT_TRUE(SignedStatement::Parse(envelope.Dump()));
  refused("surprise", 1);
  refused("payloadType", "application/vnd.in-toto+json");
  refused("signatures", Json::Array());
  refused("signatures", Json::Array({signature, signature}));
  refused("signatures", Json::Array({With(signature, {"surprise"}, 1)}));
  refused("signatures", Json::Array({With(signature, {"keyid"}, world.second.Id().Hex())}));
  refused("signatures", Json::Array({With(signature, {"sig"}, Base64Encode(Bytes(63)))}));
  refused("signatures", Json::Array({With(signature, {"sig"}, "")}));
  std::string padded = envelope.Dump();
  padded.insert(padded.size() - 1, kMaxEnvelopeBytes - padded.size(), ' ');
  EXPECT_TRUE(SignedStatement::Parse(padded));
  padded += ' ';
  EXPECT_FALSE(SignedStatement::Parse(padded)) << padded.size();
}

TEST_F(StrictTest, AStatementsOwnBounds) {
  const auto good = world.secret.At(1);
  const Json payload = PayloadOf(*good);
  const auto takes = [&](const std::vector<std::string>& path, const Json& value) {
    return ParsePayload(*good, With(payload, path, value)).has_value();
  };
  const std::int64_t most = std::int64_t{1} << 53;
  for (const auto& path : {std::vector<std::string>{"sequence"}, {"heads", "vault", "sequence"}}) {
    EXPECT_TRUE(takes(path, most));
    for (const Json& bad : {Json(-1), Json(most + 1), Json("1")}) EXPECT_FALSE(takes(path, bad));
  }
  EXPECT_FALSE(takes({"time"}, -1));
  EXPECT_FALSE(takes({"time"}, kMost));
  EXPECT_TRUE(takes({"reason"}, std::string(Statement::kMaxReasonBytes, 'r')));
  EXPECT_FALSE(takes({"reason"}, std::string(Statement::kMaxReasonBytes + 1, 'r')));
  for (const char* bad : {"vaults", "secret/0", "secret/07", "secret/-1", "secret/", "secret/274877906944",
                          "secret/99999999999999999999", "environment/shop", "environment/../prod"})
    EXPECT_EQ(ListId::Parse(bad).error().code, Code::kInvalid) << bad;
  EXPECT_EQ(Must(ListId::Parse("secret/274877906943")).number, kMaxSecretNumber);
  for (const char* bad : {"", "/x", "../x", "a\nb"}) EXPECT_FALSE(takes({"state", "path"}, bad)) << bad;
  EXPECT_FALSE(takes({"state", "version"}, std::int64_t{kMaxVersion} + 1));
  EXPECT_FALSE(takes({"state", "labels", "Current"}, Hash{}.Hex())) << "no label's name";
  EXPECT_FALSE(takes({"state", "labels", "current"}, 1));
  EXPECT_FALSE(takes({"state", "labels", "current"}, "00"));
  Json labels = Json::Object();
  for (int i = 0; i < 64; ++i) labels.Set("l" + std::to_string(i), Hash{}.Hex());
  EXPECT_TRUE(takes({"state", "labels"}, labels));
  EXPECT_FALSE(takes({"state", "labels"}, labels.Set("one-more", Hash{}.Hex())));
}

TEST_F(StrictTest, BoundsOfTheVaultsActs) {
  const std::string pin = Hash{}.Hex();
  ExpectBounds(kCreate, {"level"}, {1}, {0, 2});
  ExpectBounds(kCreate, {"log_origin"}, {"a", std::string(255, 'a')}, {"", "a\n", std::string(256, 'a')});
  for (const std::size_t act : {kCreate, kPins})
    ExpectBounds(act, {"pins"}, {Texts(1, pin), Texts(2, pin)},
                 {Texts(0, pin), Texts(3, pin), Texts(1, "00")});
  ExpectBounds(kRemoveIdentity, {"name"}, {"web-1"}, {"", "Web", "../x"});
  ExpectBounds(kAddEnvironment, {"environment"}, {"a/b"}, {"", "a", "a/b/c", "a/..", "a/\n"});
  ExpectBounds(kInvite, {"invitation", "name"}, {"web-2"}, {"", "Web", "../x", std::string(64, 'a')});
  ExpectBounds(kInvite, {"invitation", "id"}, {std::string(32, 'a')},
               {"", std::string(30, 'a'), std::string(34, 'a'), std::string(32, 'g')});
  ExpectBounds(kInvite, {"invitation", "expires"}, {0, 253'402'300'799}, {-1, 253'402'300'800});
  ExpectBounds(kInvite, {"invitation", "kind"}, {"user", "agent"}, {"", "group"});
  ExpectBounds(kWithdraw, {"id"}, {std::string(32, 'a')}, {std::string(31, 'a'), std::string(33, 'a')});
  ExpectBounds(kApprove, {"enrolment", "invitation"}, {}, {"", std::string(32, 'g')});
  ExpectBounds(kVoid, {"from"}, {1}, {0, -1, kMost});
}

TEST_F(StrictTest, BoundsOfAnEnvironmentsActs) {
  ExpectBounds(kBegin, {"environment"}, {"a/b"}, {"", "a", "a/b/c", "a/..", "a/\n"});
  ExpectBounds(kAddMember, {"role"}, {"writer", "auditor"}, {"", "root", "Owner"});
  for (const std::size_t act : {kBegin, kRemoveMember, kStart}) {
    ExpectBounds(act, {"epoch", "number"}, {1, 0xFFFF'FFFF}, {0, -1, 0x1'0000'0000});
    ExpectBounds(act, {"epoch", "copies"}, {1, 1'000'000}, {0, -1, 1'000'001});
    ExpectBounds(act, {"epoch", "previous"}, {"", std::string(512, 'a')}, {"a", "XX", std::string(514, 'a')});
  }
}

TEST_F(StrictTest, BoundsOfASecretsActs) {
  for (const std::size_t act : {kSecret, kVersion}) {
    ExpectBounds(act, {"environment"}, {"a/b"}, {"", "a", "a/b/c", "a/.."});
    ExpectBounds(act, {"path"}, {"a", "a/b"}, {"", "/a", "a/../b", ".grantfs", "a\n"});
  }
  ExpectBounds(kSecret, {"number"}, {1, kMaxSecretNumber}, {0, -1, kMaxSecretNumber + 1});
  ExpectBounds(kSecret, {"secret_type"}, {"value", "template"}, {"", "values"});
  ExpectBounds(kSecret, {"owner"}, {"", std::string(255, 'a')}, {"a\n", std::string(256, 'a')});
  ExpectBounds(kSecret, {"description"}, {"", std::string(1024, 'a')}, {"\x1B[2J", std::string(1025, 'a')});
  ExpectBounds(kVersion, {"version"}, {1, kMaxVersion}, {0, kMaxVersion + 1, kMost});
  ExpectBounds(kVersion, {"size"}, {0, kMaxSecretBytes}, {-1, kMaxSecretBytes + 1});
  ExpectBounds(kVersion, {"epoch"}, {1, 0xFFFF'FFFF}, {0, 0x1'0000'0000});
  ExpectBounds(kVersion, {"set"}, {"", std::string(64, 'a')}, {"a\n", std::string(65, 'a')});
  ExpectBounds(kRevoke, {"kind"}, {"machine", "group"}, {"", "user"});
  ExpectBounds(kGrant, {"grantee", "kind"}, {"machine"}, {"group", "", "user"});  // a group has no key
  ExpectBounds(kGrant, {"grantee", "name"}, {"web-2"}, {"", "Web", "../x"});
  ExpectBounds(kApprove, {"not_after"}, {1}, {0, -1, kMost});
  ExpectBounds(kStand, {"invitation", "uses"}, {1, 10'000}, {0, 10'001, -1});
  ExpectBounds(kStand, {"invitation", "pattern"}, {"*", "a-*"}, {"", "a", "**", "A*"});
  ExpectBounds(kStand, {"invitation", "id"}, {std::string(32, 'a')}, {"", std::string(32, 'g')});
  ExpectBounds(kAdmit, {"request", "expires"}, {}, {0, -1, kMost, 1'700'000'000});
  ExpectBounds(kGrant, {"grantee", "not_after"}, {0}, {-1, kMost});
  ExpectBounds(kGrant, {"label"}, {"current", std::string(32, 'a')}, {"", "1a", "a_b", std::string(33, 'a')});
  for (const char* user : {"owner", "group"})
    ExpectBounds(kGrant, {user}, {"", "app", "1000"}, {"a/b", "a\n", "a\x1B", std::string(65, 'a')});
  ExpectBounds(kGrant, {"mode"}, {0, 0777}, {-1, 01000, 04755});
  ExpectBounds(kGrant, {"conditions"}, {Texts(0, ""), Texts(32, std::string(1024, 'a'))},
               {Texts(33, "a=b"), Texts(1, ""), Texts(1, std::string(1025, 'a')), Json::Array({Json(1)})});
  for (const char* seconds : {"lease", "offline"})
    ExpectBounds(kGrant, {seconds}, {0, std::int64_t{10} * 366 * 86400},
                 {-1, std::int64_t{10} * 366 * 86400 + 1});
  ExpectBounds(kGrant, {"record"}, {"each", "later"}, {"", "each\n", std::string(33, 'a')});
  ExpectBounds(kGrant, {"expires"}, {0}, {-1, kMost});
}

}  // namespace
}  // namespace grantfs::testing
