#include "acts_json_internal.h"
#include "grantfs/trust/consent.h"
#include "grantfs/trust/names.h"
#include "request_json_internal.h"

namespace grantfs {
namespace {

constexpr std::int64_t kLeastGenerated = 8, kMostGenerated = 4096;

Json PathsToJson(const std::vector<std::string>& paths) { return Json::Array({paths.begin(), paths.end()}); }

// Each once, so that one request has one JSON.
std::vector<std::string> ReadPaths(JsonReader& in) {
  std::vector<std::string> paths;
  for (const Json& item : in.Array("secrets", kMaxAskedSecrets)) {
    const std::string path = item.is(Json::Kind::kString) ? item.AsString() : "";
    if (path.size() > kMaxNameBytes || !CheckSecretPath(path) || (!paths.empty() && paths.back() >= path)) {
      in.Fail("the secrets are paths within the environment, in order, each once", "secrets");
      return {};
    }
    paths.push_back(path);
  }
  if (paths.empty()) in.Fail("a request names at least one secret", "secrets");
  return paths;
}

Json AskToJson(const AskGrant& ask) {
  Json terms = Json::Object();
  WriteGrantTerms(ask.terms, terms);
  return Json::Object(
      {{"machine", ask.machine}, {"secrets", PathsToJson(ask.paths)}, {"terms", std::move(terms)}});
}

Json AskToJson(const AskRevoke& ask) {
  return Json::Object({{"machine", ask.machine}, {"secrets", PathsToJson(ask.paths)}});
}

Json AskToJson(const AskMember& ask) {
  return Json::Object(
      {{"member", ask.member.ToJson()}, {"role", RoleName(ask.role)}, {"prefix", ask.prefix}});
}

Json AskToJson(const AskRotation& ask) {
  Json json = Json::Object({{"secret", ask.path}});
  if (ask.length != 0) json.Set("length", ask.length).Set("alphabet", ask.alphabet);
  return json;
}

Json AskToJson(const AskConsent& ask) {
  Json items = Json::Array();
  for (const AskConsent::Item& item : ask.items) {
    items.Append(Json::Object({{"list", item.list.Text()},
                               {"act", ActToJson(item.act)},
                               {"consent", item.consent.ToJson()},
                               {"signature", HexEncode(item.signature.bytes)}}));
  }
  Json json = Json::Object({{"acts", std::move(items)}});
  if (ask.request) json.Set("request", ask.request->Hex());
  return json;
}

Result<AnyAsk> ReadAskGrant(JsonReader& in) {
  AskGrant ask;
  ask.machine = ReadChecked(in, "machine", 63, CheckIdentityName);
  ask.paths = ReadPaths(in);
  const Json& terms = in.Object("terms");
  GRANTFS_CHECK(in.Finish());
  JsonReader terms_in(terms, "terms");
  ask.terms = ReadGrantTerms(terms_in);
  GRANTFS_CHECK(terms_in.Finish());
  return AnyAsk(std::move(ask));
}

Result<AnyAsk> ReadAskRevoke(JsonReader& in) {
  AskRevoke ask;
  ask.machine = ReadChecked(in, "machine", 63, CheckIdentityName);
  ask.paths = ReadPaths(in);
  GRANTFS_CHECK(in.Finish());
  return AnyAsk(std::move(ask));
}

Result<AnyAsk> ReadAskMember(JsonReader& in) {
  AskMember ask;
  const Json& member = in.Object("member");
  const std::string role = in.String("role", 16);
  ask.prefix = ReadText(in, "prefix", kMaxNameBytes);
  GRANTFS_CHECK(in.Finish());
  ask.member = GRANTFS_TRY(Identity::FromJson(member));
  ask.role = GRANTFS_TRY(ParseRole(role));
  if (!KindMayHold(ask.member.kind, ask.role))
    return Error{Code::kInvalid, "an identity of this kind cannot hold this role", 0, ask.member.name};
  return AnyAsk(std::move(ask));
}

Result<AnyAsk> ReadAskRotation(JsonReader& in) {
  AskRotation ask;
  ask.path = ReadChecked(in, "secret", kMaxNameBytes, CheckSecretPath);
  // Both or none.
  if (in.Has("length")) {
    ask.length = static_cast<std::uint32_t>(in.Number("length", kLeastGenerated, kMostGenerated));
    ask.alphabet = ReadText(in, "alphabet", 16);
  }
  GRANTFS_CHECK(in.Finish());
  return AnyAsk(std::move(ask));
}

Result<AskConsent::Item> ReadItem(const Json& json, const std::string& environment) {
  JsonReader in(json, "act");
  const std::string list = in.String("list", kMaxNameBytes + 16);
  const Json& act = in.Object("act");
  const Json& consent = in.Object("consent");
  const Signature signature = ReadSignature(in, "signature");
  GRANTFS_CHECK(in.Finish());
  AskConsent::Item item{GRANTFS_TRY(ListId::Parse(list)), GRANTFS_TRY(ActFromJson(act)),
                        GRANTFS_TRY(Consent::FromJson(consent)), signature};
  const bool here = item.list.kind == ListKind::kSecret ||
                    (item.list.kind != ListKind::kVault && item.list.environment == environment);
  if (!here || !MayBeConsentedTo(item.act))
    return Error{Code::kInvalid, "the act is none that needs a second owner in this environment", 0, list};
  return item;
}

Result<AnyAsk> ReadAskConsent(JsonReader& in, const Request& request) {
  AskConsent ask;
  const auto& items = in.Array("acts", kMaxConsents);
  if (in.Has("request")) ask.request = ReadHex<Hash>(in, "request");
  GRANTFS_CHECK(in.Finish());
  for (const Json& json : items) {
    ask.items.push_back(GRANTFS_TRY(ReadItem(json, request.environment)));
    const Consent& consent = ask.items.back().consent;
    if (consent.signer != request.signer || consent.time != request.time ||
        consent.expires != request.expires)
      return Error{Code::kInvalid, "the acts are signed by who asks, and end with the request"};
  }
  if (ask.items.empty()) return Error{Code::kInvalid, "there is no act to sign"};
  return AnyAsk(std::move(ask));
}

Result<AnyAsk> ReadAsk(const Json& json, const std::string& type, const Request& request) {
  JsonReader in(json, "ask");
  if (type == "grant") return ReadAskGrant(in);
  if (type == "revoke") return ReadAskRevoke(in);
  if (type == "member") return ReadAskMember(in);
  if (type == "rotation") return ReadAskRotation(in);
  if (type == "consent") return ReadAskConsent(in, request);
  return Error{Code::kUnsupported, "the request is of a kind unknown to this build; upgrade grantfs"};
}

}  // namespace

Json RequestToJson(const Request& request) {
  return Json::Object({{"vault", request.vault.Hex()},
                       {"environment", request.environment},
                       {"signer", request.signer.Hex()},
                       {"time", request.time},
                       {"expires", request.expires},
                       {"reason", request.reason},
                       {"heads", Json::Object({{"vault", request.vault_head.ToJson()},
                                               {"environment", request.environment_head.ToJson()}})},
                       {"type", AskName(request.ask)},
                       {"ask", std::visit([](const auto& ask) { return AskToJson(ask); }, request.ask)}});
}

Result<Request> RequestFromJson(const Json& json) {
  JsonReader in(json, "request");
  Request request;
  request.vault = ReadHex<Hash>(in, "vault");
  request.environment = ReadChecked(in, "environment", kMaxNameBytes, CheckEnvironmentName);
  request.signer = ReadHex<Hash>(in, "signer");
  request.time = ReadTime(in, "time");
  request.expires = ReadTime(in, "expires");
  request.reason = ReadText(in, "reason", Statement::kMaxReasonBytes);
  const Json& heads = in.Object("heads");
  const std::string type = in.String("type", 16);
  const Json& ask = in.Object("ask");
  in.Ignore("ext");
  GRANTFS_CHECK(in.Finish());
  JsonReader heads_in(heads, "heads");
  const Json& vault = heads_in.Object("vault");
  const Json& environment = heads_in.Object("environment");
  GRANTFS_CHECK(heads_in.Finish());
  request.vault_head = GRANTFS_TRY(Head::FromJson(vault));
  request.environment_head = GRANTFS_TRY(Head::FromJson(environment));
  if (request.expires <= request.time || request.expires - request.time > kMaxRequestSeconds)
    return Error{Code::kInvalid, "a request ends after it was made, within 30 days"};
  request.ask = GRANTFS_TRY(ReadAsk(ask, type, request));
  return request;
}

}  // namespace grantfs
