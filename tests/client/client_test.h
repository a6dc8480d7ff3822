#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

#include "grantfs/crypto/random.h"
#include "trust/world.h"

namespace grantfs::testing {

/// A directory of a test's own, removed with all in it.
class ClientTest : public ::testing::Test {
 protected:
  ClientTest() {
    Good(InitCrypto());
    char name[] = "/tmp/grantfs-client-XXXXXX";
    if (::mkdtemp(name) == nullptr) std::abort();
    directory_ = name;
  }
  ~ClientTest() override { std::filesystem::remove_all(directory_); }

  static void Good(const Status& status) { EXPECT_TRUE(status) << Describe(status.error()); }
  template <typename T>
  static Code CodeOf(const Result<T>& result) {
    EXPECT_FALSE(result) << "was to be refused";
    return result ? Code::kIo : result.error().code;
  }
  std::string Path(const std::string& name) const { return directory_ + "/" + name; }

  std::string directory_;
};

inline SecretMemory Text(std::string_view text) {
  auto memory = Must(SecretMemory::Allocate(text.size()));
  std::copy(text.begin(), text.end(), memory.Expose().begin());
  return memory;
}
inline std::string Shown(const SecretMemory& memory) { return ToText(memory.Expose()); }

}  // namespace grantfs::testing
