// What a client makes of a statement, by the role of who signed it: the same judgement as the vault's,
// without the vault. A lying one that lets all of them in convinces nobody.

#include "grantfs/trust/group_list.h"
#include "world.h"

namespace grantfs::testing {
namespace {

/// For each of the signers, whether the statement counts.
struct Row {
  const char* act;
  const char* counts;
};

// owner, reader, writer, writer below tls/, operator, auditor, vault owner, recovery, one who was removed as
// owner
constexpr Row kTable[] = {
    {"publish db-password", "x.x......"},
    {"publish tls/key", "x.xx....."},
    {"create other", "x.x......"},
    {"create tls/other", "x.xx....."},
    {"grant", "x........"},
    {"revoke", "x........"},
    {"vouch", "x......x."},
    {"member.add", "x........"},
    {"member.add owner", "x......x."},
    {"member.remove", "x........"},
    {"member.change", "x........"},
    {"epoch.start", "x......x."},
    {"rules.set", "........."},  // one signature is never enough
    {"restore", "x........"},
    {"restore the environment", "x........"},
    {"group.create", "x........"},
    {"group-epoch.start", "x......x."},
    {"group.delete", "x........"},
    {"prefix.grant", "x........"},
    {"prefix.revoke", "x........"},
    {"group-machines.add", "x........"},
    {"group-machines.remove", "x........"},
    {"group-invitation.add", "x........"},
    {"group-invitation.remove", "x........"},
    {"group vouch", "x......x."},
    {"identity.add", "x.....x.."},
    {"identity.replace", "x.....x.."},
    {"vault vouch", "x.....xx."},
};

class RolesTableTest : public ::testing::Test {
 protected:
  RolesTableTest() {
    Hash copy;
    copy.bytes[0] = 1;
    const auto add = [&](const PrivateIdentity& who, Role role, const char* prefix) {
      const Hash own = RoleAllows(role, Operation::kReadValue) ? copy : Hash{};
      EXPECT_TRUE(world.Add(world.environment, world.owner, MemberAdd{who.identity(), role, prefix, own}));
    };
    add(reader, Role::kReader, "");
    add(writer, Role::kWriter, "");
    add(tls_writer, Role::kWriter, "tls/");
    add(operator_, Role::kOperator, "");
    add(auditor, Role::kAuditor, "");
    EXPECT_TRUE(world.Add(world.vault, world.owner, VaultOwnerAdd{vault_owner.identity()}));
    EXPECT_TRUE(world.Add(world.vault, world.owner, IdentityAdd{writer.identity()}));
    EXPECT_TRUE(
        world.AddTo(key, world.owner, SecretCreate{8, "shop/prod", "tls/key", SecretType::kValue, "", ""}));
    for (SecretList* list : {&world.secret, &key})
      EXPECT_TRUE(world.AddTo(*list, world.owner, GrantAdd{world.GrantTo(world.web1, 3)}));
    EXPECT_TRUE(world.Remove(world.second));
    const Hash genesis = AddGroup();
    web.grantee = {GranteeKind::kGroup, group.id().number, genesis, "web", {}, 0};
    EXPECT_TRUE(world.Add(world.environment, world.owner, PrefixGrant{"tls/", web}));
  }
  GroupEpoch EpochOf(std::uint32_t number, const UnsealKey* previous) {
    auto made = Must(MakeGroupEpoch({}, number, previous));
    made.epoch.copies = 1;
    group_key = std::move(made.key);
    return {made.epoch, world.environment.newest_epoch().number, 0, *group.HashAt(0)};
  }
  Hash AddGroup() {
    group = GroupList("shop/prod", world.environment.next_sequence());
    EXPECT_TRUE(world.Add(group, world.owner, GroupListCreate{"shop/prod", group.id().number, "web"}));
    const GroupMachinesAdd machines{1, {world.GrantTo(world.web1, 3).grantee}, {}};
    EXPECT_TRUE(
        world.Add(world.environment, world.owner, GroupCreate{"web", *group.HashAt(0), EpochOf(1, nullptr)}));
    EXPECT_TRUE(world.Add(group, world.owner, machines));
    EXPECT_TRUE(world.Add(group, world.owner, GroupInvitationAdd{9, std::string(32, '0'), {}, 0, 1, {}}));
    return *group.HashAt(0);
  }
  std::vector<const PrivateIdentity*> Signers() const {
    return {&world.owner, &reader,      &writer,         &tls_writer,  &operator_,
            &auditor,     &vault_owner, &world.recovery, &world.second};
  }
  /// Whether the list with that statement at its end is used, by one to whom a vault serves it.
  bool Counts(SecretList list, const PrivateIdentity& who, Act act) {
    const auto made = world.MadeOf(list, who, std::move(act));
    const bool appended = SecretList(list).Append(made, world.Upper()).has_value();
    const bool counts = list.Receive(made, world.Upper()) && list.CheckStanding(world.Upper());
    EXPECT_EQ(appended, counts) << "what may not be appended is not used, and the other way round";
    if (!IsAnyOf<SecretCreate, Restore>(made->statement().act)) {
      EXPECT_EQ(MachineUses(list, made), counts) << "a machine sees it as owners do";
    }
    return counts;
  }
  /// The same for a machine, which sees the list from where an owner set its grants.
  bool MachineUses(const SecretList& whole, const SignedList::StatementPtr& made) {
    std::uint64_t first = made->statement().sequence;
    while (!std::holds_alternative<GrantAdd>(whole.At(first)->statement().act) ||
           first == made->statement().sequence)
      --first;
    SecretList view = SecretList::Partial(whole.id().number, first);
    for (std::uint64_t i = first; i < whole.next_sequence(); ++i) {
      if (!view.Receive(whole.At(i), world.Upper())) return false;
    }
    return view.CheckStanding(world.Upper()).has_value();
  }
  bool Counts(GroupList list, const PrivateIdentity& who, Act act) {
    const auto made = world.Made(list, who, std::move(act));
    const bool appended = GroupList(list).Append(made, world.Upper()).has_value();
    const bool counts = list.Receive(made, world.Upper()) && list.CheckStanding(world.Upper());
    EXPECT_EQ(appended, counts);
    return counts;
  }
  bool Counts(EnvironmentList list, const PrivateIdentity& who, Act act) {
    const auto made = world.Made(list, who, std::move(act));
    const bool appended = EnvironmentList(list).Append(made, world.Upper()).has_value();
    const bool counts = list.Receive(made, world.Upper()) && list.CheckStanding(world.Upper());
    EXPECT_EQ(appended, counts);
    return counts;
  }
  bool Counts(VaultList list, const PrivateIdentity& who, Act act) {
    const auto made = world.Made(list, who, std::move(act));
    const bool appended = VaultList(list).Append(made, {}).has_value();
    const bool counts = list.Receive(made, {}) && list.CheckStanding({});
    EXPECT_EQ(appended, counts);
    return counts;
  }
  bool Try(const std::string& act, const PrivateIdentity& who) {
    Hash copy;
    copy.bytes[0] = 2;
    const auto create = [](const char* path) {
      return SecretCreate{9, "shop/prod", path, SecretType::kValue, "", ""};
    };
    if (act == "publish db-password") return Counts(world.secret, who, world.VersionOf(world.secret));
    if (act == "publish tls/key") return Counts(key, who, world.VersionOf(key, "tls/key"));
    if (act == "create other") return Counts(SecretList(9), who, create("other"));
    if (act == "create tls/other") return Counts(SecretList(9), who, create("tls/other"));
    if (act == "grant") return Counts(world.secret, who, GrantAdd{world.GrantTo(world.web2, 4)});
    if (act == "revoke") return Counts(world.secret, who, GrantRevoke{GranteeKind::kMachine, 3});
    if (act == "vouch") return Counts(world.secret, who, Vouch{});
    if (act == "member.add")
      return Counts(world.environment, who,
                    MemberAdd{MakeIdentity("new").identity(), Role::kAuditor, "", {}});
    if (act == "member.add owner")
      return Counts(world.environment, who,
                    MemberAdd{MakeIdentity("new").identity(), Role::kOwner, "", copy});
    if (act == "member.remove") {
      const Hash whom = who.Id() == auditor.Id() ? operator_.Id() : auditor.Id();
      return Counts(world.environment, who, MemberRemove{whom, {}});
    }
    if (act == "restore") return Counts(world.secret, who, Restore{*world.secret.head(), {}, "", 0, {}, 5});
    if (act == "restore the environment")
      return Counts(world.environment, who,
                    Restore{*world.environment.head(), {}, "", 0, world.EpochAfterRemoving({}).epoch, 0});
    if (act == "member.change") {
      const Hash whom = who.Id() == auditor.Id() ? operator_.Id() : auditor.Id();
      return Counts(world.environment, who, MemberChange{whom, Role::kWriter, "", {}, {}});
    }
    if (act == "epoch.start")
      return Counts(world.environment, who, EpochStart{world.EpochAfterRemoving({}).epoch});
    return TryGroup(act, who);
  }
  bool TryGroup(const std::string& act, const PrivateIdentity& who) {
    const std::uint64_t number = group.id().number;
    if (act == "group.create") {
      auto epoch = EpochOf(1, nullptr);
      epoch.list_hash = Hash{};
      return Counts(world.environment, who, GroupCreate{"db", Hash{}, epoch});
    }
    if (act == "group-epoch.start")
      return Counts(world.environment, who, GroupEpochStart{number, EpochOf(2, &group_key)});
    if (act == "group.delete") return Counts(world.environment, who, GroupDelete{number});
    if (act == "prefix.grant") return Counts(world.environment, who, PrefixGrant{"", web});
    if (act == "prefix.revoke") return Counts(world.environment, who, PrefixRevoke{"tls/", number});
    if (act == "group-machines.add")
      return Counts(group, who, GroupMachinesAdd{1, {world.GrantTo(world.web2, 4).grantee}, {}});
    if (act == "group-machines.remove") return Counts(group, who, GroupMachinesRemove{{3}});
    if (act == "group-invitation.add")
      return Counts(group, who, GroupInvitationAdd{10, std::string(32, '1'), {}, 0, 1, {}});
    if (act == "group-invitation.remove") return Counts(group, who, GroupInvitationRemove{9, 9});
    if (act == "group vouch") return Counts(group, who, Vouch{});
    if (act == "identity.add") return Counts(world.vault, who, IdentityAdd{MakeIdentity("new").identity()});
    if (act == "identity.replace")
      return Counts(world.vault, who, IdentityReplace{writer.Id(), MakeIdentity("wim").identity()});
    if (act == "vault vouch") return Counts(world.vault, who, Vouch{});
    if (act == "rules.set") return Counts(world.environment, who, RulesSet{true});
    ADD_FAILURE() << "there is no such act: " << act;
    return false;
  }

  World world;
  SecretList key{8};
  GroupList group{"shop/prod", 1};
  UnsealKey group_key;
  Grant web;
  PrivateIdentity reader = MakeIdentity("rita");
  PrivateIdentity writer = MakeIdentity("wim");
  PrivateIdentity tls_writer = MakeIdentity("certs", IdentityKind::kAgent);
  PrivateIdentity operator_ = MakeIdentity("ops", IdentityKind::kAgent);
  PrivateIdentity auditor = MakeIdentity("aud");
  PrivateIdentity vault_owner = MakeIdentity("vic");
};

TEST_F(RolesTableTest, EveryCellIsJudgedAsTheTableSays) {
  for (const Row& row : kTable) {
    std::string counts;
    for (const PrivateIdentity* who : Signers()) {
      SCOPED_TRACE(std::string(row.act) + " by " + who->identity().name);
      counts += Try(row.act, *who) ? 'x' : '.';
    }
    EXPECT_EQ(counts, row.counts) << row.act;
  }
}

}  // namespace
}  // namespace grantfs::testing
