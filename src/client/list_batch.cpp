// Many secrets' lists at once: what costs a request and a transaction each when it is done one by one.

#include <algorithm>

#include "grantfs/api/lists.h"
#include "grantfs/client/list_keeper.h"
#include "grantfs/util/two_threads.h"

namespace grantfs {
namespace {

/// So many lists, or statements by what the vault says of their heads, are held at a time.
constexpr std::size_t kListsOfBatch = 500;
constexpr std::uint64_t kStatementsOfBatch = 20'000;

std::size_t BatchSize(std::span<const ListKeeper::Listed> secrets) {
  std::uint64_t statements = 0;
  std::size_t size = 0;
  while (size < std::min(secrets.size(), kListsOfBatch)) {
    statements += std::min(secrets[size].head.sequence + 1, kStatementsOfBatch);
    if (size > 0 && statements > kStatementsOfBatch) break;
    ++size;
  }
  return size;
}

}  // namespace

/// One secret on its way through a batch.
struct ListKeeper::Batched {
  const Listed* secret = nullptr;
  KnownStore::SecretKnown known;
  SecretList list;
  std::vector<SignedList::StatementPtr> fresh;
  /// Done by itself after the others: something above it is newer than what is known here, it is larger than
  /// an answer, or it is refused and RefreshSecret says why.
  bool alone = false;
};

std::vector<ListKeeper::Batched> ListKeeper::LoadBatch(std::span<const Listed> secrets,
                                                       std::vector<KnownStore::SecretKnown> known) {
  std::vector<Batched> batch;
  for (std::size_t i = 0; i < secrets.size(); ++i)
    batch.push_back({&secrets[i], std::move(known[i]), SecretList(secrets[i].number), {}});
  const UpperLists upper = UpperOf(secrets.front().name.environment);
  OnTwoThreads(batch.size(), [&](std::size_t i) {
    Batched& one = batch[i];
    one.alone = one.known.number && *one.known.number != one.secret->number;
    const auto kept = known_->ReadKept(one.known.kept);
    one.known.kept.clear();
    if (!kept) one.alone = true;
    if (one.alone) return;
    for (const auto& statement : *kept) {
      if (!one.list.Receive(statement, upper)) one.alone = true;
      if (one.alone) return;
    }
  });
  return batch;
}

void ListKeeper::ReceiveTails(std::span<Batched* const> asked,
                              const std::vector<api::ListReadResponse>& lists, const UpperLists& upper) {
  OnTwoThreads(lists.size(), [&](std::size_t i) {
    Batched& one = *asked[i];
    const auto same = [&] { return upper; };
    const bool received =
        CheckPage(one.list, lists[i]) && ReceivePage(one.list, lists[i], same, nullptr, one.fresh);
    one.alone = !received || one.list.head() != lists[i].head;
  });
}

// The answer is of the first that were asked for, in their order: anything else is a lie, or another
// protocol.
Status ListKeeper::FetchBatch(const std::string& environment, std::vector<Batched>& batch) {
  std::vector<Batched*> missing;
  for (Batched& one : batch)
    if (!one.alone && one.list.head() != one.secret->head) missing.push_back(&one);
  while (!missing.empty()) {
    api::TailsRequest request;
    request.environment = environment;
    for (const Batched* one : missing)
      if (request.secrets.size() < api::kMaxTails)
        request.secrets.push_back({one->secret->number, one->list.next_sequence()});
    const auto answer = connection_->Ask<api::TailsResponse>(api::kListsTails, request);
    if (!answer && answer.error().code == Code::kNotFound) {
      for (Batched* one : missing) one->alone = true;  // one of them is hidden, or the vault is an older one
      return {};
    }
    if (!answer) return answer.error();
    const auto& lists = answer->lists;
    for (std::size_t i = 0; i < lists.size(); ++i) {
      const bool right =
          i < request.secrets.size() && lists[i].list == ListId::Secret(request.secrets[i].secret);
      if (right) continue;
      return Error{Code::kIntegrity,
                   "the vault answers with other secrets' lists than it was asked for: nothing of it is used",
                   0, lists[i].list.Text()};
    }
    ReceiveTails(std::span(missing).first(lists.size()), lists, UpperOf(environment));
    missing.erase(missing.begin(), missing.begin() + static_cast<std::ptrdiff_t>(lists.size()));
  }
  return {};
}

void ListKeeper::JudgeBatch(std::vector<Batched>& batch, const UpperLists& upper) {
  OnTwoThreads(batch.size(), [&](std::size_t i) {
    Batched& one = batch[i];
    if (one.alone || one.list.empty()) {
      one.alone = true;
      return;
    }
    const auto& highest = one.known.highest;
    const SecretName& name = one.secret->name;
    const bool good = one.list.create().environment == name.environment &&
                      one.list.create().path == name.path &&
                      (!highest || one.list.HashAt(highest->sequence) == highest->hash) &&
                      one.list.CheckStanding(upper).has_value();
    one.alone = !good;
  });
}

// What a batch together cannot be remembered as is done one by one, so that the fault is named.
void ListKeeper::RememberBatch(std::vector<Batched>& batch) {
  std::vector<KnownStore::VerifiedSecret> verified;
  for (Batched& one : batch) {
    if (one.alone || (one.fresh.empty() && one.known.number)) continue;
    verified.push_back(
        {{one.secret->number, one.secret->name}, {one.list.id(), std::move(one.fresh), std::nullopt}});
  }
  if (verified.empty() || known_->RememberSecrets(verified)) return;
  for (Batched& one : batch) one.alone = true;
}

Status ListKeeper::RefreshSecrets(const std::string& environment, std::span<const Listed> secrets,
                                  const TakeSecret& take) {
  while (!secrets.empty()) {
    const auto now = secrets.first(BatchSize(secrets));
    secrets = secrets.subspan(now.size());
    std::vector<KnownStore::NamedSecret> named;
    for (const Listed& one : now) named.push_back({one.number, one.name});
    auto batch = LoadBatch(now, GRANTFS_TRY(known_->KnownOf(named)));
    GRANTFS_CHECK(FetchBatch(environment, batch));
    JudgeBatch(batch, UpperOf(environment));
    RememberBatch(batch);
    for (Batched& one : batch) {
      if (!one.alone) {
        GRANTFS_CHECK(take(*one.secret, std::move(one.list)));
        continue;
      }
      GRANTFS_CHECK(take(*one.secret, RefreshSecret(one.secret->number, one.secret->name, one.secret->head)));
    }
  }
  return {};
}

}  // namespace grantfs
