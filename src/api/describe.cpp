#include "grantfs/api/describe.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "describe_internal.h"
#include "grantfs/httpsig/signature.h"

namespace grantfs::api {
namespace {

using describe::Entry;
using describe::Problems;

constexpr char kAbout[] =
    R"(The wire between a grantfs vault and its clients: HTTP/1.1 and JSON over TLS 1.3. The vault's TLS key is pinned
(SHA-256 of its public key): there is no authority to ask. Every request is signed; there are no tokens. A request has no
query. Bodies are strict JSON of at most 2 MiB: unknown members are errors, numbers are whole, a member comes once. What is
not there and what is not for this caller's kind look alike: 404. What a body names and the caller has no role in is 404
too, and 403 where he is a member without the role that is needed. Values never travel in the clear: the vault holds
ciphertext and sealed keys alone. Text bounds are in bytes of UTF-8.)";

constexpr char kSignatureAbout[] =
    R"(RFC 9421, label `grantfs`, over exactly ("@method" "@authority" "@path" "@query" "content-digest" "grantfs-vault"
"grantfs-instance"), with the parameters created, nonce (16 random bytes in base64url), keyid, alg="ed25519" and
tag="grantfs". The keyid is the identity's id (64 digits), or `claim:ID` or `invite:ID` with the key that derives from a claim
or an invitation. `created` is at most 60 seconds old and 30 ahead; a nonce counts once. On 401 take grantfs-instance and
Date from the response, sign anew and repeat once.)";

Json Ref(const std::string& to) { return Json::Object({{"$ref", "#/components/" + to}}); }

Json HeaderParameter(const char* name, const char* about, Json schema) {
  return Json::Object({{"name", name},
                       {"in", "header"},
                       {"required", true},
                       {"description", about},
                       {"schema", std::move(schema)}});
}

Json Parameters() {
  return Json::Object(
      {{"ContentDigest",
        HeaderParameter("content-digest", "RFC 9530: `sha-256=:...:` of the body, also of none",
                        describe::Matching("^sha-256=:[0-9A-Za-z+/]{43}=:$", 64))},
       {"Vault", HeaderParameter(kVaultHeader, "the vault's id; zeros with a claim", describe::Digits(64))},
       {"Instance",
        HeaderParameter(kInstanceHeader,
                        "that of the server's process, which a 401 tells; before one knows it, any",
                        describe::Digits(32))},
       {"SignatureInput", HeaderParameter("signature-input", "RFC 9421: what the signature covers",
                                          describe::Matching("^grantfs=\\(.*$", 1024))}});
}

Json SecuritySchemes() {
  return Json::Object({{"signature", Json::Object({{"type", "apiKey"},
                                                   {"in", "header"},
                                                   {"name", "signature"},
                                                   {"description", kSignatureAbout}})}});
}

/// What every route may answer with.
const Problems& EverywhereProblems() {
  static const Problems problems = {ProblemCode::kBadRequest, ProblemCode::kUnauthenticated,
                                    ProblemCode::kNotFound,   ProblemCode::kTooLarge,
                                    ProblemCode::kThrottled,  ProblemCode::kInternal,
                                    ProblemCode::kIntegrity,  ProblemCode::kUnavailable};
  return problems;
}

using ByStatus = std::map<int, std::vector<std::string>>;

ByStatus Sorted(const Problems& problems) {
  ByStatus by_status;
  for (const ProblemCode code : kAllProblemCodes) {
    if (std::find(problems.begin(), problems.end(), code) == problems.end()) continue;
    by_status[ProblemStatus(code)].push_back(ProblemCodeName(code));
  }
  return by_status;
}

Json ProblemAnswer(int status, const std::vector<std::string>& codes) {
  std::string about;
  for (const std::string& code : codes) about += (about.empty() ? "" : " or ") + code;
  const Json narrowed = Json::Object({{"properties", Json::Object({{"code", describe::Words(codes)}})}});
  const Json schema = Json::Object({{"allOf", Json::Array({describe::Named("Problem"), narrowed})}});
  Json answer =
      Json::Object({{"description", about},
                    {"content", Json::Object({{kProblemType, Json::Object({{"schema", schema}})}})}});
  if (status != 401) return answer;
  return answer.Set("headers",
                    Json::Object({{kInstanceHeader, Json::Object({{"schema", describe::Digits(32)}})},
                                  {"date", Json::Object({{"schema", Json::Object({{"type", "string"}})}})}}));
}

std::string AnswerName(int status) { return "Problem" + std::to_string(status); }

Json SharedAnswers() {
  Json answers = Json::Object();
  for (const auto& [status, codes] : Sorted(EverywhereProblems()))
    answers.Set(AnswerName(status), ProblemAnswer(status, codes));
  return answers;
}

