#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <string.h>

#include <filesystem>
#include <memory>
#include <string>

#include "grantfs/crypto/keys.h"
#include "grantfs/sqlite/database.h"
#include "grantfs/store/store.h"

namespace grantfs {

inline constexpr char kTestOrigin[] = "vault.lan/log";

inline SecretMemory TestSecret(std::size_t size, std::uint8_t fill) {
  auto memory = SecretMemory::Allocate(size);
  if (!memory) abort();
  memset(memory->Expose().data(), fill, size);
  return std::move(*memory);
}

inline ServerState TestServer(std::uint8_t seed = 7) {
  ServerState state;
  state.name = "vault.lan";
  state.tls_certificate = "certificate";
  state.tls_key = TestSecret(100, 0x6B);
  state.log_origin = kTestOrigin;
  state.log_seed = TestSecret(32, seed);
  return state;
}

inline VerifyKey TestLogKey(std::uint8_t seed = 7) {
  return SigningKey::FromSeed(TestSecret(32, seed))->verify_key();
}

inline Hash TestHash(std::uint8_t fill) {
  Hash hash;
  hash.bytes.fill(fill);
  return hash;
}

inline AuditRecord TestRecord(std::int64_t number, const std::string& object = "shop/prod/db-password") {
  AuditRecord record;
  record.time_ms = 1'700'000'000'000 + number;
  record.type = "secret.read";
  record.environment = "shop/prod";
  record.body = Json::Object(
      {{"actor", "machine:web-1"}, {"object", object}, {"version", number}, {"outcome", "allowed"}});
  return record;
}

/// A directory and the store in it, both of the test's own.
class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/grantfs-store-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    dir_ = name;
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(dir_);
  }
  std::string Path(const std::string& name) const { return dir_ + "/" + name; }
  std::string DatabasePath() const { return Path(kDatabaseFile); }

  void Open(StoreOptions options = {}) {
    options.directory = dir_;
    auto opened = OpenEmbeddedStore(options);
    ASSERT_TRUE(opened) << Describe(opened.error());
    store_ = std::move(*opened);
  }
  /// With the server's own keys, so that it can record.
  void OpenServing(StoreOptions options = {}) {
    Open(std::move(options));
    Must([](StoreWriter& out) { return out.PutServer(TestServer()); });
  }
  void Reopen() {
    store_.reset();
    Open();
  }
  Status Write(Store::Job job) { return store_->WriteAndWait(std::move(job)); }
  void Must(Store::Job job) {
    const Status done = Write(std::move(job));
    ASSERT_TRUE(done) << Describe(done.error());
  }
  std::unique_ptr<StoreReader> Reader() {
    auto reader = store_->Read();
    if (!reader) abort();
    return std::move(*reader);
  }
  void Record(std::int64_t count, std::int64_t first = 0) {
    Must([=](StoreWriter& out) -> Status {
      for (std::int64_t i = first; i < first + count; ++i) GRANTFS_TRY(out.Audit(TestRecord(i)));
      return {};
    });
  }

  std::string dir_;
  std::unique_ptr<Store> store_;
};

/// The value of a Result that the test cannot go on without.
template <typename T>
T Get(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << Describe(result.error());
    abort();
  }
  return std::move(*result);
}

}  // namespace grantfs
