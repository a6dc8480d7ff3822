#include "world.h"

namespace grantfs::testing {
namespace {

constexpr std::size_t kMany = 40;  // enough for two threads

class ParseAheadTest : public ::testing::Test {
 protected:
  ParseAheadTest() {
    MachinesList grown = world.machines;
    for (std::size_t i = 0; i < kMany; ++i) {
      const Invitation invitation = InvitationOf(Must(InviteSecret::Generate()), "new-" + std::to_string(i));
      said.push_back(world.Next(grown, world.owner, InvitationCreate{invitation}));
      envelopes.push_back(world.Sign(said.back(), world.owner)->envelope());
      const Status added = grown.Append(world.Sign(said.back(), world.owner), world.Upper());
      EXPECT_TRUE(added) << Describe(added.error());
    }
  }
  std::vector<SignedList::StatementPtr> Parsed() const {
    return world.machines.ParseAhead(
        envelopes.size(), [this](std::size_t i) { return std::string_view(envelopes[i]); }, world.Upper());
  }
  /// How many are received before one is refused.
  std::size_t Received() {
    std::size_t count = 0;
    for (const auto& statement : Parsed()) {
      refused = world.machines.Receive(statement, world.Upper());
      if (!refused) break;
      ++count;
    }
    return count;
  }
  World world;
  std::vector<Statement> said;
  std::vector<std::string> envelopes;
  Status refused;
};

TEST_F(ParseAheadTest, GivesWhatWasSignedInItsOrder) {
  EXPECT_EQ(Received(), kMany);
  EXPECT_EQ(world.machines.invitations().size(), kMany);
  EXPECT_FALSE(world.machines.FirstUncounted(world.Upper()));
}

TEST_F(ParseAheadTest, AForgedSignatureIsRefusedAsEver) {
  envelopes[25] = world.Sign(said[25], world.second)->envelope();
  EXPECT_EQ(Received(), 25U);
  EXPECT_EQ(refused.error().code, Code::kIntegrity) << Describe(refused.error());
}

TEST_F(ParseAheadTest, WhatIsNoStatementIsMissingInItsPlace) {
  envelopes[3] = "{}";
  const auto parsed = Parsed();
  for (std::size_t i = 0; i < kMany; ++i) EXPECT_EQ(parsed[i] == nullptr, i == 3) << i;
}

}  // namespace
}  // namespace grantfs::testing
