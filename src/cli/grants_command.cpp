#include <set>

#include "commands_internal.h"
#include "grantfs/trust/conditions.h"
#include "grantfs/trust/roles.h"
#include "listing_internal.h"
#include "owner_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

/// Those of which nothing can be listed.
Result<std::vector<std::string>> Unlisted(OwnerSession& session) {
  std::vector<std::string> names;
  for (const EnvironmentInfo& one : GRANTFS_TRY(session.ListEnvironments()))
    if (!one.role || !RoleAllows(*one.role, Operation::kList)) names.push_back(one.name);
  return names;
}

Status RunGrantsOwner(Context& context) {
  const SecretName secret =
      GRANTFS_TRY(context.arguments.Has("secret") ? ParseSecretOrEnvironment(context.arguments.Text("secret"))
                                                  : Result<SecretName>(SecretName{}));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const auto grants = GRANTFS_TRY(session->ListGrants(context.arguments.Text("machine"), secret));
  std::vector<std::string> unseen;
  if (secret.environment.empty()) unseen = GRANTFS_TRY(Unlisted(*session));
  if (context.json()) {
    Json list = Json::Array();
    for (const GrantInfo& info : grants) list.Append(ToJson(info));
    context.terminal.OutJson(
        Json::Object({{"grants", std::move(list)}, {"unseen", Json::Array({unseen.begin(), unseen.end()})}}));
    return {};
  }
  Table table({"SECRET", "TYPE", "MACHINE", "LABEL", "OWNER", "GROUP", "MODE", "STRICT", "ONLY", "LEASE",
               "EXPIRES", "SINCE", "BY"});
  for (const GrantInfo& info : grants)
    table.Add({info.secret.Full(), info.prefix ? "prefix" : TypeName(info.type), info.machine,
               info.grant.label, info.grant.owner, info.grant.group, ModeText(info.grant.mode),
               info.grant.strict ? "yes" : "", JoinConditions(info.grant.conditions),
               LeaseCell(info.grant.lease, info.grant.offline, info.grant.record),
               TimeCell(info.grant.expires), TimeCell(info.time), info.signer});
  if (table.empty())
    context.terminal.Note(context.arguments.Has("machine") || context.arguments.Has("secret")
                              ? "no grant matches; mind the spelling, which is not checked here"
                              : "nothing is granted; grantfs grant WHO SECRET does that");
  else
    context.terminal.Out(table.Text());
  if (!unseen.empty())
    context.terminal.Note("grants in " + JoinFirstWords(unseen) +
                          " are not yours to see: ask the owners there");
  return {};
}

SecretType TypeOf(const GrantedSecret& secret) {
  return secret.parts > 0 ? SecretType::kTemplate : SecretType::kValue;
}

Json ToJson(const GrantedSecret& secret) {
  return Json::Object({{"secret", secret.environment + "/" + secret.path},
                       {"type", TypeName(TypeOf(secret))},
                       {"version", secret.version},
                       {"owner", secret.owner},
                       {"group", secret.group},
                       {"mode", ModeText(secret.mode)},
                       {"strict", secret.strict},
                       {"conditions", Json::Array({secret.conditions.begin(), secret.conditions.end()})},
                       {"lease", secret.lease},
                       {"offline", secret.offline},
                       {"record", secret.record},
                       {"expires", secret.expires},
                       {"missing", secret.missing},
                       {"frozen", secret.frozen},
                       {"by", secret.by},
                       {"denied", secret.unenforceable}});
}

Status RunGrantsMachine(Context& context) {
  for (const char* option : {"machine", "secret"})
    if (context.arguments.Has(option))
      return Error{Code::kInvalid, "a machine sees its own grants alone; leave the option out", 0,
                   std::string("--") + option};
  const auto session = GRANTFS_TRY(OpenMachine(context));
  const auto listing = session->CurrentListing();
  if (context.json()) {
    Json list = Json::Array();
    for (const GrantedSecret& secret : listing->secrets) list.Append(ToJson(secret));
    context.terminal.OutJson(Json::Object({{"grants", std::move(list)}}));
    return {};
  }
  Table table(
      {"SECRET", "TYPE", "VERSION", "OWNER", "GROUP", "MODE", "STRICT", "ONLY", "LEASE", "EXPIRES", "BY"});
  for (const GrantedSecret& secret : listing->secrets) {
    const bool made =
        TypeOf(secret) == SecretType::kTemplate;  // whose version is no number that anybody gave it
    table.Add({secret.environment + "/" + secret.path, TypeName(TypeOf(secret)),
               !secret.missing.empty() ? "no file"
               : made                  ? ""
                                       : std::to_string(secret.version),
               secret.owner, secret.group, ModeText(secret.mode), secret.strict ? "yes" : "",
               JoinConditions(secret.conditions), LeaseCell(secret.lease, secret.offline, secret.record),
               TimeCell(secret.expires), secret.by});
  }
  if (table.empty())
    context.terminal.Note("nothing is granted to this machine");
  else
    context.terminal.Out(table.Text());
  std::set<std::string> freezes;
  for (const GrantedSecret& secret : listing->secrets)
    if (!secret.frozen.empty()) freezes.insert(secret.frozen);
  for (const std::string& freeze : freezes)
    context.terminal.Note(freeze + "; reading is refused until that is lifted");
  for (const GrantedSecret& secret : listing->secrets)
    if (!secret.missing.empty())
      context.terminal.Note(secret.environment + "/" + secret.path + " has no file: " + secret.missing);
  return {};
}

Status RunGrantsCommand(Context& context) {
  const bool machine = GRANTFS_TRY(HomeIsMachine(context));
  return machine ? RunGrantsMachine(context) : RunGrantsOwner(context);
}

}  // namespace

const Command kGrantsCommand = {
    .name = "grants",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "list who may read what",
    .about =
        R"(Lists the standing grants in your environments, by secret and machine, from signed lists that this
command verified. On a machine it lists what that machine may read, and by which group or prefix. MACHINE can
be @web, a group; what a machine may read by its groups is listed with it for owners of the environment. A
SECRET that ends in a slash is whatever is or will be below it. Where there are environments whose grants you
may not see, it says so.)",
    .options = {{"machine", "MACHINE", "only this machine's"},
                {"secret", "SECRET", "only this secret's, or those of this environment"}},
    .examples =
        {{"grantfs grants --machine web-1",
          R"(SECRET                 TYPE   MACHINE  LABEL    OWNER  GROUP  MODE  STRICT  ONLY      LEASE  EXPIRES  SINCE  BY
shop/prod/db-password  value  web-1    current  -      -      0400  -       user=app  10m    -        2026-01-31T12:00:00Z  ada)"},
         {"grantfs grants --secret shop/prod/db-password", "(every machine that may read it)"},
         {"grantfs grants --json --secret shop/prod",
          "{\"grants\": [{\"secret\": \"shop/prod/db-password\", ...}]}"}},
    .next = "grantfs revoke web-1 shop/prod/db-password",
    .failure = "the grants are not known",
    .run = RunGrantsCommand,
};

}  // namespace grantfs
