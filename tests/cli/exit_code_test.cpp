#include <gtest/gtest.h>

#include <map>
#include <string>

#include "cli/exit_code_internal.h"

namespace grantfs {
namespace {

// The contract, code by code: scripts depend on it.
TEST(ExitCodeTest, IsAContract) {
  const std::map<Code, int> contract = {
      {Code::kInvalid, 2},  {Code::kDenied, 3},      {Code::kUnauthentic, 3}, {Code::kExpired, 3},
      {Code::kNotFound, 4}, {Code::kUnreachable, 5}, {Code::kThrottled, 5},   {Code::kUnrecorded, 5},
      {Code::kConflict, 6}, {Code::kIntegrity, 7},   {Code::kUnsupported, 1}, {Code::kCancelled, 1},
      {Code::kNoSpace, 1},  {Code::kIo, 1},
  };
  for (const auto& [code, exit] : contract)
    EXPECT_EQ(static_cast<int>(ExitCodeOf(code)), exit) << CodeName(code);
}

TEST(ExitCodeTest, EachHasANameOfItsOwn) {
  std::map<std::string, int> names;
  for (const ExitCode code : kAllExitCodes) ++names[ExitCodeMeaning(code)];
  EXPECT_EQ(names.size(), 8u);
}

}  // namespace
}  // namespace grantfs
