#include "grantfs/util/mapped_copy.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "grantfs/util/unique_fd.h"

namespace grantfs::testing {
namespace {

constexpr std::size_t kBytes = 8192;

TEST(MappedCopyTest, WhatWasCutOffIsToldAndEndsNobody) {
  const UniqueFd fd(::memfd_create("test", MFD_CLOEXEC));
  ASSERT_EQ(::ftruncate(fd.get(), kBytes), 0);
  auto* const memory =
      static_cast<char*>(::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0));
  ASSERT_NE(static_cast<void*>(memory), MAP_FAILED);
  EXPECT_TRUE(CopyIntoMapped(memory, "before", 6));
  EXPECT_EQ(std::memcmp(memory, "before", 6), 0);
  ASSERT_EQ(::ftruncate(fd.get(), 0), 0);
  EXPECT_FALSE(CopyIntoMapped(memory, "after", 5));
  EXPECT_FALSE(CopyIntoMapped(memory + 4096, "after", 5)) << "and again";
  std::thread([&] { EXPECT_FALSE(CopyIntoMapped(memory, "after", 5)); }).join();
  ASSERT_EQ(::ftruncate(fd.get(), kBytes), 0);
  EXPECT_TRUE(CopyIntoMapped(memory, "again", 5));
  ::munmap(memory, kBytes);
}

TEST(MappedCopyTest, AnotherFaultStillEndsTheProcess) {
  const auto fault = [] {
    const UniqueFd fd(::memfd_create("test", MFD_CLOEXEC));
    auto* const memory =
        static_cast<volatile char*>(::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0));
    char good[1];
    if (!CopyIntoMapped(good, "x", 1)) return;
    memory[0] = 1;
  };
  EXPECT_DEATH(fault(), "");
}

}  // namespace
}  // namespace grantfs::testing
