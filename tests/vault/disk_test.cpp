#include "support/direct_vault.h"
#include "support/eventually.h"

// What a vault does where its disk fills up.

namespace grantfs::testing {
namespace {

struct DiskTest : ::testing::Test, ClaimedVault {
  DiskTest() {
    machine = world.EnrolMachine("web-1");
    Must(world.Publish("shop/prod", "a", "one"));
    Must(world.GrantTo(machine, "shop/prod", "a"));
  }
  Result<api::ReadResponse> Read() {
    return direct.Read(machine.key, NumberOf("a"), "open-" + std::to_string(++opens));
  }
  Result<api::FreezeResponse> Freeze() {
    return Wait<api::FreezeResponse>([&](auto done) {
      vault().SetFreezes(direct.Caller(world.owner), {{{FrozenKind::kEnvironment, "shop/prod"}}, ""}, done);
    });
  }
  VaultWorld::Machine machine;
  int opens = 0;
};

TEST_F(DiskTest, ReadsAreRefusedAtTheReserveAloneAndLeaveNoRecord) {
  for (const DiskRoom room : {DiskRoom::kLow, DiskRoom::kNearlyFull}) {
    direct.store().HaveRoom(room);
    EXPECT_TRUE(Read());
  }
  const std::size_t before = direct.Audit("secret.read").size();
  direct.store().HaveRoom(DiskRoom::kReserve);
  const auto refused = Read();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnrecorded);
  api::ValueRequest value;
  value.secret = NumberOf("a");
  value.open = "value-1";
  const auto person = Wait<api::ValueResponse>(
      [&](auto done) { vault().ReadValue(direct.Caller(world.owner), value, done); });
  EXPECT_FALSE(person);
  EXPECT_EQ(direct.Audit("secret.read").size(), before);
  direct.store().HaveRoom(DiskRoom::kEnough);
  EXPECT_TRUE(Read());
}

TEST_F(DiskTest, WhoeverMendsGoesOnAtTheReserve) {
  direct.store().HaveRoom(DiskRoom::kReserve);
  EXPECT_TRUE(Freeze());
  EXPECT_EQ(direct.Audit("freeze.set").size(), 1U);
  EXPECT_TRUE(world.Revoke(machine, "shop/prod", "a"));
  EXPECT_TRUE(world.RemoveMachine(machine));
}

TEST_F(DiskTest, EachStepIsRecordedOnceAndThatThereIsRoomAgain) {
  const auto low = [&] { return direct.Audit("disk.low").size(); };
  direct.store().HaveRoom(DiskRoom::kLow);
  EXPECT_TRUE(Eventually([&] { return low() == 1; }));
  EXPECT_EQ(direct.Audit("disk.low")[0].columns->severity, static_cast<int>(AuditSeverity::kCritical));
  direct.store().HaveRoom(DiskRoom::kReserve);
  EXPECT_TRUE(Eventually([&] { return low() == 2; }));
  direct.store().HaveRoom(DiskRoom::kEnough);
  EXPECT_TRUE(Eventually([&] { return direct.Audit("disk.eased").size() == 1; }));
  EXPECT_EQ(low(), 2U);
}

}  // namespace
}  // namespace grantfs::testing
