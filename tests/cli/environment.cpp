#include <gtest/gtest.h>

#include "grantfs/crypto/random.h"

namespace grantfs {
namespace {

class CryptoEnvironment final : public testing::Environment {
  void SetUp() override {
    const Status started = InitCrypto();
    ASSERT_TRUE(started) << Describe(started.error());
  }
};

const testing::Environment* const kEnvironment = testing::AddGlobalTestEnvironment(new CryptoEnvironment);

}  // namespace
}  // namespace grantfs
