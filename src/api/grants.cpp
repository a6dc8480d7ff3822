#include "fields_internal.h"
#include "grantfs/api/machine.h"

namespace grantfs::api {

Json GrantsRequest::ToJson() const {
  if (secrets.empty()) return Json::Object({{"after", after}, {"limit", std::uint64_t{limit}}});
  return Json::Object({{"secrets", WriteAll(secrets, [](const Secret& secret) {
                          return Json::Object({{"number", secret.number}, {"from", secret.from}});
                        })}});
}

Result<GrantsRequest> GrantsRequest::FromJson(const Json& json) {
  JsonReader in(json, "grants");
  GrantsRequest request;
  if (in.Has("secrets")) {
    request.secrets = ReadObjects<Secret>(
        in, "secrets", kMaxGrants,
        [](JsonReader& one) {
          Secret secret;
          secret.number = ReadSecret(one, "number");
          secret.from = ReadCount(one, "from");
          return secret;
        },
        1);
  } else {
    request.after = ReadCount(in, "after");
    request.limit = ReadLimit(in, kMaxGrants);
  }
  GRANTFS_CHECK(in.Finish());
  return request;
}

namespace {

Json WriteProof(const SecretList::GrantProof& proof) {
  return Json::Object({{"index", proof.index},
                       {"leaves", proof.leaves},
                       {"path", WriteAll(proof.path, [](const Hash& hash) { return Json(hash.Hex()); })}});
}

Result<SecretList::GrantProof> ReadProof(const Json& json) {
  JsonReader in(json, "proof");
  SecretList::GrantProof proof;
  proof.index = ReadCount(in, "index");
  proof.leaves = ReadCount(in, "leaves", 1);
  for (const Json& item : in.Array("path", kMaxProofHashes)) {
    if (!item.is(Json::Kind::kString)) in.Fail("a hash is a text", "path");
    if (item.is(Json::Kind::kString)) proof.path.push_back(Taken(in, "path", Hash::FromHex(item.AsString())));
  }
  GRANTFS_CHECK(in.Finish());
  return proof;
}

}  // namespace

Json GrantEvidence::ToJson() const {
  Json json = Json::Object({{"secret", secret},
                            {"environment", environment},
                            {"path", path},
                            {"first", first},
                            {"statements", WriteTexts(statements)}});
  if (prefix) {
    json.Set("prefix", Json::Object({{"prefix", prefix->first}, {"group", prefix->second}}));
  } else {
    json.Set("grant", grant).Set("proof", WriteProof(proof));
  }
  json.Set("version", version);
  if (more) json.Set("more", true);
  return json;
}

Result<GrantEvidence> GrantEvidence::FromJson(const Json& json) {
  JsonReader in(json, "grant");
  GrantEvidence evidence;
  evidence.secret = ReadSecret(in);
  evidence.environment = ReadEnvironment(in);
  evidence.path = ReadPath(in);
  evidence.first = ReadCount(in, "first");
  evidence.statements = ReadEnvelopes(in, "statements");
  if (in.Has("prefix")) {
    JsonReader by(in.Object("prefix"), "prefix");
    std::string prefix = by.String("prefix", kMaxNameBytes);
    if (const Status good = CheckPrefix(prefix); !good) by.Fail(good.error().where, "prefix");
    const std::uint64_t group = ReadCount(by, "group", 1);
    GRANTFS_CHECK(by.Finish());
    evidence.prefix = {std::move(prefix), group};
  } else {
    evidence.grant = ReadEnvelope(in, "grant");
    evidence.proof = Taken(in, "proof", ReadProof(in.Object("proof")));
  }
  evidence.version = ReadEnvelope(in, "version", 0);
  evidence.more = in.OptionalBool("more", false);
  GRANTFS_CHECK(in.Finish());
  return evidence;
}

Json OwnGroupKey::ToJson() const {
  return Json::Object({{"environment", environment},
                       {"group", group},
                       {"epoch", epoch},
                       {"sealed", Base64Encode(sealed)}});
}

Result<OwnGroupKey> OwnGroupKey::FromJson(const Json& json) {
  JsonReader in(json, "group");
  OwnGroupKey key;
  key.environment = ReadEnvironment(in);
  key.group = ReadCount(in, "group", 1);
  key.epoch = ReadEpoch(in, 1);
  key.sealed = ReadBlob(in, "sealed", kMaxSealedBytes);
  GRANTFS_CHECK(in.Finish());
  return key;
}

Json GrantsResponse::ToJson() const {
  Json json = Json::Object(
      {{"heads", WriteVaultHead(vault_head)},
       {"environments",
        WriteAll(environments,
                 [](const EnvironmentHead& environment) {
                   return Json::Object({{"name", environment.name}, {"head", environment.head.ToJson()}});
                 })},
       {"grants", WriteAll(grants, [](const GrantEvidence& grant) { return grant.ToJson(); })},
       {"more", more}});
  if (!groups.empty())
    json.Set("groups", WriteAll(groups, [](const OwnGroupKey& key) { return key.ToJson(); }));
  if (!freezes.empty())
    json.Set("freezes", WriteAll(freezes, [](const Freeze& freeze) { return freeze.ToJson(); }));
  return json;
}

Result<GrantsResponse> GrantsResponse::FromJson(const Json& json) {
  JsonReader in(json, "grants");
  GrantsResponse response;
  response.vault_head = ReadVaultHead(in);
  response.environments =
      ReadObjects<EnvironmentHead>(in, "environments", kMaxCopiesSent, [](JsonReader& one) {
        EnvironmentHead environment;
        environment.name = ReadEnvironment(one, "name");
        environment.head = ReadHead(one, "head");
        return environment;
      });
  if (in.Has("groups")) response.groups = ReadAll<OwnGroupKey>(in, "groups", kMaxOwnGroups);
  if (in.Has("freezes")) response.freezes = ReadAll<Freeze>(in, "freezes", kMaxCopiesSent);
  response.grants = ReadAll<GrantEvidence>(in, "grants", kMaxGrants);
  response.more = in.Bool("more");
  GRANTFS_CHECK(in.Finish());
  return response;
}

}  // namespace grantfs::api