Json Answers(const Entry& entry) {
  const Json content = Json::Object({{entry.media, Json::Object({{"schema", entry.response}})}});
  Json answers = Json::Object({{"200", Json::Object({{"description", "done"}, {"content", content}})}});
  Problems all = EverywhereProblems();
  all.insert(all.end(), entry.problems.begin(), entry.problems.end());
  const ByStatus shared = Sorted(EverywhereProblems());
  for (const auto& [status, codes] : Sorted(all)) {
    const auto same = shared.find(status);
    const bool as_shared = same != shared.end() && same->second == codes;
    answers.Set(std::to_string(status),
                as_shared ? Ref("responses/" + AnswerName(status)) : ProblemAnswer(status, codes));
  }
  return answers;
}

Json Operation(const Entry& entry) {
  const Route& route = *entry.route;
  Json operation =
      Json::Object({{"operationId", OperationId(route)},
                    {"tags", Json::Array({entry.tag})},
                    {"summary", entry.summary},
                    {"description", entry.description + (entry.description.empty() ? "" : "\n\n") +
                                        "Who may call: " + WhoName(route.who) + "."},
                    {"x-grantfs-caller", WhoName(route.who)}});
  if (!entry.request.is(Json::Kind::kNull)) {
    const Json content = Json::Object({{"application/json", Json::Object({{"schema", entry.request}})}});
    operation.Set("requestBody", Json::Object({{"required", true}, {"content", content}}));
  }
  return operation.Set("responses", Answers(entry));
}

/// What stands beside a path's operations: the headers of every request, and the rest of a path that has one.
Json PathParameters(const Route& route) {
  Json parameters = Json::Array();
  const Json all = Parameters();
  for (const auto& [name, parameter] : all.Members()) parameters.Append(Ref("parameters/" + name));
  if (!std::string_view(route.path).ends_with('/')) return parameters;
  return parameters.Append(Json::Object({{"name", "tile"},
                                         {"in", "path"},
                                         {"required", true},
                                         {"schema", describe::Matching("^[0-9a-z/.]+$", 64)}}));
}

std::string Method(const Route& route) {
  std::string method = route.method;
  std::transform(method.begin(), method.end(), method.begin(),
                 [](char c) { return static_cast<char>(c - 'A' + 'a'); });
  return method;
}

std::vector<Entry> Entries() {
  std::vector<Entry> all;
  for (const auto describe :
       {describe::DescribeVault, describe::DescribeSecrets, describe::DescribeMachines,
        describe::DescribeTripwires, describe::DescribeRequests, describe::DescribeAudit}) {
    for (Entry& entry : describe()) all.push_back(std::move(entry));
  }
  return all;
}

Json Paths() {
  Json paths = Json::Object();
  for (const Entry& entry : Entries()) {
    const std::string path = DescribedPath(*entry.route);
    const Json* before = paths.Find(path);
    Json item = before != nullptr ? *before : Json::Object({{"parameters", PathParameters(*entry.route)}});
    paths.Set(path, item.Set(Method(*entry.route), Operation(entry)));
  }
  return paths;
}

Json Servers() {
  const Json authority =
      Json::Object({{"default", "vault.lan:7843"},
                    {"description", "a name that the vault is served by (grantfs serve --name)"}});
  return Json::Array({Json::Object(
      {{"url", "https://{authority}"}, {"variables", Json::Object({{"authority", authority}})}})});
}

}  // namespace

const char* WhoName(Who who) {
  switch (who) {
    case Who::kClaim:
      return "the key of the claim";
    case Who::kInvite:
      return "the key of an invitation";
    case Who::kIdentity:
      return "any identity";
    case Who::kReader:
      return "any identity, or the key of an invitation";
    case Who::kMachine:
      return "machines";
    case Who::kPerson:
      return "users and agents, and the recovery identity";
    case Who::kMember:
      return "members of the environment concerned, as far as their role goes";
    case Who::kVaultOwner:
      return "owners of the vault";
  }
  std::abort();
}

std::string DescribedPath(const Route& route) {
  const std::string path = route.path;
  return path.ends_with('/') ? path + "{tile}" : path;
}

std::string OperationId(const Route& route) {
  constexpr std::string_view kVersionPrefix = "/v1/";
  std::string id = std::string_view(route.method) == "GET" ? "get" : "";
  bool capital = !id.empty();
  for (const char c : std::string_view(route.path).substr(kVersionPrefix.size())) {
    const bool letter = c >= 'a' && c <= 'z';
    if (letter) id += capital ? static_cast<char>(c - 'a' + 'A') : c;
    capital = !letter;
  }
  return id;
}

Json Description(const std::string& version) {
  const Json license = Json::Object({{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}});
  const Json info = Json::Object(
      {{"title", "grantfs vault"}, {"version", version}, {"description", kAbout}, {"license", license}});
  return Json::Object({{"openapi", "3.1.0"},
                       {"info", info},
                       {"servers", Servers()},
                       {"security", Json::Array({Json::Object({{"signature", Json::Array()}})})},
                       {"paths", Paths()},
                       {"components", Json::Object({{"schemas", describe::SharedSchemas()},
                                                    {"responses", SharedAnswers()},
                                                    {"parameters", Parameters()},
                                                    {"securitySchemes", SecuritySchemes()}})}});
}

}  // namespace grantfs::api
