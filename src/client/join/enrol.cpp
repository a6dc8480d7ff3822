#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "client/connection/problem_internal.h"
#include "client/homes/home_profile_internal.h"
#include "enrol_internal.h"
#include "grantfs/api/enrolments.h"
#include "grantfs/api/lists.h"
#include "grantfs/client/home.h"
#include "grantfs/client/join.h"
#include "grantfs/client/known_store.h"
#include "grantfs/client/list_keeper.h"
#include "grantfs/trust/names.h"

namespace grantfs {
namespace {

constexpr std::chrono::milliseconds kBetweenQuestions{500};

using Waiting = WaitingEnrolment;

Result<Waiting> OpenWaiting(const std::string& directory) {
  Home home = GRANTFS_TRY(Home::OpenAny(directory));
  if (home.profile().state == HomeProfile::State::kRequesting)
    return Error{
        Code::kConflict,
        "this machine has asked without an invitation: give the answer to grantfs enroll --accept, or "
        "remove this home",
        0, directory};
  if (home.profile().state != HomeProfile::State::kEnrolling) return HomeInUse(directory);
  PrivateIdentity identity = GRANTFS_TRY(home.LoadIdentity());
  InviteSecret invite = GRANTFS_TRY(home.LoadInvite());
  return Waiting{std::move(home), std::move(identity), std::move(invite)};
}

// The vault's list must hold the head that the inviter saw: an older one is a rollback.
// @return false for a home that knows of the list already.
Result<bool> RememberInviter(const Home& home, const InviteLine& line) {
  const auto known = GRANTFS_TRY(KnownStore::Open(home.KnownPath(), KnownStore::Missing::kRefuse));
  if (GRANTFS_TRY(known->HighestHead(ListId::Vault()))) return false;
  GRANTFS_CHECK(known->Remember({{ListId::Vault(), {}, Head{line.head_sequence, line.head_hash}}}));
  return true;
}

// A standing invitation leaves the name to the machine.
Result<std::string> NameFor(const InviteLine& line, const MachineName& names) {
  if (!line.standing) {
    if (names.given.empty() || names.given == line.name) return line.name;
    return Error{Code::kInvalid, "the invitation names another machine: leave --name out", 0, line.name};
  }
  const std::string& name = names.given.empty() ? names.host : names.given;
  if (MatchesNamePattern(name, line.name)) return name;
  return Error{Code::kInvalid,
               "the name of this machine does not match the invitation's pattern: give another with --name",
               0, name + " (" + line.name + ")"};
}

Result<Waiting> BeginWaiting(const std::string& directory, const InviteLine& line, const MachineName& given) {
  const std::string name = GRANTFS_TRY(NameFor(line, given));
  if (Home::Exists(directory)) {
    Waiting before = GRANTFS_TRY(OpenWaiting(directory));
    // The same line again goes on, also where it was cut off before its head was remembered; another one
    // begins anew: what waited under the old one is given up.
    if (before.invite.id() == line.secret.id() && before.home.profile().name == name) {
      before.is_new = GRANTFS_TRY(RememberInviter(before.home, line));
      return before;
    }
    GRANTFS_CHECK(before.home.Discard());
  }
  HomeProfile profile;
  profile.state = HomeProfile::State::kEnrolling;
  profile.kind = line.kind;
  profile.name = name;
  profile.standing = line.standing;
  profile.vault = line.vault;
  profile.address = GRANTFS_TRY(ParseAddress(line.address));
  profile.pins = {line.pin};
  const auto seed = GRANTFS_TRY(RandomKey());
  const Home home = GRANTFS_TRY(Home::Create(directory, profile, seed, &line.secret, nullptr));
  GRANTFS_TRY(RememberInviter(home, line));
  Waiting begun = GRANTFS_TRY(OpenWaiting(directory));
  begun.is_new = true;
  return begun;
}

// Keys are sent only to a vault that shows the list that the invitation speaks of.
Status CheckVault(ListKeeper& keeper) {
  GRANTFS_CHECK(keeper.Load());
  return keeper.RefreshVault();
}

Result<bool> Ask(const Waiting& waiting, VaultConnection& connection) {
  api::EnrolRequest request;
  request.enrolment =
      GRANTFS_TRY(MakeEnrolment(waiting.home.profile().vault, waiting.invite, waiting.identity));
  const auto state = GRANTFS_TRY(connection.Ask<api::EnrolmentStateResponse>(api::kEnrol, request));
  return state.state == api::EnrolmentProgress::kApproved;
}

// With one's own key: an invitation's answer may have expired.
Result<bool> AcceptsOwnKey(const Waiting& waiting, const ClientOptions& options, std::int64_t* not_after) {
  const auto status = GRANTFS_TRY(AskWithOwnKey(waiting.home.profile(), waiting.identity, options));
  if (status) *not_after = status->not_after;
  return status.has_value();
}

Result<bool> WaitForApproval(VaultConnection& connection, std::chrono::milliseconds wait) {
  const auto end = std::chrono::steady_clock::now() + wait;
  std::mutex mutex;
  std::condition_variable never;
  for (;;) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= end) return false;
    {
      std::unique_lock lock(mutex);
      never.wait_until(lock, std::min(end, now + kBetweenQuestions));
    }
    const auto state = connection.Ask<api::EnrolmentStateResponse>(api::kEnrolmentState, api::Nothing{});
    if (!state && state.error().code != Code::kUnreachable) return state.error();
    if (state && state->state == api::EnrolmentProgress::kApproved) return true;
  }
}

