#include "grantfs/api/problem.h"

#include <gtest/gtest.h>

#include "client/connection/problem_internal.h"
#include "grantfs/net/http_client.h"

namespace grantfs {
namespace {

Error Told(int status, const std::string& body) {
  return ErrorOfResponse({status, {}, body}, std::string(64, 'a'), "vault.lan:7843");
}

TEST(ProblemTest, EveryErrorOfTheVaultsComesBackAsItsOwnCode) {
  const Error errors[] = {{Code::kInvalid, api::kWhereTooLarge},
                          {Code::kDenied, "x"},
                          {Code::kDenied, api::kWhereFrozen},
                          {Code::kNotFound, "x"},
                          {Code::kExpired, "x"},
                          {Code::kExpired, api::kWhereGone},
                          {Code::kConflict, "x"},
                          {Code::kConflict, api::kWhereSuperseded},
                          {Code::kUnreachable, "x"},
                          {Code::kThrottled, "x"},
                          {Code::kUnrecorded, "x"},
                          {Code::kIntegrity, "x"},
                          {Code::kUnauthentic, "x"},
                          {Code::kIo, "x"}};
  for (const Error& error : errors) {
    const api::Problem problem = api::ToProblem(error);
    const Error told = Told(api::ProblemStatus(problem.code), problem.ToJson().Dump());
    EXPECT_EQ(told.code, error.code) << Describe(error) << " became " << Describe(told);
    EXPECT_EQ(Describe(told).find(": :"), std::string::npos) << Describe(told);
  }
}

TEST(ProblemTest, WhatTheVaultSaysIsSaidOnceWithWhatMendsIt) {
  const api::Problem gone = api::ToProblem({Code::kExpired, api::kWhereGone});
  EXPECT_EQ(Describe(Told(410, gone.ToJson().Dump())),
            "the invitation or claim was used or has expired: ask for a new one");
}

TEST(ProblemTest, WhatIsNoProblemDocumentIsNoGrantfs) {
  EXPECT_EQ(Told(404, "<html>").code, Code::kUnsupported);
  EXPECT_EQ(Told(403, "{}").code, Code::kUnsupported);
  EXPECT_EQ(Told(500, R"({"type":"about:blank","title":"x","status":404,"code":"denied"})").code,
            Code::kUnsupported);
  EXPECT_EQ(Told(418, std::string(1 << 20, 'x')).code, Code::kUnsupported);
  EXPECT_EQ(Told(401, "").code, Code::kUnauthentic);
}

TEST(ProblemTest, AGatewaysComplaintSaysNothingOfTheVaultsLists) {
  for (const int status : {502, 503, 504}) EXPECT_EQ(Told(status, "{}").code, Code::kUnreachable) << status;
}

TEST(ProblemTest, WhoHasAnotherKeyRefusesNothingInTheVaultsPlace) {
  const auto problem = [](const Error& error) {
    const api::Problem said = api::ToProblem(error);
    return Told(500, said.ToJson().Dump());
  };
  EXPECT_TRUE(IsRefusedByVault(problem({Code::kIntegrity, "the journal's chain is broken"})));
  EXPECT_TRUE(IsRefusedByVault(problem({Code::kConflict, "x"})));
  EXPECT_FALSE(IsRefusedByVault(problem({Code::kThrottled, "x"})));
  EXPECT_FALSE(IsRefusedByVault({Code::kUnreachable, "x"}));
  EXPECT_FALSE(IsRefusedByVault({Code::kIntegrity, kWrongPin}));
}

TEST(ProblemTest, ATerminalsCommandsDoNotComeThrough) {
  const Error told =
      Told(403, R"({"type":"about:blank","title":"x","status":403,"code":"denied","detail":"a\u001b[2Jb"})");
  EXPECT_EQ(told.code, Code::kDenied);
  EXPECT_EQ(told.subject.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace grantfs
