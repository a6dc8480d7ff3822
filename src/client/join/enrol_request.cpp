#include "grantfs/trust/enrol_request.h"

#include "client/homes/home_profile_internal.h"
#include "enrol_internal.h"
#include "grantfs/client/join.h"
#include "grantfs/client/known_store.h"
#include "grantfs/crypto/random.h"
#include "grantfs/trust/accept_line.h"
#include "grantfs/trust/names.h"

// Enrolling without an invitation: the machine asks first, and learns its vault from the answer.

namespace grantfs {
namespace {

Result<Home> MakeRequesting(const std::string& directory, const std::string& name) {
  HomeProfile profile;
  profile.state = HomeProfile::State::kRequesting;
  profile.kind = IdentityKind::kMachine;
  profile.name = name;
  const auto seed = GRANTFS_TRY(RandomKey());
  return Home::Create(directory, profile, seed, nullptr, nullptr);
}

Result<Home> OpenRequesting(const std::string& directory) {
  Home home = GRANTFS_TRY(Home::OpenAny(directory));
  const auto state = home.profile().state;
  if (state == HomeProfile::State::kRequesting) return home;
  if (state == HomeProfile::State::kEnrolling)
    return Error{Code::kConflict,
                 "an enrolment by invitation waits in this home: go on with grantfs enroll, or name another "
                 "home with --home",
                 0, directory};
  return HomeInUse(directory);
}

Result<Home> HomeFor(const std::string& directory, const std::string& name) {
  if (!Home::Exists(directory)) return MakeRequesting(directory, name);
  Home before = GRANTFS_TRY(OpenRequesting(directory));
  if (before.profile().name == name) return before;
  GRANTFS_CHECK(before.Discard());
  return MakeRequesting(directory, name);
}

/// The vault shows the list that the line speaks of, and knows the machine. @return its StatusResponse.
Result<api::StatusResponse> CheckAnswer(const Home& home, const HomeProfile& profile,
                                        const PrivateIdentity& identity, const AcceptLine& line,
                                        const ClientOptions& options) {
  const auto known = GRANTFS_TRY(KnownStore::Open(home.KnownPath(), KnownStore::Missing::kRefuse));
  GRANTFS_CHECK(known->Remember({{ListId::Vault(), {}, line.head}}));
  const auto connection = GRANTFS_TRY(
      VaultConnection::Create(ConnectionTo(profile, options), identity.Id().Hex(), &identity.signing_key()));
  ListKeeper keeper(known.get(), connection.get(), profile.vault);
  GRANTFS_CHECK(keeper.Load());
  GRANTFS_CHECK(keeper.RefreshVault());
  return connection->Get<api::StatusResponse>(api::kStatus);
}

}  // namespace

Result<RequestResult> RequestEnrolment(const std::string& home_directory, const std::string& name,
                                       std::int64_t ttl, const ClientOptions& options) {
  GRANTFS_CHECK(CheckIdentityName(name));
  if (ttl < 1 || ttl > kMaxEnrolRequestSeconds)
    return Error{Code::kInvalid, "a request to enrol holds for 1s to 30d", 0, name};
  const Home home = GRANTFS_TRY(HomeFor(home_directory, name));
  const PrivateIdentity identity = GRANTFS_TRY(home.LoadIdentity());
  const std::int64_t now = options.clock->WallSeconds();
  const EnrolmentRequest request = MakeEnrolmentRequest(identity, now, now + ttl);
  return RequestResult{EncodeRequestLine(request), name, identity.identity().Fingerprint(), request.expires};
}

Result<EnrolResult> AcceptEnrolment(const std::string& home_directory, std::string_view text,
                                    const ClientOptions& options) {
  if (!Home::Exists(home_directory))
    return Error{Code::kNotFound, "nothing was asked here: run grantfs enroll --request first", 0,
                 home_directory};
  Home home = GRANTFS_TRY(OpenRequesting(home_directory));
  const AcceptLine line = GRANTFS_TRY(DecodeAcceptLine(text));
  const PrivateIdentity identity = GRANTFS_TRY(home.LoadIdentity());
  if (line.identity != identity.Id())
    return Error{
        Code::kConflict,
        "the line answers the request of another machine, or of keys that this one has no more: give "
        "it the line of its own request",
        0, home.profile().name};
  HomeProfile profile = home.profile();
  profile.vault = line.vault;
  profile.address = GRANTFS_TRY(ParseAddress(line.address));
  profile.pins = {line.pin};
  GRANTFS_CHECK(home.ForgetKnown());  // of an answer before, whose check was cut off
  const auto status = CheckAnswer(home, profile, identity, line, options);
  if (!status) {
    GRANTFS_CHECK(home.ForgetKnown());
    return status.error();
  }
  profile.not_after = status->not_after;
  GRANTFS_CHECK(home.Accept(profile));
  EnrolResult result = EnrolResultOf(profile, identity);
  result.approved = true;
  result.not_after = profile.not_after;
  return result;
}

}  // namespace grantfs
