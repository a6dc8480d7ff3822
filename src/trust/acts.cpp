#include "grantfs/trust/acts.h"

#include "acts_json_internal.h"
#include "grantfs/crypto/merkle.h"
#include "grantfs/trust/names.h"
#include "json_fields_internal.h"

namespace grantfs {
namespace {

struct ActType {
  const char* name;
  Result<Act> (*read)(JsonReader&);
};

template <typename T>
Result<Act> Read(JsonReader& in) {
  T act = GRANTFS_TRY(ReadAct<T>(in));
  return Act(std::move(act));
}

template <typename... Ts>
struct Names;

// The names of all acts, in the order of the variant.
template <typename... Ts>
struct Names<std::variant<Ts...>> {
  static constexpr ActType kAll[] = {{ActTraits<Ts>::kName, &Read<Ts>}...};
};
constexpr auto& kActs = Names<Act>::kAll;

}  // namespace

const char* ActName(const Act& act) { return kActs[act.index()].name; }

// By what it says too: a member that the first release does not know is refused as an act is.
std::int64_t LevelOf(const Act& act) {
  if (const auto* invite = std::get_if<InvitationCreate>(&act)) return invite->invitation.lives == 0 ? 1 : 2;
  if (const auto* approve = std::get_if<MachineApprove>(&act)) return approve->not_after == 0 ? 1 : 2;
  const bool first =
      IsAnyOf<VaultCreate, VaultOwnerAdd, VaultOwnerRemove, IdentityAdd, IdentityRemove, EnvironmentAdd,
              PinsSet, MachinesCreate, InvitationWithdraw, MachineRemove, EnvironmentCreate, MemberAdd,
              MemberRemove, EpochStart, SecretCreate, VersionPublish, GrantAdd, GrantRevoke, LabelMove,
              LabelRemove, VersionDestroy, SecretDescribe, SecretDelete, SecretUndelete, SecretDestroy, Vouch,
              Void, LevelRaise>(act);
  return first ? 1 : 2;
}

Json ActToJson(const Act& act) {
  Json json = Json::Object({{"type", ActName(act)}});
  std::visit([&](const auto& one) { WriteAct(one, json); }, act);
  return json;
}

Result<Act> ActFromJson(const Json& json) {
  Act act = GRANTFS_TRY(ActFromJsonUnverified(json));
  GRANTFS_CHECK(CheckMachineSignatures(act));
  return act;
}

Status CheckMachineSignatures(const Act& act) {
  if (const auto* approve = std::get_if<MachineApprove>(&act)) return approve->enrolment.CheckOwn();
  if (const auto* join = std::get_if<MachineJoin>(&act)) return join->enrolment.CheckOwn();
  if (const auto* admit = std::get_if<MachineAdmit>(&act)) return admit->request.CheckOwn();
  return {};
}

Result<Act> ActFromJsonUnverified(const Json& json) {
  JsonReader in(json, "act");
  const std::string type = in.String("type", 64);
  for (const ActType& known : kActs) {
    if (type == known.name) return known.read(in);
  }
  GRANTFS_CHECK(in.Finish());
  return Error{Code::kUnsupported, "the act is not known to this build; upgrade grantfs", 0, Printable(type)};
}

Json SecretState::ToJson() const {
  Json map = Json::Object();
  for (const auto& [label, statement] : labels) map.Set(label, statement.Hex());
  Json json = Json::Object(
      {{"path", path}, {"version", version}, {"labels", std::move(map)}, {"grants", grants.Hex()}});
  if (deleted) json.Set("deleted", true);
  return json;
}

const Hash* SecretState::ReadBy(const std::string& label) const {
  if (deleted) return nullptr;
  auto at = labels.find(label);
  if (at == labels.end() && label == kNextLabel) at = labels.find(kCurrentLabel);
  return at == labels.end() ? nullptr : &at->second;
}

Result<SecretState> SecretState::FromJson(const Json& json) {
  JsonReader in(json, "state");
  SecretState state;
  state.path = ReadChecked(in, "path", kMaxNameBytes, CheckSecretPath);
  state.version = static_cast<std::uint32_t>(in.Number("version", 0, kMaxVersion));
  const Json& map = in.Object("labels");
  state.grants = ReadHex<Hash>(in, "grants");
  // Where the member stands it is true, so that one state has one JSON.
  if (in.Has("deleted") && !(state.deleted = in.Bool("deleted")))
    in.Fail("a secret that is not deleted does not say so", "deleted");
  GRANTFS_CHECK(in.Finish());
  if (map.Members().size() > 64) return Error{Code::kInvalid, "a secret has at most 64 labels"};
  for (const auto& [label, version] : map.Members()) {
    GRANTFS_CHECK(CheckLabel(label));
    if (!version.is(Json::Kind::kString)) return Error{Code::kInvalid, "a label points at a hash"};
    state.labels[label] = GRANTFS_TRY(Hash::FromHex(version.AsString()));
  }
  return state;
}

Hash GrantLeaf(const Grant& grant, std::uint64_t sequence) {
  const auto number = [](std::uint64_t value) { return std::to_string(value); };
  const Hash act = Blake2b256({AsBytes(ActToJson(GrantAdd{grant}).Dump())});
  const std::string where = number(grant.grantee.number);
  const std::string when = number(sequence);
  return MerkleLeafHash(EncodeContext({AsBytes("grantfs-grant"), AsBytes(GranteeKindName(grant.grantee.kind)),
                                       AsBytes(where), AsBytes(when), act.View()}));
}

}  // namespace grantfs
