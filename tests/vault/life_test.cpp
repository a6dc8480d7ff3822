#include "grantfs/api/tripwires.h"
#include "grantfs/crypto/encoding.h"
#include "grantfs/sqlite/database.h"
#include "support/direct_vault.h"

// What becomes of a secret's rows when its labels move, and when it is deleted or destroyed.

namespace grantfs::testing {
namespace {

struct LifeTest : ::testing::Test, ClaimedVault {
  LifeTest() {
    machine = world.EnrolMachine("web-1");
    Must(world.Publish("shop/prod", "a", "one"));
    Must(world.GrantTo(machine, "shop/prod", "a"));
    Must(world.Publish("shop/prod", "a", "two"));
    number = NumberOf("a");
  }
  VaultWorld::Secret& secret() { return world.secret("shop/prod", "a"); }
  Result<api::AppendResponse> Do(const Act& act) {
    return world.Send(world.owner, VaultWorld::One(world.NextOf(secret(), world.owner, act), world.owner));
  }
  LabelMove To(std::uint32_t version) {
    return {version, secret().list.versions().at(version).statement->hash()};
  }
  Result<api::AppendResponse> Publish(const std::string& value,
                                      const std::function<void(VersionPublish&)>& change) {
    VersionPublish version = world.StageVersion(secret(), value, world.owner);
    change(version);
    return Do(version);
  }
  std::string Read(std::uint32_t version = 0, bool grace = false, const VaultWorld::Machine* who = nullptr) {
    const auto& reader = who != nullptr ? *who : machine;
    const auto answer = direct.Read(reader.key, number, "open-" + std::to_string(++opens), version, grace);
    if (!answer) return CodeName(answer.error().code);
    return Must(world.Open(reader, "shop/prod", "a", answer->version, answer->sealed, answer->ciphertext));
  }
  static const char* CodeName(Code code) {
    return code == Code::kNotFound   ? "not found"
           : code == Code::kExpired  ? "expired"
           : code == Code::kConflict ? "superseded"
                                     : "another error";
  }
  Code Value(std::uint32_t version) {
    const auto answer = Wait<api::ValueResponse>([&](auto done) {
      direct.vault().ReadValue(direct.Caller(world.owner), {number, version, "value-1"}, done);
    });
    return answer ? Code::kCancelled : answer.error().code;
  }
  VaultWorld::Machine machine;
  std::uint64_t number = 0;
  int opens = 0;
};

TEST_F(LifeTest, ARollbackIsDeliveredAtOnceAndRecorded) {
  EXPECT_EQ(Read(), "two");
  Must(Do(To(1)));
  EXPECT_EQ(Read(), "one");
  EXPECT_EQ(Read(2), "superseded");
  EXPECT_EQ(Read(2, true), "two") << "a moment ago it was current";
  const auto record = direct.Audit("label.move").at(0);
  const Json body = Must(ParseJson(*record.body));
  EXPECT_EQ(body.Find("version")->AsNumber(), 1);
  EXPECT_EQ(body.Find("object")->AsString(), "shop/prod/a");
  Must(direct.Reopen());
  EXPECT_EQ(Read(), "one");
}

TEST_F(LifeTest, ALabelDoesNotMoveWhereSomebodyCouldNotOpenTheVersion) {
  {
    Database database = Must(Database::Open(direct.database_path(), {}));
    Must(database.Run("DELETE FROM copies WHERE version = 1 AND kind = 1"));
  }
  const auto moved = Do(To(1));
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().code, Code::kConflict);
  EXPECT_EQ(Read(), "two");
  Must(world.GrantTo(machine, "shop/prod", "a"));
  Must(Do(To(1)));
  EXPECT_EQ(Read(), "one");
}

TEST_F(LifeTest, WhoIsGrantedNextReadsItFirst) {
  const auto canary = world.EnrolMachine("web-2");
  Must(world.GrantTo(canary, "shop/prod", "a", [](Grant& grant) { grant.label = kNextLabel; }));
  EXPECT_EQ(Read(0, false, &canary), "two") << "what is current, while nothing is next";
  Must(Publish("three", [](VersionPublish& version) { version.label = kNextLabel; }));
  EXPECT_EQ(Read(0, false, &canary), "three");
  EXPECT_EQ(Read(2, false, &canary), "superseded");
  EXPECT_EQ(Read(2, true, &canary), "two") << "a moment ago it was what the label stood for";
  EXPECT_EQ(Read(), "two");
  EXPECT_EQ(Read(3), "superseded");
  EXPECT_EQ(Read(3, true), "superseded") << "it never was this grant's";
  Must(Do(LabelRemove{}));
  EXPECT_EQ(Read(0, false, &canary), "two");
  EXPECT_EQ(Read(3, true, &canary), "three");
  Must(Do(To(3)));
  EXPECT_EQ(Read(), "three");
  EXPECT_EQ(Read(0, false, &canary), "three");
}

TEST_F(LifeTest, WhatIsDeletedIsDeliveredToNobodyUntilItIsUndeleted) {
  Must(Do(SecretDelete{}));
  EXPECT_EQ(Read(), "not found");
  EXPECT_EQ(Read(2, true), "not found");
  EXPECT_EQ(Value(0), Code::kNotFound);
  EXPECT_EQ(Value(1), Code::kNotFound);
  EXPECT_EQ(direct.Audit("secret.delete").size(), 1U);
  Must(direct.Reopen());
  EXPECT_EQ(Read(), "not found");
  const auto listed = Must(direct.vault().MachineGrants(direct.Caller(machine.key), {0, 10, {}}));
  ASSERT_EQ(listed.grants.size(), 1U);
  EXPECT_EQ(listed.grants[0].version, "");
  EXPECT_FALSE(world.Publish("shop/prod", "a", "three"));
  Must(Do(SecretUndelete{}));
  EXPECT_EQ(Read(), "two");
}

TEST_F(LifeTest, WhatIsDeletedOrDestroyedWhileItIsReadIsNotReleased) {
  Must(Do(To(1)));  // a test may destroy what no label points at
  const std::vector<Store::Job> ends = {
      [this](StoreWriter& writer) { return writer.SetDeleted(number, true); },
      [this](StoreWriter& writer) -> Status {
        GRANTFS_CHECK(writer.SetDeleted(number, false));
        GRANTFS_CHECK(writer.RemoveLabel(number, "previous", 0));
        return writer.RemoveVersion(number, 2);
      }};
  direct.store().Overtake(ends[0]);
  EXPECT_EQ(Read(), "not found");
  Must(direct.store().WriteAndWait([this](StoreWriter& writer) { return writer.SetDeleted(number, false); }));
  direct.store().Overtake(ends[0]);
  EXPECT_EQ(Value(1), Code::kNotFound);
  Must(direct.store().WriteAndWait([this](StoreWriter& writer) { return writer.SetDeleted(number, false); }));
  direct.store().Overtake(ends[1]);
  EXPECT_EQ(Read(2, true), "superseded") << "as where it had come a moment later";
  EXPECT_EQ(Value(1), Code::kCancelled) << "the other version stays";
}

TEST_F(LifeTest, AVoidBringsNothingBackThatWasErased) {
  const PrivateIdentity second = NewIdentity("second");
  Must(world.AddMember("shop/prod", second, Role::kOwner));
  Must(world.Send(second, VaultWorld::One(world.NextOf(secret(), second, SecretDestroy{}), second)));
  const std::uint64_t at = secret().list.next_sequence() - 1;
  auto request = world.Removal("shop/prod", second.Id());
  world.Take(request);
  const Void back{at, *secret().list.HashAt(at)};
  request.appends.push_back(
      VaultWorld::One(world.NextOf(secret(), world.owner, back), world.owner).appends[0]);
  const auto voided = direct.Append(world.owner, request);
  ASSERT_FALSE(voided);
  EXPECT_EQ(voided.error().code, Code::kInvalid) << Describe(voided.error());
  EXPECT_EQ(Read(), "not found");
}

TEST_F(LifeTest, DestroyedVersionsAreGone) {
  Must(Do(VersionDestroy{{1}, {"previous"}}));
  EXPECT_EQ(Read(), "two");
  EXPECT_EQ(Read(1, true), "superseded");
  EXPECT_EQ(Value(1), Code::kNotFound);
  const auto reader = Must(direct.store().Read());
  EXPECT_FALSE(Must(reader->FindVersion(number, 1)));
  EXPECT_FALSE(Must(reader->FindCopy(number, 1, RecipientKind::kMachine, machine.number)));
  EXPECT_EQ(Must(reader->LabelsOf(number)).size(), 1U);
  const Json body = Must(ParseJson(*direct.Audit("version.destroy").at(0).body));
  EXPECT_EQ(body.Find("versions")->Dump(), "[1]");
}

TEST_F(LifeTest, WhatIsDestroyedIsNoCanary) {
  const auto set = [this] {
    return Wait<api::CanaryResponse>([this](auto done) {
      vault().SetCanary(direct.Caller(world.owner), {number, true}, done);
    });
  };
  EXPECT_TRUE(Must(set()).changed);
  Must(Do(SecretDestroy{}));
  const auto again = set();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kNotFound);
}

