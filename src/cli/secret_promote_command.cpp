#include "commands_internal.h"
#include "owner_internal.h"
#include "secret_life_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Status RunSecretPromoteCommand(Context& context) {
  GRANTFS_TRY(ParseSecretName(context.arguments.At(0)));
  return RunChange(
      context, LifeChange::kPromote, ChangeOptionsOf(context.arguments),
      [](const ChangedSecret& one) { return "promoted " + one.name.Full() + ": " + CurrentText(one); });
}

}  // namespace

const Command kSecretPromoteCommand = {
    .name = "secret promote",
    .arguments = "PROJECT/ENVIRONMENT/NAME",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "make the next version current",
    .about =
        R"(Makes the version that secret set --label next has published current; what was current is previous, and
nothing is next. Every machine shows it at once, as a rotation.)",
    .options = {kReasonOption, kDryRunOption},
    .examples = {{"grantfs secret promote shop/prod/db-password",
                  "promoted shop/prod/db-password: version 3 is current (it was version 2)"},
                 {"grantfs secret promote --json shop/prod/db-password",
                  "{\"dry_run\": false, \"secrets\": [{\"name\": \"shop/prod/db-password\", ..., "
                  "\"current\": 3, ...}]}"}},
    .next = R"(grantfs secret rollback shop/prod/db-password, if it was too early.)",
    .failure = "nothing was promoted",
    .run = RunSecretPromoteCommand,
};

}  // namespace grantfs
