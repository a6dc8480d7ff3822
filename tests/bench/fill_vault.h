#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "grantfs/client/home.h"
#include "grantfs/store/store.h"
#include "grantfs/vault/vault.h"
#include "vault/state_internal.h"

namespace grantfs::bench {

[[noreturn]] void Fail(const std::string& why);

/// The value, or the end of the program with what was wrong.
template <typename T>
T Must(Result<T> result) {
  if (!result) Fail(Describe(result.error()));
  return *std::move(result);
}
inline void Must(const Status& status) {
  if (!status) Fail(Describe(status.error()));
}

/// "secrets: 1,000 of 100,000", on standard error, now and then.
void ShowProgress(const char* what, std::uint64_t done, std::uint64_t total);

/// Work that is answered later, so much of it at once. Threads: safe.
class UnderWay {
 public:
  explicit UnderWay(std::size_t most) : most_(most) {}
  void Begin();
  void End();
  void WaitForAll();

 private:
  const std::size_t most_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t count_ = 0;
};

/// A stopped vault's store and the vault over it, in this process: what a server does behind its wire, and so
/// nothing that one would refuse. All is asked for in the name of the home's identity.
class OpenVault {
 public:
  /// @param data  of a vault that nobody serves now.  @param home  of somebody who may do what will be done.
  OpenVault(const std::string& data, const std::string& home);
  ~OpenVault() { Finish(); }

  const Home& home() const { return home_; }
  const PrivateIdentity& who() const { return who_; }
  const SecretMemory& seed() const { return seed_; }
  Vault& vault() { return *vault_; }
  Store& store() { return *store_; }
  /// All lists but the secrets', verified anew.
  StatePtr Load();
  VaultCaller Caller(const std::string& keyid) const;
  VaultCaller Caller() const { return Caller(who_.Id().Hex()); }

  /// The list's next statement, signed and taken into the list.
  std::string SignNext(SignedList& list, const UpperLists& upper, Act act) const;
  /// So many numbers for secrets. @return the first.
  std::uint64_t Reserve(const std::string& environment, std::uint32_t count);
  // These are done in their order, and answered later: Finish waits for all.
  void Stage(const api::StageCiphertextRequest& request);
  void Stage(const api::StageCopiesRequest& request);
  void Append(const api::AppendRequest& request);
  void Enrol(const Enrolment& enrolment);
  void Finish() { under_way_.WaitForAll(); }

 private:
  template <typename Response>
  Vault::Done<Response> Counted();

  const Home home_;
  const SecretMemory seed_;
  const PrivateIdentity who_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Vault> vault_;
  UnderWay under_way_{8};  // a vault refuses more than 16 of one person's
};

}  // namespace grantfs::bench
