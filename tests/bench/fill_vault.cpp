#include "fill_vault.h"

#include <cstdio>
#include <cstdlib>
#include <future>

#include "grantfs/api/routes.h"
#include "grantfs/util/clock.h"
#include "vault/load_internal.h"

namespace grantfs::bench {

// Other threads may be at work: nothing is taken apart.
void Fail(const std::string& why) {
  std::fprintf(stderr, "vault_fill: %s\n", why.c_str());
  std::_Exit(1);
}

void ShowProgress(const char* what, std::uint64_t done, std::uint64_t total) {
  std::fprintf(stderr, "%s: %llu of %llu\n", what, static_cast<unsigned long long>(done),
               static_cast<unsigned long long>(total));
}

void UnderWay::Begin() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return count_ < most_; });
  ++count_;
}

void UnderWay::End() {
  const std::lock_guard lock(mutex_);
  --count_;
  changed_.notify_all();
}

void UnderWay::WaitForAll() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return count_ == 0; });
}

OpenVault::OpenVault(const std::string& data, const std::string& home)
    : home_(Must(Home::Open(home))), seed_(Must(home_.LoadSeed())), who_(Must(home_.LoadIdentity())) {
  StoreOptions options;
  options.directory = data;
  store_ = Must(OpenEmbeddedStore(options));
  vault_ = Must(Vault::Open(*store_, {}));
}

StatePtr OpenVault::Load() {
  Finish();
  const auto reader = Must(store_->Read());
  return Must(LoadState(*reader));
}

VaultCaller OpenVault::Caller(const std::string& keyid) const {
  const auto key = vault_->FindKey(keyid);
  if (!key || key->gone) Fail("the vault does not know the key " + keyid);
  return key->caller;
}

std::string OpenVault::SignNext(SignedList& list, const UpperLists& upper, Act act) const {
  Statement statement;
  statement.vault = upper.vault->vault_id();
  statement.list = list.id();
  statement.sequence = list.next_sequence();
  if (list.head()) statement.previous = list.head()->hash;
  statement.signer = who_.Id();
  statement.time = SystemClock().WallSeconds();
  statement.heads.vault = upper.vault->head();
  if (list.id().BelowEnvironment()) statement.heads.environment = upper.environment->head();
  statement.act = std::move(act);
  if (list.id().kind == ListKind::kSecret)
    statement.state = Must(static_cast<SecretList&>(list).StateAfter(statement.act, upper));
  const auto made =
      std::make_shared<const SignedStatement>(Must(SignedStatement::Sign(statement, who_.signing_key())));
  Must(list.Append(made, upper));
  return made->envelope();
}

template <typename Response>
Vault::Done<Response> OpenVault::Counted() {
  under_way_.Begin();
  return [this](Result<Response> answer) {
    Must(std::move(answer));
    under_way_.End();
  };
}

std::uint64_t OpenVault::Reserve(const std::string& environment, std::uint32_t count) {
  std::promise<std::uint64_t> first;
  vault_->ReserveSecrets(Caller(), {environment, count}, [&first](Result<api::ReserveResponse> answer) {
    first.set_value(Must(std::move(answer)).first);
  });
  return first.get_future().get();
}

void OpenVault::Stage(const api::StageCiphertextRequest& request) {
  vault_->StageCiphertext(Caller(), request, Counted<api::Nothing>());
}

void OpenVault::Stage(const api::StageCopiesRequest& request) {
  vault_->StageCopies(Caller(), request, Counted<api::Nothing>());
}

void OpenVault::Append(const api::AppendRequest& request) {
  vault_->Append(Caller(), request, Counted<api::AppendResponse>());
}

void OpenVault::Enrol(const Enrolment& enrolment) {
  vault_->Enrol(Caller(std::string(api::kInviteKeyPrefix) + enrolment.invitation), {enrolment},
                Counted<api::EnrolmentStateResponse>());
}

}  // namespace grantfs::bench
