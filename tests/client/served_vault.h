#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "grantfs/client/join.h"
#include "grantfs/client/machine_session.h"
#include "grantfs/client/owner_session.h"
#include "support/eventually.h"
#include "support/must.h"
#include "support/temp_dir.h"
#include "support/test_server.h"

namespace grantfs::testing {

inline SecretMemory Text(std::string_view text) {
  auto memory = Must(SecretMemory::Allocate(text.size()));
  std::copy(text.begin(), text.end(), memory.Expose().begin());
  return memory;
}
inline SecretValue Value(std::string_view text) { return SecretValue(Text(text)); }
inline std::string Shown(const SecretValue& value) { return ToText(value.Expose()); }

template <typename T>
Code CodeOf(const Result<T>& result) {
  EXPECT_FALSE(result) << "was to be refused";
  return result ? Code::kIo : result.error().code;
}
/// The whole sentence of what was refused.
template <typename T>
std::string Sentence(const Result<T>& result) {
  EXPECT_FALSE(result) << "was to be refused";
  return result ? std::string() : Describe(result.error());
}
inline void Good(const Status& status) { EXPECT_TRUE(status) << Describe(status.error()); }

/// An owner at home, and machines as they enrol, over the real wire.
class OwnedVaultTest : public ::testing::Test {
 protected:
  static constexpr std::chrono::milliseconds kLong{20'000};

  std::string Path(const std::string& name) const { return dir_.path() + "/" + name; }
  virtual std::string DataDirectory() const = 0;
  SecretMemory ClaimLine() const {
    return Must(ReadSecretFile((DataDirectory() + "/" + kClaimFile).c_str(), 4096));
  }

  /// The vault with its owner "ann" and the environment shop/prod.
  OwnerSession& Owner() {
    if (owner_) return *owner_;
    Must(InitVault(Path("ann"), ClaimLine(), "ann"));
    owner_ = Must(OwnerSession::Open(Path("ann")));
    Must(owner_->CreateEnvironment("shop/prod", ""));
    return *owner_;
  }
  void Set(const std::string& path, std::string_view value) {
    Must(Owner().SetSecret({"shop/prod", path}, Value(value), {}));
  }
  void Grant(const std::string& machine, const std::string& path, GrantOptions options = {}) {
    options.wait = std::chrono::milliseconds(0);
    Must(Owner().GrantTo(machine, {{"shop/prod", path}}, options));
  }
  void Revoke(const std::string& machine, const std::string& path) {
    Must(Owner().RevokeFrom(machine, {{"shop/prod", path}}, "", std::chrono::milliseconds(0)));
  }
  /// Invites, enrols and approves; its home is Path(name).
  void Machine(const std::string& name) {
    InviteOptions invite;
    invite.name = name;
    const auto line = Must(Owner().Invite(invite)).line;
    EXPECT_FALSE(Must(Enrol(Path(name), &line, std::chrono::milliseconds(0), {})).approved);
    Must(Owner().Approve(name, ""));
    EXPECT_TRUE(Must(Enrol(Path(name), nullptr, std::chrono::milliseconds(0), {})).approved);
  }
  /// A session that has seen what the vault grants now.
  std::unique_ptr<MachineSession> Mount(const std::string& name) {
    auto session = Must(MachineSession::Start(Path(name)));
    Good(session->WaitUntilCurrent(kLong));
    return session;
  }
  static bool Lists(const MachineSession& session, const std::string& path, std::uint32_t version = 0) {
    const auto listing = session.CurrentListing();
    for (const GrantedSecret& secret : listing->secrets) {
      if (secret.path == path) return version == 0 || secret.version == version;
    }
    return false;
  }
  static Result<OpenedSecret> Read(MachineSession& session, const std::string& path) {
    return ReadSecretOnce(session, "shop/prod/" + path, {}, kLong);
  }
  static std::string ReadText(MachineSession& session, const std::string& path) {
    return Shown(Must(Read(session, path)).value);
  }

  TempDir dir_;
  std::unique_ptr<OwnerSession> owner_;
};

/// The same with an honest server.
class ServedTest : public OwnedVaultTest {
 protected:
  std::string DataDirectory() const override { return server_.directory(); }
  TestServer server_;
};

}  // namespace grantfs::testing
