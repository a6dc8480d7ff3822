// Before somebody loses a role, all that he signed in an environment gets a successor by one who stays.

#include <set>

#include "grantfs/api/bounds.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

/// A request holds 2 MiB, and an envelope in it is escaped.
constexpr std::size_t kVouchBytes = std::size_t{1} << 20;
/// The vault freezes for a minute.
constexpr std::chrono::seconds kFreezeAgain{30};

}  // namespace

struct OwnerSessionImpl::Vouching {
  const EnvironmentList& after;
  StatementPtr ending;
  bool freezes = false;  ///< the leaver can still append
  std::chrono::nanoseconds frozen{0};
  Batch batch;
  std::size_t bytes = 0;
  std::set<std::uint64_t> again;  ///< secrets of batches for which others were quicker
  std::size_t done = 0;
  std::size_t all = 0;
};

SecretTrace TraceOf(const SecretList& list) {
  SecretTrace trace;
  trace.head = *list.head();
  if (const auto* current = list.Current()) {
    trace.version = current->publish.version;
    trace.epoch = current->publish.epoch;
    trace.setter = current->statement->statement().signer;
  }
  return trace;
}

// What is asked for is refused for now: a vouch is missing. Granted all the same, by a vault that lets be
// lost what was signed, it is vouched for after it.
Status OwnerSessionImpl::FreezeLeaver(Vouching& vouching) {
  const auto now = options_.clock->Boot();
  if (!vouching.freezes || (vouching.frozen.count() != 0 && now - vouching.frozen < kFreezeAgain)) return {};
  vouching.frozen = now;
  const auto refused = Send({{vouching.after.id(), {vouching.ending}, {}}});
  return refused || refused.error().code == Code::kConflict ? Status() : Status(refused.error());
}

Status OwnerSessionImpl::SendVouches(Vouching& vouching) {
  const Batch batch = std::exchange(vouching.batch, {});
  vouching.bytes = 0;
  if (batch.empty()) return {};
  GRANTFS_CHECK(FreezeLeaver(vouching));
  const auto sent = Submit(batch);
  if (!sent && sent.error().code != Code::kConflict) return sent.error();
  for (const auto& list : batch) {
    const std::uint64_t secret = list.list.number;
    if (sent)
      traces_.seen[secret].head = traces_.swept[secret] = list.statements.back()->head();
    else
      vouching.again.insert(secret);
  }
  return {};
}

Status OwnerSessionImpl::VouchIn(Vouching& vouching, std::span<const Listed> secrets,
                                 const std::string& reason) {
  const std::string& environment = vouching.after.name();
  const auto take = [&](const Listed& secret, Result<SecretList> list) -> Status {
    if (!list) return list.error();
    const UpperLists now = keeper_->UpperOf(environment);
    traces_.seen[secret.number] = TraceOf(*list);
    Report("vouching", ++vouching.done, vouching.all);
    if (list->CheckStanding({now.vault, &vouching.after})) {
      traces_.swept[secret.number] = *list->head();
      return {};
    }
    const auto made = GRANTFS_TRY(Next(*list, now, Vouch{}, reason));
    vouching.bytes += made->envelope().size();
    vouching.batch.push_back({list->id(), {made}, {}});
    const bool full = vouching.batch.size() == api::kMaxAppends || vouching.bytes > kVouchBytes;
    return full ? SendVouches(vouching) : Status();
  };
  GRANTFS_CHECK(keeper_->RefreshSecrets(environment, secrets, take));
  return SendVouches(vouching);
}

Status OwnerSessionImpl::VouchBefore(const EnvironmentList& after, const Hash& leaver,
                                     const StatementPtr& ending, const std::string& reason) {
  const std::string& environment = after.name();
  const auto by =
      std::tuple(leaver, *keeper_->FindEnvironment(environment)->head(), *keeper_->vault().head());
  if (traces_.swept_by != by) traces_.swept.clear();
  traces_.swept_by = by;
  auto secrets = GRANTFS_TRY(ListNames(environment, {}));
  std::erase_if(secrets, [this](const Listed& one) {
    const auto swept = traces_.swept.find(one.number);
    return swept != traces_.swept.end() && swept->second == one.head;
  });
  Vouching vouching{after, ending, !keeper_->vault().IsRemoved(leaver)};
  for (int tries = 1;; ++tries) {
    vouching.all += secrets.size();
    GRANTFS_CHECK(VouchIn(vouching, secrets, reason));
    if (vouching.again.empty()) return {};
    if (tries == kAppendAttempts) {
      return Error{Code::kConflict,
                   "others went on changing the secrets that are to be vouched for; run the same again", 0,
                   environment};
    }
    secrets = GRANTFS_TRY(ListNames(environment, {}));
    std::erase_if(secrets, [&](const Listed& one) { return !vouching.again.contains(one.number); });
    vouching.again.clear();
  }
}

}  // namespace grantfs
