#include "commands_internal.h"
#include "member_words_internal.h"
#include "owner_internal.h"
#include "request_output_internal.h"

namespace grantfs {
namespace {

Status RunMemberAddCommand(Context& context) {
  const std::string environment = context.arguments.At(0);
  GRANTFS_CHECK(CheckEnvironmentName(environment));
  const Role role = GRANTFS_TRY(RoleGiven(context));
  const std::string prefix = GRANTFS_TRY(PrefixGiven(context, role));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const Identity who = GRANTFS_TRY(session->FindPerson(context.arguments.At(1)));
  GRANTFS_CHECK(CheckMayHold(who, role));
  const auto waiting =
      GRANTFS_TRY(session->AddMember(environment, who, role, prefix, context.arguments.Text("reason")));
  if (context.json()) {
    context.terminal.OutJson(Json::Object({{"environment", environment},
                                           {"name", who.name},
                                           {"kind", IdentityKindName(who.kind)},
                                           {"id", who.Id().Hex()},
                                           {"role", RoleName(role)},
                                           {"prefix", prefix},
                                           {"waiting", Json::Array({waiting.begin(), waiting.end()})}}));
    return {};
  }
  NoteWaiting(context.terminal, waiting);
  context.terminal.OutLine(who.name + (waiting.empty() ? " is " : " is to be ") + RoleName(role) + " of " +
                           environment + (prefix.empty() ? "" : ", below " + prefix));
  return {};
}

}  // namespace

const Command kMemberAddCommand = {
    .name = "member add",
    .arguments = "PROJECT/ENVIRONMENT NAME",
    .min_arguments = 2,
    .max_arguments = 2,
    .summary = "give a user or agent a role, or another one",
    .about =
        R"(Makes a user or agent that was let into the vault (grantfs invite --kind user, grantfs approve) a member
of an environment. An owner may do all there; a reader reads every value; a writer makes secrets and sets
values, with --prefix only of names that begin with it, and reads none; an operator freezes and reads the
audit log; an auditor reads the audit log alone. An agent is never owner or reader. One who has a role gets this
in its place, in one step: what he signed by the one before is vouched for, and an owner or reader who becomes
neither loses the environment's key, which a new one replaces (grantfs offboard NAME --dry-run names what he
could read). For the environment's owners.)",
    .options = {{"role", "ROLE", "owner, reader, writer, operator or auditor"},
                {"prefix", "PATH/", "of a writer: only secrets whose names begin with it, as tls/"},
                {"reason", "TEXT", "why; it stands in the signed statement"}},
    .examples = {{"grantfs member add shop/prod bea --role reader", "bea is reader of shop/prod"},
                 {"grantfs member add shop/prod ci --role writer --prefix tls/",
                  "ci is writer of shop/prod, below tls/"},
                 {"grantfs member add shop/prod bea --role operator", "bea is operator of shop/prod"},
                 {"grantfs member add shop/prod bea --role auditor --reason 'the yearly audit' --json",
                  R"({"environment": "shop/prod", "name": "bea", "kind": "user", "role": "auditor", ...})"}},
    .next = "grantfs member list shop/prod",
    .failure = "the role was not given",
    .run = RunMemberAddCommand,
};

}  // namespace grantfs
