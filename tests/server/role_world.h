#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "group_maker.h"
#include "served.h"

namespace grantfs::testing {

/// A served vault with one caller of each kind, and ways to ask as any of them.
class RoleWorld : protected ServedSecret {
 protected:
  static constexpr char kEnvironment[] = "shop/prod";

  RoleWorld() : blind_(world.EnrolMachine("web-2")) {
    Must(world.Publish(kEnvironment, "tls/key", "two"));
    Must(world.Send(world.owner, VaultWorld::One(world.Next(world.vault, world.owner,
                                                            VaultOwnerAdd{vault_owner_.identity()}),
                                                 world.owner)));
    Must(world.AddMember(kEnvironment, owner_, Role::kOwner));
    Must(world.AddMember(kEnvironment, reader_, Role::kReader));
    Must(world.AddMember(kEnvironment, writer_, Role::kWriter));
    Must(world.AddMember(kEnvironment, tls_writer_, Role::kWriter, "tls/"));
    Must(world.AddMember(kEnvironment, operator_, Role::kOperator));
    Must(world.AddMember(kEnvironment, agent_, Role::kOperator));
    Must(world.AddMember(kEnvironment, auditor_, Role::kAuditor));
    Must(world.Send(
        world.owner,
        VaultWorld::One(world.Next(world.vault, world.owner, IdentityAdd{guest_.identity()}), world.owner)));
  }

  std::vector<const PrivateIdentity*> Callers() const {
    return {&vault_owner_, &world.recovery, &owner_, &reader_,     &writer_,    &tls_writer_, &operator_,
            &agent_,       &auditor_,       &guest_, &machine.key, &blind_.key, &stranger_};
  }
  template <typename Request>
  int Ask(const PrivateIdentity& who, const api::Route& route, const Request& request) {
    return Must(client().Exchange(RequestSigner::Of(who), route, request.ToJson().Dump())).status;
  }
  int Get(const PrivateIdentity& who, const api::Route& route) {
    return Must(client().Exchange(RequestSigner::Of(who), route, "")).status;
  }
  int ReadList(const PrivateIdentity& who, const ListId& list) {
    return Ask(who, api::kListsRead, api::ListReadRequest{list, 0, 10});
  }
  /// Sends it, and takes what was accepted into the world's lists.
  int Append(const PrivateIdentity& who, const api::AppendRequest& request) {
    const int status = Ask(who, api::kListsAppend, request);
    if (status == 200) world.Take(request);
    return status;
  }
  int Append(const PrivateIdentity& who, const SignedList& list, Act act) {
    return Append(who, VaultWorld::One(world.Next(list, who, std::move(act)), who));
  }
  /// In one append; of acts that need no state.
  api::AppendRequest InARow(const SignedList& list, const PrivateIdentity& who,
                            const std::vector<Act>& acts) const {
    api::AppendRequest request{{{list.id(), {}}}};
    Statement next = world.Next(list, who, acts.front());
    for (const Act& act : acts) {
      next.act = act;
      const auto signed_one = Must(SignedStatement::Sign(next, who.signing_key()));
      request.appends[0].statements.push_back(signed_one.envelope());
      ++next.sequence;
      next.previous = signed_one.hash();
    }
    return request;
  }
  int AppendTo(const PrivateIdentity& who, const std::string& path, Act act) {
    return Append(who,
                  VaultWorld::One(world.NextOf(world.secret(kEnvironment, path), who, std::move(act)), who));
  }

  GroupMaker groups_{*this};
  PrivateIdentity vault_owner_ = NewIdentity("vic");
  PrivateIdentity owner_ = NewIdentity("olga");
  PrivateIdentity reader_ = NewIdentity("rita");
  PrivateIdentity writer_ = NewIdentity("wim");
  PrivateIdentity tls_writer_ = NewIdentity("certs", IdentityKind::kAgent);
  PrivateIdentity operator_ = NewIdentity("otto");
  PrivateIdentity agent_ = NewIdentity("ops", IdentityKind::kAgent);
  PrivateIdentity auditor_ = NewIdentity("aud");
  PrivateIdentity guest_ = NewIdentity("gus");
  PrivateIdentity stranger_ = NewIdentity("eve");
  VaultWorld::Machine blind_;  ///< enrolled, and granted nothing
};

}  // namespace grantfs::testing
