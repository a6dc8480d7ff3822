#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "enrol_internal.h"
#include "grantfs/api/enrolments.h"
#include "grantfs/crypto/random.h"

// How a machine lets itself in by a standing invitation: its own statement in the list of machines, which it
// does not see, behind the head that the vault names. A false head makes a statement that fits nowhere.

namespace grantfs {
namespace {

constexpr std::chrono::seconds kJoinWithin{120};
constexpr std::chrono::milliseconds kShortestJoinPause{10};
constexpr std::chrono::milliseconds kLongestJoinPause{2000};

// As many as do it at once would otherwise meet again and again.
void PauseAtRandom(std::chrono::milliseconds most) {
  const Bytes random = RandomBytes(2);
  const auto part = (std::uint32_t{random[0]} << 8 | random[1]) * most.count() / 0xFFFF;
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, std::chrono::milliseconds(part));
}

Result<std::string> JoinStatement(const WaitingEnrolment& waiting, const VaultList& vault,
                                  const api::JoinResponse& told, std::int64_t now) {
  Statement statement;
  statement.vault = waiting.home.profile().vault;
  statement.list = ListId::Machines();
  statement.sequence = told.head.sequence + 1;
  statement.previous = told.head.hash;
  statement.signer = waiting.identity.Id();
  statement.time = now;
  statement.heads.vault = vault.head();
  MachineJoin join;
  join.enrolment = GRANTFS_TRY(MakeEnrolment(statement.vault, waiting.invite, waiting.identity));
  join.not_after = told.lives == 0 ? 0 : now + told.lives;
  statement.act = std::move(join);
  return GRANTFS_TRY(SignedStatement::Sign(statement, waiting.identity.signing_key())).envelope();
}

// The groups' keys that the invitation opens, sealed to the machine's own key: from then on it needs the
// invitation no more. Whether they are the groups' is known once their environments' lists are seen.
Result<std::vector<api::OwnGroupKey>> OwnCopies(const WaitingEnrolment& waiting,
                                                const std::vector<api::OwnGroupKey>& sealed) {
  std::vector<api::OwnGroupKey> own;
  for (const api::OwnGroupKey& one : sealed) {
    const auto key = GRANTFS_TRY(waiting.invite.unseal_key().Open(one.sealed));
    own.push_back(
        {one.environment, one.group, one.epoch, GRANTFS_TRY(Seal(waiting.identity.identity().seal, key))});
  }
  return own;
}

// What the vault says of the name or the clock is told; what mends it is here.
Error Explained(Error error) {
  if (error.code == Code::kDenied) error.where = "mend that, and run grantfs enroll with the same line again";
  return error;
}

}  // namespace

Status JoinByStanding(const WaitingEnrolment& waiting, VaultConnection& connection, ListKeeper& keeper,
                      const ClientOptions& options) {
  const auto end = std::chrono::steady_clock::now() + kJoinWithin;
  auto told = connection.Ask<api::JoinResponse>(api::kEnrolmentsJoin, api::JoinRequest{});
  for (auto pause = kShortestJoinPause;; pause = std::min(2 * pause, kLongestJoinPause)) {
    if (!told) return Explained(told.error());
    api::JoinRequest request;
    request.statement =
        GRANTFS_TRY(JoinStatement(waiting, keeper.vault(), *told, options.clock->WallSeconds()));
    request.groups = GRANTFS_TRY(OwnCopies(waiting, told->groups));
    told = connection.Ask<api::JoinResponse>(api::kEnrolmentsJoin, request);
    if (!told) return Explained(told.error());
    if (told->state == api::EnrolmentProgress::kApproved) return {};
    if (std::chrono::steady_clock::now() >= end)
      return Error{Code::kConflict,
                   "others join at the same moment, again and again: run grantfs enroll again to go on", 0,
                   waiting.home.profile().name};
    PauseAtRandom(pause);
    GRANTFS_CHECK(keeper.RefreshVault());
    told = connection.Ask<api::JoinResponse>(api::kEnrolmentsJoin, api::JoinRequest{});
  }
}

}  // namespace grantfs
