#include "commands_internal.h"
#include "owner_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Json ToJson(const MemberInfo& info) {
  return Json::Object({{"name", info.name},
                       {"kind", IdentityKindName(info.kind)},
                       {"id", info.id},
                       {"fingerprint", info.fingerprint},
                       {"role", RoleName(info.role)},
                       {"prefix", info.prefix},
                       {"removed_from_vault", info.removed_from_vault},
                       {"replaced_by", info.replaced_by}});
}

const char* StandingOf(const MemberInfo& info) {
  if (!info.replaced_by.empty()) return "has a new key: grantfs member rekey";
  return info.removed_from_vault ? "removed from the vault" : "in";
}

Status RunMemberListCommand(Context& context) {
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const auto members = GRANTFS_TRY(session->ListMembers(context.arguments.At(0)));
  if (context.json()) {
    Json list = Json::Array();
    for (const MemberInfo& info : members) list.Append(ToJson(info));
    context.terminal.OutJson(Json::Object({{"members", std::move(list)}}));
    return {};
  }
  Table table({"NAME", "KIND", "ROLE", "ONLY BELOW", "FINGERPRINT", "STANDING"});
  for (const MemberInfo& info : members)
    table.Add({info.name, IdentityKindName(info.kind), RoleName(info.role), info.prefix, info.fingerprint,
               StandingOf(info)});
  context.terminal.Out(table.Text());
  return {};
}

}  // namespace

const Command kMemberListCommand = {
    .name = "member list",
    .arguments = "PROJECT/ENVIRONMENT",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "list who has a role in an environment",
    .about =
        R"(Lists the members of an environment with their roles, from its verified list. One that was removed from
the vault can do nothing any more, but is to be removed here too; one who has a new key in the vault is to get the
role with that (grantfs member rekey). For all members but auditors.)",
    .options = {},
    .examples = {{"grantfs member list shop/prod",
                  R"(NAME  KIND   ROLE    ONLY BELOW  FINGERPRINT               STANDING
ada   user   owner   -           p2ma-...                  in
ci    agent  writer  tls/        k3vq-7m2a-x4pd-ce6w-hn5t  in)"},
                 {"grantfs member list shop/prod --json",
                  "{\"members\": [{\"name\": \"ada\", \"kind\": \"user\", \"role\": \"owner\", ...}]}"}},
    .next = "grantfs member add shop/prod bea --role reader",
    .failure = "the members are not known",
    .run = RunMemberListCommand,
};

}  // namespace grantfs
