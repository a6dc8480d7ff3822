// A new key in a home that has one: made and approved in a home beside it, then put in the old one's place.

#include "enrol_internal.h"
#include "grantfs/client/home.h"
#include "grantfs/client/join.h"

namespace grantfs {
namespace {

Status CheckLine(const InviteLine& line, const HomeProfile& home) {
  if (line.vault != home.vault)
    return Error{Code::kInvalid, "the invitation is of another vault than this home", 0, home.name};
  if (!line.standing && line.kind == home.kind && line.name == home.name) return {};
  return Error{
      Code::kInvalid,
      "the invitation is not for a new key of this home's: an owner makes one with grantfs invite --rekey", 0,
      home.name};
}

EnrolResult RekeyedAs(const Home& home, const PrivateIdentity& identity) {
  EnrolResult result = EnrolResultOf(home.profile(), identity);
  result.approved = true;
  return result;
}

/// Finishes what an interrupted call has left: a key that was approved, and perhaps has its place already.
Result<std::optional<EnrolResult>> FinishBefore(const Home& home, const PrivateIdentity& mine) {
  const auto next = Home::OpenAny(home.directory() + kNextHome);
  if (!next && next.error().code == Code::kNotFound) return std::optional<EnrolResult>();
  if (!next) return next.error();
  if (next->profile().state != HomeProfile::State::kReady) return std::optional<EnrolResult>();
  const PrivateIdentity identity = GRANTFS_TRY(next->LoadIdentity());
  const bool done = identity.Id() == mine.Id();
  GRANTFS_CHECK(next->ProtectLike(home));
  GRANTFS_CHECK(home.TakeKeyOf(*next));
  return done ? std::optional<EnrolResult>() : std::optional(RekeyedAs(home, identity));
}

}  // namespace

Result<EnrolResult> RekeyHome(const std::string& home_directory, const SecretMemory* invite_line,
                              std::chrono::milliseconds wait,
                              const std::function<void(const EnrolResult&)>& waiting,
                              const ClientOptions& options) {
  const Home home = GRANTFS_TRY(Home::Open(home_directory));
  if (home.profile().kind == IdentityKind::kMachine)
    return Error{
        Code::kInvalid,
        "a machine gets a new key by being removed (grantfs identity remove) and enrolled anew, with another "
        "home",
        0, home.profile().name};
  // Also so that the passphrase is asked for now, and not once the new key is approved.
  const PrivateIdentity mine = GRANTFS_TRY(home.LoadIdentity());
  if (auto finished = GRANTFS_TRY(FinishBefore(home, mine))) return *std::move(finished);
  if (invite_line != nullptr)
    GRANTFS_CHECK(CheckLine(GRANTFS_TRY(DecodeInviteLine(*invite_line, false)), home.profile()));
  const std::string next = home_directory + kNextHome;
  Status kept;
  const auto protect = [&]() -> Status { return GRANTFS_TRY(Home::OpenAny(next)).ProtectLike(home); };
  const auto waits = [&](const EnrolResult& result) {
    kept = protect();
    if (kept && waiting) waiting(result);
  };
  EnrolResult result = GRANTFS_TRY(Enrol(next, invite_line, wait, waits, options));
  GRANTFS_CHECK(kept);
  if (!result.approved) return result;
  GRANTFS_CHECK(protect());
  GRANTFS_CHECK(home.TakeKeyOf(GRANTFS_TRY(Home::OpenAny(next))));
  return result;
}

}  // namespace grantfs
