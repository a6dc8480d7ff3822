#include "hostile_test.h"

namespace grantfs::testing {

Forger::Forger(const std::string& home_directory) : home_(Must(Home::Open(home_directory))) {
  me_ = Must(home_.LoadIdentity());
  known_ = Must(KnownStore::Open(home_.KnownPath(), KnownStore::Missing::kRefuse));
  ConnectionOptions options;
  options.address = home_.profile().address;
  options.pins = home_.profile().pins;
  options.vault = home_.profile().vault;
  connection_ = Must(VaultConnection::Create(options, me_->Id().Hex(), &me_->signing_key()));
  keeper_ = std::make_unique<ListKeeper>(known_.get(), connection_.get(), home_.profile().vault);
  Must(keeper_->Load());
  Refresh();
}

void Forger::Refresh() {
  Must(keeper_->RefreshVault());
  Must(keeper_->RefreshEnvironment("shop/prod"));
}

SecretList Forger::Secret(std::uint64_t number, const std::string& path) {
  return Must(keeper_->RefreshSecret(number, {"shop/prod", path}, std::nullopt));
}

Statement Forger::Next(const SignedList& list, Act act) const {
  Statement statement;
  statement.vault = home_.profile().vault;
  statement.list = list.id();
  statement.sequence = list.next_sequence();
  if (list.head()) statement.previous = list.head()->hash;
  statement.signer = me_->Id();
  statement.time = SystemClock().WallSeconds();
  if (list.id().kind != ListKind::kVault) statement.heads.vault = keeper_->vault().head();
  if (list.id().BelowEnvironment()) statement.heads.environment = Upper().environment->head();
  statement.act = std::move(act);
  return statement;
}

SignedList::StatementPtr Forger::Sign(Statement statement) const {
  return std::make_shared<const SignedStatement>(Must(SignedStatement::Sign(statement, me_->signing_key())));
}

std::string Forger::Forge(const SignedList& list, Act act) const {
  return Sign(Next(list, std::move(act)))->envelope();
}

std::string Forger::Forge(const SecretList& list, Act act) const {
  Statement statement = Next(list, std::move(act));
  statement.state = Must(list.StateAfter(statement.act, Upper()));
  return Sign(std::move(statement))->envelope();
}

Identity HostileTest::MakeHome(const std::string& name) {
  Owner();
  auto profile = Must(Home::Open(Path("ann"))).profile();
  profile.name = name;
  return Must(Must(Home::Create(Path(name), profile, Must(RandomKey()), nullptr, nullptr)).LoadIdentity())
      .identity();
}

void HostileTest::AddAndRemoveBob(const std::function<void()>& meanwhile) {
  const Identity bob = MakeHome("bob");
  Must(Owner().AddVaultOwner(bob, ""));
  Must(Owner().AddMember("shop/prod", bob, Role::kOwner, "", ""));
  meanwhile();
  Must(Owner().RemoveMember("shop/prod", "bob", "left"));
  Must(Owner().RemoveVaultOwner("bob", "left"));
}

std::uint64_t HostileTest::NumberOf(const std::string& path) {
  for (const SecretInfo& secret : Must(Owner().ListSecrets("shop/prod", ""))) {
    if (secret.name.path == path) return secret.number;
  }
  ADD_FAILURE() << path << " is not there";
  return 0;
}

}  // namespace grantfs::testing
