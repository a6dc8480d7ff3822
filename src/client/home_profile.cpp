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
  for (const auto state : {State::kClaiming, State::kEnrolling, State::kReady}) {
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
  const std::string state = in.String("state", 16);
  const std::string kind = in.String("kind", 16);
  profile.name = in.String("name", 64);
  const std::string vault = in.String("vault", 64);
  const std::string address = in.String("address", 300);
  const auto& pins = in.Array("pins", 2);
  GRANTFS_CHECK(in.Finish());
  profile.state = GRANTFS_TRY(ParseState(state));
  profile.kind = GRANTFS_TRY(ParseIdentityKind(kind));
  GRANTFS_CHECK(CheckIdentityName(profile.name));
  profile.vault = GRANTFS_TRY(Hash::FromHex(vault));
  profile.address = GRANTFS_TRY(ParseAddress(address));
  profile.pins = GRANTFS_TRY(ReadPins(pins));
  return profile;
}

}  // namespace

Status WriteProfile(const std::string& path, const HomeProfile& profile) {
  Json pins = Json::Array();
  for (const Hash& pin : profile.pins) pins.Append(pin.Hex());
  const Json json = Json::Object({{"format", kFormat},
                                  {"state", HomeStateName(profile.state)},
                                  {"kind", IdentityKindName(profile.kind)},
                                  {"name", profile.name},
                                  {"vault", profile.vault.Hex()},
                                  {"address", profile.address.Text()},
                                  {"pins", pins}});
  return WriteFileAtomic(path, AsBytes(json.DumpPretty() + "\n"), 0600);
}

const char* HomeStateName(HomeProfile::State state) {
  switch (state) {
    case HomeProfile::State::kClaiming:
      return "claiming";
    case HomeProfile::State::kEnrolling:
      return "enrolling";
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