// A statement whose answer was lost may stand in the list all the same.
Status JoinOrFindOneself(const Waiting& waiting, VaultConnection& connection, ListKeeper& keeper,
                         const ClientOptions& options) {
  const Status joined = JoinByStanding(waiting, connection, keeper, options);
  if (joined) return {};
  std::int64_t not_after = 0;
  if (const auto known = AcceptsOwnKey(waiting, options, &not_after); known && *known) return {};
  return joined;
}

/// Asks with the invitation. @return whether it was let in within `wait`.
Result<bool> AskWithInvitation(Waiting& waiting, std::chrono::milliseconds wait,
                               const std::function<void()>& waiting_now, const ClientOptions& options) {
  const auto connection = GRANTFS_TRY(VaultConnection::Create(
      ConnectionTo(waiting.home.profile(), options), std::string(api::kInviteKeyPrefix) + waiting.invite.id(),
      &waiting.invite.signing_key()));
  const auto known = GRANTFS_TRY(KnownStore::Open(waiting.home.KnownPath(), KnownStore::Missing::kRefuse));
  ListKeeper keeper(known.get(), connection.get(), waiting.home.profile().vault);
  if (const Status shown = CheckVault(keeper); !shown) {
    // Nothing was sent yet. A line that is mistyped where its checksum does not reach shows itself here, and
    // must not be in the way of the right one.
    if (waiting.is_new) GRANTFS_CHECK(waiting.home.Discard());
    return shown.error();
  }
  if (waiting.home.profile().standing) {
    const Status joined = JoinOrFindOneself(waiting, *connection, keeper, options);
    if (joined) return true;
    // What was sent may be on its way where the vault did not answer; what is refused (a name that is taken)
    // is begun anew.
    const Code code = joined.error().code;
    const bool goes_on = code == Code::kUnreachable || code == Code::kConflict || code == Code::kThrottled;
    if (waiting.is_new && !goes_on) GRANTFS_CHECK(waiting.home.Discard());
    return joined.error();
  }
  if (GRANTFS_TRY(Ask(waiting, *connection))) return true;
  if (waiting_now) waiting_now();
  return WaitForApproval(*connection, wait);
}

}  // namespace

Result<std::optional<api::StatusResponse>> AskWithOwnKey(const HomeProfile& profile,
                                                         const PrivateIdentity& identity,
                                                         const ClientOptions& options) {
  const auto connection = GRANTFS_TRY(
      VaultConnection::Create(ConnectionTo(profile, options), identity.Id().Hex(), &identity.signing_key()));
  auto status = connection->Get<api::StatusResponse>(api::kStatus);
  if (status) return std::optional(*std::move(status));
  if (status.error().code == Code::kUnauthentic) return std::optional<api::StatusResponse>();
  return status.error();
}

EnrolResult EnrolResultOf(const HomeProfile& profile, const PrivateIdentity& identity) {
  EnrolResult result;
  result.kind = profile.kind;
  result.name = profile.name;
  result.fingerprint = identity.identity().Fingerprint();
  result.vault = profile.vault;
  result.address = profile.address.Text();
  return result;
}

Result<EnrolResult> Enrol(const std::string& home_directory, const SecretMemory* invite_line,
                          std::chrono::milliseconds wait,
                          const std::function<void(const EnrolResult&)>& waiting_now,
                          const ClientOptions& options, const MachineName& name) {
  auto begun = invite_line == nullptr
                   ? OpenWaiting(home_directory)
                   : BeginWaiting(home_directory, GRANTFS_TRY(DecodeInviteLine(*invite_line, false)), name);
  if (!begun && invite_line == nullptr && begun.error().code == Code::kNotFound) {
    return Error{Code::kNotFound, "nothing waits in this home: paste the line that grantfs invite printed", 0,
                 home_directory};
  }
  Waiting waiting = GRANTFS_TRY(std::move(begun));
  EnrolResult result = EnrolResultOf(waiting.home.profile(), waiting.identity);
  std::int64_t not_after = 0;
  result.approved = invite_line == nullptr && GRANTFS_TRY(AcceptsOwnKey(waiting, options, &not_after));
  if (!result.approved) {
    const auto now = [&] {
      if (waiting_now) waiting_now(result);
    };
    result.approved = GRANTFS_TRY(AskWithInvitation(waiting, wait, now, options));
    if (result.approved && !GRANTFS_TRY(AcceptsOwnKey(waiting, options, &not_after))) {
      return Error{
          Code::kUnauthentic,
          "the vault does not accept this key, though it was approved once: it was removed since, or "
          "the vault lies; an owner can run grantfs identity list, and invite it anew",
          0, result.name};
    }
  }
  result.not_after = not_after;
  if (result.approved) GRANTFS_CHECK(waiting.home.MarkReady(not_after));
  return result;
}

Status FinishEnrolment(const std::string& home_directory, const ClientOptions& options) {
  const auto found = Home::OpenAny(home_directory);
  if (!found || found->profile().state != HomeProfile::State::kEnrolling) return {};
  const auto result =
      GRANTFS_TRY(Enrol(home_directory, nullptr, std::chrono::milliseconds(0), nullptr, options));
  if (result.approved) return {};
  return Error{
      Code::kConflict,
      "this machine waits for an owner's approval; compare the fingerprint that grantfs enroll shows "
      "and run grantfs approve on an owner's computer",
      0, result.name};
}

}  // namespace grantfs
