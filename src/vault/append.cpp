#include "grantfs/api/problem.h"
#include "prefix_walk_internal.h"

namespace grantfs {
namespace {

constexpr std::chrono::minutes kFreeze{1};
/// A machine's life is counted from the time that it says itself, which may be off by so much.
constexpr std::int64_t kClockSlack = 300;

/// Whether all statements are in their lists already: the answer to the append that put them there was lost.
Result<bool> AllThere(StoreReader& reader, const api::AppendRequest& request) {
  std::size_t there = 0;
  std::size_t all = 0;
  for (const api::ListAppend& append : request.appends) {
    for (const std::string& envelope : append.statements) {
      const auto statement = GRANTFS_TRY(SignedStatement::Parse(envelope));
      const auto place = GRANTFS_TRY(reader.FindStatement(statement.hash()));
      there += place && place->list == append.list.Text();
      ++all;
    }
  }
  if (there == 0 || there == all) return there == all;
  return Error{Code::kConflict, "some of the statements are in their lists already, but not all of them"};
}

Result<api::AppendResponse> AnswerAgain(StoreReader& reader, const api::AppendRequest& request) {
  api::AppendResponse response;
  response.change = GRANTFS_TRY(reader.CurrentChange());
  for (const api::ListAppend& append : request.appends) {
    const auto head = GRANTFS_TRY(reader.FindHead(append.list.Text()));
    if (head) response.heads.push_back({append.list, *head});
  }
  return response;
}

}  // namespace

/// One append, on the thread that does them one after the other.
class Appender {
 public:
  using Answer = std::optional<api::AppendResponse>;
  /// @param held  as AppendPlan.
  Appender(Vault::Core& core, const VaultCaller& caller, const HeldLists* held = nullptr)
      : core_(core), caller_(caller), held_(held) {}

  /// @param walk  of a grant by prefix of much; null: of none.
  /// @return none: that is not through yet, and the same is to be run again.
  Result<Answer> Run(const api::AppendRequest& request, std::shared_ptr<PrefixWalk>* walk) {
    const StatePtr before = core_.state.Get();
    GRANTFS_CHECK(CheckCaller(*before));
    std::shared_ptr<AppendPlan> plan = std::make_shared<AppendPlan>(core_, before, held_);
    {
      const auto reader = GRANTFS_TRY(core_.store.Read());
      if (GRANTFS_TRY(AllThere(*reader, request))) return Answer(GRANTFS_TRY(AnswerAgain(*reader, request)));
      if (const Status ready = plan->Prepare(*reader, request, &caller_); !ready)
        return Refuse(*before, request, ready.error());
      GRANTFS_CHECK(CheckStays(*plan));
      if (*walk == nullptr && GRANTFS_TRY(PrefixWalk::IsNeeded(*reader, *plan)))
        core_.walks.push_back(*walk = std::make_shared<PrefixWalk>());
    }
    // It asks nothing of what Prepare has not allowed: the lists above are as they were, or there is a
    // conflict.
    if (*walk != nullptr && !GRANTFS_TRY((*walk)->GoOn(core_, *plan))) return Answer();
    api::AppendResponse response;
    response.heads = plan->Heads();
    response.change = GRANTFS_TRY(Write(plan, {}, walk->get()));
    Publish(*plan, response.change);
    if (*walk != nullptr) later_.renewals = RenewalsOf(*plan, (*walk)->renewed());
    return Answer(std::move(response));
  }

  /// What the append has left to be done.
  LaterWork TakeLater() { return std::move(later_); }

