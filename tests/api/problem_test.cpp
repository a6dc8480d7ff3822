#include "grantfs/api/problem.h"

#include <gtest/gtest.h>

namespace grantfs::api {
namespace {

TEST(ProblemTest, EveryCodeHasANameOfItsOwnAndAStatus) {
  for (const ProblemCode code : kAllProblemCodes) {
    EXPECT_GE(ProblemStatus(code), 400);
    for (const ProblemCode other : kAllProblemCodes) {
      if (other == code) continue;
      EXPECT_STRNE(ProblemCodeName(other), ProblemCodeName(code));
    }
  }
}

TEST(ProblemTest, TheServersOwnFailuresSayNothingMore) {
  EXPECT_EQ(ToProblem({Code::kIo, "a file failed", 5, "vault.db"}).detail, "");
  EXPECT_EQ(ToProblem({Code::kUnauthentic, "the nonce was seen before"}).detail, "");
  EXPECT_NE(ToProblem({Code::kConflict, "the list moved on", 0, "vault#3"}).detail.find("vault#3"),
            std::string::npos);
}

}  // namespace
}  // namespace grantfs::api
