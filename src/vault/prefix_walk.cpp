#include <algorithm>
#include <optional>
#include <utility>

#include "prefix_walk_internal.h"

namespace grantfs {
namespace {

struct Below {
  const AppendPlan::Appended* one = nullptr;
  const PrefixGrant* act = nullptr;
};

std::vector<Below> GrantsIn(const AppendPlan& plan) {
  std::vector<Below> grants;
  for (const auto& one : plan.appended()) {
    if (const auto* act = std::get_if<PrefixGrant>(&one.statement->statement().act))
      grants.push_back({&one, act});
  }
  return grants;
}

/// The group of a grant by prefix, if it is there.
std::optional<Recipient> RecipientOf(const AppendPlan& plan, const AppendPlan::Appended& one) {
  const auto* environment = plan.after()->FindEnvironment(one.environment);
  if (environment == nullptr) return std::nullopt;
  const auto& act = std::get<PrefixGrant>(one.statement->statement().act);
  const auto* group = environment->groups().Find(act.grant.grantee.number);
  return group == nullptr ? std::nullopt : std::optional(group->recipient());
}

/// How many secrets, each of which is looked at for all grants, are as much as one job does.
std::size_t AtOnce(std::size_t grants) { return std::max<std::size_t>(kSecretsOfJob / grants, 1); }

bool IsBelow(const StoredSecret& secret, const Below& grant) {
  return secret.environment == grant.one->environment && secret.path.starts_with(grant.act->prefix);
}

}  // namespace

/// What one job found.
struct PrefixWalk::Page {
  std::string after;
  bool last = false;
  std::vector<std::uint64_t> renewed;
};

Result<bool> IsMoreBelow(StoreReader& reader, const std::string& environment, const std::string& prefix,
                         std::size_t than) {
  const auto page = GRANTFS_TRY(reader.ListSecrets(environment, prefix, than + 1));
  return page.size() > than && page.back().path.starts_with(prefix);
}

Result<bool> AdoptBelow(StoreWriter& writer, const AppendPlan& plan, const AppendPlan::Appended& one,
                        const StoredSecret& secret, std::int64_t now) {
  const auto to = RecipientOf(plan, one);
  if (!to || secret.destroyed) return false;  // it counts for nothing
  const Hash& signer = one.statement->statement().signer;
  const auto left = GRANTFS_TRY(writer.AdoptCopiesFor(signer, secret.number, *to, false, now));
  if (GRANTFS_TRY(writer.MissingCopies(secret.number, 0, {&*to, 1}, 1)).empty()) return left > 0;
  return Error{Code::kConflict, "a copy of a data key below the prefix was not sent ahead", 0,
               one.environment + "/" + secret.path};
}

Status RenewBelow(StoreWriter& writer, const AppendPlan& plan, const AppendPlan::Appended& one,
                  const StoredSecret& secret, std::int64_t now) {
  if (!GRANTFS_TRY(AdoptBelow(writer, plan, one, secret, now))) return {};
  const Hash& signer = one.statement->statement().signer;
  GRANTFS_TRY(writer.AdoptCopiesFor(signer, secret.number, *RecipientOf(plan, one), true, now));
  return {};
}

std::vector<CopyRenewal> RenewalsOf(const AppendPlan& plan, const std::set<std::uint64_t>& secrets) {
  std::vector<CopyRenewal> renewals;
  if (secrets.empty()) return renewals;
  for (const Below& grant : GrantsIn(plan)) {
    const auto to = RecipientOf(plan, *grant.one);
    if (!to) continue;
    renewals.push_back({grant.one->statement->statement().signer, *to, {secrets.begin(), secrets.end()}});
  }
  return renewals;
}

Result<bool> PrefixWalk::IsNeeded(StoreReader& reader, const AppendPlan& plan) {
  std::size_t room = kSecretsOfJob;
  for (const Below& grant : GrantsIn(plan)) {
    const auto page = GRANTFS_TRY(reader.ListSecrets(grant.one->environment, grant.act->prefix, room + 1));
    for (const StoredSecret& secret : page) {
      if (!secret.path.starts_with(grant.act->prefix)) break;
      if (room-- == 0) return true;
    }
  }
  return false;
}

Status PrefixWalk::Run(Store& store, const std::function<Status(StoreWriter&, Page*)>& job, Page* page) {
  GRANTFS_CHECK(store.WriteAndWait([&](StoreWriter& writer) {
    *page = {};  // it may run more than once
    return job(writer, page);
  }));
  renewed_.insert(page->renewed.begin(), page->renewed.end());
  return {};
}

Status PrefixWalk::TakePage(Store& store, const AppendPlan& plan, std::int64_t now) {
  const Below grant = GrantsIn(plan).at(grant_);
  const std::string from = after_.empty() ? grant.act->prefix : after_;
  Page page;
  const auto job = [&](StoreWriter& writer, Page* found) -> Status {
    const auto secrets = GRANTFS_TRY(writer.ListSecrets(grant.one->environment, from, kSecretsOfJob));
    found->last = secrets.size() < kSecretsOfJob;
    for (const StoredSecret& secret : secrets) {
      if (!IsBelow(secret, grant)) {
        found->last = true;
        break;
      }
      if (GRANTFS_TRY(AdoptBelow(writer, plan, *grant.one, secret, now)))
        found->renewed.push_back(secret.number);
      found->after = secret.path;
    }
    return {};
  };
  GRANTFS_CHECK(Run(store, job, &page));
  after_ = page.last ? std::string() : page.after;
  grant_ += page.last ? 1 : 0;
  return {};
}

Status PrefixWalk::TakeTouched(Store& store, const AppendPlan& plan, std::int64_t now) {
  const auto grants = GrantsIn(plan);
  std::set<std::uint64_t> some;
  while (some.size() < AtOnce(grants.size()) && !touched_.empty())
    some.insert(touched_.extract(touched_.begin()));
  Page page;
  const auto job = [&](StoreWriter& writer, Page* found) -> Status {
    for (const Below& grant : grants) {
      for (const std::uint64_t number : some) {
        const auto secret = GRANTFS_TRY(writer.GetSecret(number));
        if (!secret || !IsBelow(*secret, grant)) continue;
        if (GRANTFS_TRY(AdoptBelow(writer, plan, *grant.one, *secret, now))) found->renewed.push_back(number);
      }
    }
    return {};
  };
  return Run(store, job, &page);
}

Result<bool> PrefixWalk::GoOn(Vault::Core& core, const AppendPlan& plan) {
  const std::size_t grants = GrantsIn(plan).size();
  const auto until = std::chrono::steady_clock::now() + core.options.append_turn;
  do {
    if (grant_ < grants) {
      GRANTFS_CHECK(TakePage(core.store, plan, core.Now()));
    } else if (touched_.size() > AtOnce(grants)) {
      GRANTFS_CHECK(TakeTouched(core.store, plan, core.Now()));
    } else {
      return true;
    }
  } while (std::chrono::steady_clock::now() < until);
  return false;
}

void Vault::Core::Touch(std::span<const std::uint64_t> numbers) {
  std::erase_if(walks, [&](const auto& walk) {
    const auto held = walk.lock();
    if (held == nullptr) return true;
    for (const std::uint64_t number : numbers) held->Touch(number);
    return false;
  });
}

Status PrefixWalk::Finish(StoreWriter& writer, const AppendPlan& plan, const AppendPlan::Appended& one,
                          std::int64_t now) const {
  const Below grant{&one, &std::get<PrefixGrant>(one.statement->statement().act)};
  for (const std::uint64_t number : touched_) {
    const auto secret = GRANTFS_TRY(writer.GetSecret(number));
    if (secret && IsBelow(*secret, grant)) GRANTFS_CHECK(RenewBelow(writer, plan, one, *secret, now));
  }
  return {};
}

}  // namespace grantfs