  /// One machine, by its own statement and the standing invitation that the caller holds.
  Result<api::JoinResponse> Join(const api::JoinRequest& request) {
    const StatePtr before = core_.state.Get();
    const auto& standing = before->machines->standing();
    const auto found = standing.find(caller_.key);
    if (found == standing.end()) return NotVisible();
    const auto keys = GRANTFS_TRY(KeysFor(found->second));
    const auto answer = [&](const VaultState& state, api::EnrolmentProgress progress) {
      return api::JoinResponse{progress, *state.machines->head(), found->second.invitation.lives, keys};
    };
    if (request.statement.empty()) return answer(*before, api::EnrolmentProgress::kNone);
    const api::AppendRequest append{{{ListId::Machines(), {request.statement}}}};
    const auto plan = std::make_shared<AppendPlan>(core_, before);
    {
      const auto reader = GRANTFS_TRY(core_.store.Read());
      if (GRANTFS_TRY(AllThere(*reader, append))) return answer(*before, api::EnrolmentProgress::kApproved);
      Status ready = CheckJoin(*before, found->second, request.statement);
      if (ready && !AreOf(request.groups, keys))
        ready = Error{Code::kConflict, "the groups' keys are others by now"};
      if (ready) ready = plan->Prepare(*reader, append, nullptr);
      // Somebody else's came first, or the vault's list went on: the machine signs another one.
      if (!ready && ready.error().code == Code::kConflict)
        return answer(*before, api::EnrolmentProgress::kPending);
      if (!ready) {
        core_.CountRefusal(caller_, "append.refused");
        Error refused = ready.error();
        if (refused.code == Code::kInvalid) refused.code = Code::kDenied;  // the request itself is well made
        return refused;
      }
    }
    const std::uint64_t machine = plan->after()->machines->head()->sequence;
    const Hash signer = plan->appended().front().statement->statement().signer;
    const std::uint64_t change = GRANTFS_TRY(Write(plan, [&](StoreWriter& writer) -> Status {
      for (const api::OwnGroupKey& key : request.groups) {
        const GroupCopy copy{{RecipientKind::kMachine, machine, 0}, key.sealed};
        GRANTFS_CHECK(writer.PutGroupCopies(signer, {key.environment, key.group, key.epoch}, {copy}, false));
      }
      return {};
    }));
    Publish(*plan, change);
    return answer(*plan->after(), api::EnrolmentProgress::kApproved);
  }

 private:
  /// The keys of the groups that a standing invitation leads into, sealed to it.
  Result<std::vector<api::OwnGroupKey>> KeysFor(const MachinesList::StandingEntry& standing) const {
    const auto reader = GRANTFS_TRY(core_.store.Read());
    std::vector<api::OwnGroupKey> keys;
    for (StoredGroupCopy& one : GRANTFS_TRY(reader->GroupsOf(RecipientKind::kInvitation, standing.number)))
      keys.push_back({one.environment, one.group, one.epoch, std::move(one.copy.sealed)});
    return keys;
  }

  /// That those are keys of the same groups and epochs.
  static bool AreOf(const std::vector<api::OwnGroupKey>& keys, const std::vector<api::OwnGroupKey>& groups) {
    return std::equal(keys.begin(), keys.end(), groups.begin(), groups.end(),
                      [](const api::OwnGroupKey& a, const api::OwnGroupKey& b) {
                        return a.environment == b.environment && a.group == b.group && a.epoch == b.epoch;
                      });
  }

  // What the list cannot know: the time, and what is newest.
  Status CheckJoin(const VaultState& before, const MachinesList::StandingEntry& standing,
                   const std::string& envelope) const {
    const auto statement = GRANTFS_TRY(SignedStatement::Parse(envelope));
    const Statement& said = statement.statement();
    const auto* join = std::get_if<MachineJoin>(&said.act);
    if (join == nullptr || join->enrolment.invitation != caller_.key)
      return Error{Code::kInvalid, "a standing invitation lets a machine join by it, and nothing else"};
    const std::int64_t now = core_.Now();
    if (!standing.IsOpen(*before.vault) || standing.invitation.expires <= now)
      return Error{Code::kExpired, api::kWhereGone};
    if (said.time < now - kClockSlack || said.time > now + kClockSlack)
      return Error{Code::kInvalid, "the machine's clock is off by more than five minutes: set it"};
    const std::string& name = join->enrolment.identity.name;
    if (before.machines->FindByName(name) != nullptr)
      return Error{Code::kDenied, "a machine of this name is enrolled: give another one with --name", 0,
                   name};
    if (said.heads.vault != before.vault->head())
      return Error{Code::kConflict, "the statement does not name the newest head of the vault's list"};
    return {};
  }

  // A caller may have been removed while he waited.
  Status CheckCaller(const VaultState& now) const {
    const bool known = now.FindPrincipal(caller_.id, core_.Now()) && caller_.IsPerson();
    return known ? Status() : Status(NotVisible());
  }

