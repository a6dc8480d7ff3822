#include "commands_internal.h"
#include "group_words_internal.h"
#include "owner_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Status RunGroupAddCommand(Context& context) {
  const auto given = GRANTFS_TRY(GroupGiven(context));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const GroupChange change =
      GRANTFS_TRY(session->AddToGroup(given.environment, given.name, given.machines, given.options));
  OutGroupChange(context, "added", change);
  return {};
}

}  // namespace

const Command kGroupAddCommand = {
    .name = "group add",
    .arguments = "PROJECT/ENVIRONMENT NAME MACHINE...",
    .min_arguments = 3,
    .max_arguments = kManyArguments,
    .summary = "put machines into a group",
    .about =
        R"(Seals the group's key to the machines, so that they may read what the group is granted, and returns when
their mounts show it or they are known to be offline. Those that are in it already stay. Where an
environment asks for two owners (grantfs env rules), it waits for another owner's grantfs request approve.
For the environment's owners.)",
    .options = {{"reason", "TEXT", "why; it stands in the signed statement"},
                {"wait", "TIME", "how long to wait for the machines' mounts (default: 5s)"}},
    .examples = {{"grantfs group add shop/prod web web-3", R"(web-3 is in @web of shop/prod
3 of 3 machines of @web have followed)"},
                 {"grantfs group add shop/prod web web-4 web-5 --reason 'more load' --json",
                  R"({"environment": "shop/prod", "group": "web", "added": ["web-4", "web-5"], ...})"}},
    .next = "grantfs group list shop/prod web",
    .failure = "the machines were not added",
    .run = RunGroupAddCommand,
};

}  // namespace grantfs
