#include "commands_internal.h"
#include "owner_internal.h"
#include "secret_life_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Status RunSecretDeleteCommand(Context& context) {
  return RunChange(context, LifeChange::kDelete, ChangeOptionsOf(context.arguments),
                   [](const ChangedSecret& one) { return "deleted " + one.name.Full(); });
}

}  // namespace

const Command kSecretDeleteCommand = {
    .name = "secret delete",
    .arguments = "SECRET...",
    .min_arguments = 1,
    .max_arguments = kManyArguments,
    .summary = "stop all reads of secrets, until they are undeleted",
    .about =
        R"(Ends every read of the secrets at once: machines do not show them any more, and their leases end. Versions
and grants stay, so that secret undelete brings all of it back. A SECRET is a full name, or shop/prod/* for
all that are there now. Owners of the environment may.)",
    .options = {kReasonOption, kDryRunOption},
    .examples = {{"grantfs secret delete --reason 'nobody uses it' shop/prod/old-key",
                  "deleted shop/prod/old-key"},
                 {"grantfs secret delete --dry-run 'shop/prod/tls/*'",
                  "would have deleted shop/prod/tls/server.key"}},
    .next = R"(grantfs secret undelete shop/prod/old-key, or grantfs secret destroy to erase it.)",
    .failure = "nothing was deleted",
    .run = RunSecretDeleteCommand,
};

}  // namespace grantfs
