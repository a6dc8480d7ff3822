#include "commands_internal.h"
#include "group_words_internal.h"
#include "owner_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Status RunGroupRemoveCommand(Context& context) {
  const auto given = GRANTFS_TRY(GroupGiven(context));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const GroupChange change =
      GRANTFS_TRY(session->RemoveFromGroup(given.environment, given.name, given.machines, given.options));
  OutGroupChange(context, "removed", change);
  return {};
}

}  // namespace

const Command kGroupRemoveCommand = {
    .name = "group remove",
    .arguments = "PROJECT/ENVIRONMENT NAME MACHINE...",
    .min_arguments = 3,
    .max_arguments = kManyArguments,
    .summary = "take machines out of a group",
    .about =
        R"(Ends what the machines may read by the group, at once, and starts the group's next key, which they do not
have: nothing that is set from then on can be read with what they kept. What they have read before they may
know still; grantfs audit readers says who has read a secret. For the environment's owners.)",
    .options = {{"reason", "TEXT", "why; it stands in the signed statement"},
                {"wait", "TIME", "how long to wait for the machines' mounts (default: 5s)"}},
    .examples = {{"grantfs group remove shop/prod web web-1", "web-1 is not in @web of shop/prod any more"},
                 {"grantfs group remove shop/prod web web-4 web-5 --reason 'less load'",
                  "web-4 and web-5 are not in @web of shop/prod any more"}},
    .next = "grantfs secret set, for each secret that they know.",
    .failure = "the machines were not taken out",
    .run = RunGroupRemoveCommand,
};

}  // namespace grantfs
