#include "commands_internal.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

Status RunOwnerAddCommand(Context& context) {
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const Identity who = GRANTFS_TRY(session->FindPerson(context.arguments.At(0)));
  if (who.kind != IdentityKind::kUser)
    return Error{Code::kInvalid, "an agent owns no vault: only a user can", 0, who.name};
  GRANTFS_CHECK(session->AddVaultOwner(who, context.arguments.Text("reason")));
  if (context.json()) {
    context.terminal.OutJson(Json::Object({{"name", who.name}, {"id", who.Id().Hex()}}));
    return {};
  }
  context.terminal.OutLine(who.name + " is an owner of the vault");
  context.terminal.Note("environments keep their owners; there it takes grantfs member add");
  return {};
}

}  // namespace

const Command kOwnerAddCommand = {
    .name = "owner add",
    .arguments = "NAME",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "make a user one more owner of the vault",
    .about =
        R"(Makes a user that was let in (grantfs invite --kind user, grantfs approve) an owner of the vault: who lets
machines, users and agents in and removes them, makes environments, and adds and removes owners. Of the
environments of others he sees names, and reads nothing. For owners of the vault.)",
    .options = {{"reason", "TEXT", "why; it stands in the signed statement"}},
    .examples = {{"grantfs owner add bea", "bea is an owner of the vault"},
                 {"grantfs owner add bea --reason 'on call' --json", R"({"name": "bea", "id": "4f2e..."})"}},
    .next = "grantfs owner list",
    .failure = "there is no new owner",
    .run = RunOwnerAddCommand,
};

}  // namespace grantfs
