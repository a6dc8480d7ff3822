#include "commands_internal.h"
#include "owner_internal.h"

namespace grantfs {
namespace {

Status RunMemberRemoveCommand(Context& context) {
  const std::string environment = context.arguments.At(0);
  const std::string name = context.arguments.At(1);
  const auto session = GRANTFS_TRY(OpenOwnerToRevoke(context));
  const auto members = GRANTFS_TRY(session->ListMembers(environment));
  bool read = false;
  for (const MemberInfo& info : members)
    read |= (info.name == name || info.id == name) && RoleAllows(info.role, Operation::kReadValue);
  GRANTFS_CHECK(session->RemoveMember(environment, name, context.arguments.Text("reason")));
  if (context.json()) {
    context.terminal.OutJson(
        Json::Object({{"environment", environment}, {"name", name}, {"could_read", read}}));
    return {};
  }
  context.terminal.OutLine(name + " is no member of " + environment + " any more");
  if (read) {
    context.terminal.Note("the environment has a new key, but " + name +
                          " could read every value so far: grantfs offboard " + name +
                          " --dry-run lists what is to be set anew");
  }
  return {};
}

}  // namespace

const Command kMemberRemoveCommand = {
    .name = "member remove",
    .arguments = "PROJECT/ENVIRONMENT NAME",
    .min_arguments = 2,
    .max_arguments = 2,
    .summary = "take a role in an environment away",
    .about =
        R"(Ends a membership. What the member signed stays good: this vouches for it wherever nobody else's statement
follows. Where an owner or reader leaves, the environment gets a new key, so that no later value can be
opened; values from before stay known to who has read them. For the environment's owners; nobody removes
himself. The same key does not come back with another role.)",
    .options = {{"reason", "TEXT", "why; it stands in the signed statements"}},
    .examples = {{"grantfs member remove shop/prod bea", "bea is no member of shop/prod any more"},
                 {"grantfs member remove shop/prod ci --reason 'replaced by ci-2' --json",
                  R"({"environment": "shop/prod", "name": "ci", "could_read": false})"}},
    .next = "grantfs secret set, for each value that the member knows",
    .failure = "the role was not taken away",
    .run = RunMemberRemoveCommand,
};

}  // namespace grantfs
