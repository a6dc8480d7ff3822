#include "grantfs/client/recovery_code.h"

#include "client_test.h"

namespace grantfs::testing {
namespace {

class RecoveryCodeTest : public ClientTest {};

TEST_F(RecoveryCodeTest, IsReadBackHoweverItWasCopied) {
  const auto seed = Must(RandomKey());
  const std::string code = Shown(Must(EncodeRecoveryCode(seed)));
  EXPECT_EQ(code.size(), 72u);
  EXPECT_TRUE(Must(DecodeRecoveryCode(Text(code))).Equals(seed));
  std::string loud;
  for (const char c : code) loud += c == '-' ? ' ' : static_cast<char>(std::toupper(c));
  EXPECT_TRUE(Must(DecodeRecoveryCode(Text("\n " + loud + "\n"))).Equals(seed));
}

TEST_F(RecoveryCodeTest, EveryTypoIsSeen) {
  const std::string code = Shown(Must(EncodeRecoveryCode(Must(RandomKey()))));
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (code[i] == '-') continue;
    std::string typo = code;
    typo[i] = typo[i] == 'q' ? 'r' : 'q';
    EXPECT_EQ(CodeOf(DecodeRecoveryCode(Text(typo))), Code::kInvalid) << i;
  }
  EXPECT_EQ(CodeOf(DecodeRecoveryCode(Text(code.substr(0, 70)))), Code::kInvalid);
  EXPECT_EQ(CodeOf(DecodeRecoveryCode(Text(code + "a"))), Code::kInvalid);
  EXPECT_EQ(CodeOf(DecodeRecoveryCode(Text(""))), Code::kInvalid);
  EXPECT_EQ(CodeOf(DecodeRecoveryCode(Text("1" + code.substr(1)))), Code::kInvalid)
      << "1 is no digit of base32";
}

TEST_F(RecoveryCodeTest, HoldsASeedAndNothingElse) {
  EXPECT_EQ(CodeOf(EncodeRecoveryCode(Text("short"))), Code::kInvalid);
}

}  // namespace
}  // namespace grantfs::testing
