#pragma once

#include "client/machine/machine_view_internal.h"
#include "client_test.h"

namespace grantfs::testing {

/// What a vault shows the machine web-1 of one secret.
class EvidenceTest : public ClientTest {
 protected:
  EvidenceTest() {
    Good(world_.AddTo(world_.secret, world_.owner, GrantAdd{world_.GrantTo(world_.web2, 4)}));
    Good(world_.AddTo(world_.secret, world_.owner, GrantAdd{world_.GrantTo(world_.web1, 3)}));
    granted_at_ = world_.secret.next_sequence() - 1;
  }

  api::GrantEvidence Evidence(std::uint64_t from) {
    api::GrantEvidence evidence;
    evidence.secret = 7;
    evidence.environment = "shop/prod";
    evidence.path = "db-password";
    evidence.first = from;
    for (auto i = from; i < world_.secret.next_sequence(); ++i) {
      evidence.statements.push_back(world_.secret.At(i)->envelope());
    }
    evidence.grant = world_.secret.At(granted_at_)->envelope();
    evidence.proof = *world_.secret.ProveGrant({GranteeKind::kMachine, 3});
    evidence.version = world_.secret.Current()->statement->envelope();
    return evidence;
  }
  Result<std::shared_ptr<SecretView>> Verify(const api::GrantEvidence& evidence,
                                             const SecretView* before = nullptr,
                                             const SecretMark& mark = {}) {
    return GRANTFS_TRY(VerifyEvidence(evidence, before, world_.Upper(), world_.web1.identity(), mark)).view;
  }
  /// What a view keeps packed.
  SecretProof Unpacked(const SecretView& view) {
    return Must(view.proof.Unpack(view.number, world_.Upper()));
  }
  void Rotate() { Good(world_.AddTo(world_.secret, world_.owner, world_.VersionOf(world_.secret))); }

  World world_;
  std::uint64_t granted_at_ = 0;
};

/// And what it answers its reads.
class JudgeTest : public EvidenceTest {
 protected:
  JudgeTest() { now_ = View(Must(Verify(Evidence(granted_at_)))); }

  MachineView View(std::shared_ptr<const SecretView> secret) {
    MachineView view;
    view.vault = std::make_shared<const VaultList>(world_.vault);
    view.environments["shop/prod"] = std::make_shared<const EnvironmentList>(world_.environment);
    if (secret) view.secrets[7] = std::move(secret);
    return view;
  }
  api::ReadResponse Answer(std::uint32_t version = 0) {
    api::ReadResponse response;
    response.secret = 7;
    const auto& chosen = version == 0 ? *world_.secret.Current() : world_.secret.versions().at(version);
    response.version = chosen.publish.version;
    response.statement = chosen.statement->hash();
    response.vault_head = *world_.vault.head();
    response.environment_head = *world_.environment.head();
    response.secret_head = *world_.secret.head();
    return response;
  }
  static SecretSource::OpenRequest Ask(std::uint32_t version = 0, bool grace = false) {
    SecretSource::OpenRequest request;
    request.number = 7;
    request.version = version;
    request.grace = grace;
    return request;
  }
  Result<ReadVerdict> Judge(const api::ReadResponse& response, const SecretSource::OpenRequest& request) {
    return JudgeRead(response, request, now_, now_);
  }
  void RotateAndLook() {
    Rotate();
    const auto before = now_.secrets.at(7);
    now_ = View(Must(Verify(Evidence(before->proof.next_sequence()), before.get())));
  }

  MachineView now_;
};

}  // namespace grantfs::testing
