#include "grantfs/api/problem.h"

#include <gtest/gtest.h>

namespace grantfs::api {
namespace {

TEST(ProblemTest, EveryErrorComesBackAsItsOwnCode) {
  const Error errors[] = {
      {Code::kInvalid, "x"},         {Code::kInvalid, kWhereTooLarge}, {Code::kDenied, "x"},
      {Code::kDenied, kWhereFrozen}, {Code::kNotFound, "x"},           {Code::kExpired, "x"},
      {Code::kExpired, kWhereGone},  {Code::kConflict, "x"},           {Code::kConflict, kWhereSuperseded},
      {Code::kUnreachable, "x"},     {Code::kThrottled, "x"},          {Code::kUnrecorded, "x"},
      {Code::kIntegrity, "x"},       {Code::kUnauthentic, "x"},        {Code::kIo, "x"}};
  for (const Error& error : errors) {
    const Problem problem = ToProblem(error);
    const Error told = FromProblem(ProblemStatus(problem.code), problem.ToJson().Dump());
    EXPECT_EQ(told.code, error.code) << Describe(error);
    EXPECT_EQ(CodeOfError(told), CodeOfError(error)) << Describe(error) << " became " << Describe(told);
  }
}

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

TEST(ProblemTest, WhatIsNoProblemDocumentIsJudgedByItsStatus) {
  EXPECT_EQ(FromProblem(404, "<html>").code, Code::kNotFound);
  EXPECT_EQ(FromProblem(403, "{}").code, Code::kDenied);
  EXPECT_EQ(FromProblem(502, "").code, Code::kUnreachable);
  EXPECT_EQ(FromProblem(500, "").code, Code::kIo);
  EXPECT_EQ(FromProblem(599, R"({"type":"about:blank","title":"x","status":404,"code":"denied"})").code,
            Code::kIo);
  EXPECT_EQ(FromProblem(418, std::string(1 << 20, 'x')).code, Code::kIo);
}

TEST(ProblemTest, ATerminalsCommandsDoNotComeThrough) {
  const Error told = FromProblem(
      403, R"({"type":"about:blank","title":"x","status":403,"code":"denied","detail":"a\u001b[2Jb"})");
  EXPECT_EQ(told.code, Code::kDenied);
  EXPECT_EQ(told.subject.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace grantfs::api
