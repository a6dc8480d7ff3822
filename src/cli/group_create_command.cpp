#include "commands_internal.h"
#include "group_words_internal.h"
#include "owner_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Status RunGroupCreateCommand(Context& context) {
  const auto given = GRANTFS_TRY(GroupGiven(context));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  const GroupChange change =
      GRANTFS_TRY(session->CreateGroup(given.environment, given.name, given.machines, given.options));
  OutGroupChange(context, "created", change);
  return {};
}

}  // namespace

const Command kGroupCreateCommand = {
    .name = "group create",
    .arguments = "PROJECT/ENVIRONMENT NAME [MACHINE...]",
    .min_arguments = 2,
    .max_arguments = kManyArguments,
    .summary = "make a group of machines in an environment",
    .about =
        R"(Makes a group: what is granted to @NAME with grantfs grant, every machine of it may read, and a new value
costs one sealed key however many machines there are. A group belongs to one environment and has a key of
its own, which its machines hold. Where an environment asks for two owners (grantfs env rules), the group is made
without machines, and those that are named wait for another owner's grantfs request approve. For the environment's
owners.)",
    .options = {{"reason", "TEXT", "why; it stands in the signed statement"},
                {"wait", "TIME", "how long to wait for the machines' mounts (default: 5s)"}},
    .examples = {{"grantfs group create shop/prod web web-1 web-2", R"(made @web of shop/prod
web-1 and web-2 are in it
2 of 2 machines of @web have followed)"},
                 {"grantfs group create shop/prod batch", "made @batch of shop/prod"}},
    .next = "grantfs grant @web shop/prod/db-password",
    .failure = "the group was not made",
    .run = RunGroupCreateCommand,
};

}  // namespace grantfs
