#pragma once

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <optional>

#include "grantfs/vault/vault.h"
#include "temp_dir.h"
#include "test_clock.h"
#include "vault_world.h"

namespace grantfs::testing {

/// Waits for a function of the vault that answers later.
template <typename Response, typename Start>
Result<Response> Wait(Start start) {
  auto promise = std::make_shared<std::promise<Result<Response>>>();
  auto future = promise->get_future();
  start([promise](Result<Response> answer) { promise->set_value(std::move(answer)); });
  return future.get();
}

/// A store that fails to write when it is told to.
class BreakableStore final : public Store {
 public:
  explicit BreakableStore(std::unique_ptr<Store> store) : store_(std::move(store)) {}
  void Write(Job job, Done done) override;
  Result<std::unique_ptr<StoreReader>> Read() override { return store_->Read(); }
  StoreFigures Figures() const override { return store_->Figures(); }
  DiskRoom Room(unsigned percent) const override { return std::max(room_.load(), store_->Room(percent)); }
  Status Backup(const std::string& path) override { return store_->Backup(path); }
  void BeNearlyFull(bool nearly) { HaveRoom(nearly ? DiskRoom::kNearlyFull : DiskRoom::kEnough); }
  void HaveRoom(DiskRoom room) { room_ = room; }
  /// From now on every write is undone and ends in this; none = they work again.
  void Break(std::optional<Error> error);
  /// The next write comes after this one, as if somebody else's had overtaken it.
  void Overtake(Job job);

 private:
  std::unique_ptr<Store> store_;
  std::mutex mutex_;
  std::optional<Error> broken_;
  Job before_;
  std::atomic<DiskRoom> room_{DiskRoom::kEnough};
};

/// A vault over a real store in a directory of its own, called without a server between.
class DirectVault final : public VaultDoor {
 public:
  explicit DirectVault(std::uint32_t usual_rate = kUsualRate);
  Vault& vault() { return *vault_; }
  BreakableStore& store() { return *store_; }
  TestClock& clock() { return clock_; }
  AuditKeep keep_audit;                       ///< from the next Reopen on
  std::chrono::milliseconds append_turn{50};  ///< likewise
  std::size_t cached_statements = 50'000;     ///< likewise
  std::string database_path() const;
  void Close();
  /// As a server starts anew.
  Status Reopen();

  VaultCaller Caller(const PrivateIdentity& who) const;
  VaultCaller Caller(const InviteSecret& invite) const;

  Result<api::ClaimInfo> ShowClaim() override;
  Result<api::ClaimResponse> Claim(const api::ClaimRequest& request) override;
  Result<api::AppendResponse> Append(const PrivateIdentity& who, const api::AppendRequest& request) override;
  Result<api::ReserveResponse> Reserve(const PrivateIdentity& who,
                                       const api::ReserveRequest& request) override;
  Status Stage(const PrivateIdentity& who, const api::StageCiphertextRequest& request) override;
  Status Stage(const PrivateIdentity& who, const api::StageCopiesRequest& request) override;
  Status Stage(const PrivateIdentity& who, const api::StageEpochRequest& request) override;
  Result<api::EnrolmentStateResponse> Enrol(const InviteSecret& invite,
                                            const api::EnrolRequest& request) override;
  Result<api::JoinResponse> Join(const InviteSecret& invite, const api::JoinRequest& request);

  Result<api::ReadResponse> Read(const PrivateIdentity& machine, std::uint64_t secret,
                                 const std::string& open, std::uint32_t version = 0, bool grace = false);
  /// The newest audit records, newest first.
  std::vector<AuditEntry> Audit(const std::string& type);

 private:
  const std::uint32_t usual_rate_;
  TempDir dir_;
  TestClock clock_;
  std::unique_ptr<BreakableStore> store_;
  std::unique_ptr<Vault> vault_;
  std::optional<InviteSecret> claim_;
};

/// With a vault that was claimed and has the environment shop/prod.
struct ClaimedVault {
  explicit ClaimedVault(std::uint32_t usual_rate = kUsualRate) : direct(usual_rate) {
    Must(world.Claim());
    Must(world.AddEnvironment("shop/prod"));
  }
  Vault& vault() { return direct.vault(); }
  std::uint64_t NumberOf(const std::string& path) { return world.secret("shop/prod", path).list.id().number; }
  DirectVault direct;
  VaultWorld world{direct};
};

/// With somebody in each role of shop/prod, and one who is a member of shop/test alone.
struct PeopledVault : ClaimedVault {
  explicit PeopledVault(Role outside);
  /// "yes", or the name of the error's code.
  template <typename T>
  static std::string Said(const Result<T>& answer) {
    return answer ? "yes" : CodeName(answer.error().code);
  }
  PrivateIdentity reader = NewIdentity("rea"), writer = NewIdentity("wri"), operating = NewIdentity("ope"),
                  auditor = NewIdentity("aud"), outsider = NewIdentity("out");
};

}  // namespace grantfs::testing