  /// That nobody removes the caller from where he appends.
  Status CheckStays(const AppendPlan& plan) const {
    const std::lock_guard lock(core_.frozen_mutex);
    for (const auto& one : plan.appended()) {
      const auto frozen = core_.frozen.find({caller_.id, one.environment});
      if (frozen != core_.frozen.end() && frozen->second > core_.clock().Boot())
        return Error{Code::kDenied, api::kWhereFrozen};
    }
    return {};
  }

  /// A removal that waits for vouches freezes whom it removes, so that he cannot outrun it for ever; where it
  /// is from, and nowhere else: an environment's owner stops nobody in another one.
  void FreezeLeavers(const api::AppendRequest& request) {
    const std::lock_guard lock(core_.frozen_mutex);
    const auto now = core_.clock().Boot();
    std::erase_if(core_.frozen, [&](const auto& entry) { return entry.second <= now; });
    for (const api::ListAppend& append : request.appends) {
      for (const std::string& envelope : append.statements) {
        const auto statement = SignedStatement::Parse(envelope);
        if (!statement) continue;
        const Act& act = statement->statement().act;
        if (const Hash* member = WhoseRoleEnds(act))
          core_.frozen[{*member, append.list.environment}] = now + kFreeze;
        if (const auto* owner = std::get_if<VaultOwnerRemove>(&act))
          core_.frozen[{owner->id, std::string()}] = now + kFreeze;
        if (const auto* key = std::get_if<IdentityReplace>(&act))
          core_.frozen[{key->id, std::string()}] = now + kFreeze;
      }
    }
  }

  // A secret that is to be created shows nothing but its environment.
  static std::string CreatedIn(const api::ListAppend& append) {
    if (append.statements.empty()) return {};
    const auto first = SignedStatement::Parse(append.statements.front());
    const auto* create = first ? std::get_if<SecretCreate>(&first->statement().act) : nullptr;
    return create != nullptr ? create->environment : std::string();
  }

  bool Sees(const VaultState& state, const api::ListAppend& append) const {
    const ListId& list = append.list;
    if (state.IsVaultOwner(caller_.id) || state.IsRecovery(caller_.id)) return true;
    // Every person may know that these two are there.
    if (list.kind == ListKind::kVault || list.kind == ListKind::kMachines) return true;
    if (list.kind == ListKind::kEnvironment || list.kind == ListKind::kGroup)
      return state.RoleOf(caller_.id, list.environment).has_value();
    const auto reader = core_.store.Read();
    if (!reader) return true;
    const auto secret = (*reader)->GetSecret(list.number);
    if (!secret) return false;
    const std::string environment = *secret ? (*secret)->environment : CreatedIn(append);
    return state.RoleOf(caller_.id, environment).has_value();
  }

  Error Refuse(const VaultState& before, const api::AppendRequest& request, const Error& why) {
    if (why.where == AppendPlan::kUnvouched) FreezeLeavers(request);
    for (const api::ListAppend& append : request.appends) {
      if (!Sees(before, append) && why.code != Code::kConflict) {
        core_.CountRefusal(caller_, "append.refused");
        return NotVisible();
      }
    }
    if (why.code == Code::kDenied || why.code == Code::kIntegrity)
      core_.CountRefusal(caller_, "append.refused");
    return why;
  }

  Result<std::uint64_t> Write(const std::shared_ptr<AppendPlan>& plan,
                              const std::function<Status(StoreWriter&)>& more = {},
                              const PrefixWalk* walk = nullptr) {
    auto change = std::make_shared<std::uint64_t>(0);
    core_.ahead.Set(plan->after());
    const Status written =
        core_.store.WriteAndWait([this, plan, change, &more, walk](StoreWriter& writer) -> Status {
          *change = GRANTFS_TRY(WritePlan(writer, *plan, caller_, core_.clock(), walk, &later_));
          return more ? more(writer) : Status();
        });
    if (!written) {
      core_.ahead.Set(core_.state.Get());
      return written.error();
    }
    return *change;
  }

  void Publish(const AppendPlan& plan, std::uint64_t change) {
    core_.state.Set(plan.after());
    std::vector<std::uint64_t> touched_secrets;
    for (const auto& [number, touched] : plan.secrets()) {
      core_.secrets.Put(touched.after);
      touched_secrets.push_back(number);
    }
    core_.Touch(touched_secrets);
    core_.hub.Publish(change, plan.Events(), *plan.after());
    for (const auto& one : plan.appended()) {
      const Act& act = one.statement->statement().act;
      Expel(*plan.after(), act);
      if (const auto* changed = std::get_if<MemberChange>(&act)) Thaw(changed->id, one.environment);
    }
  }

