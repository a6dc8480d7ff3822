// Role by operation: every cell over the wire, with its status.

#include <sstream>

#include "grantfs/api/audit.h"
#include "grantfs/api/log.h"
#include "grantfs/api/tls.h"
#include "role_operations.h"

namespace grantfs::testing {
namespace {

/// What each of kRows is answered, in their order: 2 = 200, 1 = 401, 3 = 403, 4 = 404, ? = anything else.
struct Row {
  const char* operation;
  const char* answers;
};

// vault owner, recovery, owner, reader, writer, writer below tls/ (an agent), operator, operator (an agent),
// auditor, one who was let in and has no role, a machine with a grant, a machine without, a stranger
constexpr Row kTable[] = {
    {"status",
     "222222222222"
     "1"},
    {"read vault list", "2222222222221"},
    {"read machines list", "2223333333441"},
    {"read environment list", "2222222224241"},
    {"read secret list", "4222222234441"},
    {"read secrets' tails", "4222222234441"},
    {"list secrets", "4222222234441"},
    {"find secret", "4222222234441"},
    {"read value", "4422333334441"},
    {"fetch environment keys", "4222333334441"},
    {"fetch sealed data keys", "4322223334441"},
    {"search audit log", "4423332224441"},
    {"search vault's audit log", "2323332223441"},
    {"read audit records", "2222222222221"},
    {"reserve numbers", "4423223334441"},
    {"stage a version", "4423223334441"},
    {"stage an epoch", "4223333334441"},
    {"stage a group's key", "4223333334441"},
    {"groups' keys", "4223333334441"},
    {"a group's list", "4223333334441"},
    {"make a group", "3323333334441"},
    {"grant a prefix", "3323333334441"},
    {"create a secret", "3323233334441"},
    {"create below tls/", "3323223334441"},
    {"publish", "3323233334441"},
    {"publish below tls/", "3323223334441"},
    {"grant", "3323333334441"},
    {"revoke", "3323333334441"},
    {"vouch for a secret", "3223333334441"},
    {"restore a secret", "3323333334441"},
    {"restore the vault", "2333333333441"},
    {"add an auditor", "3323333334441"},
    {"remove an auditor", "3323333334441"},
    {"change an auditor's role", "3323333334441"},
    {"start an epoch", "3223333334441"},
    {"let a user in", "2333333333441"},
    {"add a vault owner", "2233333333441"},
    {"replace a user's key", "2333333333441"},
    {"make an environment", "2344444444441"},
    {"invite", "2333333333441"},
    {"make a standing invitation", "2333333333441"},
    {"withdraw it", "2333333333441"},
    {"admit a machine", "2333333333441"},
    {"join", "4444444444441"},
    {"remove a machine", "2333333333441"},
    {"list who waits", "2333333333441"},
    {"show the TLS keys", "2333333333441"},
    {"make the next TLS key", "2333333333441"},
    {"switch the TLS key", "2333333333441"},
    {"freeze an environment", "4423332234441"},
    {"lift that", "4423332234441"},
    {"freeze a machine", "2333333333441"},
    {"freeze a machine in the environment", "4423332234441"},
    {"list freezes", "2222222222441"},
    {"ask for a rotation", "4423332234441"},
    {"list one's requests", "4423332234441"},
    {"list all requests", "4423333334441"},
    {"refuse a request", "4423333334441"},
    {"withdraw another's", "4433333334441"},
    {"change the rules alone", "3333333334441"},
    {"presence", "2323333333441"},
    {"a machine's grants", "4444444444221"},
    {"a machine's read", "4444444444241"},
    {"proofs of records", "4444444444221"},
    {"complain of the log", "2222222222221"},
};

class RolesTableTest : public ::testing::Test, protected RoleOperations {
 protected:
  int Lists(const std::string& what, const PrivateIdentity& who) {
    const std::uint64_t secret = world.secret(kEnvironment, "a").list.id().number;
    if (what == "status") return Get(who, api::kStatus);
    if (what == "read vault list") return ReadList(who, ListId::Vault());
    if (what == "read machines list") return ReadList(who, ListId::Machines());
    if (what == "read environment list") return ReadList(who, ListId::Environment(kEnvironment));
    if (what == "read secret list") return ReadList(who, ListId::Secret(secret));
    if (what == "read secrets' tails")
      return Ask(who, api::kListsTails, api::TailsRequest{kEnvironment, {{secret, 0}}});
    if (what == "list secrets")
      return Ask(who, api::kSecretsList, api::SecretsListRequest{kEnvironment, "", 9});
    if (what == "find secret") return Ask(who, api::kSecretsFind, api::SecretFindRequest{kEnvironment, "a"});
    if (what == "read value")
      return Ask(who, api::kSecretValue, api::ValueRequest{secret, 0, "v" + std::to_string(++made_)});
    if (what == "fetch environment keys")
      return Ask(who, api::kEpochCopies, api::EpochCopiesRequest{kEnvironment});
    if (what == "fetch sealed data keys")
      return Ask(who, api::kSecretCopies, api::SecretCopiesRequest{secret, {}});
    if (what == "search audit log") {
      api::AuditSearchRequest search;
      search.environment = kEnvironment;
      return Ask(who, api::kAuditSearch, search);
    }
    if (what == "search vault's audit log") return Ask(who, api::kAuditSearch, api::AuditSearchRequest{});
    if (what == "read audit records")
      return Ask(who, api::kAuditRecords, api::AuditRecordsRequest{0, 5, true});
    return 0;
  }
  int Changes(const std::string& what, const PrivateIdentity& who) {
    if (what == "reserve numbers")
      return Ask(who, api::kSecretsReserve, api::ReserveRequest{kEnvironment, 1});
    if (what == "stage a version") return StageVersion(who, "a");
    if (what == "stage an epoch")
      return Ask(who, api::kStageEpoch, api::StageEpochRequest{kEnvironment, 77, {{Hash{}, Bytes(80)}}});
    if (what == "stage a group's key")
      return Ask(who, api::kStageGroup,
                 api::StageGroupRequest{kEnvironment, 77, 1, {{{RecipientKind::kMachine, 1, 0}, Bytes(80)}}});
    if (what == "groups' keys") return Ask(who, api::kGroupKeys, api::GroupKeysRequest{kEnvironment});
    if (what == "a group's list") return ReadList(who, ListId::Group(kEnvironment, groups_.Make("read")));
    if (what == "make a group") return groups_.Ask("made-" + std::to_string(++made_), who).first;
    if (what == "grant a prefix") {
      ::grantfs::Grant grant;
      grant.grantee = groups_.Grantee(groups_.Make("prefix"));
      return Append(who, world.environment(kEnvironment).list,
                    PrefixGrant{"empty-" + std::to_string(++made_) + "/", grant});
    }
    if (what == "create a secret") return Create(who, "");
    if (what == "create below tls/") return Create(who, "tls/");
    if (what == "publish") return Publish(who, "a");
    if (what == "publish below tls/") return Publish(who, "tls/key");
    if (what == "grant") return Grant(who);
    if (what == "revoke") return Revoke(who);
    if (what == "vouch for a secret") return AppendTo(who, "a", Vouch{});
    if (what == "restore a secret") {
      const SecretList& list = world.secret(kEnvironment, "a").list;
      return AppendTo(who, "a", Restore{*list.head(), {}, "", 0, {}, list.state().version});
    }
    if (what == "restore the vault")
      return Append(who, world.vault, Restore{*world.vault.head(), {}, "vault.test/anew", 1, {}, 0});
    if (what == "add an auditor")
      return Append(who, world.environment(kEnvironment).list,
                    MemberAdd{NewIdentity("new").identity(), Role::kAuditor, "", {}});
    if (what == "remove an auditor") return RemoveAuditor(who);
    if (what == "change an auditor's role") return ChangeAuditor(who);
    if (what == "start an epoch") return StartEpoch(who);
    if (what == "let a user in") return PersonAdded(who, false);
    if (what == "add a vault owner") return PersonAdded(who, true);
    if (what == "replace a user's key") return ReplaceKey(who);
    if (what == "make an environment") return MakeEnvironment(who);
    if (what == "invite") return Invite(who);
    if (what == "make a standing invitation") return InviteStanding(who);
    if (what == "withdraw it") return Withdraw(who);
    if (what == "admit a machine") return Admit(who);
    if (what == "remove a machine") return RemoveMachine(who);
    return 0;
  }
  int Others(const std::string& what, const PrivateIdentity& who) {
    const FrozenObject environment{FrozenKind::kEnvironment, kEnvironment};
    const FrozenObject frozen{FrozenKind::kMachine, blind_.key.Id().Hex()};
    if (what == "join") return Ask(who, api::kEnrolmentsJoin, api::JoinRequest{});
    if (what == "show the TLS keys") return Ask(who, api::kTlsShow, api::Nothing{});
    if (what == "make the next TLS key") return Ask(who, api::kTlsNext, api::TlsNextRequest{true});
    if (what == "switch the TLS key") return Ask(who, api::kTlsSwitch, api::TlsSwitchRequest{server.pin()});
    if (what == "list who waits") return Ask(who, api::kEnrolmentsList, api::Nothing{});
    if (what == "freeze an environment") return Freeze(who, api::kFreezesSet, environment);
    if (what == "lift that") return Freeze(who, api::kFreezesLift, environment);
    if (what == "freeze a machine") return Freeze(who, api::kFreezesSet, frozen);
    if (what == "freeze a machine in the environment")
      return Freeze(who, api::kFreezesSet, {FrozenKind::kMachineIn, frozen.id, kEnvironment});
    if (what == "list freezes") return Ask(who, api::kFreezesList, api::FreezesListRequest{});
    if (what == "presence") return Ask(who, api::kPresence, api::PresenceRequest{machine.key.Id(), 0, 0});
    if (what == "a machine's grants") return Ask(who, api::kMachineGrants, api::GrantsRequest{});
    if (what == "a machine's read")
      return Must(client().Exchange(RequestSigner::Of(who), api::kMachineRead,
                                    ReadBody("o" + std::to_string(++made_))))
          .status;
    if (what == "proofs of records")
      return Ask(who, api::kMachineRecords, api::MachineRecordsRequest{{0}, 0});
    if (what == "complain of the log") {
      api::LogComplaintRequest complaint;
      complaint.kind = api::LogComplaintRequest::Kind::kRecord;
      complaint.shown = Must(client().Exchange(RequestSigner::Of(world.owner), api::kLogCheckpoint, "")).body;
      complaint.secret = complaint.version = 1;
      complaint.open = "o";
      complaint.what = "it is not there";
      return Ask(who, api::kLogComplaints, complaint);
    }
    ADD_FAILURE() << "there is no such operation: " << what;
    return 0;
  }
  int Do(const std::string& what, const PrivateIdentity& who) {
    if (const int status = Lists(what, who)) return status;
    if (const int status = Changes(what, who)) return status;
    if (const int status = Requests(what, who)) return status;
    return Others(what, who);
  }
  int Requests(const std::string& what, const PrivateIdentity& who) {
    if (what == "ask for a rotation") return Ask(who, api::kRequestsAsk, Rotation(who));
    if (what == "list one's requests")
      return Ask(who, api::kRequestsList, api::RequestsListRequest{kEnvironment, true, false, {}, 9});
    if (what == "list all requests")
      return Ask(who, api::kRequestsList, api::RequestsListRequest{kEnvironment, false, false, {}, 9});
    if (what == "refuse a request") return Settle(who, RequestState::kRefused);
    if (what == "withdraw another's" && who.Id() != operator_.Id())
      return Settle(who, RequestState::kWithdrawn);
    if (what == "withdraw another's")  // the operator's own is his to take back
      return Ask(who, api::kRequestsSettle,
                 api::RequestSettleRequest{OwnersRequest(), RequestState::kWithdrawn, ""});
    if (what == "change the rules alone")
      return Append(who, world.environment(kEnvironment).list, RulesSet{true});
    return 0;
  }
  static char Digit(int status) {
    switch (status) {
      case 200:
        return '2';
      case 401:
        return '1';
      case 403:
        return '3';
      case 404:
        return '4';
      default:
        return '?';
    }
  }
};

TEST_F(RolesTableTest, EveryCellIsAnsweredAsTheTableSays) {
  for (const Row& row : kTable) {
    std::string answers;
    std::ostringstream told;
    for (const PrivateIdentity* who : Callers()) {
      const int status = Do(row.operation, *who);
      answers += Digit(status);
      told << " " << who->identity().name << "=" << status;
    }
    EXPECT_EQ(answers, row.answers) << row.operation << ":" << told.str();
  }
}

}  // namespace
}  // namespace grantfs::testing
