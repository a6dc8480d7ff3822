#include "commands_internal.h"
#include "owner_internal.h"
#include "secret_life_internal.h"
#include "table_internal.h"

namespace grantfs {
namespace {

Status RunSecretUndeleteCommand(Context& context) {
  return RunChange(
      context, LifeChange::kUndelete, ChangeOptionsOf(context.arguments), [](const ChangedSecret& one) {
        return "undeleted " + one.name.Full() +
               (one.current == 0 ? "" : ": version " + std::to_string(one.current) + " is current");
      });
}

}  // namespace

const Command kSecretUndeleteCommand = {
    .name = "secret undelete",
    .arguments = "SECRET...",
    .min_arguments = 1,
    .max_arguments = kManyArguments,
    .summary = "bring deleted secrets back",
    .about =
        R"(Takes a deletion back: the secrets are read again by whoever was granted them and was not revoked since, in
the versions that they had.)",
    .options = {kReasonOption, kDryRunOption},
    .examples = {{"grantfs secret undelete shop/prod/old-key",
                  "undeleted shop/prod/old-key: version 4 is current"},
                 {"grantfs secret undelete --json shop/prod/old-key",
                  "{\"dry_run\": false, \"secrets\": [{\"name\": \"shop/prod/old-key\", ...}]}"}},
    .next = R"(grantfs grants --secret shop/prod/old-key)",
    .failure = "nothing was undeleted",
    .run = RunSecretUndeleteCommand,
};

}  // namespace grantfs
