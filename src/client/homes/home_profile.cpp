#include "grantfs/json/json.h"
#include "grantfs/trust/names.h"
#include "grantfs/util/file.h"
#include "home_profile_internal.h"

namespace grantfs {
namespace {

constexpr int kFormat = 1;
constexpr std::size_t kMaxProfileBytes = 16 * 1024;

Result<HomeProfile::State> ParseState(const std::string& text) {
  using State = HomeProfile::State;
  for (const auto state : {State::kClaiming, State::kEnrolling, State::kRequesting, State::kReady}) {
    if (text == HomeStateName(state)) return state;
  }
  return Error{Code::kInvalid, "the home is in a state that this program does not know"};
}

Result<std::vector<Hash>> ReadPins(const std::vector<Json>& items) {
  std::vector<Hash> pins;
  for (const Json& item : items) {
    if (!item.is(Json::Kind::kString)) return Error{Code::kInvalid, "a pin is a hexadecimal hash"};
    pins.push_back(GRANTFS_TRY(Hash::FromHex(item.AsString())));
  }
  if (pins.empty()) return Error{Code::kInvalid, "the home names no pin"};
  return pins;
}

Result<HomeProfile> ProfileFromJson(const Json& json) {
  JsonReader in(json, "identity");
  HomeProfile profile;
  in.Number("format", kFormat, kFormat);
  profile.state = GRANTFS_TRY(ParseState(in.String("state", 16)));
  const std::string kind = in.String("kind", 16);
  profile.name = in.String("name", 64);
  const bool has_vault = profile.state != HomeProfile::State::kRequesting;
  const std::string vault = has_vault ? in.String("vault", 64) : std::string();
  const std::string address = has_vault ? in.String("address", 300) : std::string();
  static const std::vector<Json> kNone;
  const auto& pins = has_vault ? in.Array("pins", 2) : kNone;
  profile.standing = in.OptionalBool("standing", false);
  profile.not_after = in.OptionalNumber("not_after", 0, std::int64_t{1} << 53, 0);
  GRANTFS_CHECK(in.Finish());
  profile.kind = GRANTFS_TRY(ParseIdentityKind(kind));
  GRANTFS_CHECK(CheckIdentityName(profile.name));
  if (!has_vault) return profile;
  profile.vault = GRANTFS_TRY(Hash::FromHex(vault));
  profile.address = GRANTFS_TRY(ParseAddress(address));
  profile.pins = GRANTFS_TRY(ReadPins(pins));
  return profile;
}

}  // namespace

Status WriteProfile(const std::string& path, const HomeProfile& profile) {
  Json pins = Json::Array();
  for (const Hash& pin : profile.pins) pins.Append(pin.Hex());
  Json json = Json::Object({{"format", kFormat},
                            {"state", HomeStateName(profile.state)},
                            {"kind", IdentityKindName(profile.kind)},
                            {"name", profile.name}});
  if (profile.state != HomeProfile::State::kRequesting) {
    json.Set("vault", profile.vault.Hex());
    json.Set("address", profile.address.Text());
    json.Set("pins", std::move(pins));
  }
  if (profile.standing) json.Set("standing", true);
  if (profile.not_after != 0) json.Set("not_after", profile.not_after);
  return WriteFileAtomic(path, AsBytes(json.DumpPretty() + "\n"), 0600);
}

const char* HomeStateName(HomeProfile::State state) {
  switch (state) {
    case HomeProfile::State::kClaiming:
      return "claiming";
    case HomeProfile::State::kEnrolling:
      return "enrolling";
    case HomeProfile::State::kRequesting:
      return "requesting";
    case HomeProfile::State::kReady:
      return "ready";
  }
  std::abort();
}

Result<HomeProfile> ReadProfile(const std::string& path) {
  const Bytes text = GRANTFS_TRY(ReadFile(path, kMaxProfileBytes));
  auto json = ParseJson(AsText(text));
  Result<HomeProfile> profile = json ? ProfileFromJson(*json) : Result<HomeProfile>(json.error());
  if (profile) return profile;
  return Error{Code::kIntegrity,
               "the home's identity.json is damaged; restore it, or enrol anew with another home", 0, path};
}

}  // namespace grantfs