  // Who has another role by now goes on with that at once.
  void Thaw(const Hash& id, const std::string& environment) {
    const std::lock_guard lock(core_.frozen_mutex);
    core_.frozen.erase({id, environment});
  }

  // Whoever can no longer authenticate is told nothing more either.
  void Expel(const VaultState& after, const Act& act) {
    const auto gone = [&](const Hash& id) {
      if (!after.FindPrincipal(id, core_.Now())) core_.hub.Expel(id);
    };
    if (const auto* removed = std::get_if<IdentityRemove>(&act)) gone(removed->id);
    if (const auto* replaced = std::get_if<IdentityReplace>(&act)) gone(replaced->id);
    if (const auto* machine = std::get_if<MachineRemove>(&act)) gone(machine->id);
    if (const auto* owner = std::get_if<VaultOwnerRemove>(&act)) gone(owner->id);
    if (const auto* member = std::get_if<MemberRemove>(&act)) gone(member->id);
  }

  Vault::Core& core_;
  const VaultCaller& caller_;
  const HeldLists* const held_;
  LaterWork later_;
};

namespace {

struct AppendWork {
  Vault::Core& core;
  VaultCaller caller;
  api::AppendRequest request;
  Vault::Done<api::AppendResponse> done;
  HeldLists held;
  std::shared_ptr<PrefixWalk> walk;
};

/// A secret's list may be so long that it takes seconds to verify: that is not done where all appends wait
/// for it.
HeldLists HoldSecrets(Vault::Core& core, const VaultCaller& caller, const api::AppendRequest& request) {
  HeldLists held;
  const StatePtr now = core.state.Get();
  const auto reader = core.store.Read();
  if (!reader) return held;  // told where it cannot be done without
  for (const api::ListAppend& append : request.appends) {
    if (append.list.kind != ListKind::kSecret) continue;
    const auto secret = (*reader)->GetSecret(append.list.number);
    if (!secret || !*secret || !now->RoleOf(caller.id, (*secret)->environment)) continue;
    auto list = core.LoadSecret(**reader, **secret);
    if (list) held.emplace(append.list.number, *std::move(list));
  }
  return held;
}

void RunAppend(const std::shared_ptr<AppendWork>& work, bool cancelled) {
  const Error stopping{Code::kUnreachable, "the vault is stopping"};
  if (cancelled) return work->done(stopping);
  Appender appender(work->core, work->caller, &work->held);
  auto ran = appender.Run(work->request, &work->walk);
  if (ran && !*ran) {
    const auto rest = [work](bool ends) { RunAppend(work, ends); };
    return work->core.appends.GoOn(rest) ? void() : work->done(stopping);
  }
  work->walk.reset();
  if (!ran) return work->done(ran.error());
  work->done(**std::move(ran));
  DoLater(work->core, appender.TakeLater());
}

}  // namespace

void Vault::Append(const VaultCaller& caller, const api::AppendRequest& request,
                   Done<api::AppendResponse> done) {
  const auto work = std::make_shared<AppendWork>(
      AppendWork{*core_, caller, request, std::move(done), HoldSecrets(*core_, caller, request), nullptr});
  const bool queued = core_->appends.Add([work](bool cancelled) { RunAppend(work, cancelled); }, caller.id);
  if (!queued) work->done(Error{Code::kThrottled, "too many appends wait: try again"});
}

void Vault::Join(const VaultCaller& caller, const api::JoinRequest& request, Done<api::JoinResponse> done) {
  if (caller.kind != VaultCaller::Kind::kInvite) return done(NotVisible());
  auto shared = std::make_shared<Done<api::JoinResponse>>(std::move(done));
  const bool queued = core_->appends.Add([this, caller, request, shared](bool cancelled) {
    if (cancelled) return (*shared)(Error{Code::kUnreachable, "the vault is stopping"});
    (*shared)(Appender(*core_, caller).Join(request));
  });
  if (!queued) (*shared)(Error{Code::kThrottled, "too many appends wait: try again"});
}

}  // namespace grantfs
