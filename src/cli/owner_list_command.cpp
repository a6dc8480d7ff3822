#include "commands_internal.h"
#include "identity_internal.h"
#include "owner_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Status RunOwnerListCommand(Context& context) {
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const auto owners = GRANTFS_TRY(session->ListVaultOwners());
  if (context.json()) {
    Json list = Json::Array();
    for (const IdentityInfo& info : owners) list.Append(IdentityJson(info));
    context.terminal.OutJson(Json::Object({{"owners", std::move(list)}}));
    return {};
  }
  Table table({"NAME", "FINGERPRINT", "STANDING"});
  for (const IdentityInfo& info : owners) table.Add({info.name, info.fingerprint, IdentityStanding(info)});
  context.terminal.Out(table.Text());
  return {};
}

}  // namespace

const Command kOwnerListCommand = {
    .name = "owner list",
    .arguments = "",
    .min_arguments = 0,
    .max_arguments = 0,
    .summary = "list the owners of the vault",
    .about =
        R"(Lists who owns the vault, and its recovery key, from the verified list that every client reads: anybody
of the vault may ask.)",
    .options = {},
    .examples = {{"grantfs owner list",
                  R"(NAME      FINGERPRINT               STANDING
ada       p2ma-...                  owner of the vault
recovery  7d4q-...                  recovery key, kept offline)"},
                 {"grantfs owner list --json",
                  "{\"owners\": [{\"name\": \"ada\", \"kind\": \"user\", ...}]}"}},
    .next = "grantfs owner add bea",
    .failure = "the owners are not known",
    .run = RunOwnerListCommand,
};

}  // namespace grantfs
