#include "grantfs/util/sealed_file.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace grantfs {
namespace {

TEST(SealedFileTest, IsReadAsItWasWrittenAndNobodyChangesIt) {
  const UniqueFd fd = *SealedFile(AsBytes("content"));
  EXPECT_EQ(ToText(*ReadSealedFile(fd.get(), 7)), "content");
  EXPECT_EQ(ReadSealedFile(fd.get(), 6).error().code, Code::kInvalid);
  EXPECT_EQ(pwrite(fd.get(), "x", 1, 0), -1);
  EXPECT_EQ(ftruncate(fd.get(), 3), -1);
  EXPECT_EQ(ToText(*ReadSealedFile(fd.get(), 7)), "content");
}

TEST(SealedFileTest, WhatOthersMayChangeIsRefused) {
  const UniqueFd fd(memfd_create("other", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(write(fd.get(), "content", 7), 7);
  EXPECT_EQ(ReadSealedFile(fd.get(), 7).error().code, Code::kInvalid);
  EXPECT_EQ(ReadSealedFile(-1, 7).error().code, Code::kInvalid);
}

}  // namespace
}  // namespace grantfs
