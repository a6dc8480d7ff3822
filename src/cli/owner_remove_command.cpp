#include "commands_internal.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

Status RunOwnerRemoveCommand(Context& context) {
  const std::string name = context.arguments.At(0);
  const auto session = GRANTFS_TRY(OpenOwnerToRevoke(context));
  GRANTFS_CHECK(session->RemoveVaultOwner(name, context.arguments.Text("reason")));
  if (context.json()) {
    context.terminal.OutJson(Json::Object({{"name", name}}));
    return {};
  }
  context.terminal.OutLine(name + " is no owner of the vault any more");
  context.terminal.Note("roles in environments stay: grantfs offboard " + name + " ends them too");
  return {};
}

}  // namespace

const Command kOwnerRemoveCommand = {
    .name = "owner remove",
    .arguments = "NAME",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "end that somebody is an owner of the vault",
    .about =
        R"(Ends the ownership of the vault alone; roles in environments stay as they are. What the leaver signed in
the vault's lists stays good: this vouches for it where nobody else's statement follows. For the other owners of
the vault; nobody removes himself.)",
    .options = {{"reason", "TEXT", "why; it stands in the signed statements"}},
    .examples = {{"grantfs owner remove bea", "bea is no owner of the vault any more"},
                 {"grantfs owner remove bea --reason 'changed teams' --json", R"({"name": "bea"})"}},
    .next = "grantfs owner list",
    .failure = "the owner is still one",
    .run = RunOwnerRemoveCommand,
};

}  // namespace grantfs
