#include "commands_internal.h"
#include "group_words_internal.h"
#include "owner_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Status RunGroupDeleteCommand(Context& context) {
  const std::string environment = context.arguments.At(0);
  const std::string name = GroupName(context.arguments.At(1));
  GRANTFS_CHECK(CheckEnvironmentName(environment));
  const auto session = GRANTFS_TRY(OpenOwner(context));
  GroupOptions options;
  options.reason = context.arguments.Text("reason");
  GRANTFS_CHECK(session->DeleteGroup(environment, name, options));
  if (context.json())
    context.terminal.OutJson(
        Json::Object({{"environment", environment}, {"group", name}, {"deleted", true}}));
  else
    context.terminal.OutLine("deleted @" + name + " of " + environment);
  return {};
}

}  // namespace

const Command kGroupDeleteCommand = {
    .name = "group delete",
    .arguments = "PROJECT/ENVIRONMENT NAME",
    .min_arguments = 2,
    .max_arguments = 2,
    .summary = "end a group and all that is granted to it",
    .about =
        R"(Ends a group with everything that is granted to it, at once. Its name is free then; what is granted to a new
group of that name has to be granted anew. For the environment's owners.)",
    .options = {{"reason", "TEXT", "why; it stands in the signed statement"}},
    .examples = {{"grantfs group delete shop/prod batch", "deleted @batch of shop/prod"},
                 {"grantfs group delete shop/prod batch --reason 'moved to shop/jobs' --json",
                  R"({"environment": "shop/prod", "group": "batch", "deleted": true})"}},
    .next = "grantfs group list shop/prod",
    .failure = "the group was not deleted",
    .run = RunGroupDeleteCommand,
};

}  // namespace grantfs