TEST_F(LifeTest, ADestroyedSecretLeavesItsNameAndNoNumber) {
  Must(Do(SecretDestroy{}));
  EXPECT_EQ(Read(), "not found");
  EXPECT_EQ(Value(2), Code::kNotFound);
  EXPECT_TRUE(Must(direct.vault().MachineGrants(direct.Caller(machine.key), {0, 10, {}})).grants.empty());
  EXPECT_NE(ToText(direct.Audit("secret.destroy").at(0).leaf).find(" critical "), std::string::npos);
  const std::uint64_t before = number;
  Must(world.Publish("shop/prod", "a", "again"));
  EXPECT_GT(NumberOf("a"), before);
  number = NumberOf("a");
  EXPECT_EQ(Read(), "not found") << "its grants were the other's";
  Must(world.GrantTo(machine, "shop/prod", "a"));
  EXPECT_EQ(Read(), "again");
  Must(direct.Reopen());
  EXPECT_EQ(Read(), "again");
}

TEST_F(LifeTest, WhatHasExpiredIsNotDelivered) {
  const std::int64_t now = direct.clock().WallSeconds();
  Must(Publish("three", [](VersionPublish& version) { version.expires_after = 60; }));
  EXPECT_EQ(Read(), "three");
  const auto made = secret().list.Current()->statement->statement().time;
  direct.clock().Pass(made + 60 - now);
  EXPECT_EQ(Read(), "expired");
  EXPECT_EQ(direct.vault().MachineCheck(direct.Caller(machine.key), {number, 0}).error().code,
            Code::kExpired);
  EXPECT_EQ(Value(0), Code::kCancelled) << "whoever may read all versions reads this one too";
  Must(world.Publish("shop/prod", "a", "four"));
  EXPECT_EQ(Read(), "four");
}

}  // namespace
}  // namespace grantfs::testing
