#pragma once

#include <filesystem>

#include "grantfs/api/audit.h"
#include "grantfs/api/machine.h"
#include "grantfs/client/home.h"
#include "grantfs/client/list_keeper.h"
#include "served_vault.h"
#include "support/hostile_vault.h"

namespace grantfs::testing {

/// The lists as one identity sees them, and its keys: what a hostile vault has if that identity helps it, or
/// once did.
class Forger {
 public:
  explicit Forger(const std::string& home_directory);
  void Refresh();
  UpperLists Upper() const { return keeper_->UpperOf("shop/prod"); }
  SecretList Secret(std::uint64_t number, const std::string& path);
  /// The next statement of a list, as nobody would let it append it.
  std::string Forge(const SignedList& list, Act act) const;
  std::string Forge(const SecretList& list, Act act) const;
  SignedList::StatementPtr Sign(Statement statement) const;
  Statement Next(const SignedList& list, Act act) const;
  const PrivateIdentity& me() const { return *me_; }
  ListKeeper& keeper() { return *keeper_; }

 private:
  Home home_;
  std::optional<PrivateIdentity> me_;
  std::unique_ptr<KnownStore> known_;
  std::unique_ptr<VaultConnection> connection_;
  std::unique_ptr<ListKeeper> keeper_;
};

inline MendOptions Vouches(const std::string& reason) { return {MendOptions::How::kVouch, reason}; }
inline MendOptions Voids(const std::string& reason) { return {MendOptions::How::kVoid, reason}; }

class HostileTest : public OwnedVaultTest {
 protected:
  std::string DataDirectory() const override { return vault_.directory(); }
  /// A user's home on the same vault, known to nobody yet.
  Identity MakeHome(const std::string& name);
  /// bob becomes an owner of shop/prod, and is removed again after `meanwhile`.
  void AddAndRemoveBob(const std::function<void()>& meanwhile);
  std::uint64_t NumberOf(const std::string& path);
  /// The last good answer of a route, as its bytes.
  template <typename Request, typename Response>
  std::shared_ptr<Response> Capture(const api::Route& route) {
    auto captured = std::make_shared<Response>();
    vault_.Lie<Request, Response>(route,
                                  [captured](const Request&, Response& answer) { *captured = answer; });
    return captured;
  }

  HostileVault vault_;
};

}  // namespace grantfs::testing
